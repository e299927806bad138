# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of masks of micrographs to a Scipion set, and of what they permit."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from pwem.objects import Micrograph as ScipionMicrograph
from pwem.objects import SetOfCoordinates, SetOfMicrographs

from deepconsensus_plugin.convert.coordinates import MicrographMatch, match_micrographs
from deepconsensus_plugin.convert.items import ItemTable, read_items
from deepconsensus_plugin.convert.micrographs import micrograph_name
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.files import area_path, read_area
from deepconsensus_plugin.core.usable_area.permitting import distance_of


def append_masks(
    masks: SetOfMicrographs,
    micrographs: SetOfMicrographs,
    folder: Path,
    *,
    left_out: Collection[str] = (),
) -> None:
    """Append the mask of each micrograph, as a micrograph of the same name and id.

    Parameters
    ----------
    masks : SetOfMicrographs
        Gets the attributes of `micrographs`, and the pixel size of the first mask.
    micrographs : SetOfMicrographs
        Not empty.
    folder : Path
        Folder with all masks.
    left_out : collection of str
        Names of micrographs without a mask.
    """
    masks.copyInfo(micrographs)
    rate = micrographs.getSamplingRate()
    for item in micrographs.iterItems():
        name = micrograph_name(item)
        if name in left_out:
            continue
        path = area_path(folder, name)
        mask = ScipionMicrograph(location=str(path))
        mask.setObjId(item.getObjId())
        mask.setMicName(name)
        mask.setSamplingRate(rate * read_area(path).binning)
        mask.setAcquisition(item.getAcquisition())
        if masks.isEmpty():
            masks.setSamplingRate(mask.getSamplingRate())
        masks.append(mask)


def distances_to_unusable(
    coordinates: SetOfCoordinates, micrographs: SetOfMicrographs, folder: Path
) -> FloatArray:
    """Return the distance of every item to the unusable area of its micrograph.

    Parameters
    ----------
    coordinates : SetOfCoordinates
        Its micrographs are matched with `micrographs` by name.
    micrographs : SetOfMicrographs
        Those that the masks are of.
    folder : Path
        Folder of the masks.

    Returns
    -------
    array, shape (n,), float64
        As `distance_of`, in pixels of the coordinates, in the order of ids; infinity
        on micrographs without a mask.

    Raises
    ------
    NameMatchError
        If the two sets share no micrograph, or names are ambiguous.
    """
    match = match_micrographs(coordinates, micrographs)
    table = read_items(coordinates)
    names = _names_of(table, match)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    number_of = np.array([numbers[name] for name in names], dtype=np.intp)
    group = number_of[table.place]
    distance = np.full(len(table), np.inf)
    for name, rows in zip(numbers, rows_of_groups(group, len(numbers)), strict=True):
        if name is not None and (path := area_path(folder, name)).is_file():
            found = distance_of(read_area(path), table.yx[rows] * match.scale)
            distance[rows] = found / match.scale
    return distance


def are_on(
    coordinates: SetOfCoordinates,
    micrographs: SetOfMicrographs,
    names: Collection[str],
) -> BoolArray:
    """Return which items lie on some of the micrographs, in the order of ids."""
    if not names:
        return np.zeros(coordinates.getSize(), dtype=bool)
    match = match_micrographs(coordinates, micrographs)
    table = read_items(coordinates)
    is_one = np.array([name in names for name in _names_of(table, match)], dtype=bool)
    return np.asarray(is_one[table.place])


def _names_of(table: ItemTable, match: MicrographMatch) -> list[str | None]:
    """Return the name in `match` of each of the table's places."""
    return [match.name_of(*place) for place in table.places]
