# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of DeepEM (Zhu et al. 2017, Figure 1 and eqs. 1 – 3).

Three times a convolution without padding whose units are sigmoids, and a subsampling
that takes means of squares of pixels; then one sigmoid that is connected to all that is
left.

Input: boxes, ``(batch, side, side, 1)``; output ``(batch, 1)``, probabilities of a
particle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from deepconsensus_plugin.core.pickers.deepem.parameters import Initialisation, Variant

_KERNEL_SHARE = 3 / 16
"""Of its input that a kernel spans: 51 of the 272 pixels of the KLH network."""

_SMALLEST_KERNEL = 3

_STATISTICS_MOMENTUM = 0.9
"""Of the running mean and deviation; Keras' 0.99 lags behind after few updates."""


@dataclass(frozen=True)
class DeepEMArchitecture:
    """Sizes of the layers.

    Parameters
    ----------
    box_size : int
        Side of the input, pixels.
    kernels, maps, pools : tuples of int
        Of each convolution: side of its kernels, number of its maps, and side of the
        squares that the subsampling after it averages. Each as long as the others.

    Raises
    ------
    ValueError
        If a kernel does not fit into its input, or squares do not fill theirs.
    """

    box_size: int
    kernels: tuple[int, ...]
    maps: tuple[int, ...] = (6, 12, 12)
    pools: tuple[int, ...] = (2, 2, 2)

    def __post_init__(self) -> None:
        """Follow a box through the layers."""
        if not len(self.kernels) == len(self.maps) == len(self.pools):
            raise ValueError(
                "expected as many kernels as maps and pools, received "
                f"{self.kernels}, {self.maps} and {self.pools}"
            )
        side = self.box_size
        for kernel, _, pool in self.layers:
            convolved = side - kernel + 1
            if convolved < pool or convolved % pool:
                raise ValueError(
                    f"expected kernels that leave a multiple of {pool} pixels, "
                    f"received {kernel} for {side}, which leaves {convolved}"
                )
            side = convolved // pool

    @classmethod
    def of_box(
        cls,
        box_size: int,
        *,
        maps: tuple[int, ...] = (6, 12, 12),
        pools: tuple[int, ...] = (2, 2, 2),
    ) -> DeepEMArchitecture:
        """Return layers whose kernels span 3/16 of their inputs, as nearly as can be.

        Raises
        ------
        ValueError
            If the box is too small for so many layers.
        """
        kernels, side = [], box_size
        for pool in pools:
            kernels.append(_fitting_kernel(side, pool))
            side = (side - kernels[-1] + 1) // pool
        return cls(box_size, tuple(kernels), maps, pools)

    @property
    def layers(self) -> list[tuple[int, int, int]]:
        """Kernel, maps and pool of each convolution."""
        return list(zip(self.kernels, self.maps, self.pools, strict=True))

    @property
    def sides(self) -> tuple[int, ...]:
        """Side of the maps after each convolution and each subsampling, pixels."""
        sides, side = [], self.box_size
        for kernel, _, pool in self.layers:
            sides += [side - kernel + 1, (side - kernel + 1) // pool]
            side = sides[-1]
        return tuple(sides)


KLH = DeepEMArchitecture(272, kernels=(51, 20, 9))
"""The paper's network for KLH: 6 maps of 222×222 first; later sizes by its ratio."""


def build_network(
    architecture: DeepEMArchitecture,
    *,
    variant: Variant = Variant.MODERN,
    initialisation: Initialisation = Initialisation.SCALED,
) -> keras.Model:
    """Return an untrained network for boxes.

    Parameters
    ----------
    architecture : DeepEMArchitecture
        Its sizes.
    variant : Variant
        Whether convolutions are batch-normalised.
    initialisation : Initialisation
        Of the weights.
    """
    weights: dict[str, Any] = {}
    if initialisation is Initialisation.UNIT:
        drawn = keras.initializers.RandomUniform(0.0, 1.0)
        weights = {"kernel_initializer": drawn, "bias_initializer": drawn}
    side = architecture.box_size
    image = keras.Input((side, side, 1), name="image")
    x = image
    for kernel, n_maps, pool in architecture.layers:
        x = layers.Conv2D(n_maps, kernel, **weights)(x)
        if variant is Variant.MODERN:
            x = layers.BatchNormalization(momentum=_STATISTICS_MOMENTUM)(x)
        x = layers.Activation("sigmoid")(x)
        x = layers.AveragePooling2D(pool)(x)
    output = layers.Conv2D(1, architecture.sides[-1], **weights)(x)
    output = layers.Activation("sigmoid", dtype="float32")(output)
    return keras.Model(image, layers.Flatten()(output), name="deepem")


def _fitting_kernel(side: int, pool: int) -> int:
    """Return the kernel nearest to its share that leaves a multiple of the pool."""
    wanted = side * _KERNEL_SHARE
    fitting = [k for k in range(_SMALLEST_KERNEL, side) if (side - k + 1) % pool == 0]
    if not fitting:
        raise ValueError(f"a box too small for its layers: {side} px left for one")
    return min(fitting, key=lambda k: (abs(k - wanted), -k))
