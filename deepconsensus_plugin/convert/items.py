# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of Scipion's coordinate sets: filled in one place, read all at once.

Items hold whole (x, y). The exact position is kept as attributes, and is used as long
as it rounds to the item's position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pwem.objects import (
    Coordinate,
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pyworkflow.object import Float

from deepconsensus_plugin.constants import EXACT_X_ATTRIBUTE, EXACT_Y_ATTRIBUTE
from deepconsensus_plugin.convert.item_rows import ItemRows, set_attribute
from deepconsensus_plugin.convert.micrographs import micrograph_name
from deepconsensus_plugin.core.extraction import round_centres
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.set_columns import read_blocks

Place = tuple[str | None, int | None]
"""Name and id of the micrograph that an item lies on, as far as it tells them."""


@dataclass(frozen=True, eq=False)
class ItemTable:
    """The items of a set, n, in the order of ids.

    Parameters
    ----------
    places : sequence of tuple
        The micrographs that items name, each once.
    place : array, shape (n,), int
        Which of `places` each item lies on.
    yx : array, shape (n, 2)
        Pixels of the set's micrographs.
    columns : dict of str to sequence
        Further attributes; those that the items do not have are not there.
    """

    places: Sequence[Place]
    place: IntArray
    yx: FloatArray
    columns: Mapping[str, Sequence[Any] | NDArray[Any]]

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


def read_items(items: SetOfCoordinates | SetOfParticles, *attributes: str) -> ItemTable:
    """Return the items of a set with some of their attributes, which are numbers.

    Those of particles are at their coordinates, in pixels of the particles; where they
    have none, positions are NaN.
    """
    blocks = list(_blocks(items, attributes, are_numbers=True))
    if not blocks:
        return ItemTable([], np.empty(0, dtype=np.intp), np.empty((0, 2)), {})
    return ItemTable(
        blocks[-1].places,
        np.concatenate([block.place for block in blocks]),
        np.concatenate([block.yx for block in blocks]),
        {
            name: np.concatenate([block.columns[name] for block in blocks])
            for name in blocks[0].columns
        },
    )


def item_blocks(
    items: SetOfCoordinates | SetOfParticles, *attributes: str
) -> Iterator[ItemTable]:
    """Yield what `read_items` returns some items at a time, with any attributes.

    `places` grows from block to block; what is there stays.
    """
    return _blocks(items, attributes, are_numbers=False)


def _blocks(
    items: SetOfCoordinates | SetOfParticles,
    attributes: tuple[str, ...],
    *,
    are_numbers: bool,
) -> Iterator[ItemTable]:
    prefix = "_coordinate." if isinstance(items, SetOfParticles) else ""
    names = ("_micName", "_micId", "_y", "_x", EXACT_Y_ATTRIBUTE, EXACT_X_ATTRIBUTE)
    own = [prefix + name for name in names]
    numbers: dict[Place, int] = {}
    for block in read_blocks(items, *own, *attributes):
        n_items = len(next(iter(block.values())))
        name, number, *values = (block.get(each, [None] * n_items) for each in own)
        y, x, exact_y, exact_x = np.array(values, dtype=np.float64)
        pairs = zip(name, number, strict=True)
        place = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
        columns: dict[str, Any] = {k: block[k] for k in attributes if k in block}
        if are_numbers:
            columns = {k: np.array(v, dtype=np.float64) for k, v in columns.items()}
        yield ItemTable(
            list(numbers),
            np.array(place, dtype=np.intp),
            _exact_or_whole(np.array([y, x]).T, np.array([exact_y, exact_x]).T),
            columns,
        )


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


def placed_rows(
    micrographs: SetOfMicrographs,
    names: Sequence[str],
    index: IntArray,
    yx: FloatArray,
    *,
    first_id: int,
) -> ItemRows:
    """Return items of coordinates, n, on the nearest pixels, with the exact positions.

    Parameters
    ----------
    micrographs : SetOfMicrographs
        What they lie on.
    names : sequence of str
        Some of its names.
    index : array, shape (n,), int
        Which of `names` each lies on.
    yx : array, shape (n, 2)
        Pixels.
    first_id : int
        Id of the first; the others count on.

    Raises
    ------
    ValueError
        If a name with items is none of the micrographs'.
    """
    ids = ids_by_name(micrographs)
    for number in np.unique(index).tolist():
        if names[number] not in ids:
            raise ValueError(
                f"expected one of {len(ids)} micrographs, received {names[number]}"
            )
    own = np.array([ids.get(name, 0) for name in names], dtype=np.int64)
    columns = {"_micId": own[index], "_micName": np.array(names, dtype=object)[index]}
    numbers = np.arange(first_id, first_id + len(yx))
    return moved_rows(ItemRows(Coordinate(), numbers, columns), yx)


def moved_rows(rows: ItemRows, yx: FloatArray) -> ItemRows:
    """Return coordinates at other positions, shape (n, 2), pixels."""
    whole = round_centres(yx)
    rows = rows.with_columns({"_x": whole[:, 1], "_y": whole[:, 0]})
    rows = rows.with_attribute(EXACT_X_ATTRIBUTE, Float, yx[:, 1])
    return rows.with_attribute(EXACT_Y_ATTRIBUTE, Float, yx[:, 0])


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
