# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of HydraPicker's training, and the core's request for what was chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyworkflow.protocol.params as params
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, coordinates_from_set
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    ARCHITECTURES,
    HydraParameters,
    Preset,
)
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.protocols.deep_consensus.training_sets import nameOfSet
from deepconsensus_plugin.protocols.pickers.picker_form import (
    NORMALISATIONS,
    describeBadCounts,
)
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
    describeNoBox,
)
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineAdvancedParams,
    seedRow,
)

FROM_GENERAL, FROM_MODEL, NEW = range(3)
PRESETS = {0: Preset.FAST, 1: Preset.THESIS}
"""What the numbers of the form mean; they never change."""

_DEFAULTS = HydraParameters()
_FEW_EPOCHS = 6


def defineHydraInput(form: params.Form) -> None:
    """Add what is learnt from, and what it starts from."""
    form.addParam(
        "inputCoordinates",
        params.MultiPointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Particles",
        help="One set of coordinates for each data set: *all* particles of some "
        "micrographs. Each gets a head of its own.",
    )
    form.addParam(
        "particleDiameters",
        params.StringParam,
        default="",
        label="Particle diameters (Å)",
        help="The longest one of each data set, in the order above, separated by "
        "commas. Empty: two thirds of the box.",
    )
    form.addParam(
        "startFrom",
        params.EnumParam,
        choices=["the general model", "a model", "nothing"],
        default=FROM_GENERAL,
        label="Start from",
        help="*the general model*, which comes with this package, or *a model* of an "
        "earlier run: only new heads are trained, on a few micrographs (few-shot).\n"
        "*nothing*: body and heads are trained; several data sets make a model that "
        "can pick others too.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        allowsNull=True,
        condition=f"startFrom=={FROM_MODEL}",
        label="Model",
        help="A HydraPicker.",
    )


def defineHydraParams(form: params.Form) -> None:
    """Add how a HydraPicker is trained; what is changed most comes first."""
    form.addParam(
        "preset",
        params.EnumParam,
        choices=["fast", "as published"],
        default=0,
        condition=f"startFrom=={NEW}",
        label="Network",
        help="*fast*: particles of 15 pixels, 32 channels.\n*as published*: particles "
        "of 60 pixels, 64 channels, heads up to 1024; for GPUs.",
    )
    form.addParam(
        "nEpochs",
        params.IntParam,
        allowsNull=True,
        label="Number of epochs",
        help="After each the network is validated; the best weights are kept. Empty: "
        f"{_FEW_EPOCHS}, minutes, where only heads are trained; from nothing "
        f"{_DEFAULTS.n_epochs}.",
    )
    form.addParam(
        "nHeadEpochs",
        params.IntParam,
        default=_DEFAULTS.n_head_epochs,
        condition=f"startFrom=={NEW}",
        label="Epochs with all heads",
        help="After those with one head for all data sets. As published: 100. 0: one "
        "head for all, and none for each.",
    )
    _defineOptimiserParams(form)


def _defineOptimiserParams(form: params.Form) -> None:
    defineAdvancedParams(
        form,
        [
            (
                "updatesPerEpoch",
                params.IntParam,
                _DEFAULTS.n_updates,
                "Batches of an epoch",
                f"Of {_DEFAULTS.n_crops} crops of one data set.",
            ),
            (
                "restartEpochs",
                params.IntParam,
                _DEFAULTS.restart_epochs,
                "Epochs to a restart",
                "The learning rate falls as a cosine, then starts again. As published: "
                "40.",
            ),
            (
                "learningRate",
                params.FloatParam,
                _DEFAULTS.learning_rate,
                "Learning rate",
                "Of the optimiser (Adam).",
            ),
            (
                "headLearningRate",
                params.FloatParam,
                _DEFAULTS.head_learning_rate,
                "Learning rate with all heads",
                "Of gradient descent with momentum 0.98.",
            ),
            seedRow(_DEFAULTS.seed),
        ],
    )


def hydraParameters(protocol: Protocol) -> HydraParameters:
    """Return what was chosen on the form."""
    isNew = protocol.startFrom.get() == NEW
    return replace(
        _DEFAULTS,
        architecture=ARCHITECTURES[PRESETS[protocol.preset.get()]],
        n_epochs=protocol.nEpochs.get(_DEFAULTS.n_epochs if isNew else _FEW_EPOCHS),
        n_head_epochs=protocol.nHeadEpochs.get(),
        n_updates=protocol.updatesPerEpoch.get(),
        restart_epochs=protocol.restartEpochs.get(),
        learning_rate=protocol.learningRate.get(),
        head_learning_rate=protocol.headLearningRate.get(),
        seed=protocol.seed.get(),
    )


def baseModel(protocol: Protocol) -> Path | None:
    """Return the folder of the model to start from; None without one.

    Raises
    ------
    FileNotFoundError
        If the general model is not there.
    """
    start = protocol.startFrom.get()
    if start == FROM_GENERAL:
        return general_model()
    return Path(protocol.inputModel.get().getFolder()) if start == FROM_MODEL else None


def learningInputs(protocol: Protocol, folder: Path) -> tuple[LearningInput, ...]:
    """Return the data sets, their coordinates written to files in a folder."""
    inputs = []
    for number, pointer in enumerate(protocol.inputCoordinates):
        frame = _boxFrameOf(pointer)
        labels = folder / f"labels_{number + 1}.h5"
        write_coordinates(
            labels, coordinates_from_set(pointer.get(), micrographs=frame.micrographs)
        )
        rate = frame.micrographs.getSamplingRate()
        inputs.append(
            LearningInput(
                micrographs=frame.read_micrographs(),
                labels=labels,
                set_name=nameOfSet(pointer),
                box_size=frame.box_size,
                particle_diameter_A=_diameters(protocol)[number],
                pixel_size_A=rate,
                normalisation=NORMALISATIONS[protocol.normalisation.get()],
                max_micrographs=protocol.maxMicrographs.get(),
                validation_fraction=protocol.validationFraction.get(),
                seed=protocol.seed.get(),
                workers=protocol.numberOfThreads.get(),
            )
        )
    return tuple(inputs)


def describeBadHydra(protocol: Protocol) -> list[str]:
    """Return what is wrong with the choices, a sentence each."""
    errors = []
    for pointer in protocol.inputCoordinates:
        name, labels = nameOfSet(pointer), pointer.get()
        errors += describeEmpty(name, labels) + describeNoBox(name, labels)
        errors += describeLost(name, labels)
    try:
        _diameters(protocol)
    except ValueError as error:
        errors.append(f"Particle diameters: {error}.")
    errors += _describeBadBase(protocol)
    errors += describeBadCounts(protocol, "nEpochs", "updatesPerEpoch", "restartEpochs")
    if protocol.nHeadEpochs.get() < 0:
        errors.append("Epochs with all heads: it must be 0 or more.")
    for name in ("learningRate", "headLearningRate"):
        if not protocol.getAttributeValue(name) > 0:
            errors.append(f"{protocol.getParam(name).label}: it must be above 0.")
    if not 0 <= protocol.validationFraction.get() <= 0.5:
        errors.append("Share held out: it must be 0 to 0.5; 0.2 is usual.")
    return errors


def _describeBadBase(protocol: Protocol) -> list[str]:
    if protocol.startFrom.get() == FROM_MODEL and protocol.inputModel.get() is None:
        return ["Model: choose the HydraPicker to start from."]
    try:
        if protocol.startFrom.get() == FROM_MODEL:
            protocol.inputModel.get().getCard(HydraCard)
        else:
            baseModel(protocol)
    except (OSError, ValueError) as error:
        return [f"Start from: {error}."]
    return []


def _diameters(protocol: Protocol) -> list[float]:
    """Return a diameter for each data set, Å.

    Raises
    ------
    ValueError
        If what was typed is not that.
    """
    pointers = list(protocol.inputCoordinates)
    typed = (protocol.particleDiameters.get() or "").replace(",", " ").split()
    if not typed:
        frames = [_boxFrameOf(pointer) for pointer in pointers]
        return [
            DIAMETER_PER_BOX * frame.box_size * frame.micrographs.getSamplingRate()
            for frame in frames
        ]
    try:
        diameters = [float(word) for word in typed]
    except ValueError:
        diameters = []
    if len(diameters) != len(pointers) or not all(d > 0 for d in diameters):
        raise ValueError(
            f"expected a positive number for each of the {len(pointers)} sets, "
            f"separated by commas, received '{protocol.particleDiameters.get()}'"
        )
    return diameters


def _boxFrameOf(pointer: Pointer) -> BoxFrame:
    return BoxFrame(pointer.get(), pointer.get().getMicrographs())
