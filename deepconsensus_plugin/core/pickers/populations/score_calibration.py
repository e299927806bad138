# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration curve of picks: the probability of a particle at each score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from deepconsensus_plugin.core.types import FloatArray

_N_KNOTS = 200


@dataclass(frozen=True)
class ScoreCalibration:
    """Probability that a pick is a particle, as a function of its score.

    Parameters
    ----------
    knots : list of list of float
        Ascending scores and their probabilities, interpolated linearly. Empty if only
        the network's own probability is known.
    """

    knots: list[list[float]] = field(default_factory=list)

    @classmethod
    def fit(
        cls, scores: FloatArray, probability: Callable[[FloatArray], FloatArray]
    ) -> ScoreCalibration:
        """Return a curve whose knots are dense where scores are, or where it rises.

        If particles are one in a thousand maxima, quantiles alone would leave them
        between two knots.

        Parameters
        ----------
        scores : array, shape (n,)
            Scores of all maxima, log-odds of the network.
        probability : callable
            Function from scores, shape (m,), to probabilities; NaN where unknown.
        """
        if not len(scores):
            return cls()
        ascending = np.unique(scores)
        values = probability(ascending)
        if not np.isfinite(values).all():
            return cls()
        rank = np.linspace(0, 1, len(ascending))
        along = rank + np.maximum.accumulate(values)
        wanted = np.linspace(along[0], along[-1], _N_KNOTS)
        knots = np.unique(np.searchsorted(along, wanted).clip(0, len(along) - 1))
        return cls(np.column_stack([ascending[knots], values[knots]]).tolist())

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return the probabilities of scores; the network's own if there is no curve.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds of the network.

        Returns
        -------
        array, shape (n,)
            0 to 1, non-decreasing in the score.
        """
        if not self.knots:
            return np.asarray(expit(scores))
        known, probability = np.array(self.knots).T
        return np.interp(scores, known, probability)

    def expected_precision(self, scores: FloatArray) -> float:
        """Return the share of particles among picks; NaN if it is not known."""
        if not self.knots or not len(scores):
            return float("nan")
        return float(self.probability(scores).mean())

    def expected_recall(
        self, picked: FloatArray, found: FloatArray, n_particles: float | None = None
    ) -> float:
        """Return the share of the particles that are picked; NaN if it is not known.

        Parameters
        ----------
        picked, found : array
            Scores of the picks, and of all maxima.
        n_particles : float, optional
            Number of particles. Default: of those among the maxima.
        """
        if not self.knots or not len(found):
            return float("nan")
        n_all = n_particles
        if n_all is None:
            n_all = float(self.probability(found).sum())
        if not n_all > 0:
            return float("nan")
        return min(1.0, float(self.probability(picked).sum()) / n_all)
