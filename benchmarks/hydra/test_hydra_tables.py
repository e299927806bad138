# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the tables, on made-up sets with known metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.hydra.corpus import CorpusSet
from benchmarks.hydra.figures import match_boxes
from benchmarks.hydra.rows import on_test
from benchmarks.hydra.samples import Role
from benchmarks.hydra.tables import (
    blind_lattice_f1,
    corpus_table,
    differences,
    match_all,
)
from benchmarks.hydra.thresholds import f1_at
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


def made_up(name, n_particles):
    rng = np.random.default_rng(n_particles)
    micrographs = tuple(
        Micrograph(f"{i}.mrc", Path(f"{i}.mrc"), (400, 400), 2.0) for i in range(6)
    )
    truth = {
        each.name: ScoredCoordinates.from_arrays(rng.uniform(20, 380, (n_particles, 2)))
        for each in micrographs
    }
    train, validation, test = micrographs[:3], micrographs[3:4], micrographs[4:]
    return CorpusSet(name, Role.TARGET, train, validation, test, truth, 60.0)


@pytest.fixture
def sets():
    return [made_up("few", 4), made_up("many", 12)]


def all_true(found, folder):
    return {
        each.name: ScoredCoordinates(
            found.truth[each.name].yx, np.ones(len(found.truth[each.name]))
        )
        for each in found.test
    }


def one_of_few(found, folder):
    true = all_true(found, folder)
    if found.name == "few":
        return {name: picks.take([0]) for name, picks in true.items()}
    return true


def nothing(found, folder):
    return {}


def cells_of(table):
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return {row[0].strip(): [cell.strip() for cell in row[3:]] for row in rows}


def test_sets_their_mean_and_all_in_one(sets, tmp_path):
    pickers = {"all": all_true, "one": one_of_few, "none": nothing}
    cells = cells_of(corpus_table(sets, match_all(sets, pickers, tmp_path)))

    assert cells["few"] == ["1.000 / 1.000", "0.250 / 0.250", "0.000 / 0.000"]
    assert cells["many"] == ["1.000 / 1.000", "1.000 / 1.000", "0.000 / 0.000"]
    assert cells["**mean**"] == ["1.000 / 1.000", "0.625 / 0.625", "0.000 / 0.000"]
    # 2 and 24 of 8 and 24 particles.
    assert cells["all in one"][1] == "0.812 / 0.812"
    assert cells["AP, 95 %"][0] == "1.000 – 1.000"


def test_differences_of_those_that_are_there(sets, tmp_path):
    pickers = {"specialised": all_true, "general": one_of_few, "few-shot": nothing}
    table = differences(match_all(sets, pickers, tmp_path))
    (row,) = table.splitlines()[2:]

    assert row == "| specialised − general | +0.375 | +0.375 – +0.375 |"
    assert differences(match_all(sets, {"alone": nothing}, tmp_path)) == ""


def test_pickers_get_the_test_micrographs_and_the_diameter(sets, tmp_path):
    asked = {}

    def remember(micrographs, diameter_A, folder):
        asked[folder.name] = [each.name for each in micrographs], diameter_A
        return {}

    match_all(sets, {"picker": on_test(remember)}, tmp_path)

    assert asked == {name: (["4.mrc", "5.mrc"], 60.0) for name in ("few", "many")}


def test_a_lattice_finds_more_where_there_is_more(sets):
    few, many = map(blind_lattice_f1, sets)

    assert 0 < few < many < 0.5


def test_f1_from_a_threshold_on(sets):
    """Of 8 particles: 2 found by the better picks, 1 more by the others."""
    few = sets[0]
    first, second = few.test
    true = few.truth[first.name].yx
    wrong = np.array([[1.0, 399.0]])
    picks = {
        first.name: ScoredCoordinates(
            np.concatenate([true[:3], wrong]), np.array([3.0, 2.0, -1.0, 2.5])
        )
    }
    truth = {each.name: few.truth[each.name] for each in (first, second)}
    matched = match_boxes(picks, truth, side_px=few.diameter_px)

    assert f1_at(matched, 2.0) == pytest.approx(2 * 2 / (3 + 8))
    assert f1_at(matched, -2.0) == pytest.approx(2 * 3 / (4 + 8))
    assert f1_at(matched, 4.0) == 0
