# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion with the labels of a person: seconds, since votes are not fitted again.

The latent trait model stays as it was fitted without labels: a hundred labels among
thousands of candidates hardly move it, and to fit it with labels as known classes was
no better in trials (docs/review.md). What its probability, scores and averages are
worth is fitted to the labels (`marked`). Intervals are of the posterior of that fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from deepconsensus_plugin.core.calibration.evidence import Evidence, normal_quantiles
from deepconsensus_plugin.core.calibration.expected import count_expected_above
from deepconsensus_plugin.core.calibration.figures import THRESHOLDS, Estimate
from deepconsensus_plugin.core.calibration.fusion import Fusion, fuse
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.likeness import (
    ABOVE,
    BELOW,
    LEVEL,
    LEVEL_RANGE,
    TRUST,
    likeness_features,
)
from deepconsensus_plugin.core.calibration.marked import (
    LabelledFit,
    Weighing,
    apply_labels,
    fit_labels,
)
from deepconsensus_plugin.core.calibration.separation import separation_by_scores
from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.types import FloatArray

N_DRAWS = 100
"""Weights drawn from the posterior for the intervals."""

_SAMPLE_SEED = 0
_TRUST_RANGE = 0.12
_TRUST_RANGE_ALONE = 0.25
_SLOPE_RANGE = 2.0
_WEIGHT_RANGE = 0.3
"""Deviations of the priors of: the trust in votes and scores, with and without
averages; the slopes of amplitudes; the weights of single scores and pickers per
deviation and vote. Twice the trust and slopes change F1 after 100 marks by .003 or less
(docs/review.md)."""

_MOST_ODDS = 6.0
_WITNESS_SCALE = 3.0
"""Deviation, in log-odds, of what a witness tells."""


class MarkedFusion:
    """Fusion of one set of candidates that labels correct, as often as there are more.

    Parameters
    ----------
    evidence : Evidence
        n candidates, n >= 1.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        alone = replace(evidence, amplitude=None)
        # Of many candidates, the fit is to a sample.
        by_votes = fuse(alone, rng=np.random.default_rng(_SAMPLE_SEED), n_resamples=0)
        self._fit = by_votes.fit
        self._weighing = _weighing(evidence, by_votes.probability)

    def fit(self, labels: Labels) -> LabelledFit:
        """Return the weights that fit some labels."""
        return fit_labels(self._weighing, labels)

    def probability(self, labels: Labels) -> FloatArray:
        """Return the probability of each candidate, shape (n,)."""
        return apply_labels(self.fit(labels).probability, labels)

    def fuse(self, labels: Labels, *, rng: np.random.Generator) -> Fusion:
        """Return probabilities and expected figures with their intervals.

        Parameters
        ----------
        labels : Labels
            Of some of the candidates.
        rng : numpy.random.Generator
            Draws from the posterior.
        """
        fitted = self.fit(labels)
        probability = apply_labels(fitted.probability, labels)
        best = _figures(self.evidence, probability, probability)
        samples = [
            _figures(self.evidence, probability, drawn)
            for drawn in self._drawn(fitted, labels, rng)
        ]
        figures = {
            name: _estimate(value, [each[name] for each in samples])
            for name, value in best.items()
        }
        unknown = np.array(np.nan)
        return Fusion(
            probability=probability,
            thresholds=THRESHOLDS,
            n_missed=Estimate(np.array(self._fit.n_missed), unknown, unknown),
            fit=LatentTraitFit(
                self._fit.parameters,
                probability,
                n_missed=self._fit.n_missed,
                log_likelihood=self._fit.log_likelihood,
            ),
            separation=separation_by_scores(self.evidence, self._fit.parameters),
            **figures,
        )

    def _drawn(
        self, fitted: LabelledFit, labels: Labels, rng: np.random.Generator
    ) -> Iterator[FloatArray]:
        """Yield probabilities by weights drawn from the posterior."""
        for weights in fitted.draw(N_DRAWS, rng):
            by_evidence = expit(self._weighing.features @ weights)
            yield apply_labels(np.asarray(by_evidence), labels)


def _weighing(evidence: Evidence, probability: FloatArray) -> Weighing:
    """Return all evidence as features, with the prior of their weights."""
    amplitude = evidence.amplitude
    if amplitude is None or not np.isfinite(amplitude).any():
        least = expit(-_MOST_ODDS)
        odds = logit(np.clip(probability, least, 1 - least))
        known = np.column_stack([np.ones(len(odds)), odds])
        mean, deviation = [0.0, 1.0], [LEVEL_RANGE, _TRUST_RANGE_ALONE]
    else:
        known = likeness_features(probability, amplitude)
        mean = [LEVEL, TRUST, BELOW, ABOVE]
        deviation = [LEVEL_RANGE, _TRUST_RANGE, _SLOPE_RANGE, _SLOPE_RANGE]
    single = _single_evidence(evidence)
    n = single.shape[1]
    return _centred(
        np.hstack([known, single]),
        np.array([*mean, *[0.0] * n]),
        np.array([*deviation, *[_WEIGHT_RANGE] * n]),
    )


def _centred(features: FloatArray, mean: FloatArray, deviation: FloatArray) -> Weighing:
    """Return features relative to those of the likely particles.

    The level, which is the least sure, is then that of what is accepted. Where doubtful
    candidates are better or worse than thought, slopes take it up, and not the level.
    """
    probability = expit(features @ mean)
    centre = probability @ features / max(probability.sum(), np.finfo(float).tiny)
    centre[0] = 0.0
    level = mean.copy()
    level[0] += centre[1:] @ mean[1:]
    return Weighing(features - centre, level, deviation)


def _single_evidence(evidence: Evidence) -> FloatArray:
    """Return scores, votes and the witness by themselves; 0 where not known."""
    scores = np.nan_to_num(normal_quantiles(evidence.scores))
    votes = np.where(evidence.observed, evidence.found, np.nan)
    n_observed = np.maximum(evidence.observed.sum(axis=0), 1)
    share = evidence.found.sum(axis=0) / n_observed
    columns = [scores, np.nan_to_num(votes - share)]
    if evidence.witness is not None and np.isfinite(evidence.witness).any():
        odds = logit(evidence.witness)
        centred = np.nan_to_num(odds - np.nanmean(odds)) / _WITNESS_SCALE
        columns.append(centred[:, np.newaxis])
    return np.hstack(columns)


def _figures(
    evidence: Evidence, selecting: FloatArray, probability: FloatArray
) -> dict[str, FloatArray]:
    """Return what is expected by `probability` of what `selecting` accepts."""
    found = evidence.found.astype(np.float64)
    n_true = probability @ found
    alone = evidence.found.sum(axis=1) == 1
    counts = count_expected_above(THRESHOLDS, selecting, probability=probability)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "picker_precision": n_true / found.sum(axis=0),
            "picker_recall": n_true / (probability @ evidence.observed),
            "found_alone": (probability * alone) @ found,
            "precision": counts.precision,
            "recall": counts.recall,
        }


def _estimate(value: FloatArray, samples: list[FloatArray]) -> Estimate:
    low, high = np.quantile(np.stack(samples), [0.025, 0.975], axis=0)
    return Estimate(value, np.minimum(low, value), np.maximum(high, value))
