# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
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


def test_undefined_figures_that_are_read_equal_their_like():
    outer = replace(OUTER, inner=(Inner(math.nan), Inner(1.0)), table={"x": math.nan})
    read = from_plain(json.loads(json.dumps(to_plain(outer))), Outer, path=Path("x"))
    assert read == outer


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"number": "three"}, "expected number to be a number, received 'three'"),
        ({}, "expected number, a field of Inner, received none"),
        ({"number": 1, "nmber": 2}, "expected no field nmber of Inner, received 2"),
        ({"number": 1, "path": 2}, "expected path to be text, received 2"),
        ([1], r"expected Inner to be values by name, received \[1\]"),
    ],
)
def test_wrong_fields_are_named(content, complaint):
    with pytest.raises(FileFormatError, match=rf"^card\.json: {complaint}$"):
        from_plain(content, Inner, path=Path("card.json"))


def test_all_wrong_fields_are_named_by_the_way_to_them():
    content = to_plain(OUTER) | {
        "inner": [{"number": None}, {"number": "1"}],
        "shape": [3, 4.5],
        "colour": "blue",
    }
    with pytest.raises(FileFormatError) as raised:
        from_plain(content, Outer, path=Path("x.json"))
    assert str(raised.value) == (
        "x.json: expected inner.1.number to be a number, received '1'; "
        "expected colour to be 'red', received 'blue'; "
        "expected shape.1 to be a whole number, received 4.5"
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"learning_rate": None},
            "learning_rate to be above 0, received null",
        ),
        (
            {"l2_strength": None, "n_models": 0},
            "l2_strength to be 0 or more, received null; "
            "expected n_models to be 1 or more, received 0",
        ),
    ],
)
def test_null_is_told_as_the_file_has_it(change, complaint):
    content = to_plain(TrainingParameters()) | change
    with pytest.raises(FileFormatError) as raised:
        from_plain(content, TrainingParameters, path=Path("x.json"))
    assert str(raised.value) == f"x.json: expected {complaint}"


def test_numbers_of_numpy_are_written_as_numbers():
    outer = replace(OUTER, shape=(np.int64(3), 4), table={"x": np.float64(0.1)})
    assert json.dumps(to_plain(outer)) == json.dumps(to_plain(OUTER))
    assert to_plain(np.float32(0.5)) == 0.5


def test_whole_numbers_stay_whole_where_others_could_be():
    assert json.dumps(to_plain(Inner(2))) == '{"number": 2, "path": null}'


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 99}'])
def test_refuses_what_it_did_not_write(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"x\.json: expected"):
        read_json(path)
