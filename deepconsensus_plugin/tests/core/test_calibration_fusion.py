# SPDX-License-Identifier: GPL-3.0-or-later
"""Probabilities without labels, against candidates whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import mannwhitneyu

from deepconsensus_plugin.core.calibration import Evidence, LatentTraitModel, fuse
from deepconsensus_plugin.core.calibration.evidence import normal_quantiles
from deepconsensus_plugin.core.calibration.expected import count_expected

FINDING = (0.8, 0.7, 0.4)
FALSE = (0.1, 0.05, 0.15)


def draw(
    finding=FINDING,
    false=FALSE,
    *,
    network=2.0,
    seed=0,
    n=4000,
    spread=1.0,
    prevalence=0.5,
):
    """Return evidence, truth and the number of missed particles of n places.

    `prevalence` is the share of particles; `spread` is the slope of votes on the trait,
    `network` is how much higher its score is for particles; the second picker has a
    score too.
    """
    rng = np.random.default_rng(seed)
    is_true, trait = rng.random(n) < prevalence, rng.normal(size=n)
    logits = np.log(finding) - np.log1p(-np.array(finding))
    rates = expit(logits + spread * trait[:, np.newaxis])
    found = rng.random(rates.shape) < np.where(is_true[:, np.newaxis], rates, false)
    scores = np.full((n, 1 + len(finding)), np.nan)
    scores[:, 0] = rng.normal(size=n) + is_true * (network + 0.5 * trait)
    if len(finding) > 1:
        own = np.exp(rng.normal(size=n) + is_true)
        scores[:, 2] = np.where(found[:, 1], own, np.nan)
    seen = found.any(axis=1)
    evidence = Evidence(
        found=found[seen],
        observed=np.ones_like(found[seen]),
        scores=scores[seen],
        micrograph_index=np.sort(rng.integers(0, 12, n))[seen],
    )
    return evidence, is_true[seen], int((is_true & ~seen).sum())


def probabilities(evidence):
    return LatentTraitModel(evidence).fit().probability


def calibration_error(probability, is_true):
    tenths = np.array_split(np.argsort(probability), 10)
    gaps = [probability[rows].mean() - is_true[rows].mean() for rows in tenths]
    return np.abs(gaps).mean()


def f1_at_best(probability, is_true):
    expected = count_expected(probability)
    accepted = probability >= expected.thresholds[np.argmax(expected.f_beta())]
    return 2 * is_true[accepted].sum() / (accepted.sum() + is_true.sum())


def precision_and_recall(evidence, is_particle):
    n_true = is_particle.astype(float) @ evidence.found.astype(float)
    return n_true / evidence.found.sum(axis=0), n_true / is_particle.sum()


@pytest.mark.parametrize(
    ("finding", "false"),
    [
        (FINDING, FALSE),
        ((0.8, 0.7, 0.4, 0.6, 0.5, 0.9, 0.3), (0.1, 0.05, 0.15, 0.02, 0.1, 0.1, 0.2)),
        ((0.8, 0.7, 0.2), (0.1, 0.05, 0.2)),  # the third is useless
        ((0.8, 0.7, 0.05), (0.1, 0.05, 0.4)),  # the third prefers what is none
    ],
    ids=["three", "seven", "useless", "adversarial"],
)
def test_probabilities_are_calibrated_and_pickers_known(finding, false):
    evidence, is_true, _ = draw(finding, false)
    probability = probabilities(evidence)

    assert calibration_error(probability, is_true) < 0.03
    estimated = precision_and_recall(evidence, probability)
    for figure, truth in zip(
        estimated, precision_and_recall(evidence, is_true), strict=True
    ):
        np.testing.assert_allclose(figure, truth, atol=0.03)


def test_votes_and_own_scores_are_enough():
    evidence, is_true, _ = draw()
    without = replace(evidence, scores=evidence.scores[:, 1:])

    assert calibration_error(probabilities(without), is_true) < 0.03


def test_missed_particles_are_extrapolated_where_the_model_holds():
    evidence, _, n_missed = draw(n=8000)

    fit = LatentTraitModel(evidence).fit()

    assert fit.n_missed == pytest.approx(n_missed, rel=0.25)


def test_the_automatic_threshold_beats_every_rule_of_votes():
    evidence, is_true, _ = draw()
    votes = evidence.found.sum(axis=1)
    rules = [
        2 * is_true[votes >= m].sum() / ((votes >= m).sum() + is_true.sum())
        for m in (1, 2, 3)
    ]

    assert f1_at_best(probabilities(evidence), is_true) > max(rules) + 0.05


def test_two_pickers_are_no_worse_than_their_union():
    evidence, is_true, _ = draw((0.8, 0.3), (0.02, 0.3))
    union = 2 * is_true.sum() / (len(is_true) + is_true.sum())

    assert f1_at_best(probabilities(evidence), is_true) > union + 0.02


def test_a_picker_that_takes_nearly_everything_is_not_believed():
    # One maximum of the likelihood takes its picks for particles that are hard to find;
    # with as many candidates as twelve such sets, the other is likelier by some 75.
    evidence, is_true, _ = draw(
        (0.75, 0.98), (0.12, 0.9), network=3.0, seed=1, n=1500, prevalence=0.1
    )
    twelve_times = np.full(len(evidence), 12.0)
    fit = LatentTraitModel(evidence).fit(weights=twelve_times)
    assert fit.probability.sum() == pytest.approx(is_true.sum(), rel=0.3)


def test_one_picker_is_ranked_by_the_network():
    evidence, is_true, _ = draw((0.7,), (0.2,))
    probability = probabilities(evidence)
    rank = mannwhitneyu(probability[is_true], probability[~is_true]).statistic

    assert rank / is_true.sum() / (~is_true).sum() > 0.9


def test_without_any_score_one_picker_tells_candidates_apart_in_nothing():
    evidence, *_ = draw((0.7,), (0.2,))
    bare = replace(evidence, scores=np.empty((len(evidence), 0)))

    assert np.ptp(probabilities(bare)) < 1e-12


def test_the_order_of_pickers_and_candidates_does_not_matter():
    evidence, *_ = draw()
    pickers = [2, 0, 1]
    rows = np.random.default_rng(1).permutation(len(evidence))
    turned = Evidence(
        evidence.found[rows][:, pickers],
        evidence.observed[rows][:, pickers],
        evidence.scores[rows][:, [3, 0, 2, 1]],
        evidence.micrograph_index[rows],
    )

    np.testing.assert_allclose(
        probabilities(turned), probabilities(evidence)[rows], atol=1e-9
    )


def test_only_the_order_of_scores_counts():
    evidence, *_ = draw()
    stretched = replace(evidence, scores=np.exp(evidence.scores / 4) + 100)

    np.testing.assert_allclose(
        probabilities(stretched), probabilities(evidence), atol=1e-9
    )


def test_a_picker_that_was_not_run_is_missing_and_not_silent():
    evidence, is_true, _ = draw()
    half = evidence.micrograph_index < 6
    unseen = evidence.observed & ~np.outer(half, [True, False, False])
    found = evidence.found & unseen
    seen = found.any(axis=1)
    fewer = Evidence(
        found[seen],
        unseen[seen],
        evidence.scores[seen],
        evidence.micrograph_index[seen],
    )
    truth, looked = is_true[seen], unseen[seen][:, 0]

    fusion = fuse(fewer, rng=np.random.default_rng(0), n_resamples=0)

    assert calibration_error(fusion.probability, truth) < 0.03
    recall = fewer.found[truth & looked, 0].mean()
    assert fusion.picker_recall.value[0] == pytest.approx(recall, abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_candidates_give_probabilities(n):
    evidence, *_ = draw()
    few = Evidence(
        evidence.found[:n],
        evidence.observed[:n],
        evidence.scores[:n],
        evidence.micrograph_index[:n],
    )
    fusion = fuse(few, rng=np.random.default_rng(0), n_resamples=2)

    assert np.isfinite(fusion.probability).all()
    assert ((fusion.probability >= 0) & (fusion.probability <= 1)).all()


def test_figures_of_a_set_agree_with_truth_within_their_intervals():
    evidence, is_true, _ = draw()
    fusion = fuse(evidence, rng=np.random.default_rng(0), n_resamples=8)
    at = 50
    accepted = fusion.probability >= fusion.thresholds[at]

    assert fusion.precision.value[at] == pytest.approx(
        is_true[accepted].mean(), abs=0.03
    )
    assert fusion.recall.value[at] == pytest.approx(
        is_true[accepted].sum() / is_true.sum(), abs=0.03
    )
    for estimate in (fusion.picker_precision, fusion.picker_recall, fusion.found_alone):
        assert (estimate.low <= estimate.value).all()
        assert (estimate.value <= estimate.high).all()
    assert fusion.recall.value[0] == pytest.approx(1)


def test_the_same_seed_gives_the_same_intervals():
    evidence, *_ = draw(n=500)
    first, second = (
        fuse(evidence, rng=np.random.default_rng(3), n_resamples=3) for _ in range(2)
    )

    np.testing.assert_array_equal(first.n_missed.low, second.n_missed.low)


def test_one_micrograph_has_no_intervals():
    evidence, *_ = draw(n=300)
    single = replace(evidence, micrograph_index=np.zeros(len(evidence), dtype=int))
    fusion = fuse(single, rng=np.random.default_rng(0))

    assert np.isnan(fusion.n_missed.low)
    assert np.isnan(fusion.picker_recall.high).all()


def test_quantiles_leave_gaps_and_share_ties():
    scores = np.array([[0.1, 5.0], [np.nan, 5.0], [7.0, 5.0]])
    quantiles = normal_quantiles(scores)

    assert quantiles[0, 0] == -quantiles[2, 0] < 0
    assert np.isnan(quantiles[1, 0])
    np.testing.assert_allclose(quantiles[:, 1], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"found": np.zeros((2, 2), bool)}, "candidate 0: expected a picker"),
        ({"observed": np.eye(2, dtype=bool)}, "candidate 0: found by a picker"),
        ({"scores": np.array([[0.0], [np.inf]])}, "received infinity"),
        ({"scores": np.zeros((3, 1))}, "2 rows of scores"),
    ],
)
def test_evidence_is_checked_at_the_door(change, message):
    ones = np.ones((2, 2), dtype=bool)
    good = Evidence(ones, ones, np.zeros((2, 1)), np.zeros(2, dtype=int))

    with pytest.raises(ValueError, match=message):
        replace(good, **change)


def test_no_candidates_are_refused():
    none = np.empty((0, 3), dtype=bool)
    with pytest.raises(ValueError, match="at least one candidate"):
        LatentTraitModel(Evidence(none, none, np.empty((0, 0)), np.empty(0, dtype=int)))


def test_options_are_checked():
    evidence, *_ = draw(n=50)
    with pytest.raises(ValueError, match="level between 0 and 1, received 5 and 95"):
        fuse(evidence, rng=np.random.default_rng(0), n_resamples=5, level=95)


def _pair_with_witness(rng, *, separation):
    """Return evidence of two pickers with a witness, and what is a particle."""
    n = 3000
    is_true = rng.uniform(size=n) < 0.5
    found = rng.uniform(size=(n, 2)) < np.where(is_true[:, None], 0.6, 0.25)
    seen = found.any(axis=1)
    is_true, found = is_true[seen], found[seen]
    scores = rng.normal(size=len(found)) + 1.5 * is_true
    witness = rng.normal(size=len(found)) + separation * is_true
    evidence = Evidence(
        found=found,
        observed=np.ones_like(found),
        scores=scores[:, None],
        micrograph_index=np.arange(len(found)) % 8,
        witness=expit(separation * (witness - separation / 2)),
    )
    return evidence, is_true


def test_what_a_witness_knows_helps_two_pickers():
    evidence, is_true = _pair_with_witness(np.random.default_rng(3), separation=2.0)
    silent = replace(evidence, witness=None)
    gains = [
        mannwhitneyu(p[is_true], p[~is_true]).statistic
        / (is_true.sum() * (~is_true).sum())
        for p in (LatentTraitModel(e).fit().probability for e in (evidence, silent))
    ]
    assert gains[0] > gains[1] + 0.05
    nothing = replace(evidence, witness=np.full(len(evidence), np.nan))
    np.testing.assert_allclose(
        LatentTraitModel(nothing).fit().probability,
        LatentTraitModel(silent).fit().probability,
        atol=1e-8,
    )
    with pytest.raises(ValueError, match="witness: expected"):
        replace(evidence, witness=np.ones(len(evidence)))


def test_a_witness_shows_that_agreement_was_wrong():
    """Both pickers take the same noise: votes alone call it particles."""
    rng = np.random.default_rng(6)
    is_true = np.arange(2000) < 300
    found = np.column_stack([np.ones(2000, bool), rng.uniform(size=2000) < 0.7])
    evidence = Evidence(
        found=found,
        observed=np.ones_like(found),
        scores=np.full((2000, 1), np.nan),
        micrograph_index=np.arange(2000) % 8,
        witness=expit(np.where(is_true, 4.0, -4.0) + rng.normal(size=2000)),
    )
    silent = LatentTraitModel(replace(evidence, witness=None)).fit().probability
    told = LatentTraitModel(evidence).fit().probability
    assert silent.sum() > 900
    assert 250 < told.sum() < 600
    assert told[is_true].min() > told[~is_true].max()


def test_three_pickers_need_no_witness():
    evidence, _ = _pair_with_witness(np.random.default_rng(5), separation=2.0)
    third = np.column_stack([evidence.found, evidence.found[:, 0]])
    three = replace(evidence, found=third, observed=np.ones_like(third))
    np.testing.assert_array_equal(
        LatentTraitModel(three).fit().probability,
        LatentTraitModel(replace(three, witness=None)).fit().probability,
    )
