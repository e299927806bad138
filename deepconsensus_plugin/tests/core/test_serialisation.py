# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    number: float
    path: Path | None = None


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    colour: Colour
    shape: tuple[int, int]
    table: dict[str, float]


OUTER = Outer((Inner(1.5, Path("/a b/ü")), Inner(2)), Colour.RED, (3, 4), {"x": 0.1})


def test_round_trip(tmp_path):
    path = tmp_path / "new folder" / "x.json"
    write_json(path, to_plain(OUTER))
    assert from_plain(read_json(path), Outer, path=path) == OUTER


def test_undefined_figures_are_null(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, to_plain(Inner(math.nan)))
    assert "null" in path.read_text()
    assert math.isnan(from_plain(read_json(path), Inner, path=path).number)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"number": "three"}, "number"),
        ({}, "number"),
        ({"number": 1, "nmber": 2}, "nmber"),
    ],
)
def test_wrong_fields_are_named(content, complaint):
    with pytest.raises(FileFormatError, match=f"the fields of Inner.*{complaint}"):
        from_plain(content, Inner, path=Path("card.json"))


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 99}'])
def test_refuses_what_it_did_not_write(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"x\.json: expected"):
        read_json(path)
