# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of HydraPicker's training, and the core's request for what was chosen."""

from __future__ import annotations

from pathlib import Path

import pyworkflow.protocol.params as params
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, coordinates_from_set
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    ARCHITECTURES,
    FEW_EPOCHS,
    HydraParameters,
    Preset,
)
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.protocols.deep_consensus.training_sets import nameOfSet
from deepconsensus_plugin.protocols.pickers.picker_form import (
    learningForm,
)
from deepconsensus_plugin.protocols.shared.choices import Choices
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
    describeNoBox,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

FROM_GENERAL, FROM_MODEL, NEW = range(3)
"""What the numbers of the form mean; they never change."""

HYDRA = ParameterForm(
    HydraParameters,
    first=("architecture", "n_epochs", "n_head_epochs", "n_updates", "restart_epochs"),
    published=HydraParameters.PUBLISHED,
    architecture=Shown(
        "preset",
        choices={
            ARCHITECTURES[Preset.FAST]: "fast",
            ARCHITECTURES[Preset.THESIS]: "as published",
        },
        condition=f"startFrom == {NEW}",
    ),
    n_epochs=Shown(default=None),
    n_head_epochs=Shown(condition=f"startFrom == {NEW}"),
    n_updates=Shown("updatesPerEpoch"),
)
"""What is changed most comes first."""

LEARNING = learningForm("particle_diameter_A", "n_particles", "pixel_size_A")
"""Diameters, and with them pixels, are those of each data set."""


def defineHydraInput(form: params.Form) -> None:
    """Add what is learnt from, and what it starts from."""
    form.addParam(
        "inputCoordinates",
        params.MultiPointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Particles",
        help="One set of coordinates per data set, with *all* particles of some "
        "micrographs. The model gets a head for each set.",
    )
    form.addParam(
        "particleDiameters",
        params.StringParam,
        default="",
        label="Particle diameters (Å)",
        help="Longest diameter of the particle of each data set, in the order above, "
        "separated by commas.\nAuto (empty): two thirds of the box size.",
    )
    form.addParam(
        "startFrom",
        params.EnumParam,
        choices=Choices(
            ["general model", "trained model", "scratch"],
            former={"the general model": 0, "a model": 1, "nothing": 2},
        ),
        default=FROM_GENERAL,
        label="Start from",
        help="*general model*: the model that comes with this package; only new heads "
        "are trained, for which a few micrographs are enough (few-shot).\n"
        "*trained model*: the same, from a HydraPicker of an earlier run.\n"
        "*scratch*: the whole network is trained; with several data sets, the result "
        "can also pick others.\nDefault: general model.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        allowsNull=True,
        condition=f"startFrom=={FROM_MODEL}",
        label="Model",
        help="Output of *train HydraPicker* or *import model*.",
    )


def hydraParameters(protocol: Protocol) -> HydraParameters:
    """Return what was chosen on the form."""
    chosen = HYDRA.values(protocol)
    if chosen["n_epochs"] is None:
        isNew = protocol.startFrom.get() == NEW
        chosen["n_epochs"] = HydraParameters.n_epochs if isNew else FEW_EPOCHS
    return HydraParameters(**chosen)


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
            LEARNING.read(
                protocol,
                micrographs=frame.read_micrographs(),
                labels=labels,
                set_name=nameOfSet(pointer),
                box_size=frame.box_size,
                particle_diameter_A=_diameters(protocol)[number],
                pixel_size_A=rate,
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
    return errors + HYDRA.describe_bad(protocol) + LEARNING.describe_bad(protocol)


def _describeBadBase(protocol: Protocol) -> list[str]:
    if protocol.startFrom.get() == FROM_MODEL and protocol.inputModel.get() is None:
        return ["Model: choose the HydraPicker that training starts from."]
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
