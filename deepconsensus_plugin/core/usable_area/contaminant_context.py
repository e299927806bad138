# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of the pixels of a micrograph of which contamination is known roughly.

What was found at a pixel and around it, and the features of the first look relative to
what is usual where nothing was found, on the whole micrograph and nearby.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area import contaminant_features
from deepconsensus_plugin.core.usable_area.relative import (
    Float32Array,
    Usual,
    smoothed,
)

N_FEATURES = contaminant_features.N_FEATURES + 25

_BACKGROUND_A = 500.0
"""Standard deviation of the Gaussian within which the clean background is taken, Å."""

_LEAST_CLEAN = 50
"""Clean pixels from which usual values are estimated; with fewer, all are taken."""

_LEVELS, _POWERS, _RULE_VARIANCE = (0, 1, 2), (10, 11, 12, 13, 14, 15, 16), 22
_PARTICLE_POWER, _POWERS_NEARBY = 12, (11, 12, 15)
"""Features of the first look that are looked at again."""


def look_again(
    first: Float32Array,
    probabilities: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
) -> Float32Array:
    """Return the features of a micrograph of which contamination is known roughly.

    Parameters
    ----------
    first : array, shape (rows, columns, 28), float32
        `first_look`.
    probabilities : array, shape (rows, columns, n), float32
        Probability of each kind at each pixel; that of usable area is the first.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded.
    pixel_size_A : float
        Å/px of `first`.

    Returns
    -------
    array, shape (rows, columns, 53), float32
    """
    junk = 1 - probabilities[..., 0]
    is_clean = has_signal & (junk < 0.5)
    usual = Usual(is_clean if is_clean.sum() > _LEAST_CLEAN else has_signal)

    def around(values: Float32Array, width_A: float) -> Float32Array:
        return smoothed(values, width_A / pixel_size_A)

    clean = np.where(has_signal, (1 - junk) ** 2, np.float32(0)) + np.float32(1e-4)
    amount = around(clean, _BACKGROUND_A)

    def above_background(values: Float32Array) -> Float32Array:
        return values - around(clean * values, _BACKGROUND_A) / amount

    heights = [np.sinh(first[..., k]) for k in _LEVELS]
    background = heights[1] - above_background(heights[1])
    texture = first[..., _PARTICLE_POWER]
    features = [
        *(_log_odds(probabilities[..., k]) for k in range(probabilities.shape[-1])),
        *(_log_odds(around(junk, width)) for width in (40, 100, 250)),
        around(probabilities[..., 1], 250),
        np.full_like(junk, junk[has_signal].mean()),
        *(usual.in_spreads(height - background) for height in heights),
        usual.in_spreads(heights[1]),
        *(
            first[..., k] - usual.middle(first[..., k])
            for k in (*_POWERS, _RULE_VARIANCE)
        ),
        *(above_background(first[..., k]) for k in _POWERS_NEARBY),
        around(texture, 100) - usual.middle(texture),
    ]
    found = np.concatenate([first, np.stack(features, -1)], axis=-1)
    return np.asarray(found, np.float32)


def _log_odds(probability: Float32Array) -> Float32Array:
    odds = (probability + np.float32(0.01)) / (np.float32(1.01) - probability)
    return np.asarray(np.log(odds))
