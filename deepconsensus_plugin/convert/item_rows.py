# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of Scipion's sets as columns, instead of an object for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyworkflow.object import Object, Scalar, Set

from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.set_columns import read_columns, read_id_array

_BLOCK = 20_000
"""Rows that are Python's objects at the same time."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Column of texts that are made when they are written.

    Parameters
    ----------
    make : callable
        Gives the texts of some rows.
    rows : array, shape (n,), int
        What it is called with, a part at a time.
    """

    make: Callable[[IntArray], list[str | None]]
    rows: IntArray

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    def __getitem__(self, some: slice) -> list[str | None]:
        """Return the texts of a slice of the rows."""
        return self.make(self.rows[some])


Column = NDArray[Any] | Sequence[Any] | Texts


def take(values: Column, rows: IntArray) -> Column:
    """Return the values of a column at `rows`."""
    if isinstance(values, Texts):
        return replace(values, rows=values.rows[rows])
    if isinstance(values, np.ndarray):
        return values[rows]
    return [values[row] for row in rows.tolist()]


def _plain(values: Column) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values[:])


@dataclass(frozen=True, eq=False)
class ItemRows:
    """Items of a set, n, that are alike but for some attributes.

    Parameters
    ----------
    item : Object
        Item with all attributes; it is changed.
    ids : array, shape (n,), int
        Their ids, ascending.
    columns : mapping of str to sequence
        Attributes in which they differ, n values each: ``_x`` or ``_coordinate._x``.
    source : Set, optional
        Set with items of the same ids, in a file, which other attributes are from.
    taken : mapping of str to str
        These attributes, and what the items of `source` call them.
    are_copies : bool
        Whether label, comment and being enabled are those of the items of `source`.
    """

    item: Object
    ids: IntArray
    columns: Mapping[str, Column] = field(default_factory=dict)
    source: Set | None = None
    taken: Mapping[str, str] = field(default_factory=dict)
    are_copies: bool = False

    @classmethod
    def of_set(cls, source: Set, ids: ArrayLike) -> ItemRows:
        """Return the items of a set with these ids, ascending, as they are."""
        numbers = np.asarray(ids, dtype=np.int64)
        if not len(numbers):
            return cls(source.ITEM_TYPE(), numbers)
        item = source[int(numbers[0])].clone(copyEnable=True)
        names = {name: name for name in item.getObjDict()}
        return cls(item, numbers, {}, source, names, are_copies=True)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    def take(self, selection: ArrayLike) -> ItemRows:
        """Return the items at `selection` (ascending indices or a mask)."""
        chosen = np.asarray(selection)
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        columns = {name: take(values, rows) for name, values in self.columns.items()}
        return replace(self, ids=self.ids[rows], columns=columns)

    def with_attribute(self, name: str, kind: type[Scalar], values: Column) -> ItemRows:
        """Return the items with other values of an attribute, or a further one.

        Parameters
        ----------
        name : str
            Name of an attribute of `item`, not of one of its parts.
        kind : type of Scalar
            Its class.
        values : sequence, n
            Values; NaN and None are none.
        """
        set_attribute(self.item, name, kind, None)
        return self.with_columns({name: values})

    def with_columns(self, columns: Mapping[str, Column]) -> ItemRows:
        """Return the items with other values of attributes that `item` has."""
        return replace(self, columns={**self.columns, **columns})

    def within(self, item: Object, prefix: str, names: Mapping[str, str]) -> ItemRows:
        """Return items of which these are a part.

        Parameters
        ----------
        item : Object
            One of them; `self.item` is a part of it.
        prefix : str
            Name of the part, with a dot.
        names : mapping of str to str
            Attributes of the whole, and which attributes of the part they repeat;
            those that the part does not have are passed over.
        """
        columns = {prefix + name: values for name, values in self.columns.items()}
        taken = {prefix + name: own for name, own in self.taken.items()}
        for name, own in names.items():
            if own in self.columns:
                columns[name] = self.columns[own]
            elif own in self.taken:
                taken[name] = self.taken[own]
        return ItemRows(item, self.ids, columns, self.source, taken)

    def part(self, item: Object, prefix: str) -> ItemRows:
        """Return what a part of each item is, as items by themselves.

        Parameters
        ----------
        item : Object
            That part of the first.
        prefix : str
            Its name, with a dot.
        """
        n = len(prefix)
        columns = {k[n:]: v for k, v in self.columns.items() if k.startswith(prefix)}
        taken = {k[n:]: v for k, v in self.taken.items() if k.startswith(prefix)}
        return ItemRows(item, self.ids, columns, self.source, taken)

    def values_of(self, name: str) -> list[Any]:
        """Return an attribute of all items; None where they have none."""
        if name in self.columns:
            return _plain(self.columns[name])
        nothing = [None] * len(self)
        if self.source is None or name not in self.taken:
            return nothing
        own = self.taken[name]
        known = read_columns(self.source, own).get(own, nothing)
        numbers = read_id_array(self.source)
        return [known[row] for row in np.searchsorted(numbers, self.ids).tolist()]

    def first_item(self) -> Object:
        """Return the first of the items as an object."""
        if self.source is not None:
            original = self.source[int(self.ids[0])]
            known = original.getObjDict()
            for name, own in self.taken.items():
                self.item.setAttributeValue(name, known.get(own))
            if self.are_copies:
                self.item.setEnabled(original.isEnabled())
                self.item.setObjLabel(original.getObjLabel())
                self.item.setObjComment(original.getObjComment())
        self.item.setObjId(int(self.ids[0]))
        for name, values in self.columns.items():
            self.item.setAttributeValue(name, _plain(values[:1])[0])
        return self.item

    def blocks(self, first: int) -> Iterator[list[list[Any]]]:
        """Yield ids and columns of the items from row `first`, some items at a time."""
        for start in range(first, len(self), _BLOCK):
            some = slice(start, start + _BLOCK)
            yield [_plain(each[some]) for each in (self.ids, *self.columns.values())]


def set_attribute(item: Object, name: str, kind: type[Scalar], value: Any) -> None:
    """Set an attribute that Scipion's class does not have."""
    attribute = getattr(item, name, None)
    if attribute is None:
        setattr(item, name, kind(value))
    else:
        attribute.set(value)
