# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *train network*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol.params import LEVEL_ADVANCED

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.protocols.shared import contrast
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

LABELLED = "SetOfCoordinates,SetOfParticles"
"""What a training takes."""

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
        pointerClass=LABELLED,
        important=True,
        label="Positives (particles)",
        help="Coordinates of particles to train on: *outputCoordinatesAND* of "
        "*consensus of picks*, or picks you trust. Or particles in stacks: those kept "
        "in 2D, or of *import particles*. A few wrong ones do little harm.",
    )
    form.addParam(
        "inputNegatives",
        params.PointerParam,
        pointerClass=LABELLED,
        important=True,
        label="Negatives (background)",
        help="Coordinates of background to train on: *outputCoordinatesNEG* of "
        "*negative picks*. Or images in stacks, such as those of rejected 2D classes.",
    )
    defineContrastParam(form)
    contrast.defineStackContrastParam(form, "(inputPositives, 1) and hasStacks")
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
        label="Initial weights",
        help="*new*: training starts from random weights.\n*from a model*: training "
        "starts from the weights of a trained model, which needs fewer particles and "
        "epochs.\nDefault: new.",
    )
    form.addParam(
        "initialModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        allowsNull=True,
        condition=f"modelInitialization == {FROM_MODEL}",
        label="Initial model",
        help="Output of *train network* or *import model*, trained on boxes of about "
        "the same size in Å. If the ensemble has more networks than the model, they "
        "start from its networks in turn.",
    )


def defineContrastParam(form: params.Form) -> None:
    """Add whether particles are dark or light; *skipInvert* in projects."""
    contrast.defineContrastParam(
        form,
        "skipInvert",
        help="Contrast of the particles in the micrographs.\n"
        "*dark on light (raw)*: as recorded by the microscope; boxes are inverted for "
        "the network.\n*light on dark*: the micrographs were inverted before.\n"
        "Default: dark on light (raw).",
    )


def _defineMicrographParams(form: params.Form) -> None:
    defineCtfParam(
        form,
        "Optional CTFs of the micrographs. With them, boxes are phase-flipped before "
        "the network sees them, and scoring with the model needs CTFs too. Coordinates "
        "on micrographs without a CTF are then left out.",
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
            pointerClass=LABELLED,
            allowsNull=True,
            minNumObjects=0,
            label=label,
            help="Optional further sets of coordinates, or of particles in stacks, to "
            f"train on, for example {example}.",
        )
        form.addParam(
            f"{key}Weights",
            params.StringParam,
            default=NO_WEIGHTS,
            condition=f"({key}, 1) and has{key[0].upper()}{key[1:]} "
            f"or {key}Weights != '{NO_WEIGHTS}'",
            label=f"Weights of {label.lower()}",
            help="Weight of a box of these sets in the training; a box of the main set "
            "has weight 1. Give one number for all sets, or one for each, for example "
            "*2, 0.5*. Default: 1.",
        )
    for key, label, what in (
        ("testPositives", "Test positives", "particles"),
        ("testNegatives", "Test negatives", "background"),
    ):
        form.addParam(
            key,
            params.PointerParam,
            pointerClass=LABELLED,
            allowsNull=True,
            label=label,
            help=f"Optional coordinates or images of {what}, of micrographs that are "
            "not used for training. The accuracy of the network on them is reported.",
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
        label="Keep training boxes",
        help="*Yes*: the boxes as the network sees them, with labels, weights and "
        "origin, are kept in *extra/boxes.h5*.\n*No*: they are deleted after the "
        "run.\nDefault: No.",
    )
