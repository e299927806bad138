# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *train network*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol.params import LEVEL_ADVANCED

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineAdvancedParams,
    defineCtfParam,
    defineOtherMicrographsParam,
    seedRow,
)

NEW, FROM_MODEL = 0, 1
"""What the numbers of `modelInitialization` mean; they never change."""

AUTOMATIC_INPUT_SIZE = 0
"""What `inputSize` says where the box decides."""

_DEFAULTS = TrainingParameters()


def defineInputParams(form: params.Form) -> None:
    """Add what the network learns from."""
    form.addParam(
        "inputPositives",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Positives (particles)",
        help="Coordinates to learn particles from: *outputCoordinatesAND* of "
        "*consensus of picks*, or picks you trust. Some wrong ones do little harm.",
    )
    form.addParam(
        "inputNegatives",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Negatives (background)",
        help="Coordinates to learn background from: *outputCoordinatesNEG* of "
        "*negative picks*.",
    )
    defineContrastParam(form)
    _defineMicrographParams(form)
    defineInitialModelParams(form)


def defineInitialModelParams(form: params.Form) -> None:
    """Add what the network starts from."""
    form.addParam(
        "modelInitialization",
        params.EnumParam,
        choices=["new", "from a model"],
        default=NEW,
        display=params.EnumParam.DISPLAY_HLIST,
        label="Network weights",
        help="*new*: random weights.\n*from a model*: the weights of a trained model, "
        "which then needs fewer particles and epochs.",
    )
    form.addParam(
        "initialModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        allowsNull=True,
        condition=f"modelInitialization == {FROM_MODEL}",
        label="Model to start from",
        help="Of *train network* or *import model*; trained on boxes of about the "
        "same size in Å. Further networks of the ensemble take its networks in turn.",
    )


def defineContrastParam(form: params.Form) -> None:
    """Add whether particles are white already."""
    form.addParam(
        "skipInvert",
        params.BooleanParam,
        default=False,
        label="Did you invert the micrographs' contrast?",
        help="*No*: particles are dark in the micrographs, as the microscope gives "
        "them; they are made white.\n*Yes*: particles are white already.",
    )


def _defineMicrographParams(form: params.Form) -> None:
    defineCtfParam(
        form,
        "Optional. With CTFs, the phases of every box are flipped before the network "
        "sees it, and the model will need CTFs for scoring too. Coordinates on "
        "micrographs without a CTF are then left out.",
    )
    defineOtherMicrographsParam(form)


def defineExtraParams(form: params.Form) -> None:
    """Add further sets to learn from, and sets to test on."""
    for key, label, example in (
        (
            "extraPositives",
            "Extra positives",
            "particles picked by hand, or kept in 2D",
        ),
        ("extraNegatives", "Extra negatives", "ice, carbon or contamination"),
    ):
        form.addParam(
            key,
            params.MultiPointerParam,
            pointerClass="SetOfCoordinates",
            allowsNull=True,
            minNumObjects=0,
            label=label,
            help=f"More sets of coordinates to learn from, for example {example}.",
        )
        form.addParam(
            f"{key}Weights",
            params.StringParam,
            default="1",
            label=f"Weights of {label.lower()}",
            help="How much a box of these sets counts, against 1 for a box of the "
            "main set: one number for all, or one for each, as *2, 0.5*.",
        )
    for key, label, what in (
        ("testPositives", "Positives to test on", "particles"),
        ("testNegatives", "Negatives to test on", "background"),
    ):
        form.addParam(
            key,
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            allowsNull=True,
            label=label,
            help=f"Optional coordinates known to be {what}, on micrographs that the "
            "network does not learn from. Its figures on them are reported.",
        )


def defineTrainingParams(form: params.Form) -> None:
    """Add how the network is trained; what is changed most comes first."""
    form.addParam(
        "nEpochs",
        params.IntParam,
        default=0,
        label="Number of epochs",
        help="How often the networks see every box. The best weights are kept, so "
        "more takes longer but does no harm.\n"
        f"*0*: each network learns from {_DEFAULTS.n_updates} batches.",
    )
    form.addParam(
        "nModels",
        params.IntParam,
        default=_DEFAULTS.n_models,
        label="Networks in the ensemble",
        help="The score is the mean over them, and their spread tells how sure it is. "
        "The time grows with their number.",
    )
    form.addParam(
        "autoStopping",
        params.BooleanParam,
        default=_DEFAULTS.auto_stopping,
        label="Stop when nothing improves?",
        help="The learning rate is divided by ten where the accuracy on held-out "
        "micrographs stops improving; after three times the network is done.",
    )
    form.addParam(
        "pruneLabels",
        params.BooleanParam,
        default=_DEFAULTS.prune_labels,
        label="Leave out labels that look wrong?",
        help="*Yes*: every box is judged by those of other micrographs; the ones that "
        "contradict their label are not learnt from; *extra sets* are believed.\n"
        "It tolerates positives and negatives of which four in ten are wrong. The "
        "summary tells how many.\n"
        "*No*: as published, every label is believed.",
    )
    _defineOptimiserParams(form)


def defineKeepParam(form: params.Form) -> None:
    """Add whether the boxes are kept."""
    form.addParam(
        "keepBoxes",
        params.BooleanParam,
        default=False,
        expertLevel=LEVEL_ADVANCED,
        label="Keep the boxes?",
        help="*Yes*: the boxes as the network sees them, with labels, weights and "
        "origin, stay in *extra/boxes.h5*. *No*: they are deleted after the run.",
    )


def _defineOptimiserParams(form: params.Form) -> None:
    rows = [
        (
            "batchSize",
            params.IntParam,
            _DEFAULTS.batch_size,
            "Batch size",
            "Boxes in one update.",
        ),
        (
            "learningRate",
            params.FloatParam,
            _DEFAULTS.learning_rate,
            "Learning rate",
            "Of the optimiser (Adam), at the start. Lower it if the accuracy jumps.",
        ),
        (
            "l2RegStrength",
            params.FloatParam,
            _DEFAULTS.l2_strength,
            "Regularisation (L2)",
            "Penalty on large weights, in every layer. Raise it if the accuracy on "
            "held-out micrographs falls while training goes on.",
        ),
        (
            "inputSize",
            params.IntParam,
            AUTOMATIC_INPUT_SIZE,
            "Network input (px)",
            "Side that boxes are resampled to, a multiple of 16; 128 as published. The "
            "time grows with its square. *0*: 64 to 128, with pixels of 5 Å or more. A "
            "model to start from keeps its own.",
        ),
        (
            "maxBoxes",
            params.IntParam,
            _DEFAULTS.max_boxes,
            "Boxes of each label, at most",
            "If there are more particles or more background boxes than this, that "
            "many are drawn at random.",
        ),
        (
            "halfPrecision",
            params.BooleanParam,
            _DEFAULTS.half_precision,
            "Half precision?",
            "*Yes*: the networks are trained in bfloat16, with weights in single "
            "precision: faster on a GPU of 2020 (Ampere) or later, slower elsewhere.",
        ),
        seedRow(_DEFAULTS.seed),
    ]
    defineAdvancedParams(form, rows)
