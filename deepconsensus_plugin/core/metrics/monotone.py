# SPDX-License-Identifier: GPL-3.0-or-later
"""Isotonic regression of shares, by pooling adjacent violators."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import FloatArray, IntArray


def never_rising_shares(
    n_true: FloatArray | IntArray, n_all: FloatArray | IntArray
) -> FloatArray:
    """Return shares that never rise: neighbours that would are pooled.

    Parameters
    ----------
    n_true, n_all : array, shape (n,)
        Numerator and denominator of each share; denominators > 0.

    Returns
    -------
    array, shape (n,)
        The non-increasing shares that are nearest, weighted by `n_all`.
    """
    pools: list[tuple[float, float, int]] = []
    for true, number in zip(n_true.tolist(), n_all.tolist(), strict=True):
        pool = (true, number, 1)
        while pools and pools[-1][0] * pool[1] <= pool[0] * pools[-1][1]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    shares = [true / number for true, number, _ in pools]
    return np.repeat(shares, [rows for _, _, rows in pools])
