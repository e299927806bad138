# SPDX-License-Identifier: GPL-3.0-or-later
"""Interval of a share that was counted in a random sample (Wilson, 1927)."""

from __future__ import annotations

import math

from scipy.special import ndtri


def proportion_interval(
    n_good: int, n: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's score interval of a share, which is right for small samples too.

    Parameters
    ----------
    n_good, n : int
        Counted, of how many; 0 <= n_good <= n, n >= 1.
    level : float
        Confidence, between 0 and 1.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """
    if not (0 <= n_good <= n and n >= 1 and 0 < level < 1):
        raise ValueError(
            "expected 0 <= n_good <= n, n >= 1 and level between 0 and 1, received "
            f"{n_good}, {n} and {level}"
        )
    z = float(ndtri((1 + level) / 2))
    share = n_good / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    spread = (
        z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    )
    return max(0.0, centre - spread), min(1.0, centre + spread)
