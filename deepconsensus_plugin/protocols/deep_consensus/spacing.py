# SPDX-License-Identifier: GPL-3.0-or-later
"""Form section on minimum distances, and the particles that they keep."""

from __future__ import annotations

import numpy as np
import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.core.consensus.spacing import (
    Spacing,
    are_apart,
    are_off_border,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.set_columns import read_columns, read_ids

SPACING = ParameterForm(
    Spacing, border_A=Shown("borderDistance"), neighbour_A=Shown("neighbourDistance")
)


def defineSpacingParams(form: params.Form) -> None:
    """Add how far from the border and from each other particles must be."""
    SPACING.define(form.addGroup("Remove edge and touching particles"))


def areSpaced(
    protocol: Protocol,
    items: SetOfParticles | SetOfCoordinates,
    micrographs: SetOfMicrographs | None,
    isKept: BoolArray,
) -> BoolArray:
    """Return which of the kept items the form's distances leave, in the items' order.

    Parameters
    ----------
    protocol : Protocol
        Its form has `defineSpacingParams`.
    items : SetOfParticles or SetOfCoordinates
        n, with places.
    micrographs : SetOfMicrographs, optional
        Those of the coordinates; needed for a distance to the border.
    isKept : array, shape (n,), bool
        Result of the other criteria; rejected ones do not count as neighbours.
    """
    spacing = SPACING.read(protocol)
    if not isKept.any() or spacing == Spacing():
        return isKept
    yx_A, micrograph = _places(items, micrographs)
    isSpaced = isKept.copy()
    if spacing.border_A:
        extents = _extents(micrographs)[micrograph]
        isSpaced &= are_off_border(yx_A, extents, spacing.border_A)
    if spacing.neighbour_A:
        rows = np.flatnonzero(isKept)
        isSpaced[rows] &= are_apart(yx_A[rows], micrograph[rows], spacing.neighbour_A)
    return isSpaced


def describeBadSpacing(
    protocol: Protocol,
    items: SetOfParticles | SetOfCoordinates,
    micrographs: SetOfMicrographs | None,
) -> list[str]:
    """Return what is wrong with the distances, a sentence each."""
    if errors := SPACING.describe_bad(protocol):
        return errors
    if SPACING.read(protocol) == Spacing():
        return []
    if micrographs is None:
        return [
            "Minimum distance to micrograph edge, between particles: the input does "
            "not name its micrographs; set both to 0."
        ]
    where = f"{_prefix(items)}_micId"
    if not items.isEmpty() and None in read_columns(items, where).get(where, [None]):
        return [
            "Minimum distance to micrograph edge, between particles: some particles do "
            "not tell where they were picked; set both to 0."
        ]
    return []


def _prefix(items: SetOfParticles | SetOfCoordinates) -> str:
    """Return what stands before the names of a coordinate's attributes."""
    return "" if isinstance(items, SetOfCoordinates) else "_coordinate."


def _places(
    items: SetOfParticles | SetOfCoordinates, micrographs: SetOfMicrographs
) -> tuple[FloatArray, IntArray]:
    """Return centres in Å, shape (n, 2), and the row of the micrograph of each."""
    names = [f"{_prefix(items)}{name}" for name in ("_y", "_x", "_micId")]
    columns = read_columns(items, *names)
    y, x, micrograph_id = (np.array(columns[name], dtype=np.float64) for name in names)
    # A particle's coordinate is in pixels of the particle.
    pixels = micrographs if isinstance(items, SetOfCoordinates) else items
    row_of = {each: row for row, each in enumerate(read_ids(micrographs))}
    rows = [row_of[int(each)] for each in micrograph_id.tolist()]
    yx_A = np.stack([y, x], axis=1) * pixels.getSamplingRate()
    return yx_A, np.array(rows, dtype=np.intp)


def _extents(micrographs: SetOfMicrographs) -> FloatArray:
    """Return height and width of every micrograph in Å, in the order of their ids."""
    shapes = [each.shape for each in micrographs_from_set(micrographs)]
    return np.array(shapes) * micrographs.getSamplingRate()
