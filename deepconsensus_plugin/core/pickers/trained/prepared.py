# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs prepared for trained pickers: downsampled and normalised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.limits import PixelSize
from deepconsensus_plugin.core.pickers.trained.downsampling import (
    Downsampling,
    downsample,
)
from deepconsensus_plugin.core.pickers.trained.normalisation import (
    Normalisation,
    fit_mixture_of_micrographs,
    normalise_micrograph,
)
from deepconsensus_plugin.core.pickers.trained.pixel_mixture import PixelMixture
from deepconsensus_plugin.core.types import Micrograph

Float32Array = NDArray[np.float32]

PIXELS_PER_DIAMETER = 16
"""Default diameter of a particle after downsampling, pixels (docs/results.md)."""

_COARSER = 1.02
"""Tolerated ratio of a micrograph's pixel size to the network's."""


@dataclass(frozen=True)
class MicrographPreprocessing:
    """Preprocessing from a micrograph to network input; saved with the model.

    Parameters
    ----------
    pixel_size_A : float
        Å/px.
    normalisation : Normalisation
        How micrographs come to one scale of grey.
    mixture : PixelMixture, optional
        Mixture of the training micrographs, if the normalisation uses it.
    """

    pixel_size_A: PixelSize
    normalisation: Normalisation = Normalisation.STANDARD
    mixture: PixelMixture | None = None

    def apply(self, image: Float32Array) -> Float32Array:
        """Return a downsampled micrograph on the common grey scale."""
        return normalise_micrograph(image, self.normalisation, self.mixture)


@dataclass(frozen=True, eq=False)
class PreparedMicrograph:
    """Micrograph prepared as network input.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Background at mean 0 and deviation 1.
    grid : Downsampling
        Positions of its pixels in the micrograph.
    """

    image: Float32Array
    grid: Downsampling


def prepare_for_network(
    micrograph: Micrograph, preprocessing: MicrographPreprocessing
) -> PreparedMicrograph:
    """Read a micrograph and return it prepared as network input.

    Raises
    ------
    IncompatibleModelError
        If its pixels are coarser than those of the network.
    """
    image, grid = _downsampled(micrograph, preprocessing.pixel_size_A)
    return PreparedMicrograph(preprocessing.apply(image), grid)


def prepare_to_learn(
    micrographs: Sequence[Micrograph],
    *,
    pixel_size_A: float,
    normalisation: Normalisation,
    workers: int,
    count: Callable[[int], None] = lambda _: None,
) -> tuple[MicrographPreprocessing, list[PreparedMicrograph]]:
    """Return the preprocessing fitted to micrographs, and these micrographs prepared.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs to read; they are kept in memory after downsampling.
    pixel_size_A : float
        Å/px.
    normalisation : Normalisation
        How micrographs come to one scale of grey.
    workers : int
        Threads.
    count : callable
        Called after every micrograph.
    """
    read = []
    for each in map_ahead(
        lambda m: _downsampled(m, pixel_size_A), micrographs, workers=workers
    ):
        read.append(each)
        count(1)
    mixture = None
    if normalisation is Normalisation.COMMON_MIXTURE:
        mixture, _ = fit_mixture_of_micrographs(image for image, _ in read)
    learnt = MicrographPreprocessing(pixel_size_A, normalisation, mixture)
    return learnt, [PreparedMicrograph(learnt.apply(image), g) for image, g in read]


def _downsampled(
    micrograph: Micrograph, pixel_size_A: float
) -> tuple[Float32Array, Downsampling]:
    factor = pixel_size_A / micrograph.sampling_rate
    if factor * _COARSER < 1:
        raise IncompatibleModelError(
            f"{micrograph.name}: expected pixels of {pixel_size_A:.3g} Å, which the "
            f"network sees, or less, received {micrograph.sampling_rate:.3g} Å"
        )
    try:
        pixels = open_micrograph(micrograph.path)
        image = downsample(pixels, max(factor, 1.0))
    except ValueError as error:
        raise ValueError(f"{micrograph.name}: {error}") from error
    shape = pixels.shape[0], pixels.shape[1]
    return image, Downsampling(shape, max(factor, 1.0))
