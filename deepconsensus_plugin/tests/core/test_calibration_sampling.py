# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion of a sample of the candidates, beside that of all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import rankdata

from deepconsensus_plugin.core.calibration import Evidence, LatentTraitModel, fuse
from deepconsensus_plugin.core.calibration import memberships as memberships_module
from deepconsensus_plugin.core.calibration.evidence import normal_quantiles
from deepconsensus_plugin.core.calibration.expected import count_expected_above
from deepconsensus_plugin.core.calibration.latent_trait import apply_fit
from deepconsensus_plugin.core.calibration.sampling import draw_sample
from deepconsensus_plugin.core.execution import Progress

FIGURES = ("picker_precision", "picker_recall", "found_alone", "precision", "recall")
SIZE = 3000


def draw(n=12_000, *, n_pickers=3, seed=0, with_averages=False):
    """Return evidence of about `n` candidates on 40 micrographs, and its truth."""
    rng = np.random.default_rng(seed)
    is_true, trait = rng.random(n) < 0.5, rng.normal(size=n)
    finding, false = ([1.4, 0.8, -0.4][:n_pickers], [0.1, 0.05, 0.15][:n_pickers])
    rates = np.where(is_true[:, None], expit(trait[:, None] + finding), false)
    found = rng.random(rates.shape) < rates
    scores = rng.normal(size=(n, 2)) + (is_true * (1.5 + 0.5 * trait))[:, None]
    scores[~found[:, 0], 1] = np.nan
    seen = found.any(axis=1)
    amplitude = (5 + rng.normal(0, 0.8, n) + 1.5 * is_true)[seen]
    evidence = Evidence(
        found=found[seen],
        observed=np.ones_like(found[seen]),
        scores=scores[seen],
        micrograph_index=np.sort(rng.integers(0, 40, n))[seen],
        amplitude=amplitude if with_averages else None,
    )
    return evidence, is_true[seen]


def fused(evidence, size, **options):
    options = {"n_resamples": 4, **options}
    return fuse(evidence, rng=np.random.default_rng(5), sample_size=size, **options)


@pytest.fixture(scope="module")
def whole():
    evidence, is_true = draw()
    return evidence, is_true, fused(evidence, len(evidence))


@pytest.fixture(scope="module")
def sampled(whole):
    return fused(whole[0], SIZE)


def test_weights_recover_the_numbers_of_all_votes():
    evidence, _ = draw()
    rows, weight = draw_sample(evidence, np.random.default_rng(1), size=1000)
    assert len(np.unique(rows)) == 1000
    assert (np.diff(rows) > 0).all()
    assert weight.sum() == len(evidence)
    patterns = {tuple(each) for each in evidence.found.tolist()}
    assert len(patterns) == 7
    for pattern in patterns:
        of_all = (evidence.found == pattern).all(axis=1)
        assert weight[of_all[rows]].sum() == of_all.sum()


def test_rare_votes_are_drawn_more_often_and_count_less():
    evidence, _ = draw()
    found = evidence.found.copy()
    found[:] = [True, False, False]
    found[::200] = True
    rare = replace(evidence, found=found)
    rows, weight = draw_sample(rare, np.random.default_rng(1), size=1000)
    is_rare = found[rows].all(axis=1)
    assert is_rare.sum() == (found.all(axis=1)).sum()
    assert (weight[is_rare] == 1).all()
    assert weight[~is_rare].mean() > 7


def test_all_micrographs_are_drawn_from_alike():
    evidence, _ = draw()
    rows, weight = draw_sample(evidence, np.random.default_rng(1), size=2000)
    there = np.bincount(evidence.micrograph_index)
    drawn = np.bincount(evidence.micrograph_index[rows], weight, len(there))
    np.testing.assert_allclose(drawn, there, rtol=0.12)


def test_weighted_sums_are_those_of_all_on_average():
    """Over many draws, so that no candidate is drawn too seldom for its weight."""
    evidence, is_true = draw(2000)
    sums = []
    for seed in range(300):
        rows, weight = draw_sample(evidence, np.random.default_rng(seed), size=200)
        sums.append([weight @ is_true[rows], weight @ evidence.scores[rows, 0]])
    expected = np.array([is_true.sum(), evidence.scores[:, 0].sum()])
    error = np.std(sums, axis=0) / np.sqrt(len(sums))
    assert (np.abs(np.mean(sums, axis=0) - expected) < 4 * error).all()


def test_many_kinds_of_votes_are_taken_together_by_their_number():
    """Nine pickers, of which every candidate was seen by others."""
    rng = np.random.default_rng(2)
    found = rng.random((3000, 9)) < 0.5
    found[~found.any(axis=1), 0] = True
    evidence = Evidence(
        found=found,
        observed=found | (rng.random(found.shape) < 0.5),
        scores=np.zeros((3000, 1)),
        micrograph_index=np.arange(3000) // 30,
    )
    rows, weight = draw_sample(evidence, rng, size=500)
    for n_votes in range(1, 10):
        of_all = found.sum(axis=1) == n_votes
        assert weight[of_all[rows]].sum() == of_all.sum()


def test_up_to_the_size_nothing_is_drawn(whole):
    evidence, _, all_of_them = whole
    rng = np.random.default_rng(3)
    assert draw_sample(evidence, rng, size=len(evidence)) is None
    assert rng.random() == np.random.default_rng(3).random()
    same = fused(evidence, 10 * len(evidence))
    np.testing.assert_array_equal(same.probability, all_of_them.probability)
    for name in (*FIGURES, "n_missed"):
        for end in ("value", "low", "high"):
            mine, other = (getattr(getattr(f, name), end) for f in (same, all_of_them))
            np.testing.assert_array_equal(mine, other)


def test_probabilities_are_close_to_those_of_a_fit_to_all(whole, sampled):
    _, is_true, all_of_them = whole
    change = np.abs(sampled.probability - all_of_them.probability)
    assert change.mean() < 0.01
    kept, also_kept = (f.probability >= 0.5 for f in (sampled, all_of_them))
    assert (kept != also_kept).mean() < 0.01
    tenths = np.array_split(np.argsort(sampled.probability), 10)
    gaps = [sampled.probability[t].mean() - is_true[t].mean() for t in tenths]
    assert np.abs(gaps).mean() < 0.03


def test_figures_are_of_all_candidates(whole, sampled):
    evidence, _, all_of_them = whole
    p = sampled.probability
    counts = count_expected_above(sampled.thresholds, p, probability=p)
    np.testing.assert_allclose(sampled.precision.value, counts.precision)
    np.testing.assert_allclose(sampled.recall.value, counts.recall)
    alone = evidence.found.sum(axis=1) == 1
    np.testing.assert_allclose(
        sampled.found_alone.value, (p * alone) @ evidence.found.astype(float)
    )
    for name in (*FIGURES, "n_missed"):
        mine, other = getattr(sampled, name), getattr(all_of_them, name)
        # Hardly anything has a probability of .9 and more.
        np.testing.assert_allclose(
            np.atleast_1d(mine.value)[:90], np.atleast_1d(other.value)[:90], rtol=0.2
        )
        known = np.isfinite(mine.low)
        assert known.any()
        assert (mine.low[known] <= mine.value[known] + 1e-9).all()
        assert (mine.value[known] <= mine.high[known] + 1e-9).all()


def test_the_seed_decides(whole, sampled):
    evidence = whole[0]
    again = fused(evidence, SIZE)
    np.testing.assert_array_equal(again.probability, sampled.probability)
    np.testing.assert_array_equal(again.recall.low, sampled.recall.low)
    other = fuse(
        evidence, rng=np.random.default_rng(6), sample_size=SIZE, n_resamples=0
    )
    assert (other.probability != sampled.probability).any()


def test_averages_are_heard_by_all():
    evidence, _ = draw(with_averages=True)
    whole, sample = (
        fused(evidence, size, n_resamples=0).probability
        for size in (len(evidence), SIZE)
    )
    assert np.abs(whole - sample).mean() < 0.01


@pytest.mark.parametrize("is_contradicted", [False, True])
def test_a_witness_is_heard_by_all(is_contradicted):
    rng = np.random.default_rng(8)
    n = 5000
    is_true = rng.random(n) < (0.15 if is_contradicted else 0.5)
    found = np.column_stack([np.ones(n, bool), rng.random(n) < 0.7])
    if not is_contradicted:
        found = rng.random((n, 2)) < np.where(is_true[:, None], 0.6, 0.25)
        found[~found.any(axis=1), 0] = True
    witness = expit(np.where(is_true, 3.0, -3.0) + rng.normal(size=n))
    evidence = Evidence(
        found=found,
        observed=np.ones_like(found),
        scores=(rng.normal(size=n) + is_true)[:, None],
        micrograph_index=np.arange(n) // 200,
        witness=witness,
    )
    whole, sample = (
        fused(evidence, size, n_resamples=0) for size in (len(evidence), 2000)
    )
    for each in (whole, sample):
        assert each.fit.parameters.hears_witness == is_contradicted
    assert np.abs(whole.probability - sample.probability).mean() < 0.02


def test_a_model_gives_its_own_candidates_what_it_was_fitted_to(monkeypatch):
    evidence, _ = draw(3000, n_pickers=2, with_averages=True)
    evidence = replace(
        evidence, witness=expit(np.nan_to_num(evidence.scores[:, 0]))
    ).on_own_scales()
    fit = LatentTraitModel(evidence).fit()
    monkeypatch.setattr(memberships_module, "BLOCK", 700)
    told = []
    probability = apply_fit(evidence, fit.parameters, advance=told.append)
    np.testing.assert_allclose(probability, fit.probability, atol=1e-9)
    assert sum(told) == len(evidence)
    assert max(told) == 700


def test_weights_stand_for_repeated_candidates():
    evidence, _ = draw(4000)
    times = np.random.default_rng(4).integers(1, 4, len(evidence))
    repeated = evidence.part(np.repeat(np.arange(len(evidence)), times))
    weighted = replace(evidence, weight=times.astype(float))
    np.testing.assert_allclose(
        np.repeat(normal_quantiles(evidence.scores, weighted.weight), times, axis=0),
        normal_quantiles(repeated.scores),
    )
    mine, other = (
        LatentTraitModel(each).fit(tolerance=1e-5) for each in (weighted, repeated)
    )
    # Priors weigh as much as against so many candidates as there are.
    np.testing.assert_allclose(
        np.repeat(mine.probability, times), other.probability, atol=0.02
    )
    assert mine.n_missed == pytest.approx(other.n_missed, rel=0.05)


def test_quantiles_are_those_of_mean_ranks():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, (200, 2)).astype(float)
    scores[::3, 1] = np.nan
    ranks = rankdata(scores, axis=0, nan_policy="omit")
    order = normal_quantiles(scores)
    assert order.shape == scores.shape
    for column in range(2):
        known = np.isfinite(scores[:, column])
        np.testing.assert_array_equal(np.isfinite(order[:, column]), known)
        np.testing.assert_array_equal(
            rankdata(order[known, column]), ranks[known, column]
        )


def test_progress_counts_to_the_end(tmp_path):
    evidence, _ = draw(3000)
    progress = Progress(tmp_path / "progress.json")
    fused(evidence, 500, progress=progress)
    assert [*progress.timings] == [
        "fit votes and scores",
        "resample micrographs",
        "try other models",
        "apply to all candidates",
    ]
    n = len(evidence)
    assert f'"done": {n}, "total": {n}' in progress.path.read_text()
