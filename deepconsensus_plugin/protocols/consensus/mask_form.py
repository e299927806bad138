# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *mask micrographs*, and what its validation refuses."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import match_micrographs
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pipeline.mask import MaskRequest
from deepconsensus_plugin.core.usable_area.parameters import AreaChoice
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeBadMicrographs,
    describeLargeBox,
    describeLost,
)
from deepconsensus_plugin.protocols.shared.parallel_form import describeBadParallel
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.skipped_micrographs import defineSkipParam

MASKING = ParameterForm(
    MaskRequest,
    diameter_A=Shown("particleDiameter", options={"important": True}),
)
AREA = ParameterForm(AreaChoice)

_COORDINATES = "Coordinates to clean"


def defineMaskParams(form: params.Form) -> None:
    """Add what is masked, and what is cleaned."""
    form.addSection(label="Input")
    form.addParam(
        "inputMicrographs",
        params.PointerParam,
        pointerClass="SetOfMicrographs",
        important=True,
        label="Micrographs",
        help="Micrographs to mask.",
    )
    MASKING.define(form)
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        label=_COORDINATES,
        help="Coordinates on these micrographs, of any picker. The output has all of "
        "them except those on masked area. Empty: masks only.",
    )
    AREA.define(form)
    defineSkipParam(form)


def describeBadMasking(protocol: Protocol) -> list[str]:
    """Return what is wrong with the form, a sentence each."""
    return [
        *describeBadMicrographs(protocol.inputMicrographs.get()),
        *MASKING.describe_bad(protocol),
        *_describeLargeDiameter(protocol),
        *_describeOtherMicrographs(protocol),
        *describeBadParallel(protocol),
    ]


def _describeLargeDiameter(protocol: Protocol) -> list[str]:
    """Return a sentence if the particle is larger than the micrographs."""
    micrographs = protocol.inputMicrographs.get()
    diameter = protocol.particleDiameter.get()
    rate = None if micrographs is None else micrographs.getSamplingRate()
    if not rate or not diameter:
        return []  # told elsewhere
    return describeLargeBox("Particle diameter", diameter / rate, micrographs)


def _describeOtherMicrographs(protocol: Protocol) -> list[str]:
    """Return a sentence if the coordinates are not on these micrographs."""
    micrographs = protocol.inputMicrographs.get()
    coordinates = protocol.inputCoordinates.get()
    if micrographs is None or coordinates is None:
        return []
    if lost := describeLost(_COORDINATES, coordinates):
        return lost
    if describeBadMicrographs(micrographs):
        return []  # told elsewhere
    try:
        match_micrographs(coordinates, micrographs)
    except NameMatchError as error:
        return [f"{_COORDINATES}: {error}."]
    return []
