# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *train network*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol.params import LEVEL_ADVANCED

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.protocols.shared.as_published import (
    defineAsPublishedParam,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineCtfParam,
    defineOtherMicrographsParam,
)

NEW, FROM_MODEL = 0, 1
"""What the numbers of `modelInitialization` mean; they never change."""

NO_WEIGHTS = "1"
"""Weights of extra sets as long as nothing else was typed."""

TRAINING = ParameterForm(
    TrainingParameters,
    ("n_epochs", "n_models", "auto_stopping", "prune_labels"),
    published=TrainingParameters.PUBLISHED,
    n_epochs=Shown(none=0),
    patience=Shown(none=0),
    l2_strength=Shown("l2RegStrength"),
)
INPUT_SIZE = ParameterForm(
    BoxPreprocessing,
    published=BoxPreprocessing.PUBLISHED,
    input_size=Shown(none=0, default=0),
)
"""0 where the box decides."""


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
            default=NO_WEIGHTS,
            condition=f"({key}, 1) and has{key[0].upper()}{key[1:]} "
            f"or {key}Weights != '{NO_WEIGHTS}'",
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
    defineAsPublishedParam(
        form,
        *TRAINING.describe_published(),
        *INPUT_SIZE.describe_published(),
        paper="SanchezGarcia2018",
    )
    TRAINING.define(form, before={"max_boxes": INPUT_SIZE.define})


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
