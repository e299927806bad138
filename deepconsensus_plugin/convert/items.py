# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of Scipion's coordinate sets: filled in one place, read all at once.

Items hold whole (x, y). The exact position is kept as attributes, and is used as long
as it rounds to the item's position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pwem.objects import (
    Coordinate,
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pyworkflow.object import Float, Scalar

from deepconsensus_plugin.constants import EXACT_X_ATTRIBUTE, EXACT_Y_ATTRIBUTE
from deepconsensus_plugin.convert.micrographs import micrograph_name
from deepconsensus_plugin.core.extraction import round_centres
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.set_columns import read_columns


@dataclass(frozen=True, eq=False)
class ItemTable:
    """The items of a set, n, in the order of ids.

    Parameters
    ----------
    names : list of str or None
        Names of their micrographs; None where an item has the id only.
    ids : list of int or None
        Ids of their micrographs.
    yx : array, shape (n, 2)
        Pixels of the set's micrographs.
    columns : dict of str to list
        Further attributes; those that the items do not have are not there.
    """

    names: list[str | None]
    ids: list[int | None]
    yx: FloatArray
    columns: Mapping[str, list[Any]]

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.yx)

    def numbers(self, *attributes: str) -> FloatArray:
        """Return the first of `attributes` that each item has, shape (n,), or NaN."""
        values = np.full(len(self), np.nan)
        for name in attributes:
            if name in self.columns:
                known = np.array(self.columns[name], dtype=np.float64)
                values = np.where(np.isnan(values), known, values)
        return values

    def texts(self, attribute: str) -> list[str]:
        """Return an attribute of all items; empty where there is none."""
        values = self.columns.get(attribute, [None] * len(self))
        return [value or "" for value in values]

    def take(self, rows: IntArray) -> ItemTable:
        """Return the items at `rows`."""
        order = rows.tolist()
        return ItemTable(
            [self.names[row] for row in order],
            [self.ids[row] for row in order],
            self.yx[rows],
            {k: [values[row] for row in order] for k, values in self.columns.items()},
        )


def read_items(items: SetOfCoordinates | SetOfParticles, *attributes: str) -> ItemTable:
    """Return the items of a set with some of their attributes.

    Those of particles are at their coordinates, in pixels of the particles; where they
    have none, positions are NaN.
    """
    prefix = "_coordinate." if isinstance(items, SetOfParticles) else ""
    places = ("_micName", "_micId", "_y", "_x", EXACT_Y_ATTRIBUTE, EXACT_X_ATTRIBUTE)
    own = [prefix + name for name in places]
    columns = read_columns(items, *own, *attributes)
    if not columns:
        return ItemTable([], [], np.empty((0, 2)), {})
    n_items = len(next(iter(columns.values())))
    names, ids, *numbers = (columns.get(name, [None] * n_items) for name in own)
    y, x, exact_y, exact_x = np.array(numbers, dtype=np.float64)
    yx = _exact_or_whole(np.array([y, x]).T, np.array([exact_y, exact_x]).T)
    return ItemTable(names, ids, yx, columns)


def own_micrographs(coordinates: SetOfCoordinates) -> SetOfMicrographs:
    """Return the micrographs of a set.

    Raises
    ------
    ValueError
        If it has lost them.
    """
    own = coordinates.getMicrographs()
    if own is None:
        raise ValueError(
            f"{coordinates.getFileName()}: expected coordinates that know their "
            "micrographs, received none. Take the set of the protocol that made it"
        )
    return own


def ids_by_name(micrographs: SetOfMicrographs) -> dict[str, int]:
    """Return the id of every micrograph."""
    return {micrograph_name(item): item.getObjId() for item in micrographs.iterItems()}


def fill_items(
    item: Coordinate, name: str, ids: Mapping[str, int], yx: FloatArray
) -> Iterator[Coordinate]:
    """Yield `item` placed at each of `yx` on one micrograph, with the exact position.

    It is one object all the time: append it to a set before the next.

    Raises
    ------
    ValueError
        If the name is none of `ids`.
    """
    if len(yx) and name not in ids:
        raise ValueError(f"expected one of {len(ids)} micrographs, received {name}")
    pixels = round_centres(yx)
    for exact, whole in zip(yx, pixels, strict=True):
        item.setObjId(None)
        item.setMicId(ids[name])
        item.setMicName(name)
        _place(item, exact, whole)
        yield item


def scaled_item(item: Coordinate, scale: float) -> Coordinate:
    """Return a copy of an item, its position in pixels of another size.

    Parameters
    ----------
    item : Coordinate
        It keeps its id, micrograph and attributes.
    scale : float
        New pixels per old pixel.
    """
    scaled = item.clone()
    names = (EXACT_Y_ATTRIBUTE, EXACT_X_ATTRIBUTE)
    exact = np.array([item.getAttributeValue(name) for name in names], np.float64)
    yx = (
        _exact_or_whole(np.array([item.getY(), item.getX()], np.float64), exact) * scale
    )
    move_item(scaled, yx)
    return scaled


def move_item(item: Coordinate, yx: FloatArray) -> None:
    """Place an item on another position of its micrograph, shape (2,), pixels."""
    _place(item, yx, round_centres(yx))


def _place(item: Coordinate, exact: FloatArray, whole: IntArray) -> None:
    (y, x), (row, column) = exact.tolist(), whole.tolist()
    item.setPosition(column, row)
    set_attribute(item, EXACT_X_ATTRIBUTE, Float, x)
    set_attribute(item, EXACT_Y_ATTRIBUTE, Float, y)


def _exact_or_whole(whole: FloatArray, exact: FloatArray) -> FloatArray:
    """Return the exact positions, unless another protocol has moved the items since."""
    return np.where(np.abs(exact - whole) <= 0.5, exact, whole)


def set_attribute(item: Coordinate, name: str, kind: type[Scalar], value: Any) -> None:
    """Set an attribute that Scipion's class does not have."""
    attribute = getattr(item, name, None)
    if attribute is None:
        setattr(item, name, kind(value))
    else:
        attribute.set(value)
