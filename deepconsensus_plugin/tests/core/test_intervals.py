# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootstrap intervals, against evaluating the drawn micrographs again."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.metrics import evaluate_detections, summarise_matches
from deepconsensus_plugin.core.metrics.bootstrap import draw_micrographs
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import (
    Interval,
    bootstrap_intervals,
    resample_average_precision,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

COMPARED = ("precision", "f1", "mean_precision", "mean_f1", "average_precision")


def scene(seed, n_micrographs, *, scored=True):
    """Return picks and truth on micrographs that differ in how well they go."""
    rng = np.random.default_rng(seed)
    picks, truth = {}, {}
    for number in range(n_micrographs):
        yx = rng.uniform(0, 500, (40, 2))
        truth[f"{number:02d}"] = ScoredCoordinates.from_arrays(yx)
        found = np.concatenate([yx[: rng.integers(10, 40)], yx[:15] + 250])
        scores = rng.normal(0, 1, len(found)).round(1) if scored else None
        picks[f"{number:02d}"] = ScoredCoordinates.from_arrays(found, scores)
    return picks, truth


def slow_intervals(picks, truth, *, radius_px, rng, n_resamples):
    """Evaluate drawn micrographs from scratch; a repeated one gets a new name."""
    names = sorted(truth)
    figures = []
    for times in rng.multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=n_resamples
    ):
        drawn = [(n, k) for n, t in zip(names, times, strict=True) for k in range(t)]
        again = evaluate_detections(
            {f"{n}#{k}": picks[n] for n, k in drawn},
            {f"{n}#{k}": truth[n] for n, k in drawn},
            radius_px=radius_px,
        )
        figures.append([getattr(again, name) for name in COMPARED])
    return np.quantile(figures, [0.025, 0.975], axis=0).T


def test_equals_evaluating_the_drawn_micrographs():
    picks, truth = scene(0, 6)
    expected = slow_intervals(
        picks, truth, radius_px=5.0, rng=np.random.default_rng(4), n_resamples=20
    )
    matched = match_picks(picks, truth, radius_px=5.0)
    found = bootstrap_intervals(matched, rng=np.random.default_rng(4), n_resamples=20)
    for row, name in enumerate(COMPARED):
        assert found[name].to_list() == pytest.approx(expected[row])
    again = resample_average_precision(
        matched, rng=np.random.default_rng(4), n_resamples=20
    )
    ends = np.quantile(again, [0.025, 0.975])
    assert ends == pytest.approx(found["average_precision"].to_list())


def test_holds_the_figure_and_narrows_with_the_level():
    matched = match_picks(*scene(1, 12), radius_px=5.0, threshold=-0.5)
    figures = summarise_matches(matched).to_dict()
    wide = bootstrap_intervals(matched, rng=np.random.default_rng(0), level=0.99)
    narrow = bootstrap_intervals(matched, rng=np.random.default_rng(0), level=0.5)
    pooled = {"precision", "recall", "f1"}
    means = {f"mean_{name}" for name in pooled}
    assert set(wide) == {*pooled, *means, "average_precision"}
    for name, interval in wide.items():
        assert interval.low < figures[name] < interval.high
        assert interval.low < narrow[name].low < narrow[name].high < interval.high


def test_the_seed_decides():
    matched = match_picks(*scene(2, 5), radius_px=5.0)
    first, second, third = (
        bootstrap_intervals(matched, rng=np.random.default_rng(seed), n_resamples=50)
        for seed in (1, 1, 2)
    )
    assert first == second != third


def test_unscored_picks_have_no_average_precision():
    matched = match_picks(*scene(3, 5, scored=False), radius_px=5.0)
    found = bootstrap_intervals(matched, rng=np.random.default_rng(0), n_resamples=50)
    assert found["average_precision"].to_list() == [None, None]
    assert found["f1"].low < found["f1"].high


@pytest.mark.parametrize("n_micrographs", [0, 1])
def test_one_micrograph_has_no_spread(n_micrographs):
    matched = match_picks(*scene(4, n_micrographs), radius_px=5.0)
    found = bootstrap_intervals(matched, rng=np.random.default_rng(0))
    assert all(interval.to_list() == [None, None] for interval in found.values())


@pytest.mark.parametrize("options", [{"n_resamples": 0}, {"level": 1.0}, {"level": 0}])
def test_bad_options_are_refused(options):
    matched = match_picks(*scene(5, 2), radius_px=5.0)
    with pytest.raises(ValueError, match="n_resamples >= 1 and level between"):
        bootstrap_intervals(matched, rng=np.random.default_rng(0), **options)


def test_an_interval_as_a_list():
    assert Interval(0.25, 0.5).to_list() == [0.25, 0.5]


def test_every_sample_draws_as_many_micrographs_as_there_are():
    drawn = draw_micrographs(7, 500, np.random.default_rng(0))
    assert drawn.shape == (500, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)
    assert (drawn == 0).any() and (drawn > 1).any()  # with replacement


@pytest.mark.parametrize("n_micrographs", [0, 1])
def test_no_sample_of_fewer_than_two_micrographs(n_micrographs):
    rng = np.random.default_rng(0)
    assert draw_micrographs(n_micrographs, 9, rng).shape == (0, n_micrographs)
