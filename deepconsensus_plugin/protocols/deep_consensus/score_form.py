# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *score particles*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoringParameters,
    StackOptions,
)
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.protocols.shared.contrast import (
    defineStackContrastParam,
    shownAsContrast,
)
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
    ask_general_model=Shown(condition="combineEvidence"),
    average_candidates=Shown(condition="combineEvidence"),
)
STACKS = ParameterForm(
    StackOptions,
    invert=shownAsContrast(name="doInvert"),
    normalise=Shown("doNormalise"),
    half_size=Shown("halfSize"),
)


def defineInputParams(form: params.Form) -> None:
    """Add what is scored, and with what."""
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates,SetOfParticles",
        important=True,
        label="Candidates",
        help="Coordinates to score: *outputCoordinatesOR* of *consensus of picks* (all "
        "particles that any picker found), or any other coordinates. Or particles in "
        "stacks, which are scored as they are. The output holds all of them, with a "
        "score.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        important=True,
        label="Model",
        help="Output of *train network* or *import model*. It must have been trained "
        "on boxes of about the same size in Å.",
    )
    defineStackContrastParam(form, "(inputCoordinates, 1) and hasStacks")
    defineCtfParam(
        form,
        "Optional CTFs of the micrographs, which are written with the particles. They "
        "are needed if the model was trained with CTFs. Candidates on micrographs "
        "without a CTF are then left out, as in Scipion's particle extraction; the "
        "summary counts them.",
    )
    defineOtherMicrographsParam(form)
    SCORING.define(form)


def defineCombineParam(form: params.Form) -> None:
    """Add what the score is."""
    form.addParam(
        "combineEvidence",
        params.BooleanParam,
        default=True,
        label="Combine with pickers",
        help="*Yes*: the score is the probability that a candidate is a particle, from "
        "the score of the network, the pickers that found it, and their scores. "
        "Precision and recall are estimated too, for every picker and for the "
        "particles kept. This needs at least two pickers, but no truth.\n"
        "*No*: the score is that of the network, as published.\nDefault: Yes.",
    )


def defineWitnessParams(form: params.Form) -> None:
    """Add whether the general model is asked, and candidates are averaged."""
    FUSION.define(form, "ask_general_model", "average_candidates")


def defineSeedParam(form: params.Form) -> None:
    """Add the seed of the intervals."""
    FUSION.define(form, "fusion_seed")


def fusionSeed(protocol: Protocol) -> int | None:
    """Return the seed of the fusion; None where the score is the network's own."""
    return protocol.seed.get() if protocol.combineEvidence else None


def defineAllStacksParam(form: params.Form) -> None:
    """Add whether *score particles* writes the particles of all candidates."""
    form.addParam(
        "writeStacks",
        params.BooleanParam,
        default=False,
        label="Write stacks of all candidates",
        help="*Yes*: the boxes of all candidates are written at the pixel size of the "
        "micrographs, to one stack per micrograph: 500 000 boxes of 400 px take 320 GB "
        "of disk.\n"
        "*No*: only scored coordinates are written; *select by score* writes the "
        "particles that it keeps, as the lines below tell.\nDefault: No.",
    )


def defineStacksParam(form: params.Form) -> None:
    """Add whether *deep consensus* writes particles."""
    form.addParam(
        "writeStacks",
        params.BooleanParam,
        default=True,
        label="Write particle stacks",
        help="*Yes*: all candidates are extracted at the pixel size of the "
        "micrographs, to one stack per micrograph.\n"
        "*No*: only scored coordinates are written. 500 000 boxes of 400 px take 320 "
        "GB of disk; for large sets, let *select by score* write the particles that it "
        "keeps.\nDefault: Yes.",
    )


def defineStackOptions(form: params.Form, *, asksContrast: bool = True) -> None:
    """Add how particles are written, perhaps without their contrast."""
    contrast = ["invert"] if asksContrast else []
    STACKS.define(form, *contrast, "normalise", "half_size")
