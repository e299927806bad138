# SPDX-License-Identifier: GPL-3.0-or-later
"""Distribution of the number of positives among the regions of a minibatch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.special
from keras import ops
from numpy.typing import NDArray

Tensor = Any
"""Tensor of Keras' backend."""

_MIN_VARIANCE = 1e-10
"""Smallest variance of the number of positives, for nearly certain regions."""

_NEVER = -1e30
"""Log-probability of an impossible event; −∞ has no gradient."""


def log_mean_probability(logits: Tensor, mask: Tensor) -> Tensor:
    """Return the logarithm of the mean probability over the mask, without underflow."""
    log_probability = ops.where(mask > 0, -ops.softplus(-logits), _NEVER)
    return ops.logsumexp(log_probability) - ops.log(ops.maximum(ops.sum(mask), 1.0))


def count_probability(logits: Tensor, mask: Tensor) -> Tensor:
    """Return q(k), k = 0 … batch, shape (batch + 1,); 0 beyond the mask's regions."""
    probability = ops.sigmoid(logits) * mask
    mean = ops.sum(probability)
    variance = ops.sum(probability * ops.sigmoid(-logits))  # 1 − g would round to 0
    counts = ops.arange(logits.shape[0] + 1, dtype=logits.dtype)
    log_density = -ops.square(counts - mean) / (2 * variance + _MIN_VARIANCE)
    return ops.softmax(ops.where(counts <= ops.sum(mask), log_density, _NEVER))


@lru_cache(maxsize=8)
def log_binomial_table(largest: int, prior: float) -> NDArray[np.float64]:
    """Return log Binomial(k; n, prior) at [n, k], both 0 … `largest`; 0 for k > n."""
    n, k = np.ogrid[: largest + 1, : largest + 1]
    rest = np.maximum(n - k, 0)
    log_factorial = scipy.special.gammaln(np.arange(largest + 1) + 1.0)
    log_ways = log_factorial[n] - log_factorial[k] - log_factorial[rest]
    table = log_ways + k * np.log(prior) + rest * np.log1p(-prior)
    return np.where(k <= n, table, 0.0)
