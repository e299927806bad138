# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the form of *score particles*, one sentence per fault."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    FUSION,
    SCORING,
    describeBadFeedback,
)
from deepconsensus_plugin.protocols.deep_consensus.score_particles import (
    describeBadParticles,
)
from deepconsensus_plugin.protocols.deep_consensus.score_stages import (
    boxFrameOfScoring,
)
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
    describeNoBox,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMisfit,
    describeMissingCtf,
)


def describeBadForm(protocol: Protocol) -> list[str]:
    """Return what is wrong with the input and the choices of a form."""
    errors = SCORING.describe_bad(protocol) + FUSION.describe_bad(protocol)
    errors += describeBadFeedback(protocol)
    candidates = protocol.inputCoordinates.get()
    if candidates is None or protocol.inputModel.get() is None:
        return errors  # Scipion reports it
    errors += describeEmpty("Candidates", candidates)
    if protocol.hasStacks():
        return errors or describeBadParticles(protocol)
    return errors + (
        describeNoBox("Candidates", candidates)
        or describeLost("Candidates", candidates)
        or _describeBadModel(protocol)
    )


def _describeBadModel(protocol: Protocol) -> list[str]:
    """Return why the model cannot be used on these candidates."""
    model, ctfs = protocol.inputModel.get(), protocol.ctfRelations.get()
    frame = boxFrameOfScoring(protocol)
    rate = frame.micrographs.getSamplingRate()
    if misfit := describeMisfit(model, boxSize=frame.box_size, samplingRate=rate):
        return [f"Model: {misfit}"]
    return describeMissingCtf(model, ctfs)
