# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.io.growing import AppendOnlyRows

ROWS = np.arange(20.0).reshape(10, 2)


def _open(path: Path, made_from: str = "this", step: int = 1) -> AppendOnlyRows:
    return AppendOnlyRows(path, 2, made_from=made_from, step=step)


def test_rows_of_the_same_origin_are_kept_and_added_to(tmp_path: Path):
    path = tmp_path / "rows"
    with _open(path) as rows:
        assert rows.n_kept == 0
        rows.append(ROWS[:4])
    with _open(path) as rows:
        assert rows.n_kept == 4
        rows.append(ROWS[4:])
        np.testing.assert_array_equal(rows.read(), ROWS)


def test_half_a_row_and_half_a_step_are_cut_off(tmp_path: Path):
    path = tmp_path / "rows"
    with _open(path) as rows:
        rows.append(ROWS[:7])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3)
    with _open(path, step=4) as rows:
        assert rows.n_kept == 4
        np.testing.assert_array_equal(rows.read(), ROWS[:4])


def test_rows_of_another_origin_are_thrown_away(tmp_path: Path):
    path = tmp_path / "rows"
    with _open(path, "that") as rows:
        rows.append(ROWS)
    with _open(path, "this") as rows:
        assert rows.n_kept == 0
        assert rows.read().shape == (0, 2)
        rows.append(ROWS[:1])
    with _open(path, "this") as rows:
        assert rows.n_kept == 1
