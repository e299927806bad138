# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses of HydraPicker (section 3.2), for any backend of Keras.

The thesis sums over anchors; here the sums are divided by the number of matched
anchors, as in the focal loss' paper (Lin et al. 2018), so that crowded data sets do
not outweigh the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from deepconsensus_plugin.core.pickers.hydra.anchors import IS_PARTICLE, OFFSETS
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraLoss

Tensor = Any
"""Tensor of Keras' backend."""

_TINY = 1e-12
"""Constant under the root, whose slope at 0 is infinite: heads start at the general
one."""


def localisation_loss(targets: Tensor, outputs: Tensor) -> Tensor:
    """Return Σ ‖(anchor + offset) − centre‖₁ over matched anchors (eq. 3.2).

    Parameters
    ----------
    targets : tensor, shape (batch, rows, columns, 3)
        As `anchors.encode` makes them.
    outputs : tensor, same shape
        dy and dx in steps, and log-odds.
    """
    error = ops.abs(outputs[..., OFFSETS] - targets[..., OFFSETS])
    return ops.sum(ops.sum(error, axis=-1) * targets[..., IS_PARTICLE])


def focal_loss(
    targets: Tensor, outputs: Tensor, *, particle_weight: float, focus: float
) -> Tensor:
    """Return Σ −½ α_c (1 − p)^γ log p over anchors (eq. 3.3).

    p is the probability of the true label of an anchor.

    Parameters
    ----------
    targets, outputs : tensor, shape (batch, rows, columns, 3)
        As for `localisation_loss`.
    particle_weight : float
        α of particles; 1 − α is that of the background.
    focus : float
        γ.
    """
    is_particle = targets[..., IS_PARTICLE]
    towards_truth = (2 * is_particle - 1) * outputs[..., IS_PARTICLE]
    weight = is_particle * particle_weight + (1 - is_particle) * (1 - particle_weight)
    # −log p = softplus(−z), and (1 − p)^γ = exp(−γ softplus(z)): neither overflows.
    hardness = ops.exp(-focus * ops.softplus(towards_truth))
    return ops.sum(0.5 * weight * hardness * ops.softplus(-towards_truth))


def bias_loss(heads: Sequence[Tensor], general: Sequence[Tensor]) -> Tensor:
    """Return 1/N Σ ‖W_k − W_G‖₂ over the heads of N data sets (eq. 3.4).

    Parameters
    ----------
    heads : sequence of tensors, shape (N, ...)
        Every weight of the heads, those of all heads stacked.
    general : sequence of tensors, shape (...)
        The same of the generalisation head.
    """
    squared = sum(
        ops.sum(ops.reshape(ops.square(own - shared), (own.shape[0], -1)), axis=1)
        for own, shared in zip(heads, general, strict=True)
    )
    return ops.mean(ops.sqrt(squared + _TINY))


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]
    """Detection loss of a batch per matched anchor (eq. 3.1 without the bias).

    Parameters
    ----------
    weights : HydraLoss
        λ, α and γ.
    """

    def __init__(self, weights: HydraLoss) -> None:
        super().__init__(name="detection", reduction="sum")
        self.weights = weights

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the scalar of a batch; a crop counts as one matched anchor at least.

        Thus crops without particles do not outweigh those with many.
        """
        weights = self.weights
        classification = focal_loss(
            y_true,
            y_pred,
            particle_weight=weights.particle_weight,
            focus=weights.focus,
        )
        total = localisation_loss(y_true, y_pred)
        total = total + weights.classification * classification
        n_matched = ops.sum(y_true[..., IS_PARTICLE])
        return total / ops.maximum(n_matched, float(y_true.shape[0] or 1))
