# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootstrap samples of micrographs, drawn whole.

Particles of one micrograph share its ice, defocus and crowding, so drawing single ones
would make intervals too narrow.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import IntArray


def draw_micrographs(
    n_micrographs: int, n_resamples: int, rng: np.random.Generator
) -> IntArray:
    """Return how often each micrograph is drawn, with replacement.

    Parameters
    ----------
    n_micrographs : int
        To draw from; every sample has as many.
    n_resamples : int
        Number of samples; >= 0.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    array, shape (n_resamples, n_micrographs), int
        No sample of fewer than two micrographs, which tell nothing about the spread.
    """
    if n_micrographs < 2:
        return np.zeros((0, n_micrographs), dtype=np.int64)
    evenly = np.full(n_micrographs, 1 / n_micrographs)
    return rng.multinomial(n_micrographs, evenly, size=n_resamples)
