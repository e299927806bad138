# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *average candidates*, and what its validation refuses."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import match_micrographs
from deepconsensus_plugin.core.averages.parameters import (
    FEWEST_BOXES,
    AveragesParameters,
)
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pipeline.averages_request import AveragesRequest
from deepconsensus_plugin.protocols.averages.averages_images import (
    ImagesInput,
    averagedInput,
)
from deepconsensus_plugin.protocols.averages.averages_input import AveragesInput
from deepconsensus_plugin.protocols.shared.contrast import (
    defineStackContrastParam,
    shownAsContrast,
)
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeLargeBox,
    describeLost,
)
from deepconsensus_plugin.protocols.shared.parallel_form import describeBadParallel
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineCtfParam,
    defineOtherMicrographsParam,
)

AVERAGING = ParameterForm(AveragesParameters)
BOXES = ParameterForm(
    AveragesRequest,
    box_size=Shown(default=None, auto="that of the particles or coordinates"),
    are_particles_dark=shownAsContrast(name="particlesDark", default=True),
)

_PARTICLES, _CANDIDATES = "Particles", "Candidates"


def defineAveragesParams(form: params.Form) -> None:
    """Add what is averaged, and how."""
    form.addSection(label="Input")
    form.addParam(
        "inputParticles",
        params.PointerParam,
        pointerClass="SetOfParticles",
        allowsNull=True,
        important=True,
        label=_PARTICLES,
        help="Boxes of particles that know their coordinates are cut from the "
        "micrographs again. Where they know none, or the micrographs are not there, "
        "their own images are averaged, with the CTF of each. The classes hold the "
        "particles themselves. Leave it empty to average coordinates.",
    )
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        important=True,
        condition="inputParticles is None",
        label=_CANDIDATES,
        help="Coordinates of any picker, or *outputCoordinatesOR* of *consensus of "
        "picks*. The classes hold small images of their boxes.",
    )
    BOXES.define(form)
    defineStackContrastParam(form, "(inputParticles, 1) and hasStacks")
    defineCtfParam(
        form,
        "Optional CTFs of the micrographs. With them, boxes are phase-flipped before "
        "they are averaged. What lies on micrographs without a CTF is then left out; "
        "the summary counts it.",
    )
    defineOtherMicrographsParam(form)
    form.addSection(label="Averages")
    AVERAGING.define(form)
    form.addParam(
        "refineCentres",
        params.BooleanParam,
        default=False,
        label="Refine centres",
        help="*Yes*: the output coordinates are moved to the centre of the particle, "
        "as its average has it. Two candidates of one particle may then coincide.\n"
        "*No*: coordinates stay; the offset is among their attributes.\nDefault: No.",
    )


def describeBadAveraging(protocol: Protocol) -> list[str]:
    """Return what is wrong with the form, a sentence each."""
    return [
        *_describeBadInput(protocol),
        *BOXES.describe_bad(protocol),
        *AVERAGING.describe_bad(protocol),
        *describeBadParallel(protocol),
    ]


def _describeBadInput(protocol: Protocol) -> list[str]:
    chosen = protocol.averagedItems()
    if not chosen.hasValue():
        return [f"{_PARTICLES}: choose particles or coordinates to average."]
    items = chosen.get()
    if items is None:  # they are still to come
        return []
    label = _CANDIDATES if protocol.inputParticles.get() is None else _PARTICLES
    given = averagedInput(protocol)
    if isinstance(given, AveragesInput):
        if lost := describeLost(label, given.coordinates):
            return lost
    if items.getSize() < FEWEST_BOXES:
        return [
            f"{label}: averages tell nothing reliable of fewer than {FEWEST_BOXES}; "
            f"the set has {items.getSize()}. Choose a larger set."
        ]
    if not given.box_size:
        return [f"{label}: the set has no box size; give the box size."]
    if isinstance(given, ImagesInput):
        return _describeBadImages(protocol, given)
    return _describeBadMicrographs(protocol, label, given)


def _describeBadImages(protocol: Protocol, given: ImagesInput) -> list[str]:
    """Return which choices need micrographs, where images are averaged instead."""
    why = (
        "the particles know no coordinates, or their micrographs are not there, so "
        "that their own images are averaged"
    )
    errors = []
    if given.box_size > given.image_size:
        errors.append(
            f"Box size: {why}, which have {given.image_size} px; choose "
            f"{given.image_size} or less, or leave it empty."
        )
    for label, pointer in (
        ("CTF estimation", protocol.ctfRelations),
        ("Other micrographs", protocol.inputMicrographs),
    ):
        if pointer.hasValue():
            errors.append(f"{label}: {why}; leave it empty.")
    if protocol.refineCentres:
        errors.append(f"Refine centres: {why}, and cannot be moved; choose *No*.")
    return errors


def _describeBadMicrographs(
    protocol: Protocol, label: str, given: AveragesInput
) -> list[str]:
    try:
        match_micrographs(given.coordinates, protocol.getInputMicrographs())
    except NameMatchError as error:
        return [f"{label}: {error}."]
    micrographs = given.coordinates.getMicrographs()
    return describeLargeBox("Box size", given.box_size, micrographs)
