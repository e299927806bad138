# SPDX-License-Identifier: GPL-3.0-or-later
"""Classes of the molecules on a micrograph, by what lies around each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepconsensus_plugin.core.simulation.contaminants import Contaminant
from deepconsensus_plugin.core.simulation.placement import Molecule
from deepconsensus_plugin.core.simulation.specimen import Field
from deepconsensus_plugin.core.simulation.truth import ObjectClass, TrueObject


def classify(
    molecules: Sequence[Molecule], dirt: Sequence[Contaminant], area: Field
) -> list[TrueObject]:
    """Return what lies within the micrograph, each with its class."""
    rate = area.sampling_rate
    centres = [(each.y, each.x) for each in molecules]
    centres += [(piece.y, piece.x) for piece in dirt]
    yx = np.array(centres).reshape(-1, 2)
    radii = [each.species.width_A / 2 / rate for each in molecules]
    radii += [each.radius_A / rate for each in dirt]
    sizes = np.array(radii)
    objects = []
    for index, each in enumerate(molecules):
        others = np.hypot(*(yx - yx[index]).T) < sizes + sizes[index]
        others[index] = False
        if area.holds(each.y, each.x):
            what = _class_of(each, area, is_alone=not others.any())
            rot, tilt, psi = each.angles.tolist()
            diameter = each.species.diameter_A
            name = each.species.name
            objects.append(
                TrueObject(each.y, each.x, what, name, diameter, (rot, tilt, psi))
            )
    for piece in dirt:
        if area.holds(piece.y, piece.x):
            size, what = 2 * piece.radius_A, ObjectClass.CONTAMINANT
            objects.append(TrueObject(piece.y, piece.x, what, piece.kind, size))
    return objects


def _class_of(molecule: Molecule, area: Field, *, is_alone: bool) -> ObjectClass:
    if not molecule.is_wanted:
        return ObjectClass.CONTAMINANT
    if molecule.fragment is not None:
        return ObjectClass.BROKEN
    inset = molecule.species.width_A / 2 / area.sampling_rate
    if not area.holds(molecule.y, molecule.x, inset=inset):
        return ObjectClass.CUT_OFF
    return ObjectClass.GOOD if is_alone else ObjectClass.OVERLAPPING
