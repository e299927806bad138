# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *score particles*, section by section."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoringParameters,
    StackOptions,
)
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.types import Micrograph
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
    feedback=Shown(
        condition="combineEvidence",
        param=params.PathParam,
        held=lambda path: "" if path is None else str(path),
        meant=lambda text: Path(text) if text else None,
    ),
    feedback_scale=Shown(condition="combineEvidence"),
)
LABELS = tuple(map(FUSION.name_of, ("feedback", "feedback_scale")))
"""Lines of labels: a change of these repeats the fusion, which takes seconds, and not
what looks at images."""
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


def defineFeedbackParams(form: params.Form) -> None:
    """Add labels from a file."""
    FUSION.define(form, "feedback", "feedback_scale")


def fusionChoices(
    protocol: Protocol, micrographs: tuple[Micrograph, ...], boxSize: float
) -> dict[str, Any]:
    """Return the choices of a form for `fuse_scored`: seed, and file of labels.

    Parameters
    ----------
    protocol : Protocol
        Its form has the lines of `defineFeedbackParams`.
    micrographs : tuple of Micrograph
        Micrographs of the candidates.
    boxSize : float
        Pixels of these micrographs.
    """
    choices = {"seed": fusionSeed(protocol)}
    if (path := FUSION.value_of("feedback", protocol)) is not None:
        scale = FUSION.value_of("feedback_scale", protocol)
        choices["feedback"] = FeedbackFile(path, micrographs, boxSize, scale)
    return choices


def describeBadFeedback(protocol: Protocol) -> list[str]:
    """Return that the file of labels is not there, or is not used."""
    path = FUSION.value_of("feedback", protocol)
    if path is None or not protocol.combineEvidence:
        return []
    label = FUSION.label_of("feedback")
    return [] if path.exists() else [f"{label}: {path} does not exist."]


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
