# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of boxes in the training loss: both labels count the same."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.types import FloatArray, IntArray


def balance_weights(rows: LabelledCoordinates, training: IntArray) -> FloatArray:
    """Return the weights of all boxes, scaled so that both labels count the same.

    Parameters
    ----------
    rows : LabelledCoordinates
        All boxes; `weight` is that of the source times the trust in the label.
    training : array of int
        Rows of the training boxes; both labels occur.

    Returns
    -------
    array, shape (n,), float32
        Over the rows in `training`, each label has half of the sum, and the mean is 1.
    """
    weights = rows.weight.astype(np.float32)
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[training] = True
    half = weights[chosen].sum() / 2
    for of_label in (rows.is_particle, ~rows.is_particle):
        weights = np.where(
            of_label, weights * (half / weights[chosen & of_label].sum()), weights
        )
    return np.asarray(weights / weights[chosen].mean(), dtype=np.float32)
