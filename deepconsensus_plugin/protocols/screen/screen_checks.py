# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the form of *deep consensus*, one sentence per fault."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.calibration.grounds import FEWEST_VOTERS
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.consensus.picks_input import (
    describeBadPicks,
    describeOnePicker,
    describeOtherPixelSizeOfPicks,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import describeBadSpacing
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    thresholdMode,
)
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    describeBadStart,
    describeBadTraining,
    startsFromModel,
)
from deepconsensus_plugin.protocols.screen.screen_form import STREAMING
from deepconsensus_plugin.protocols.screen.screen_stages import boxFrameOfScreen
from deepconsensus_plugin.protocols.shared.input_checks import describeBadThreads
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMisfit,
    describeMissingCtf,
    describeOtherContrast,
)


def describeBadForm(protocol: Protocol) -> list[str]:
    """Return what is wrong with the input and the choices of a form."""
    sets = [pointer.get() for pointer in protocol.inputCoordinates]
    if not sets or None in sets:
        return []  # Scipion reports it
    isNew = not startsFromModel(protocol)
    errors = [
        *describeBadPicks(protocol),
        *DRAWING.describe_bad(protocol),
        *describeBadTraining(protocol),
        *THRESHOLD.describe_bad(protocol),
        *describeBadSpacing(protocol, sets[0], sets[0].getMicrographs()),
        *_describeBadPrecision(protocol),
        *STREAMING.describe_bad(protocol),
        *describeBadThreads(protocol),
        *(describeOnePicker(protocol) if isNew else []),
    ]
    # Faults that stages share are reported once.
    return list(dict.fromkeys(errors)) or _describeBadModel(protocol)


def describeDoubtful(protocol: Protocol) -> list[str]:
    """Return what is worth a warning in the input and the choices of a form."""
    warnings = describeOtherPixelSizeOfPicks(protocol)
    model = protocol.initialModel.get()
    if model is None or not protocol.usesModelAsIs():
        return warnings
    return warnings + describeOtherContrast(model, not protocol.skipInvert)


def _describeBadPrecision(protocol: Protocol) -> list[str]:
    enough = len(protocol.inputCoordinates) >= FEWEST_VOTERS
    if thresholdMode(protocol) is not ThresholdMode.MIN_PRECISION or (
        protocol.combineEvidence and enough
    ):
        return []
    return [
        "Select by: a target precision needs scores that are probabilities, and three "
        "pickers to tell it. Choose at least three sets of picks, and *Combine with "
        "pickers*."
    ]


def _describeBadModel(protocol: Protocol) -> list[str]:
    """Return why the chosen model cannot be used, or started from."""
    box, model = boxFrameOfScreen(protocol).box_size, protocol.initialModel.get()
    if model is None or not protocol.usesModelAsIs():
        return describeBadStart(protocol, boxSize=box)
    rate = protocol.getInputMicrographs().getSamplingRate()
    if misfit := describeMisfit(model, boxSize=box, samplingRate=rate):
        return [f"Initial model: {misfit}"]
    return describeMissingCtf(model, protocol.ctfRelations.get())
