# SPDX-License-Identifier: GPL-3.0-or-later
"""Votes and scores of each candidate, on scales that all pickers share.

Scores of different pickers have no common scale, and a network's 0.9 is not a
probability. Only their order is used: each kind of score is replaced by normal
quantiles over all candidates that have it, so that any increasing function of a score
gives the same evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from deepconsensus_plugin.core.calibration.independent_votes import IndependentVotes
from deepconsensus_plugin.core.calibration.witness import log_ratios
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Evidence:
    """Votes and scores of n candidates; k pickers, f kinds of score.

    Parameters
    ----------
    found : array, shape (n, k), bool
        Which pickers proposed the candidate; at least one.
    observed : array, shape (n, k), bool
        Which pickers were run on its micrograph; others have no vote.
    scores : array, shape (n, f), float64
        Higher is better; NaN where missing.
    micrograph_index : array, shape (n,), int
        Which micrograph each candidate lies on.
    witness : array, shape (n,), float64, optional
        Probability of a particle by a witness who knows neither picks nor votes,
        between 0 and 1, both excluded; NaN where it tells nothing.
    amplitude : array, shape (n,), float64, optional
        How much of an aligned average each box holds (`core.averages`), which is also
        one of the scores; NaN where it is not known.
    weight : array, shape (n,), float64, optional
        How many candidates each stands for, where these are a sample; else 1.
    quantiles : array, shape (n, f), float64, optional
        Scores as `normal_quantiles` among all candidates, where these are a part of
        them. None: among these.
    log_ratio : array, shape (n,), float64, optional
        What the witness tells (`witness.log_ratios`), likewise.

    Raises
    ------
    ValueError
        If the shapes do not fit, a candidate was found by nobody or by a picker that
        was not run there, or a score is infinite.
    """

    found: BoolArray
    observed: BoolArray
    scores: FloatArray
    micrograph_index: IntArray
    witness: FloatArray | None = None
    amplitude: FloatArray | None = None
    weight: FloatArray | None = None
    quantiles: FloatArray | None = None
    log_ratio: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check shapes and values once, at construction."""
        n = len(self.found)
        shapes = (
            self.observed.shape,
            self.scores.shape[:1],
            self.micrograph_index.shape,
        )
        if shapes != (self.found.shape, (n,), (n,)):
            raise ValueError(
                f"expected observed {self.found.shape}, {n} rows of scores and {n} "
                f"micrographs, received {shapes[0]}, {shapes[1]} and {shapes[2]}"
            )
        told = np.full(n, np.nan) if self.witness is None else self.witness
        if told.shape != (n,) or (told <= 0).any() or (told >= 1).any():
            raise ValueError(
                f"witness: expected {n} probabilities between 0 and 1, received shape "
                f"{told.shape}, {np.nanmin(told)} to {np.nanmax(told)}"
            )
        if not self.found.any(axis=1).all():
            row = int(np.flatnonzero(~self.found.any(axis=1))[0])
            raise ValueError(f"candidate {row}: expected a picker that found it")
        if (self.found & ~self.observed).any():
            row = int(np.flatnonzero((self.found & ~self.observed).any(axis=1))[0])
            raise ValueError(f"candidate {row}: found by a picker that was not run")
        if self.amplitude is not None and self.amplitude.shape != (n,):
            raise ValueError(
                f"amplitude: expected {n} numbers, received shape "
                f"{self.amplitude.shape}"
            )
        if np.isinf(self.scores).any():
            raise ValueError(
                "scores: expected finite numbers or NaN, received infinity"
            )

    @classmethod
    def of_candidates(
        cls,
        candidates: Candidates,
        network_score: FloatArray | None = None,
        witness: FloatArray | None = None,
        amplitude: FloatArray | None = None,
    ) -> Evidence:
        """Return the evidence in a table of candidates; dependent votes are merged.

        Parameters
        ----------
        candidates : Candidates
            The OR set, n.
        network_score : array, shape (n,), optional
            NaN where the network gave none.
        witness : array, shape (n,), optional
            Probabilities by a witness.
        amplitude : array, shape (n,), optional
            How much of an aligned average each box holds; NaN where not known.
        """
        votes = IndependentVotes.of(candidates)
        columns = [candidates.picker_scores]
        if network_score is not None:
            columns.insert(0, network_score[:, np.newaxis])
        if amplitude is not None:
            columns.append(amplitude[:, np.newaxis])
        return cls(
            found=votes.found,
            observed=votes.observed[candidates.micrograph_index],
            scores=np.column_stack(columns),
            micrograph_index=candidates.micrograph_index,
            witness=witness,
            amplitude=amplitude,
        )

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.found)

    @property
    def weights(self) -> FloatArray:
        """Number of candidates that each stands for, shape (n,)."""
        return np.ones(len(self)) if self.weight is None else self.weight

    def on_own_scales(self) -> Evidence:
        """Return the same with its own `quantiles` and `log_ratio`, for `part`.

        Scores become quantiles too, which have the same order: there may be millions.
        """
        quantiles = normal_quantiles(self.scores, self.weight)
        return replace(
            self,
            scores=quantiles,
            quantiles=quantiles,
            log_ratio=None if self.witness is None else log_ratios(self.witness),
        )

    def part(
        self, rows: IntArray | slice, weight: FloatArray | None = None
    ) -> Evidence:
        """Return some of the candidates, on the scales of all if these are known.

        Parameters
        ----------
        rows : array of int, or slice
            Which.
        weight : array, optional
            How many candidates each of them stands for.
        """
        optional = ("witness", "amplitude", "quantiles", "log_ratio")
        values = {name: getattr(self, name) for name in optional}
        return Evidence(
            self.found[rows],
            self.observed[rows],
            self.scores[rows],
            self.micrograph_index[rows],
            **{k: None if v is None else v[rows] for k, v in values.items()},
            weight=weight,
        )


def normal_quantiles(
    scores: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Return each column's ranks as quantiles of the standard normal.

    Parameters
    ----------
    scores : array, shape (n, f)
        NaN where missing.
    weight : array, shape (n,), optional
        How often each row counts; default once.

    Returns
    -------
    array, shape (n, f)
        NaN stays NaN; equal scores share their mean rank, so a constant column is 0.
    """
    quantiles = np.full(scores.shape, np.nan, order="F")
    for column, values in enumerate(scores.T):
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            counts = np.ones(len(known)) if weight is None else weight[known]
            quantiles[known, column] = ndtri(_mid_ranks(values[known], counts))
    return quantiles


def _mid_ranks(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the share of weight below each value, with half of that at it."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    begins = np.append(True, ranked[1:] != ranked[:-1])
    ends = np.append(np.flatnonzero(begins[1:]), len(ranked) - 1)
    upper = np.cumsum(weight[order])[ends]
    lower = np.append(0.0, upper[:-1])
    shares = np.empty(len(values))
    shares[order] = ((lower + upper) / 2 / upper[-1])[np.cumsum(begins) - 1]
    return shares
