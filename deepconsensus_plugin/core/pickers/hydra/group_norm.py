# SPDX-License-Identifier: GPL-3.0-or-later
"""Group normalisation (Wu & He 2018), as a factor and a shift of every channel.

The same function as ``keras.layers.GroupNormalization``, of the same weights, from two
sums over an image instead of several passes; and, for picking, with statistics that
several crops have in common.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

Tensor = Any
"""Tensor of Keras' backend."""

EPSILON = 1e-3
"""Added to variances; Keras' own."""


def group_affine(
    x: Tensor, gamma: Tensor, beta: Tensor, *, n_groups: int, is_pooled: bool = False
) -> tuple[Tensor, Tensor]:
    """Return factor and shift, each of shape (batch, channels), that normalise `x`.

    Parameters
    ----------
    x : tensor, shape (batch, rows, columns, channels)
        Values to normalise.
    gamma, beta : tensor, shape (channels,)
        Deviation and mean after normalisation.
    n_groups : int
        Number of groups of channels that are normalised together; divides the channels.
    is_pooled : bool
        Whether all images share their statistics; the batch is then 1.
    """
    axes = (0, 1, 2) if is_pooled else (1, 2)
    n_channels = x.shape[-1]
    grouped = (-1, n_groups, n_channels // n_groups)
    mean, square = (
        ops.mean(ops.reshape(ops.mean(each, axis=axes), grouped), axis=-1)
        for each in (x, ops.square(x))
    )
    gain = ops.rsqrt(ops.maximum(square - ops.square(mean), 0.0) + EPSILON)
    # By groups: to repeat them for every channel costs a dozen operations.
    factor = ops.expand_dims(gain, -1) * ops.reshape(gamma, grouped)
    shift = ops.reshape(beta, grouped) - ops.expand_dims(mean, -1) * factor
    factor, shift = (ops.reshape(each, (-1, n_channels)) for each in (factor, shift))
    return factor, shift


def normalise_groups(
    x: Tensor, gamma: Tensor, beta: Tensor, *, n_groups: int
) -> Tensor:
    """Return `x` normalised per image and group."""
    factor, shift = group_affine(x, gamma, beta, n_groups=n_groups)
    return _apply(x, factor, shift)


def _apply(x: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
    """Return `x` times the factor plus the shift of every image and channel."""
    return x * ops.expand_dims(factor, (1, 2)) + ops.expand_dims(shift, (1, 2))


class GroupNorm(layers.Layer):  # type: ignore[misc]
    """Group normalisation that trains fast, or is measured over several crops.

    Parameters
    ----------
    n_groups : int
        Number of groups of channels.
    is_measured : bool
        Whether statistics are those of the whole batch, and come out beside the result:
        factor and shift, shape (1, channels) each.
    """

    def __init__(self, n_groups: int, *, is_measured: bool = False) -> None:
        super().__init__()
        self.n_groups, self.is_measured = n_groups, is_measured

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights, in Keras' order."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        """Normalise."""
        factor, shift = group_affine(
            x,
            self.gamma,
            self.beta,
            n_groups=self.n_groups,
            is_pooled=self.is_measured,
        )
        normalised = _apply(x, factor, shift)
        return (normalised, factor, shift) if self.is_measured else normalised
