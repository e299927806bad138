# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *score particles*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoringParameters,
    StackOptions,
)
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineCtfParam,
    defineOtherMicrographsParam,
)

SCORING = ParameterForm(ScoringParameters, batch_size=Shown(none=0))
FUSION = ParameterForm(
    DeepConsensusOptions,
    # The line of whether to combine stands for None.
    fusion_seed=Shown("seed", default=0, condition="combineEvidence"),
)
STACKS = ParameterForm(
    StackOptions,
    invert=Shown("doInvert", condition="writeStacks"),
    normalise=Shown("doNormalise", condition="writeStacks"),
)


def defineInputParams(form: params.Form) -> None:
    """Add what is scored, and with what."""
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Candidates",
        help="Coordinates to score: *outputCoordinatesOR* of *consensus of picks* "
        "(all that any picker found), or any other coordinates. All of them "
        "are kept in the output.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        important=True,
        label="Model",
        help="Network of *train network* or *import model*. It must have been "
        "trained on boxes of about the same size in Å.",
    )
    defineCtfParam(
        form,
        "CTFs of the micrographs, attached to the particles.\n"
        "They are needed if the model was trained on phase-flipped boxes.\n"
        "Candidates on micrographs without a CTF are then left out, as Scipion's "
        "extraction does; the summary counts them.",
    )
    defineOtherMicrographsParam(form)
    SCORING.define(form)


def defineCombineParam(form: params.Form) -> None:
    """Add what the score is."""
    form.addParam(
        "combineEvidence",
        params.BooleanParam,
        default=True,
        label="Combine with the pickers?",
        help="*Yes*: the score is the probability of a particle, given the network's "
        "score, who found the candidate, and the pickers' own scores.\n"
        "Precision and recall, of every picker and of what is accepted, are estimated "
        "on the way.\n"
        "No truth is needed, but two pickers are.\n"
        "*No*: the score is the network's own, as published.",
    )


def defineSeedParam(form: params.Form) -> None:
    """Add the seed of the intervals."""
    FUSION.define(form)


def defineParticleParams(form: params.Form, *, asksContrast: bool = True) -> None:
    """Add how particles are written, perhaps without their contrast."""
    form.addParam(
        "writeStacks",
        params.BooleanParam,
        default=True,
        label="Write particles?",
        help="*Yes*: all candidates are cut out at the pixel size of the "
        "micrographs and written, one stack a micrograph.\n"
        "*No*: only coordinates get scores.\n500 000 boxes of 400 px take 320 GB; "
        "then select first and extract what is kept.",
    )
    STACKS.define(form, *(["invert"] if asksContrast else []), "normalise")
