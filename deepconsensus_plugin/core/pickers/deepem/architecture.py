# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of the layers of DeepEM's network (Zhu et al. 2017, Figure 1).

The paper's depend on the box and stand in a supplement; only the first layer of the
network for KLH is known, 6 maps of 222×222 from boxes of 272. Here every kernel spans
the same fraction of its input as that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.networks.stored import (
    StoredLayer,
    StoredNetwork,
    batch_normalisation,
    convolution,
    dense,
)

_KERNEL_SHARE = 3 / 16
"""Fraction of its input that a kernel spans: 51 of 272 pixels in the KLH network."""

_SMALLEST_KERNEL = 3


@dataclass(frozen=True)
class DeepEMArchitecture:
    """Sizes of the layers.

    Parameters
    ----------
    box_size : int
        Side of the input, pixels.
    kernels, maps, pools : tuples of int
        For each convolution: side of its kernels, number of its maps, and side of the
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
        """Check that every kernel and pool fits."""
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
        """Return layers whose kernels span 3/16 of their inputs as nearly as possible.

        Raises
        ------
        ValueError
            If the box is too small for the number of layers.
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

    def stored_network(self, *, is_normalised: bool) -> StoredNetwork:
        """Return the network as a file holds it; `is_normalised`: in batches."""
        layers: list[StoredLayer] = []
        n_in = 1
        for kernel, n_maps, _ in self.layers:
            layers.append(convolution(kernel, n_in, n_maps))
            if is_normalised:
                layers.append(batch_normalisation(n_maps))
            n_in = n_maps
        return StoredNetwork((*layers, dense(n_in * self.sides[-1] ** 2, 1)))


KLH = DeepEMArchitecture(272, kernels=(51, 20, 9))
"""The paper's network for KLH: 6 maps of 222×222 first; later sizes by its ratio."""


def _fitting_kernel(side: int, pool: int) -> int:
    """Return the kernel nearest to its fraction that leaves a multiple of the pool."""
    wanted = side * _KERNEL_SHARE
    fitting = [k for k in range(_SMALLEST_KERNEL, side) if (side - k + 1) % pool == 0]
    if not fitting:
        raise ValueError(f"a box too small for its layers: {side} px left for one")
    return min(fitting, key=lambda k: (abs(k - wanted), -k))
