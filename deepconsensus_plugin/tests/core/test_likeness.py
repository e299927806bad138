# SPDX-License-Identifier: GPL-3.0-or-later
"""Likeness to averages: what votes cannot tell apart, and how sure they may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.averages.kinds import read_likeness, tell_likeness
from deepconsensus_plugin.core.averages.table import AveragesTable, write_averages
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.likeness import (
    apply_likeness,
    likeness_features,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.kinds import Kind
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def test_more_of_an_average_is_more_of_a_particle():
    amplitude = np.linspace(0.2, 1.8, 30)
    told = apply_likeness(np.full(30, 0.9), amplitude)
    assert (np.diff(told) > 0).all()
    assert told[0] < 0.1 and told[-1] > 0.9


def test_surer_votes_still_count():
    told = apply_likeness(np.array([0.05, 0.5, 0.95]), np.ones(3))
    assert (np.diff(told) > 0).all()


def test_votes_alone_are_never_certain():
    told = apply_likeness(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert 0.01 < told[0] and told[1] < 0.995


def test_without_amplitudes_nothing_changes():
    probability = np.array([0.0, 0.3, 1.0])
    told = apply_likeness(probability, np.full(3, np.nan))
    np.testing.assert_array_equal(told, probability)


def test_the_scale_of_amplitudes_is_of_no_consequence():
    rng = np.random.default_rng(0)
    probability, amplitude = rng.random(50), rng.random(50) + 0.5
    np.testing.assert_allclose(
        likeness_features(probability, amplitude),
        likeness_features(probability, 37 * amplitude),
        atol=1e-12,
    )


def test_a_missing_amplitude_counts_as_the_typical_one():
    amplitude = np.array([1.0, 1.0, np.nan])
    told = apply_likeness(np.full(3, 0.8), amplitude)
    assert told[2] == pytest.approx(told[0])


def broken_ones(n: int = 2000) -> tuple[Evidence, np.ndarray]:
    """Return evidence in which both pickers find a fifth of broken molecules too."""
    rng = np.random.default_rng(1)
    kind = rng.choice(3, n, p=[0.6, 0.2, 0.2])  # whole, broken, nothing
    found = rng.random((n, 2)) < np.array([0.9, 0.9, 0.3])[kind][:, None]
    found[~found.any(axis=1), 0] = True
    amplitude = np.array([1.1, 0.65, 0.45])[kind] + 0.12 * rng.standard_normal(n)
    scores = np.array([1.0, 1.0, 0.0])[kind] + 0.5 * rng.standard_normal(n)
    evidence = Evidence(
        found,
        np.ones((n, 2), bool),
        np.column_stack([scores, amplitude]),
        np.sort(rng.integers(0, 8, n)),
        amplitude=amplitude,
    )
    return evidence, kind == 0


def test_broken_molecules_that_all_pickers_find_are_told():
    evidence, is_whole = broken_ones()
    votes = replace(evidence, amplitude=None)
    told, by_votes = (
        fuse(each, rng=np.random.default_rng(0), n_resamples=0).probability
        for each in (evidence, votes)
    )
    n_whole = int(is_whole.sum())
    best, best_by_votes = (np.argsort(-p)[:n_whole] for p in (told, by_votes))
    assert is_whole[best].mean() > max(0.95, is_whole[best_by_votes].mean())
    error, error_by_votes = (
        abs(p[p > 0.5].mean() - is_whole[p > 0.5].mean()) for p in (told, by_votes)
    )
    assert error < error_by_votes


def test_intervals_cover_other_levels_of_averages():
    evidence, is_whole = broken_ones()
    with_averages, votes = (
        fuse(each, rng=np.random.default_rng(0), n_resamples=3)
        for each in (evidence, replace(evidence, amplitude=None))
    )
    at = 50  # a threshold of .5
    width, by_votes = (
        float(each.precision.high[at] - each.precision.low[at])
        for each in (with_averages, votes)
    )
    assert width > by_votes + 0.03
    true = is_whole[with_averages.probability >= 0.5].mean()
    assert with_averages.precision.low[at] <= true <= with_averages.precision.high[at]


def test_amplitudes_must_be_of_all_candidates():
    evidence, _ = broken_ones(20)
    with pytest.raises(ValueError, match="amplitude: expected 20 numbers"):
        Evidence(
            evidence.found,
            evidence.observed,
            evidence.scores,
            evidence.micrograph_index,
            amplitude=np.ones(3),
        )


def table_of(amplitude: list[float]) -> AveragesTable:
    n = len(amplitude)
    return AveragesTable(
        average=np.zeros(n, dtype=int),
        angle_deg=np.zeros(n),
        offset_yx=np.zeros((n, 2)),
        amplitude=np.array(amplitude),
        correlation=np.ones(n),
        images=np.zeros((1, 40, 40), np.float32),
        resolution_A=np.array([20.0]),
        pixel_size_A=6.0,
        diameter_A=160.0,
    )


def candidates_of(distance_px: float) -> Candidates:
    """Return four: the second at a distance from the first, two far from all."""
    places = [(50, 50), (50, 50 + distance_px), (300, 50), (500, 50)]
    picks = ScoredCoordinates.from_arrays(np.array(places, float), np.zeros(4))
    return Candidates.of_one(PickerPicks("one", 60, {"m.mrc": picks}))


# 4 Å/px, so 0.7 diameters are 28 px.
OF_PICKED = {"picked_pixel_A": 4.0}
PROBABILITY = np.array([0.0, 0.0, 1.0, 1.0])
"""Of four candidates, of which those far from all are typical particles."""


@pytest.mark.parametrize(
    ("amplitude", "distance_px", "kind"),
    [
        (1.0, 100, Kind.PARTICLE),
        (0.9, 100, Kind.PARTICLE),
        (0.7, 100, Kind.PARTIAL),
        (0.4, 100, Kind.UNLIKE),
        (0.4, 20, Kind.TOUCHING),
        (np.nan, 20, Kind.UNKNOWN),
    ],
)
def test_kinds_are_told(amplitude, distance_px, kind):
    table = table_of([amplitude, 0.2, 1.0, 1.0])
    candidates = candidates_of(distance_px)
    told = tell_likeness(table, candidates, PROBABILITY, **OF_PICKED)
    assert Kind(told.kind[0]) is kind
    np.testing.assert_array_equal(told.amplitude, [amplitude, 0.2, 1, 1])


def test_amplitudes_are_relative_to_particles():
    table = table_of([0.7, 0.4, 2.0, 2.0])
    told = tell_likeness(table, candidates_of(100), PROBABILITY, **OF_PICKED)
    np.testing.assert_allclose(told.amplitude, [0.35, 0.2, 1, 1])
    assert told.kind.tolist() == [*[Kind.UNLIKE] * 2, *[Kind.PARTICLE] * 2]


def test_a_file_of_averages_that_is_missing_tells_nothing(tmp_path):
    path, candidates = tmp_path / "averages.h5", candidates_of(100)
    told = read_likeness(path, candidates, PROBABILITY, **OF_PICKED)
    assert np.isnan(told.amplitude).all() and told.kind.tolist() == [Kind.UNKNOWN] * 4
    write_averages(path, table_of([0.7, 0.4, 1.0, 1.0]))
    told = read_likeness(path, candidates, PROBABILITY, **OF_PICKED)
    assert told.kind.tolist() == [Kind.PARTIAL, Kind.UNLIKE, *[Kind.PARTICLE] * 2]
    few = candidates.take(np.arange(3))
    with pytest.raises(ValueError, match=r"averages\.h5: expected 3 candidates.* 4"):
        read_likeness(path, few, PROBABILITY[:3], **OF_PICKED)
