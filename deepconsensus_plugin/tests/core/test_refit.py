# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion with the marks of a person, against candidates whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.marked import (
    MARK_ERROR,
    MOST_SHARED,
    Weighing,
    apply_labels,
    fit_labels,
)
from deepconsensus_plugin.core.calibration.refit import MarkedFusion
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.pipeline.refit import refit


def draw(seed=0, *, n=3000, good_score=1.5, deceiving=0.5):
    """Return evidence and truth.

    Both pickers find most of everything. The first score tells particles from the rest
    on most candidates; `deceiving` of the rest have as good a first score as particles,
    and only the second score, of the first picker, tells those.
    """
    rng = np.random.default_rng(seed)
    is_true = rng.random(n) < 0.6
    is_like = is_true | (rng.random(n) < deceiving)
    found = rng.random((n, 2)) < np.where(is_like[:, np.newaxis], 0.8, 0.3)
    found[~found.any(axis=1), 0] = True
    scores = np.column_stack(
        [
            rng.normal(size=n) + good_score * is_like,
            np.where(found[:, 0], rng.normal(size=n) + 2 * is_true, np.nan),
        ]
    )
    evidence = Evidence(
        found,
        np.ones_like(found),
        scores,
        np.sort(rng.integers(0, 10, n)),
    )
    return evidence, is_true


def labels_of(rows, is_true, *, wrong=(), belief=1.0, is_random=True):
    rows = np.sort(np.asarray(rows, dtype=np.intp))
    said = is_true[rows] ^ np.isin(rows, wrong)
    n = len(rows)
    return Labels(rows, said, np.full(n, belief), np.full(n, is_random))


def test_without_marks_it_is_the_fusion():
    evidence, _ = draw()
    usual = fuse(evidence, rng=np.random.default_rng(0), n_resamples=0).probability
    told = MarkedFusion(evidence).probability(Labels.none())
    np.testing.assert_allclose(told, np.clip(usual, expit(-6), expit(6)), atol=1e-6)


def test_without_marks_it_is_the_fusion_with_averages_too():
    evidence, is_true = draw()
    rng = np.random.default_rng(1)
    amplitude = 1 + rng.normal(size=len(evidence)) / 5 + 0.3 * is_true
    evidence = replace(
        evidence,
        scores=np.column_stack([evidence.scores, amplitude]),
        amplitude=amplitude,
    )
    usual = fuse(evidence, rng=rng, n_resamples=0).probability
    told = MarkedFusion(evidence).probability(Labels.none())
    np.testing.assert_allclose(told, usual, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_marks_correct_what_all_are_deceived_by(seed):
    evidence, is_true = draw(seed)
    marked = MarkedFusion(evidence)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(evidence))[:200]
    labels = labels_of(rows, is_true, wrong=rows[:10])

    def figures(probability):
        accepted = probability >= choose_threshold(probability, AUTOMATIC)
        others = np.setdiff1d(np.arange(len(is_true)), rows)
        n_true = is_true[others][accepted[others]].sum()
        f1 = 2 * n_true / (accepted[others].sum() + is_true[others].sum())
        expected = probability[accepted].mean()
        return f1, abs(expected - is_true[accepted].mean())

    before = figures(marked.probability(Labels.none()))
    after = figures(marked.probability(labels))
    assert after[0] > before[0] + 0.02
    assert after[1] < 0.05 < before[1]


def test_what_was_marked_is_decided_by_the_mark():
    probability = np.array([0.001, 0.999, 0.5, 0.5, 0.7])
    labels = labels_of([0, 1, 2, 3], np.array([True, False, True, False]))
    told = apply_labels(probability, labels)
    assert told[0] == pytest.approx(1 - MARK_ERROR)
    assert told[1] == pytest.approx(MARK_ERROR)
    assert told[2:4] == pytest.approx([1 - MARK_ERROR, MARK_ERROR])
    assert told[4] == 0.7
    half = apply_labels(probability, replace(labels, belief=np.full(4, 0.1)))
    assert half[0] < 0.01 and half[1] > 0.99  # a doubtful label decides nothing


def weighing(n, rng):
    features = np.column_stack([np.ones(n), rng.normal(size=n)])
    return Weighing(features, np.array([0.0, 1.0]), np.array([2.0, 2.0]))


def test_the_fit_finds_the_weights_although_some_labels_are_wrong():
    rng = np.random.default_rng(0)
    known = weighing(20000, rng)
    is_true = rng.random(20000) < expit(known.features @ np.array([1.0, 3.0]))
    wrong = np.flatnonzero(rng.random(20000) < MARK_ERROR)
    fitted = fit_labels(known, labels_of(np.arange(20000), is_true, wrong=wrong))
    np.testing.assert_allclose(fitted.weights, [1.0, 3.0], atol=0.25)


def test_the_posterior_covers_the_truth():
    inside = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        known = weighing(60, rng)
        truth = known.mean + known.deviation * rng.normal(size=2)
        is_true = rng.random(60) < expit(known.features @ truth)
        wrong = np.flatnonzero(rng.random(60) < MARK_ERROR)
        fitted = fit_labels(known, labels_of(np.arange(60), is_true, wrong=wrong))
        off = fitted.weights - truth
        inside += off @ np.linalg.solve(fitted.covariance, off) < 5.99
    assert inside >= 33  # 95 % of 40, and the approximation


def test_many_shared_labels_count_as_a_limited_number():
    rng = np.random.default_rng(0)
    known = weighing(5000, rng)
    labels = labels_of(np.arange(5000), np.ones(5000, bool), belief=0.8)
    own = labels_of(np.arange(MOST_SHARED), np.ones(5000, bool), belief=0.8)
    one, other = (fit_labels(known, each).covariance for each in (labels, own))
    assert np.diag(one).sum() == pytest.approx(np.diag(other).sum(), rel=0.2)


def test_intervals_shrink_with_marks_and_cover_the_truth():
    evidence, is_true = draw(3)
    marked = MarkedFusion(evidence)
    rows = np.random.default_rng(0).permutation(len(evidence))

    def width(n):
        fusion = marked.fuse(labels_of(rows[:n], is_true), rng=np.random.default_rng(0))
        at = 50
        accepted = fusion.probability >= fusion.thresholds[at]
        low, high = fusion.precision.low[at], fusion.precision.high[at]
        assert low <= fusion.precision.value[at] <= high
        return high - low, low <= is_true[accepted].mean() <= high

    few, many = width(10), width(300)
    assert many[0] < few[0] / 1.5
    assert many[1]


def table_of(evidence):
    """Return candidates with this evidence."""
    n, k = evidence.found.shape
    m = evidence.micrograph_index.max() + 1
    rng = np.random.default_rng(0)
    yx = rng.uniform(0, 4000, (n, 2))
    return Candidates(
        micrographs=tuple(f"{row:02}.mrc" for row in range(m)),
        pickers=("one", "two"),
        observed=np.ones((m, k), dtype=bool),
        micrograph_index=evidence.micrograph_index,
        yx=yx,
        found=evidence.found,
        picker_scores=np.column_stack([evidence.scores[:, 1], np.full(n, np.nan)]),
        agreement=evidence.found.sum(axis=1),
        agreed_yx=yx,
    )


def test_the_gain_is_told_before_it_is_kept():
    evidence, is_true = draw()
    candidates, network = table_of(evidence), evidence.scores[:, 0]
    before = fuse(evidence, rng=np.random.default_rng(0), n_resamples=0).probability
    rows = np.random.default_rng(0).permutation(len(evidence))[:200]
    labels = labels_of(rows, is_true)
    found = refit(candidates, network, before=before, labels=labels, seed=0)
    gain = found.gain
    assert gain.n_marks == 200
    assert gain.n_agreed > gain.n_agreed_before
    assert gain.f1 > gain.f1_before
    # Marks decide over what they are of; the sample tells of the others.
    assert 0 < gain.sample.n_good < gain.sample.n < 200
    accepted = found.probability >= choose_threshold(found.probability, AUTOMATIC)
    true_share = is_true[np.setdiff1d(np.flatnonzero(accepted), labels.rows)].mean()
    assert gain.sample.n_good / gain.sample.n == pytest.approx(true_share, abs=0.1)
    first, second, third = gain.sentences()
    assert first.startswith("200 marks: ")
    assert f"agrees with {gain.n_agreed} marks" in second
    assert "random accepted" in third
    assert any("200 marks" in remark for remark in found.report.remarks)
    assert found.report.n_candidates == len(candidates)


def test_what_cannot_be_judged_has_no_probability_and_no_mark_there_counts():
    evidence, is_true = draw(n=400)
    candidates = replace(table_of(evidence), bad_micrographs=("00.mrc",))
    on_bad = evidence.micrograph_index == 0
    labels = labels_of(np.arange(0, 400, 4), is_true)
    found = refit(
        candidates,
        evidence.scores[:, 0],
        before=np.full(400, 0.5),
        labels=labels,
        seed=0,
    )
    assert (np.isnan(found.probability) == on_bad).all()
    assert found.gain.n_marks == (~on_bad[labels.rows]).sum()
    only_bad = labels_of(np.flatnonzero(on_bad), is_true)
    with pytest.raises(ValueError, match="none of which can"):
        refit(
            candidates,
            evidence.scores[:, 0],
            before=np.full(400, 0.5),
            labels=only_bad,
            seed=0,
        )
