# SPDX-License-Identifier: GPL-3.0-or-later
"""Form sections of all trainable pickers, and the core's input for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, coordinates_from_set
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.prepared import PIXELS_PER_DIAMETER
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.published import Published
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.protocols.deep_consensus.training_sets import nameOfSet
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
    describeNoBox,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineOtherMicrographsParam,
    micrographsToCut,
)


def learningForm(
    *leave_out: str,
    auto: str | None = None,
    published: Mapping[str, Published] | None = None,
) -> ParameterForm[LearningInput]:
    """Return the form of what is learnt from, without some fields.

    Parameters
    ----------
    *leave_out : str
        Fields that the form does not show.
    auto : str, optional
        How an empty pixel size is found. Default: as declared.
    published : mapping of str to Published, optional
        Values that the switch *as published* sets, by field.
    """
    return ParameterForm(
        LearningInput,
        leave_out=leave_out,
        published=published,
        particle_diameter_A=Shown("particleDiameter", default=None),
        n_particles=Shown("expectedParticles"),
        pixel_size_A=Shown("pixelSize", default=None, auto=auto),
        normalisation=Shown(
            choices={
                Normalisation.STANDARD: "mean and deviation",
                Normalisation.COMMON_MIXTURE: "common mixture",
                Normalisation.PER_MICROGRAPH: "mixture per micrograph",
            }
        ),
    )


LEARNING = learningForm()


def defineLabelParams(form: params.Form, *, labels: str) -> None:
    """Add what is learnt from; `labels` says which coordinates will do."""
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        important=True,
        label="Particles",
        help=labels,
    )
    form.addParam(
        "inputNegatives",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        label="Negatives",
        help="Optional coordinates that are not particles, such as the output of "
        "*negative picks*, or ice and carbon picked by hand.",
    )
    LEARNING.define(form, "particle_diameter_A", "n_particles")
    defineOtherMicrographsParam(form)


def defineMicrographParams(
    form: params.Form, learning: ParameterForm[LearningInput] = LEARNING
) -> None:
    """Add how micrographs are prepared, and which are used for training."""
    fields = ("pixel_size_A", "normalisation", "validation_fraction", "max_micrographs")
    learning.define(form, *(name for name in fields if name in learning.fields))


def learningInput(
    protocol: Protocol,
    *,
    labels: Path,
    negatives: Path,
    seed: int,
    learning: ParameterForm[LearningInput] = LEARNING,
) -> LearningInput:
    """Return what is learnt from, its coordinates written to files.

    Parameters
    ----------
    protocol : Protocol
        What was chosen.
    labels, negatives : Path
        Files to write; the latter where there are any.
    seed : int
        Of the form.
    learning : ParameterForm
        Part of the form with the micrographs.
    """
    frame = boxFrameOfLabels(protocol)
    rate = frame.micrographs.getSamplingRate()
    hasNegatives = protocol.inputNegatives.get() is not None
    _write(protocol.inputCoordinates.get(), frame, labels)
    if hasNegatives:
        _write(protocol.inputNegatives.get(), frame, negatives)
    diameter = particleDiameter(protocol)
    pixelSize = protocol.pixelSize.get() or diameter / PIXELS_PER_DIAMETER
    return learning.read(
        protocol,
        micrographs=frame.read_micrographs(),
        labels=labels,
        set_name=nameOfSet(protocol.inputCoordinates),
        box_size=frame.box_size,
        particle_diameter_A=diameter,
        pixel_size_A=max(pixelSize, rate),
        negatives=negatives if hasNegatives else None,
        seed=seed,
        workers=protocol.numberOfThreads.get(),
    )


def boxFrameOfLabels(protocol: Protocol) -> BoxFrame:
    """Return labels and the micrographs that they are looked at on."""
    coordinates = protocol.inputCoordinates
    return BoxFrame(coordinates.get(), micrographsToCut(protocol, coordinates))


def particleDiameter(protocol: Protocol) -> float:
    """Return the diameter in Å: the given one, or what the box suggests."""
    if protocol.particleDiameter.get() is not None:
        return protocol.particleDiameter.get()
    frame = boxFrameOfLabels(protocol)
    return DIAMETER_PER_BOX * frame.box_size * frame.micrographs.getSamplingRate()


def describeBadLabels(protocol: Protocol) -> list[str]:
    """Return what is wrong with the labels, a sentence each."""
    labels = protocol.inputCoordinates.get()
    if labels is None:  # Scipion reports it
        return LEARNING.describe_bad(protocol)
    errors = describeEmpty("Particles", labels)
    errors += describeNoBox("Particles", labels) or describeLost("Particles", labels)
    errors += describeLost("Negatives", protocol.inputNegatives.get())
    return errors + LEARNING.describe_bad(protocol)


def _write(coordinates, frame: BoxFrame, path: Path) -> None:
    write_coordinates(
        path, coordinates_from_set(coordinates, micrographs=frame.micrographs)
    )
