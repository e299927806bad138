# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of Scipion's sets, written many at a time.

`Set.append` takes values from an object for every item, 30 to 100 µs each. Here,
Scipion itself appends the first of many, makes the tables with it and looks at its
image. The others are rows in the same tables, of values or copied from another set's
file. What the file holds is the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

from pwem.objects import SetOfImages
from pyworkflow.object import Object, Set

from deepconsensus_plugin.convert.item_rows import ItemRows

_BASE = ("enabled", "label", "comment", "creation")
_NEW = "1, '', '', datetime('now')"
_COPIED = "old.enabled, ifnull(old.label, ''), ifnull(old.comment, ''), datetime('now')"
_SELF, _RATE = "self", "_samplingRate"


def next_id(target: Set) -> int:
    """Return the id that a set gives the next item without one."""
    target._getMapper()  # a set that was closed counts its items again
    return int(target._idCount) + 1


def append_rows(target: Set, rows: ItemRows) -> None:
    """Append items to a set, as `Set.append` does with each.

    Parameters
    ----------
    target : Set
        An output that is being made. What it holds is committed.
    rows : ItemRows
        The items, whose `item` becomes the first of them.
    """
    if not len(rows):
        return
    first = rows.first_item()
    target.append(first)
    if len(rows) == 1:
        return
    target.write(properties=False)  # no file is attached within a transaction
    table = _Table(target, first)
    if rows.source is None:
        table.insert(rows)
    else:
        with _attached(table.database, rows.source) as source:
            table.copy(rows, source)
    target._size.set(target.getSize() + len(rows) - 1)
    target._idCount = max(target._idCount, int(rows.ids[-1]))


class _Table:
    """Table of the items of a set that Scipion has made.

    Parameters
    ----------
    target : Set
        It has an item.
    item : Object
        That item, whose values the others have unless they are told otherwise.
    """

    def __init__(self, target: Set, item: Object):
        self.database: sqlite3.Connection = target._getMapper().db.connection
        self.columns = _columns_in(self.database, "main")
        known = item.getObjDict()
        self.constant = {n: known[n] for n in self.columns if n in known}
        is_image = isinstance(target, SetOfImages)
        self.of_set = {_RATE} if is_image and target.getSamplingRate() else set()

    def insert(self, rows: ItemRows) -> None:
        """Insert all but the first of items that have no source."""
        same = {n: v for n, v in self.constant.items() if n not in rows.columns}
        names = [self.columns[name] for name in (*rows.columns, *same)]
        into = ", ".join(["id", *_BASE, *names])
        marks = ", ".join(["?"] * len(names))
        sql = f"INSERT INTO Objects ({into}) VALUES (?, {_NEW}, {marks})"
        fixed = [*map(repeat, same.values())]
        with self.database:
            for block in rows.blocks(1):
                self.database.executemany(sql, zip(*block, *fixed, strict=False))

    def copy(self, rows: ItemRows, source: Mapping[str, str]) -> None:
        """Insert all but the first of items, with what those of the source have.

        `source` are the columns of its table, by attribute.
        """
        own = {name: f"new.v{n}" for n, name in enumerate(rows.columns)}
        taken = {
            name: f"old.{source[each]}"
            for name, each in rows.taken.items()
            if each in source and name not in self.of_set
        }
        found = {n: v for n, v in {**taken, **own}.items() if n in self.constant}
        same = {n: v for n, v in self.constant.items() if n not in found}
        into = ", ".join(["id", *_BASE, *(self.columns[n] for n in (*found, *same))])
        values = ", ".join([*found.values(), *(["?"] * len(same))])
        base = _COPIED if rows.are_copies else _NEW
        sql = (
            f"INSERT INTO Objects ({into}) SELECT new.id, {base}, {values} "
            "FROM new JOIN source.Objects AS old ON old.id = new.id ORDER BY new.id"
        )
        names = ", ".join(["id INTEGER PRIMARY KEY", *(v[4:] for v in own.values())])
        with self.database:
            self.database.execute(f"CREATE TEMP TABLE new ({names})")
            marks = ", ".join(["?"] * (1 + len(own)))
            for block in rows.blocks(1):
                self.database.execute("DELETE FROM new")
                self.database.executemany(
                    f"INSERT INTO new VALUES ({marks})", zip(*block, strict=True)
                )
                self.database.execute(sql, [*same.values()])
            self.database.execute("DROP TABLE new")


@contextmanager
def _attached(database: sqlite3.Connection, source: Set) -> Iterator[dict[str, str]]:
    """Attach the file of a set as ``source`` and give the columns of its items."""
    path = str(Path(source.getFileName()).absolute())
    database.execute("ATTACH DATABASE ? AS source", (path,))
    try:
        yield _columns_in(database, "source")
    finally:
        database.execute("DETACH DATABASE source")


def _columns_in(database: sqlite3.Connection, schema: str) -> dict[str, str]:
    """Return the columns of the items in a file, by attribute."""
    sql = f"SELECT label_property, column_name FROM {schema}.Classes"
    return {label: name for label, name in database.execute(sql) if label != _SELF}
