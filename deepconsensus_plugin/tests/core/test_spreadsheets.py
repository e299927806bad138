# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that a spreadsheet would run: defused in every table, and read back."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv, write_scores_csv
from deepconsensus_plugin.core.io.spreadsheets import defused, restored
from deepconsensus_plugin.core.pick_files.picks import (
    PickFormat,
    read_picks,
    write_merged_picks,
)
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

EVIL = (
    "=cmd|' /C calc'!A0.mrc",
    "+1.mrc",
    "-2+3.mrc",
    "@SUM(1).mrc",
    "'=quoted.mrc",
    " =blank.mrc",
    "\t=tab.mrc",
    "＝wide.mrc",  # noqa: RUF001
)
PLAIN = ("a.mrc", "'a.mrc", "a=b.mrc", "", "1-2.mrc")


@pytest.mark.parametrize("name", EVIL)
def test_what_would_be_run_is_text(name):
    field = defused(name)
    assert field[0] == "'"
    assert restored(field) == name


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_stay(name):
    assert defused(name) == restored(name) == name


@given(st.text(alphabet="'=+-@\t\r a", max_size=6) | st.text(max_size=6))
def test_every_name_comes_back(name):
    assert restored(defused(name)) == name
    assert not defused(name).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_no_cell_of_the_tables_is_run_and_names_come_back(tmp_path):
    here = {name: ScoredCoordinates.from_arrays([[5.0, -5.0]], [-1.0]) for name in EVIL}
    pickers = [PickerPicks(name, 10, here) for name in ("=picker", "@other", "plain")]
    candidates = find_consensus(pickers, consensus_radius_px=1, merge_radius_px=2)
    n = len(candidates)
    numbers = {"score": np.ones(n), "network_score": np.ones(n), "spread": np.ones(n)}
    table, merged = tmp_path / "scores.csv", tmp_path / "coordinates.csv"
    write_scores_csv(table, candidates, **numbers, reason=np.zeros(n, int))
    write_merged_picks(merged, here, box_size=10, pick_format=PickFormat.CSV)
    for path, columns in ((table, (0, 7, 8)), (merged, (0,))):
        with path.open(newline="") as file:
            for row in [*csv.reader(file)][1:]:
                words = [word for i in columns for word in row[i].split(";")]
                assert all(word[0] in "'p" for word in words), row
    found = read_scores_csv(table)
    assert {*found.micrograph} == {*EVIL}
    assert {*found.pickers[0]} == {"=picker", "@other", "plain"}
    assert {*read_picks(merged)} == {*EVIL}
