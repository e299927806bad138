# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows written many at a time, beside what Scipion writes item by item."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from pwem.objects import (
    Acquisition,
    Coordinate,
    CTFModel,
    Object,
    Particle,
    SetOfCoordinates,
    SetOfParticles,
    Transform,
)
from pyworkflow.object import Boolean, Float, Set, String

from deepconsensus_plugin.convert import ItemRows, append_rows, moved_rows, next_id
from deepconsensus_plugin.convert.item_rows import Texts

N = 7


def coordinates_of(n: int) -> list[Coordinate]:
    """Return coordinates; one is disabled, one has a label, and values are missing."""
    items = []
    for number in range(1, n + 1):
        item = Coordinate(x=10 * number, y=5)
        item.setObjId(2 * number)
        item.setMicId(number % 3)
        item.setMicName(f"mic_{number % 3}.mrc")
        item.setEnabled(number != 2)
        item.setObjLabel("a label" if number == 3 else "")
        item.score = Float(None if number == 4 else number / N)
        item.words = String("" if number == 5 else f"it's {number}; \u00e9")
        item.flag = Boolean(number % 2 == 0)
        items.append(item)
    return items


def particles_of(stack: Path) -> list[Particle]:
    """Return particles with everything that Scipion stores in parts of them."""
    mrcfile.write(stack, np.zeros((N, 8, 8), np.float32))
    items = []
    for number, coordinate in enumerate(coordinates_of(N), start=1):
        item = Particle(location=(number, str(stack)))
        item.setObjId(coordinate.getObjId())
        item.setCoordinate(coordinate)
        item.setAcquisition(Acquisition(voltage=300, magnification=5e4))
        ctf = CTFModel()
        ctf.setStandardDefocus(1e4 + number, 9e3, number)
        item.setCTF(ctf)
        matrix = np.eye(4)
        matrix[0, 3] = number
        item.setTransform(Transform(matrix))
        item.score = Float(number / N)
        items.append(item)
    return items


def written(kind: type[Set], path: Path, items: Iterable[Object]) -> Set:
    """Return a set that Scipion wrote item by item."""
    made = kind(filename=str(path))
    if kind is SetOfParticles:
        made.setSamplingRate(1.5)
    for item in items:
        made.append(item)
    made.write()
    made.close()
    return made


def content(items: Set) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is in a set's file but the time and the set's own path."""
    items.write()
    items.close()
    with closing(sqlite3.connect(items.getFileName())) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(Objects)")]
        chosen = ", ".join(name for name in columns if name != "creation")
        return {
            "Objects": database.execute(f"SELECT {chosen} FROM Objects").fetchall(),
            "Classes": database.execute("SELECT * FROM Classes").fetchall(),
            "Properties": [
                row
                for row in database.execute("SELECT * FROM Properties ORDER BY key")
                if row[0] != "_mapperPath"
            ],
            "indexes": database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
            ).fetchall(),
        }


def check_same(found: Set, plain: Set) -> None:
    assert found.getSize() == plain.getSize() > 1
    ours, theirs = content(found), content(plain)
    for name, rows in theirs.items():
        assert ours[name] == rows, name


def test_values_are_rows_as_scipion_writes_them(tmp_path: Path):
    score = np.array([0.5, np.nan, 1, 0, np.inf, 0.25, 1 / 3])

    def plain() -> Iterable[Coordinate]:
        for number in range(N):
            item = Coordinate(x=number, y=2 * number)
            item.setMicName(f"m{number}")
            item.score = Float(score[number])
            item.same = String("x")
            yield item

    item = Coordinate()
    item.score, item.same = Float(), String("x")
    numbers = np.arange(N)
    found = SetOfCoordinates(filename=str(tmp_path / "found.sqlite"))
    texts = Texts(lambda rows: [f"m{row}" for row in rows], numbers)
    columns = {"_x": numbers, "_y": 2 * numbers, "score": score, "_micName": texts}
    append_rows(found, ItemRows(item, numbers + next_id(found), columns))
    check_same(found, written(SetOfCoordinates, tmp_path / "plain.sqlite", plain()))


@pytest.mark.parametrize("kind", [SetOfCoordinates, SetOfParticles])
def test_copies_are_rows_as_scipion_writes_them(
    tmp_path: Path, kind: type[SetOfCoordinates | SetOfParticles]
):
    items = coordinates_of(N)
    if kind is SetOfParticles:
        items = particles_of(tmp_path / "stack.mrcs")
    source = written(kind, tmp_path / "source.sqlite", items)
    chosen = np.array([1, 2, 3, 4, 6])

    def plain() -> Iterable[Object]:
        for row, item in enumerate(source.iterItems()):
            if row in chosen:
                item.score.set(row)
                item.more = String(f"row {row}")
                yield item

    plainly = kind(filename=str(tmp_path / "plain.sqlite"))
    found = kind(filename=str(tmp_path / "found.sqlite"))
    for each in (plainly, found):
        each.copyInfo(source)
    for item in plain():
        plainly.append(item)
    source.close()
    ids = np.array([item.getObjId() for item in items])
    rows = ItemRows.of_set(source, ids).take(chosen)
    rows = rows.with_attribute("score", Float, chosen.astype(float))
    rows = rows.with_attribute("more", String, [f"row {row}" for row in chosen])
    append_rows(found, rows)
    check_same(found, plainly)
    again = kind(filename=str(tmp_path / "found.sqlite"))
    read = [item.clone() for item in again.iterItems()]
    assert [item.more.get() for item in read] == [f"row {row}" for row in chosen]
    if kind is SetOfParticles:
        assert [item.getTransform().getMatrix()[0, 3] for item in read] == [
            2,
            3,
            4,
            5,
            7,
        ]
        assert found.getDim() == (8, 8, 1)


def test_parts_of_items_become_items(tmp_path: Path):
    stack = tmp_path / "stack.mrcs"
    source = written(SetOfParticles, tmp_path / "source.sqlite", particles_of(stack))
    rows = ItemRows.of_set(source, [2, 6, 8])
    own = rows.item.getCoordinate().clone()
    yx = np.array([[1.5, 2.25], [3, 4], [5, 6]])
    found = SetOfCoordinates(filename=str(tmp_path / "found.sqlite"))
    append_rows(found, moved_rows(rows.part(own, "_coordinate."), yx))
    found.write()
    read = [item.clone() for item in found.iterItems()]
    assert [item.getObjId() for item in read] == [2, 6, 8]
    assert [item.getPosition() for item in read] == [(2, 2), (4, 3), (6, 5)]
    assert [item.getMicName() for item in read] == [f"mic_{n}.mrc" for n in (1, 0, 1)]
    assert [item.words.get() for item in read] == [
        f"it's {n}; \u00e9" for n in (1, 3, 4)
    ]


def test_sets_grow_and_stay_empty(tmp_path: Path):
    source = written(SetOfCoordinates, tmp_path / "source.sqlite", coordinates_of(N))
    found = SetOfCoordinates(filename=str(tmp_path / "found.sqlite"))
    append_rows(found, ItemRows.of_set(source, []))
    assert found.isEmpty()
    append_rows(found, ItemRows.of_set(source, [2, 4, 6]))
    found.write()
    found.close()
    assert next_id(found) == 7
    found.enableAppend()
    append_rows(found, ItemRows.of_set(source, [8, 10]))
    item = coordinates_of(1)[0]
    item.setObjId(None)
    found.append(item)
    assert item.getObjId() == 11
    found.write()
    assert found.getSize() == 6
    assert [item.getObjId() for item in found.iterItems()] == [2, 4, 6, 8, 10, 11]
