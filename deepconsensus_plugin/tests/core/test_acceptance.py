# SPDX-License-Identifier: GPL-3.0-or-later
"""Acceptance: reasons, expected figures and sentences, against slow versions."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.expectation import Expectation, expect
from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.acceptance.places import (
    Places,
    are_off_border,
    best_neighbours,
)
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.acceptance.summary import read_summary, write_summary
from deepconsensus_plugin.core.calibration.expected import expected_figures
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.reasons import (
    Reason,
    derive_reasons,
    in_words,
    read_reasons,
)

SHAPES = np.array([[100.0, 140.0], [60.0, 50.0]])
RATE = 2.0


def places_of(yx, micrograph=None, *, box_size=0, shapes=SHAPES) -> Places:
    yx = np.array(yx, dtype=float).reshape(-1, 2)
    index = np.zeros(len(yx), int) if micrograph is None else np.array(micrograph)
    return Places(yx, index, shapes, box_size, RATE)


def some_places(n: int = 300, *, box_size: int = 11) -> Places:
    rng = np.random.default_rng(5)
    micrograph = rng.integers(0, 2, n)
    yx = rng.uniform(0, 1, (n, 2)) * SHAPES[micrograph]
    return places_of(yx, micrograph, box_size=box_size)


def some_scores(n: int = 300) -> np.ndarray:
    """Return probabilities with ties, and some missing."""
    rng = np.random.default_rng(4)
    scores = rng.beta(0.4, 0.4, n).round(2)
    scores[rng.random(n) < 0.05] = np.nan
    return scores


def fixed(threshold: float) -> ThresholdRule:
    return ThresholdRule(ThresholdMode.FIXED, threshold)


def first(n: int) -> ThresholdRule:
    return ThresholdRule(ThresholdMode.FIRST_N, n_first=n)


# -------------------------- places --------------------------
@pytest.mark.parametrize("box_size", [10, 11])
def test_a_box_over_the_edge_is_one_that_is_filled_with_mirror_images(box_size):
    rng = np.random.default_rng(0)
    image = np.arange(30 * 44, dtype=np.float32).reshape(30, 44)
    yx = rng.uniform(-1, 1, (400, 2)) * 6 + rng.choice([0, 1], (400, 2)) * (30, 44)
    inside = are_off_border(
        places_of(yx, box_size=box_size, shapes=np.array([[30.0, 44.0]])), Spacing()
    )
    boxes = extract_boxes(image, yx, box_size)
    # Pixels rise downwards and to the right, but not in a mirror image.
    steps = [(np.diff(box, axis=0), np.diff(box, axis=1)) for box in boxes]
    whole = [bool((down > 0).all() and (right > 0).all()) for down, right in steps]
    assert inside.tolist() == whole
    assert 0 < inside.sum() < len(yx)


def test_distance_to_the_edge_is_that_of_each_micrograph():
    places = places_of([[5, 20], [5, 20], [4, 20], [95, 20]], [0, 1, 0, 0])
    spacing = Spacing(border_A=10)
    assert are_off_border(places, spacing).tolist() == [True, True, False, True]
    narrow = places_of([[5, 20], [5, 20]], shapes=np.array([[100.0, 24.0]]))
    assert are_off_border(narrow, spacing).tolist() == [False, False]
    assert are_off_border(narrow, Spacing(border_A=8)).all()


def test_what_is_not_known_is_not_held_against_a_candidate():
    nowhere = places_of([[-50, -50], [1, 1]], [-1, -1], box_size=8)
    assert are_off_border(nowhere, Spacing(border_A=50)).all()
    nobody = best_neighbours(nowhere, np.ones(2), distance_A=1000)
    assert (nobody == -np.inf).all()
    unknown = places_of([[1, 9], [9, 500]], box_size=8, shapes=np.full((1, 2), np.nan))
    # The edges at 0 are known.
    assert are_off_border(unknown, Spacing()).tolist() == [False, True]
    no_box = places_of([[0, 0]])
    assert are_off_border(no_box, Spacing()).all()


def test_best_neighbours_equal_all_pairs():
    places, score = some_places(), some_scores()
    distance = np.linalg.norm(places.yx[:, None] - places.yx, axis=2)
    near = (distance < 6) & (places.micrograph[:, None] == places.micrograph)
    np.fill_diagonal(near, False)
    near &= ~np.isnan(score)
    slow = np.where(near, np.nan_to_num(score), -np.inf).max(axis=1)
    slow[np.isnan(score)] = -np.inf  # never kept, so it does not matter
    found = best_neighbours(places, score, distance_A=6 * RATE)
    np.testing.assert_array_equal(found, slow)
    assert np.isfinite(found).any()
    none = places_of(np.empty((0, 2)))
    assert best_neighbours(none, np.empty(0), distance_A=1).shape == (0,)


def test_candidates_at_exactly_the_distance_are_apart():
    places = places_of([[10, 10], [10, 13]])
    assert (best_neighbours(places, np.ones(2), distance_A=3 * RATE) == -np.inf).all()
    assert (best_neighbours(places, np.ones(2), distance_A=3.1 * RATE) == 1).all()


# -------------------------- the rule --------------------------
def slow_reasons(score, places, spacing, threshold) -> list[str]:
    """Return the reasons one candidate at a time."""
    inside = are_off_border(places, spacing)
    words = []
    for row in range(len(score)):
        others = [
            other
            for other in range(len(score))
            if other != row
            and places.micrograph[other] == places.micrograph[row]
            and score[other] >= threshold
            and np.hypot(*(places.yx[other] - places.yx[row])) * RATE
            < spacing.neighbour_A
        ]
        if np.isnan(score[row]):
            words.append("no score")
        elif score[row] < threshold:
            words.append("score")
        elif not inside[row]:
            words.append("border")
        else:
            words.append("neighbour" if others else "")
    return words


SPACINGS = [
    Spacing(),
    Spacing(border_A=14, neighbour_A=12),
    Spacing(neighbour_A=30, over_border=True),
]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.57, 1.0, 1.5])
def test_reasons_equal_one_candidate_at_a_time(spacing, threshold):
    places, score = some_places(), some_scores()
    slow = slow_reasons(score, places, spacing, threshold)
    found = accept(AcceptanceRule(fixed(threshold), spacing), score, places)
    assert in_words(found.reason) == slow
    assert found.threshold == threshold
    placed = PlacedScores(score, places, spacing)
    kept = np.array([not word for word in slow])
    assert placed.n_kept(threshold) == kept.sum() == found.accepted.sum()
    assert placed.score_kept(threshold) == pytest.approx(score[kept].sum())


def test_a_whole_particle_beside_one_at_the_edge_is_not_by_itself():
    places = places_of([[2, 30], [9, 30], [50, 30]], box_size=10)
    score = np.array([0.9, 0.8, 0.7])
    rule = AcceptanceRule(fixed(0.5), Spacing(neighbour_A=20))
    words = in_words(accept(rule, score, places).reason)
    assert words == ["border", "neighbour", ""]
    # What is not good enough is nobody's neighbour.
    score[0] = 0.4
    assert in_words(accept(rule, score, places).reason) == ["score", "", ""]


def test_the_first_n_are_n_particles_at_permitted_places():
    places = places_of([[2, 30], [50, 10], [50, 30], [50, 50], [50, 70]], box_size=10)
    score = np.array([0.9, 0.8, 0.7, 0.7, 0.1])
    found = accept(AcceptanceRule(first(2)), score, places)
    assert in_words(found.reason) == ["border", "", "", "score", "score"]
    assert found.threshold == 0.7
    everywhere = AcceptanceRule(first(2), Spacing(over_border=True))
    assert accept(everywhere, score, places).accepted.tolist()[:3] == [
        True,
        True,
        False,
    ]
    touching = AcceptanceRule(first(2), Spacing(neighbour_A=45))
    assert accept(touching, score, places).accepted.sum() == 0  # too close, both


def test_the_threshold_is_chosen_among_permitted_places():
    places = places_of([[2, 30]] * 50 + [[50, 30], [50, 60]], box_size=10)
    score = np.array([0.2] * 50 + [0.9, 0.45])
    found = accept(AcceptanceRule(), score, places)
    assert (found.threshold, found.accepted.sum()) == (0.45, 2)
    own = accept(AcceptanceRule(), score, places, are_probabilities=False)
    assert own.threshold == 0.5


def test_without_places_the_score_decides():
    score = np.array([0.9, np.nan, 0.3])
    found = accept(AcceptanceRule(spacing=Spacing(100, 100)), score)
    assert in_words(found.reason) == ["", "no score", "score"]


def test_another_threshold_keeps_the_other_criteria():
    rule = AcceptanceRule(first(3), Spacing(5, 6, over_border=True))
    other = rule.at(0.25)
    assert (other.threshold, other.spacing) == (fixed(0.25), rule.spacing)


# -------------------------- reasons --------------------------
def test_reasons_in_words_and_back():
    codes = np.array([*Reason])
    assert read_reasons(in_words(codes)).tolist() == codes.tolist()
    assert read_reasons([None, ""]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="received carbon"):
        read_reasons(["carbon"])


def test_a_choice_without_reasons_tells_some():
    score = np.array([0.9, 0.5, 0.5, 0.2, 0.8, np.nan])
    accepted = np.array([True, True, False, False, False, False])
    words = in_words(derive_reasons(score, accepted))
    assert words == ["", "", "score", "score", "other", "no score"]
    assert in_words(derive_reasons(score, accepted & False))[:2] == ["score"] * 2


# -------------------------- expectation --------------------------
def a_report(probability: np.ndarray) -> CalibrationReport:
    """Return a report whose intervals reach 0.02 down and 0.01 up."""
    thresholds = np.linspace(0, 1, 101)

    def figures(which: int) -> list[EstimatedFigure]:
        values = [
            expected_figures(probability, probability >= t)[which] for t in thresholds
        ]
        known = [np.nan if value is None else value for value in values]
        return [EstimatedFigure(v, v - 0.02, v + 0.01) for v in known]

    return CalibrationReport(
        seed=0,
        n_candidates=int(np.isfinite(probability).sum()),
        n_particles=float(np.nansum(probability)),
        suggested_threshold=0.5,
        n_missed=EstimatedFigure(0, 0, 0),
        pickers=[],
        thresholds=thresholds.tolist(),
        precision=figures(0),
        recall=figures(1),
    )


@pytest.mark.parametrize("spacing", SPACINGS)
def test_expected_figures_are_those_of_what_is_kept(spacing):
    places, probability = some_places(), some_scores()
    expectation = Expectation(PlacedScores(probability, places, spacing))
    for threshold in (0, 0.255, 0.5, 1):
        rule = AcceptanceRule(fixed(threshold), spacing)
        found = accept(rule, probability, places)
        slow = expected_figures(probability, found.accepted)
        one = found.summarise().expected
        many = expectation.at(threshold)
        assert not one.has_intervals
        for each in (one, many):
            figures = each.precision.value, each.recall.value
            np.testing.assert_allclose(figures, np.array(slow, float), atol=1e-12)
            assert each.n_particles == np.nansum(probability)
        assert one.describe() == many.describe()


def test_nothing_kept_has_no_precision():
    probability = some_scores()
    at = Expectation(PlacedScores(probability)).at(1.5)
    assert np.isnan(at.precision.value) and at.recall.value == 0
    assert "precision not defined, recall 0.00 of about" in at.describe()


def test_intervals_of_the_report_go_with_the_exact_value():
    probability = some_scores()
    report = a_report(probability)
    placed = PlacedScores(probability, some_places(), Spacing(neighbour_A=20))
    precision, recall = Expectation(placed, report).curves(np.array([0.3, 0.4567]))
    for curve in (precision, recall):
        np.testing.assert_allclose(curve.value - curve.low, 0.02)
        np.testing.assert_allclose(curve.high - curve.value, 0.01)
    # Never beyond what a share can be.
    everything = Expectation(PlacedScores(probability), report).at(0.0)
    assert everything.recall == EstimatedFigure(1, 0.98, 1)
    assert everything.describe().endswith("among the candidates (95 % intervals).")


def test_a_report_of_other_candidates_is_not_used():
    probability = some_scores()
    report = a_report(probability)
    for other in (probability[:-1], probability * 0.9):
        figures = expect(other, other >= 0.5, 0.5, report)
        assert not figures.has_intervals
        assert "interval" not in figures.describe()


# -------------------------- summary --------------------------
def test_the_sentence():
    places, score = some_places(), some_scores()
    rule = AcceptanceRule(fixed(0.497), Spacing(0, 12))
    words = slow_reasons(score, places, rule.spacing, 0.497)
    n = {word: words.count(word) for word in words}
    summary = accept(rule, score, places).summarise()
    enough = n[""] + n["border"] + n["neighbour"]
    assert summary.describe() == (
        f"{n['']} kept of 300 candidates: {enough} with a score of at least 0.497, "
        f"less {n['border']} at the micrograph edge and {n['neighbour']} too close to "
        f"another; {n['no score']} without a score."
    )
    assert summary.describe_criteria() == [
        "Left out are candidates that lie on carbon, ice or padding, whose box leaves "
        "the micrograph or that are less than 12 Å from another."
    ]
    assert summary.sentences()[1].startswith("Expected of what is kept: precision 0.")


def test_sentences_of_simple_cases():
    score = np.array([0.2, 0.9, 0.5])
    everywhere = Spacing(over_border=True, avoid_contamination=False)
    summary = accept(
        AcceptanceRule(fixed(0.5), everywhere), score, are_probabilities=False
    ).summarise()
    assert summary.sentences() == [
        "2 kept of 3 candidates, with a score of at least 0.5."
    ]
    assert summary.describe_criteria() == []
    precise = ThresholdRule(ThresholdMode.MIN_PRECISION, min_precision=0.95)
    nothing = accept(AcceptanceRule(precise), score).summarise()
    assert nothing.describe() == "0 kept of 3 candidates: no score is high enough."


def test_a_summary_is_a_file(tmp_path):
    places, score = some_places(), some_scores()
    rule = AcceptanceRule(spacing=Spacing(3, 4))
    summary = accept(rule, score, places).summarise(a_report(score))
    write_summary(tmp_path / "a.json", summary)
    assert read_summary(tmp_path / "a.json") == summary
    assert sum(summary.counts.values()) == summary.n_candidates == 300
    precise = ThresholdRule(ThresholdMode.MIN_PRECISION, min_precision=0.999)
    nothing = accept(AcceptanceRule(precise), score * 0.9, places).summarise()
    write_summary(tmp_path / "b.json", nothing)
    assert read_summary(tmp_path / "b.json").describe() == nothing.describe()
