# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *deep consensus*: those of its stages together, and streaming."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.core.streaming import StreamRules
from deepconsensus_plugin.protocols.consensus import consensus_form
from deepconsensus_plugin.protocols.consensus.negatives_form import defineDrawingParams
from deepconsensus_plugin.protocols.deep_consensus.acceptance import defineSpacingParams
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    defineCombineParam,
    defineFeedbackParams,
    defineStackOptions,
    defineStacksParam,
    defineWitnessParams,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    thresholdForm,
)
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    FROM_MODEL,
    defineContrastParam,
    defineExtraParams,
    defineInitialModelParams,
    defineTrainingParams,
)
from deepconsensus_plugin.protocols.shared.contrast import defineStackContrastParam
from deepconsensus_plugin.protocols.shared.estimated_diameter import AUTO
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineCtfParam,
    defineOtherMicrographsParam,
)
from deepconsensus_plugin.protocols.shared.skipped_micrographs import defineSkipParam

_PICK_FOR_ME = (
    "\nNone: pick for me. Choose *Other micrographs*; three pickers of different "
    "principle that need no training pick them, each with its own threshold."
)

STREAMING = ParameterForm(
    StreamRules,
    wait_s=Shown("streamingSleepOnWait"),
    batch_size=Shown("extractingBatch", condition="doPreliminarPredictions"),
    first_positives=Shown("preliminaryPositives", condition="doPreliminarPredictions"),
)


def defineInputParams(form: params.Form) -> None:
    """Add the picks, the micrographs, and a model to use."""
    form.addSection(label="Input")
    consensus_form.defineInputParams(form, more=_PICK_FOR_ME, allowsNull=True)
    form.addParam(
        "particleDiameter",
        params.FloatParam,
        allowsNull=True,
        label="Particle diameter (Å)",
        expertLevel=params.LEVEL_ADVANCED,
        help="Longest diameter of the particle. Only where *Picks* are left empty.\n"
        f"Auto (empty): {AUTO}.",
    )
    defineInitialModelParams(form)
    form.addParam(
        "skipTraining",
        params.BooleanParam,
        default=True,
        condition=f"modelInitialization == {FROM_MODEL}",
        label="Score without training",
        help="*Yes*: the model scores the candidates as it is.\n*No*: its training is "
        "continued with the particles that the pickers agree on.\nDefault: Yes.",
    )
    defineContrastParam(form)
    defineCtfParam(
        form,
        "Optional CTFs of the micrographs. With them, boxes are phase-flipped before "
        "the network sees them, and particles are written with their CTF. Candidates "
        "on micrographs without a CTF are then left out; the summary counts them.",
    )
    defineOtherMicrographsParam(
        form, more="\nWithout *Picks*: the micrographs to pick.", isExpert=False
    )


def defineStageParams(form: params.Form) -> None:
    """Add how the stages are carried out, one section each."""
    form.addSection(label="Consensus")
    defineSkipParam(form)
    consensus_form.defineConsensusParams(form)
    defineDrawingParams(form)
    form.addSection(label="Extra sets")
    defineExtraParams(form)
    defineStackContrastParam(form, "(extraNegatives, 1) and hasStacks")
    form.addSection(label="Training")
    defineTrainingParams(form)
    form.addSection(label="Scores")
    defineCombineParam(form)
    defineWitnessParams(form)
    defineFeedbackParams(form)
    form.addSection(label="Selection")
    thresholdForm(ThresholdMode.MAX_F).define(form)
    defineSpacingParams(form)
    defineStacksParam(form)
    defineStackOptions(form, asksContrast=False)


def defineStreamingParams(form: params.Form) -> None:
    """Add what is done while the input still grows."""
    form.addSection(label="Streaming")
    form.addParam(
        "doPreliminarPredictions",
        params.BooleanParam,
        default=True,
        label="Score on the fly (streaming)",
        help="*Yes*: networks are trained as soon as pickers agree on enough "
        "particles, and the outputs grow with the micrographs. These outputs are "
        "preliminary: when all inputs are closed, training, scoring and selection "
        "are repeated.\n"
        "*No*: computing starts when all inputs are closed.\n"
        "The final result is the same. It does not matter if inputs are closed from "
        "the start.\n"
        "Default: Yes.",
    )
    STREAMING.define(form)
