# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence that micrographs give more peaks of high score than their nulls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from deepconsensus_plugin.core.types import FloatArray

BEST_SHARE = 0.1
"""Share of the peaks whose excess is reported: the best tenth."""

FALSE_ALARM_RATE = 0.01
"""Probability that noise, whose peaks are independent, passes for evidence."""

LEAST_EXCESS = 0.25
"""Least share in excess of the null that counts as evidence. No null is perfect: ice
and detectors are no Gaussian noise."""

_COMPARED_SHARES = (BEST_SHARE, 0.03, 0.01)
"""Shares of the best peaks that are tested, since particles may be few."""


def find_evidence(
    real: Sequence[FloatArray], null: Sequence[FloatArray], n_each: int
) -> bool:
    """Return whether most micrographs give evidence, or all but any one together.

    Parameters
    ----------
    real : sequence of array, shape (n,)
        Scores of all peaks, one array a micrograph; at least one.
    null : sequence of array, shape (m,)
        Scores of all peaks of the nulls, `n_each` of each micrograph, in order.
    n_each : int
        Nulls of a micrograph.
    """

    def give_evidence(chosen: Sequence[int]) -> bool:
        noise = [null[n_each * i + k] for i in chosen for k in range(n_each)]
        found = np.concatenate([real[i] for i in chosen])
        return _exceeds(found, np.concatenate(noise), n_each)

    everyone = range(len(real))
    n_alone = sum(give_evidence([i]) for i in everyone)
    if 2 * n_alone > len(real) or len(real) == 1:
        return n_alone > 0
    return give_evidence(everyone) and all(
        give_evidence([i for i in everyone if i != left_out]) for left_out in everyone
    )


def _exceeds(found: FloatArray, noise: FloatArray, n_each: int) -> bool:
    """Return whether more peaks score high than on nulls."""
    descending = np.sort(np.concatenate([found, noise]))[::-1]
    for share in _COMPARED_SHARES:
        if not (n_best := round(share * len(descending))):
            continue
        lowest = descending[n_best - 1]
        n_found = np.count_nonzero(found >= lowest)
        n_all = n_found + np.count_nonzero(noise >= lowest)
        chance = binom.sf(n_found - 1, n_all, 1 / (1 + n_each))
        is_large = (n_all - n_found) / n_each <= (1 - LEAST_EXCESS) * n_found
        if is_large and chance <= FALSE_ALARM_RATE / len(_COMPARED_SHARES):
            return True
    return False
