# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison with the truth: what is compared, the curve, and the file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.metrics.evaluation import (
    evaluate_picks,
    rank_accepted_first,
    read_curve,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

SHAPES = dict.fromkeys(("m1", "m2", "m3"), (60, 90))


def _at(*yx, scores=None):
    return ScoredCoordinates.from_arrays(yx, scores)


TRUTH = {"m1": _at((10, 80), (30, 30)), "m2": _at(), "m3": _at((1, 1))}
PICKS = {
    "m1": _at((10, 81), (50, 50), scores=[0.9, 0.4]),
    "m2": _at((5, 5), scores=[0.4]),
    "x": _at((7, 7)),
}


def _evaluate(picks=PICKS, truth=TRUTH, **options):
    return evaluate_picks(picks, truth, SHAPES, box_size=10, radius_px=2.5, **options)


def test_only_what_both_know_is_compared():
    evaluation = _evaluate()
    assert evaluation.n_not_observed == 1  # m3
    assert evaluation.metrics.n_micrographs == 2
    assert evaluation.metrics.n_truth == 2
    common = {name: TRUTH[name] for name in ("m1", "m2")}
    assert evaluation.metrics.to_dict() == (
        evaluate_detections(PICKS, common, radius_px=2.5).to_dict()
    )
    assert evaluation.blind_lattice.n_truth == 2
    assert evaluation.blind_lattice.n_picks > 50


def test_the_curve():
    np.testing.assert_allclose(_evaluate().curve, [[0.9, 1, 0.5], [0.4, 1 / 3, 0.5]])
    without_scores = {name: _at(*picks.yx) for name, picks in PICKS.items()}
    assert _evaluate(without_scores).curve.shape == (0, 3)


def test_the_file_and_the_table(tmp_path):
    evaluation = _evaluate(threshold=0.5)
    content = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert (content["schema"], content["threshold"]) == (1, 0.5)
    assert (content["precision"], content["recall"]) == (1.0, 0.5)
    assert content["n_not_observed"] == 1
    assert set(content["intervals"]) >= {"precision", "recall", "f1"}
    assert content["blind_lattice"]["n_matched"] <= 2
    evaluation.write_curve(tmp_path / "curve.csv")
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert lines[:2] == ["threshold,precision,recall", "0.9,1.0,0.5"]
    np.testing.assert_array_equal(read_curve(tmp_path / "curve.csv"), evaluation.curve)


def test_the_same_seed_gives_the_same_intervals():
    first, second = _evaluate(seed=3), _evaluate(seed=3)
    assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())


def test_nothing_in_common_is_refused():
    with pytest.raises(ValueError, match="none in common"):
        _evaluate({"x": _at((1, 1))})


def test_figures_of_what_was_accepted_whatever_the_scores():
    picks = {
        "m1": _at((10, 81), (50, 50), (30, 30), scores=[0.9, 0.8, 0.3]),
        "m2": _at((5, 5), scores=[0.4]),
    }
    accepted = {"m1": _at((30, 30), (10, 81), scores=[0, 0])}
    ranked, threshold = rank_accepted_first(picks, accepted)
    assert threshold == 0.3
    figures = _evaluate(ranked, threshold=threshold).metrics
    assert (figures.n_picks, figures.n_accepted, figures.n_matched) == (4, 2, 2)
    assert figures.precision == figures.recall == figures.average_precision == 1
    by_score = _evaluate(picks, threshold=0.3).metrics
    assert (by_score.n_accepted, by_score.precision) == (4, 0.5)


def test_nothing_accepted():
    ranked, threshold = rank_accepted_first(PICKS, {})
    assert _evaluate(ranked, threshold=threshold).metrics.n_accepted == 0
    assert rank_accepted_first({}, {}) == ({}, np.inf)


@pytest.mark.parametrize(
    "accepted", [{"m1": _at((10, 80))}, {"other": _at((10, 81))}, {"x": _at((7, 7))}]
)
def test_what_is_accepted_must_be_among_the_scored(accepted):
    with pytest.raises(ValueError, match=r"expected 1 accepted picks .* received 0"):
        rank_accepted_first(PICKS, accepted)
