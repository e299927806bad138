# SPDX-License-Identifier: GPL-3.0-or-later
"""Large regular tables, read in blocks, hold what the reader of any table finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.pick_files import csv_table, regular_table

HEADER = "image_name\tx_coord\ty_coord\tscore"
ROWS = ("b c\t1\t2.5\t-3e-2", "a\t 4 \t5\tnan", "", "b c\t6\t7\t0.5", "a\t-8\t9\t1")


@pytest.mark.parametrize("n_at_once", [1, 2, 100])
@pytest.mark.parametrize("mark", ["\t", ",", ";"])
def test_both_readers_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, n_at_once: int
):
    monkeypatch.setattr(regular_table, "_BLOCK", n_at_once)
    text = "\n".join([HEADER, *ROWS, ""]).replace("\t", mark)
    path = tmp_path / "picks.txt"
    path.write_text(text)
    found = regular_table.read_regular(text)
    assert found is not None
    monkeypatch.setattr(csv_table, "read_regular", lambda _: None)
    slowly = csv_table.read_table(path).coordinates
    assert list(found) == list(slowly) == ["b c", "a"]
    for name, picks in slowly.items():
        np.testing.assert_array_equal(found[name].yx, picks.yx)
        np.testing.assert_array_equal(found[name].scores, picks.scores)
    assert found["a"].yx.tolist() == [[5, 4], [9, -8]]


@pytest.mark.parametrize(
    "row",
    [
        "a\t1\t2",
        "a\t1\t2\t3\t4",
        "a\t1_0\t2\t3",
        "a\t\u0663\t2\t3",
        "a\tnan\t2\t3",
        "a\t1\t2\tinf",
        "a\t1\t2\tNA",
        "\t1\t2\t3",
        '"a"\t1\t2\t3',
        "# a\t1\t2\t3",
        "a\t1e30\t2\t3",
    ],
)
def test_what_is_irregular_is_left_to_the_other_reader(row: str):
    assert regular_table.read_regular("\n".join([HEADER, *ROWS, row])) is None


@pytest.mark.parametrize("text", ["", HEADER, "x,y\n1,2\n", "1,2\n", "name,x\na,1\n"])
def test_what_has_no_names_and_rows_is_left_to_it_too(text: str):
    assert regular_table.read_regular(text) is None
