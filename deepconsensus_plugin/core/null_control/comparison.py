# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of a scorer's peaks on micrographs with its peaks on their nulls.

Peaks of noise score the same on a micrograph and on its null, so that what the
micrograph has in excess at a score is what noise does not explain. The null holds the
power of the particles, too: where they are crowded, the excess is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.calibration.report import EstimatedFigure
from deepconsensus_plugin.core.metrics.bootstrap import draw_micrographs
from deepconsensus_plugin.core.metrics.monotone import never_rising_shares
from deepconsensus_plugin.core.null_control.evidence import BEST_SHARE, find_evidence
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import FloatArray

_KNOTS = 200
_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class NullComparison:
    """Comparison of what a scorer found on micrographs and on their nulls.

    Parameters
    ----------
    scorer : str
        Name of the picker or network.
    n_micrographs : int
        Micrographs that were compared.
    n_real : int
        Peaks among the best tenth on the micrographs.
    n_null : float
        Peaks that score as high on as many nulls.
    share_in_excess : EstimatedFigure
        Share of those best peaks that the null does not explain, 0 to 1; NaN without
        peaks.
    has_evidence : bool
        Whether more peaks score high than on the nulls (`evidence`).
    knots : list of list of float
        Scores, ascending, and the share of peaks with that score that the null does not
        explain.
    """

    scorer: str
    n_micrographs: int
    n_real: int
    n_null: float
    share_in_excess: EstimatedFigure
    has_evidence: bool
    knots: list[list[float]]

    def describe(self) -> str:
        """Return one sentence: whether there is evidence for particles."""
        null = "micrographs with randomised phases (same spectrum, no particles)"
        if not self.has_evidence:
            return (
                f"No evidence for particles: on {null} as many peaks score as high "
                f"({self.n_null:.0f}, here {self.n_real})."
            )
        return (
            f"Evidence for particles: on {null} {self.n_null:.0f} peaks score as high "
            f"as the best {self.n_real} here; {self.share_in_excess.describe()} of "
            "these are in excess of noise."
        )

    def excess(self, scores: FloatArray) -> FloatArray:
        """Return the share of peaks that the null does not explain at each score.

        Parameters
        ----------
        scores : array, shape (n,)
            Scores of the same scorer.

        Returns
        -------
        array, shape (n,)
            0 to 1, non-decreasing in the score; 0 where nothing was compared.
        """
        if not self.knots:
            return np.zeros(len(scores))
        known, share = np.array(self.knots).T
        return np.interp(scores, known, share)

    def threshold_for(self, share: float) -> float | None:
        """Return the lowest score with this excess; None where it is not reached."""
        reached = [score for score, excess in self.knots if excess >= share]
        return min(reached, default=None)

    def write(self, path: Path) -> None:
        """Write the comparison as JSON."""
        write_json(path, to_plain(self))

    @classmethod
    def read(cls, path: Path) -> NullComparison:
        """Read what `write` wrote; raises FileFormatError."""
        return from_plain(read_json(path), cls, path=path)


def compare_with_null(
    scorer: str,
    real: Sequence[FloatArray],
    null: Sequence[FloatArray],
    *,
    rng: np.random.Generator,
) -> NullComparison:
    """Return the comparison of scores on micrographs with those on their nulls.

    Evidence is tested among the best 10, 3 and 1 % of all peaks, of micrographs and
    nulls together: were there nothing but noise, each would be on a micrograph with
    the same probability (binomial test, the levels divided among the three). More than
    half of the micrographs must give evidence, each by itself, or all together, also
    when any one of them is left out: dirt is not everywhere.

    Parameters
    ----------
    scorer : str
        Name of the picker or network.
    real : sequence of array, shape (n,)
        Scores of all peaks, one array a micrograph.
    null : sequence of array, shape (m,)
        Scores of all peaks of the nulls: as many of each micrograph, in the same order.
    rng : numpy.random.Generator
        Draws micrographs for the interval.

    Raises
    ------
    ValueError
        If there is no micrograph, or nulls are no multiple of micrographs.
    """
    if not real or not null or len(null) % len(real):
        raise ValueError(
            f"expected micrographs and as many nulls of each, received {len(real)} "
            f"micrographs and {len(null)} nulls"
        )
    n_each = len(null) // len(real)
    found, noise = np.concatenate(real), np.concatenate(null)
    n_best = int(np.ceil(BEST_SHARE * len(found)))
    lowest = np.sort(found)[-n_best] if n_best else np.inf
    counts = [
        np.array([np.count_nonzero(each >= lowest) for each in scores])
        for scores in (real, null)
    ]
    n_null = counts[1].reshape(len(real), n_each).sum(axis=1)
    return NullComparison(
        scorer=scorer,
        n_micrographs=len(real),
        n_real=int(counts[0].sum()),
        n_null=float(n_null.sum() / n_each),
        share_in_excess=_share_in_excess(counts[0], n_null, n_each, rng),
        has_evidence=find_evidence(real, null, n_each),
        knots=_excess_curve(found, noise, n_each),
    )


def _share_in_excess(
    n_real: FloatArray, n_null: FloatArray, n_each: int, rng: np.random.Generator
) -> EstimatedFigure:
    """Return 1 − null / real, with an interval over micrographs and chance in counts.

    Parameters
    ----------
    n_real, n_null : array, shape (n_micrographs,)
        Number of peaks on each micrograph and on all of its nulls.
    n_each : int
        Nulls of a micrograph.
    """
    if not n_real.sum():
        return EstimatedFigure(math.nan, math.nan, math.nan)
    drawn = draw_micrographs(len(n_real), _RESAMPLES, rng)
    if not len(drawn):
        drawn = np.ones((_RESAMPLES, len(n_real)), np.int64)
    # Posterior of a Poisson rate after a count, with Jeffreys' prior.
    above = rng.gamma(drawn @ n_null + 0.5) / n_each
    excess = 1 - above / rng.gamma(drawn @ n_real + 0.5)
    tail = (1 - _LEVEL) / 2
    value = float(np.clip(1 - n_null.sum() / n_each / n_real.sum(), 0, 1))
    low, high = np.quantile(excess, [tail, 1 - tail]).clip(0, 1).tolist()
    return EstimatedFigure(value, min(low, value), max(high, value))


def _excess_curve(
    found: FloatArray, noise: FloatArray, n_each: int
) -> list[list[float]]:
    """Return the knots of the excess, which never falls as scores rise."""
    scores = np.concatenate([found, noise])
    if not len(scores):
        return []
    ascending, place = np.unique(scores, return_inverse=True)
    weight = np.concatenate([np.ones(len(found)), np.full(len(noise), 1 / n_each)])
    n_all = np.bincount(place, weights=weight)
    n_found = np.bincount(place[: len(found)], minlength=len(ascending))
    share = never_rising_shares(n_found[::-1], n_all[::-1])[::-1].clip(0.5, 1)
    return [list(knot) for knot in _knots(ascending, 2 - 1 / share)]


def _knots(scores: FloatArray, excess: FloatArray) -> Iterator[tuple[float, float]]:
    """Yield the first and last score of each step of the curve, at most 200."""
    rises = np.diff(excess, prepend=-1) > 0
    ends = np.diff(excess, append=2) > 0
    kept = np.flatnonzero(rises | ends)
    if len(kept) > _KNOTS:
        kept = kept[np.linspace(0, len(kept) - 1, _KNOTS).round().astype(np.intp)]
    yield from zip(scores[kept].tolist(), excess[kept].tolist(), strict=True)
