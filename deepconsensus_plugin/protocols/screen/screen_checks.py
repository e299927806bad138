# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the form of *deep consensus*, one sentence per fault."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import micrograph_names
from deepconsensus_plugin.core.calibration.grounds import FEWEST_VOTERS
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.consensus.picks_input import (
    describeBadPicks,
    describeOnePicker,
    describeOtherPixelSizeOfPicks,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import describeBadSpacing
from deepconsensus_plugin.protocols.deep_consensus.labelled_boxes import (
    describeBadStacks,
)
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    describeBadFeedback,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    thresholdMode,
)
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    describeBadStart,
    describeBadTraining,
    startsFromModel,
)
from deepconsensus_plugin.protocols.deep_consensus.training_sets import (
    LabelledSet,
    describeBadFurther,
    describeDifferentRates,
    describeSharedMicrographs,
    furtherSets,
)
from deepconsensus_plugin.protocols.screen.screen_form import STREAMING
from deepconsensus_plugin.protocols.screen.screen_picks import (
    describeMissingMicrographs,
    picksForMe,
)
from deepconsensus_plugin.protocols.screen.screen_stages import (
    boxFrameOfScreen,
    flipsPhases,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMisfit,
    describeMissingCtf,
    describeOtherContrast,
)
from deepconsensus_plugin.protocols.shared.parallel_form import describeBadParallel


def describeBadForm(protocol: Protocol) -> list[str]:
    """Return what is wrong with the input and the choices of a form."""
    sets = [pointer.get() for pointer in protocol.inputCoordinates]
    if picksForMe(protocol):
        return _describeBadChoices(protocol)
    if None in sets:
        return ["Picks: one of the sets is empty; choose it again, or remove it."]
    isNew = not startsFromModel(protocol)
    errors = [
        *describeBadPicks(protocol),
        *DRAWING.describe_bad(protocol),
        *describeBadTraining(protocol),
        *THRESHOLD.describe_bad(protocol),
        *describeBadSpacing(protocol, sets[0], sets[0].getMicrographs()),
        *_describeBadPrecision(protocol),
        *STREAMING.describe_bad(protocol),
        *describeBadParallel(protocol),
        *describeBadFeedback(protocol),
        *(describeOnePicker(protocol) if isNew else []),
    ]
    # Faults that stages share are reported once.
    errors = list(dict.fromkeys(errors)) or _describeBadFurther(protocol)
    return errors or _describeBadModel(protocol)


def _describeBadChoices(protocol: Protocol) -> list[str]:
    """Return what is wrong with a form that leaves the picking to the run."""
    errors = [
        *describeMissingMicrographs(protocol),
        *DRAWING.describe_bad(protocol),
        *describeBadTraining(protocol),
        *THRESHOLD.describe_bad(protocol),
        *STREAMING.describe_bad(protocol),
        *describeBadParallel(protocol),
        *describeBadFurther(protocol),
    ]
    return list(dict.fromkeys(errors))


def describeDoubtful(protocol: Protocol) -> list[str]:
    """Return what is worth a warning in the input and the choices of a form."""
    warnings = describeOtherPixelSizeOfPicks(protocol)
    if sets := _soundSets(protocol):
        picked = referenceMicrographs(protocol)
        warnings += describeSharedMicrographs(sets, micrograph_names(picked))
    model = protocol.initialModel.get()
    if model is None or not protocol.usesModelAsIs():
        return warnings
    return warnings + describeOtherContrast(model, not protocol.skipInvert)


def _describeBadFurther(protocol: Protocol) -> list[str]:
    """Return what is wrong with the extra sets and the test sets."""
    errors = describeBadFurther(protocol)
    if errors:
        return errors
    sets, frame = furtherSets(protocol), boxFrameOfScreen(protocol)
    if sets and protocol.usesModelAsIs():
        return [
            f"{sets[0].name}: nothing is trained with an initial model that scores as "
            "it is; leave the extra sets and the test sets empty."
        ]
    if protocol.inputMicrographs.get() is None:
        errors = describeDifferentRates(sets, frame.micrographs.getSamplingRate())
    extentA = frame.box_size * frame.micrographs.getSamplingRate()
    return errors or describeBadStacks(
        sets, extentA=extentA, flipsPhases=flipsPhases(protocol)
    )


def _soundSets(protocol: Protocol) -> list[LabelledSet]:
    """Return the extra sets and the test sets; none where one of them is wrong."""
    if not len(protocol.inputCoordinates) or describeBadFurther(protocol):
        return []
    return furtherSets(protocol)


def _describeBadPrecision(protocol: Protocol) -> list[str]:
    n_least = FEWEST_VOTERS - bool(protocol.averageCandidates)
    enough = len(protocol.inputCoordinates) >= n_least
    if thresholdMode(protocol) is not ThresholdMode.MIN_PRECISION or (
        protocol.combineEvidence and enough
    ):
        return []
    return [
        "Select by: a target precision needs scores that are probabilities, and three "
        "pickers to tell it, or two and averages. Choose at least three sets of picks, "
        "or two and *Average the candidates*, and *Combine with pickers*."
    ]


def _describeBadModel(protocol: Protocol) -> list[str]:
    """Return why the chosen model cannot be used, or started from."""
    box, model = boxFrameOfScreen(protocol).box_size, protocol.initialModel.get()
    rate = protocol.getInputMicrographs().getSamplingRate()
    if model is None or not protocol.usesModelAsIs():
        return describeBadStart(
            protocol,
            boxSize=box,
            samplingRate=rate,
            flipsPhases=flipsPhases(protocol),
        )
    if misfit := describeMisfit(model, boxSize=box, samplingRate=rate):
        return [f"Initial model: {misfit}"]
    return describeMissingCtf(model, protocol.ctfRelations.get())
