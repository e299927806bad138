# SPDX-License-Identifier: GPL-3.0-or-later
"""Form sections of all trainable pickers, and the core's input for them."""

from __future__ import annotations

from pathlib import Path

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from deepconsensus_plugin.convert import BoxFrame, coordinates_from_set
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.prepared import PIXELS_PER_DIAMETER
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.protocols.deep_consensus.training_sets import nameOfSet
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
    describeNoBox,
)
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineOtherMicrographsParam,
    micrographsToCut,
)

NORMALISATIONS = {
    0: Normalisation.STANDARD,
    1: Normalisation.COMMON_MIXTURE,
    2: Normalisation.PER_MICROGRAPH,
}
"""What the numbers of the form mean; they never change."""


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
        label="Known negatives",
        help="Optional places that are no particles, such as the output of *negative "
        "picks*, or ice and carbon marked by hand.",
    )
    form.addParam(
        "particleDiameter",
        params.FloatParam,
        allowsNull=True,
        label="Particle diameter (Å)",
        help="The longest one. Empty: two thirds of the box of the particles.",
    )
    form.addParam(
        "expectedParticles",
        params.FloatParam,
        allowsNull=True,
        label="Particles of a micrograph",
        help="On average, about, labelled or not: half as many or half as many again "
        "will do for training. Empty: as many as correlation with a profile learnt "
        "from the micrographs finds.",
    )
    defineOtherMicrographsParam(form)


def defineMicrographParams(
    form: params.Form,
    *,
    usual: str = f"the diameter becomes {PIXELS_PER_DIAMETER} pixels",
    hasPixelSize: bool = True,
) -> None:
    """Add how micrographs are prepared; `usual` says what an empty pixel size is."""
    if hasPixelSize:
        form.addParam(
            "pixelSize",
            params.FloatParam,
            allowsNull=True,
            expertLevel=LEVEL_ADVANCED,
            label="Pixel size for the network (Å/px)",
            help=f"Micrographs are downsampled to it. Empty: {usual}; pixels never "
            "become smaller than they are.",
        )
    form.addParam(
        "normalisation",
        params.EnumParam,
        choices=[
            "each micrograph by its mean and deviation",
            "all by one mixture, each with its scale",
            "each by a mixture of its own",
        ],
        default=0,
        expertLevel=LEVEL_ADVANCED,
        label="Grey scale",
        help="The second is that of the paper, for raw exposures, which differ by a "
        "factor: two Gaussians, ice and what is darker.",
    )
    form.addParam(
        "validationFraction",
        params.FloatParam,
        default=LearningInput.validation_fraction,
        expertLevel=LEVEL_ADVANCED,
        label="Share held out",
        help="Of the labels, on whole micrographs that the network does not learn "
        "from; on them the best weights and the thresholds are found.",
    )
    form.addParam(
        "maxMicrographs",
        params.IntParam,
        default=LearningInput.max_micrographs,
        expertLevel=LEVEL_ADVANCED,
        label="Micrographs, at most",
        help="So many are drawn at random where more have labels.",
    )


def learningInput(
    protocol: Protocol, *, labels: Path, negatives: Path, seed: int
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
    """
    frame = boxFrameOfLabels(protocol)
    rate = frame.micrographs.getSamplingRate()
    hasNegatives = protocol.inputNegatives.get() is not None
    _write(protocol.inputCoordinates.get(), frame, labels)
    if hasNegatives:
        _write(protocol.inputNegatives.get(), frame, negatives)
    diameter = particleDiameter(protocol)
    pixelSize = protocol.pixelSize.get() or diameter / PIXELS_PER_DIAMETER
    return LearningInput(
        micrographs=frame.read_micrographs(),
        labels=labels,
        set_name=nameOfSet(protocol.inputCoordinates),
        box_size=frame.box_size,
        particle_diameter_A=diameter,
        pixel_size_A=max(pixelSize, rate),
        n_particles=protocol.expectedParticles.get(),
        negatives=negatives if hasNegatives else None,
        normalisation=NORMALISATIONS[protocol.normalisation.get()],
        max_micrographs=protocol.maxMicrographs.get(),
        validation_fraction=protocol.validationFraction.get(),
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
    if labels is None:
        return []  # Scipion reports it
    errors = describeEmpty("Particles", labels)
    errors += describeNoBox("Particles", labels) or describeLost("Particles", labels)
    errors += describeLost("Known negatives", protocol.inputNegatives.get())
    for name in ("particleDiameter", "pixelSize", "expectedParticles"):
        value = getattr(protocol, name).get()
        if value is not None and not value > 0:
            label = protocol.getParam(name).label
            errors.append(f"{label}: it must be above 0, or empty.")
    if not 0 <= protocol.validationFraction.get() <= 0.5:
        errors.append("Share held out: it must be 0 to 0.5; 0.2 is usual.")
    if protocol.maxMicrographs.get() < 1:
        errors.append("Micrographs, at most: it must be 1 or more.")
    return errors


def describeBadCounts(protocol: Protocol, *names: str) -> list[str]:
    """Return a sentence for each of these parameters that is below 1."""
    return [
        f"{protocol.getParam(name).label}: it must be 1 or more."
        for name in names
        if (count := protocol.getAttributeValue(name)) is not None and count < 1
    ]


def _write(coordinates, frame: BoxFrame, path: Path) -> None:
    write_coordinates(
        path, coordinates_from_set(coordinates, micrographs=frame.micrographs)
    )
