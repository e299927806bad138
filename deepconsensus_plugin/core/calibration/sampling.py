# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample of candidates that the model is fitted to where there are very many.

Candidates are drawn from strata: those of the same votes, of the same pickers that
looked. A quarter of the sample is shared equally among the strata, so that rare votes
are known as well as frequent ones, the rest in proportion. Within a stratum,
candidates in the order of micrographs are cut into runs of equal length, and one is
drawn from each: it stands for its run. So the sample is spread over all micrographs,
and weights add up to the number of candidates of every stratum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.types import FloatArray, IntArray

SAMPLE_SIZE = 20_000
"""Candidates that determine the parameters. Up to so many, all are fitted. Of 60 000,
probabilities differ by .002 - .007 on average from those of a fit to all, with averages
by .001 - .002 (docs/fusion.md)."""

_SHARED_EQUALLY = 0.25
"""Share of the sample that goes equally to all strata."""

_INTEGER_BYTES = 8


class Sample(NamedTuple):
    """Rows of the sample, ascending, and how many candidates each stands for."""

    rows: IntArray
    weight: FloatArray


def draw_sample(
    evidence: Evidence, rng: np.random.Generator, *, size: int = SAMPLE_SIZE
) -> Sample | None:
    """Return a sample of n candidates; None where there are no more than its size.

    Parameters
    ----------
    evidence : Evidence
        n candidates.
    rng : numpy.random.Generator
        Draws the rows; not used where there is no sample.
    size : int
        Rows of the sample; >= 1.
    """
    if len(evidence) <= size:
        return None
    stratum, n_all = _strata(evidence, most=int(size * _SHARED_EQUALLY) or 1)
    n_drawn = _allocate(n_all, size)
    of_draw = np.repeat(np.arange(len(n_all)), n_drawn)
    number = np.arange(size) - (np.cumsum(n_drawn) - n_drawn)[of_draw]
    begin, end = ((number + i) * n_all[of_draw] // n_drawn[of_draw] for i in (0, 1))
    length = end - begin
    place = (np.cumsum(n_all) - n_all)[of_draw] + begin + rng.integers(0, length)
    rows = np.lexsort((evidence.micrograph_index, stratum))[place]
    order = np.argsort(rows)
    return Sample(rows[order], length[order].astype(np.float64))


def _strata(evidence: Evidence, *, most: int) -> tuple[IntArray, IntArray]:
    """Return the stratum of each candidate, and the size of each.

    Of more than `most`, they are those of as many votes.
    """
    flags = np.packbits(np.hstack([evidence.found, evidence.observed]), axis=1)
    _, stratum, sizes = np.unique(
        _as_one_value(flags), return_inverse=True, return_counts=True
    )
    if len(sizes) > most:
        _, stratum, sizes = np.unique(
            evidence.found.sum(axis=1), return_inverse=True, return_counts=True
        )
    return stratum.reshape(-1), sizes


def _as_one_value(rows: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> IntArray:
    """Return each row of bytes as one value, an integer where it is long enough."""
    n, width = rows.shape
    padded = np.zeros((n, max(width, _INTEGER_BYTES)), dtype=np.uint8)
    padded[:, :width] = rows
    kind = np.uint64 if width <= _INTEGER_BYTES else f"V{width}"
    return padded.view(kind).reshape(-1)


def _allocate(sizes: IntArray, n: int) -> IntArray:
    """Return how many to draw from strata of these sizes, n < their sum in all."""
    equal = max(1, int(n * _SHARED_EQUALLY) // len(sizes))
    least = np.minimum(sizes, equal)
    left, rest = n - least.sum(), sizes - least
    ends = np.floor(np.cumsum(rest) * (left / rest.sum()) + 0.5).astype(np.int64)
    return np.asarray(least + np.diff(ends, prepend=0))
