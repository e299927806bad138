# SPDX-License-Identifier: GPL-3.0-or-later
"""Origins and sizes of RELION's particles, as lengths that placing can use.

A refined particle's centre is its coordinate minus its origin. RELION 3.1 and later
keep origins in Å (``_rlnOriginXAngst``), earlier versions in pixels of the particle
image (``_rlnOriginX``); sizes of pixels and images stand in ``data_optics``, or earlier
in each row as detector pixel and magnification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.limits import FARTHEST_PX
from deepconsensus_plugin.core.pick_files.codec import InAngstrom
from deepconsensus_plugin.core.pick_files.star_blocks import Block
from deepconsensus_plugin.core.types import FloatArray

_GROUP = "rlnOpticsGroup"
_MICROGRAPH_RATE, _IMAGE_RATE = "rlnMicrographPixelSize", "rlnImagePixelSize"
_MOVIE_RATE, _IMAGE_SIZE = "rlnMicrographOriginalPixelSize", "rlnImageSize"
_IN_ANGSTROM = ("rlnOriginYAngst", "rlnOriginXAngst")
_IN_PIXELS = ("rlnOriginY", "rlnOriginX")
_DETECTOR, _MAGNIFICATION = "rlnDetectorPixelSize", "rlnMagnification"
_UM_TO_A = 1e4
_SMALLEST, _LARGEST = 1e-3, 1e9
"""Below the size of any pixel in Å, and above any magnification."""


@dataclass(frozen=True, eq=False)
class ParticleLengths:
    """Lengths of n particles in Å, NaN where the file does not tell them.

    Parameters
    ----------
    micrograph_rate, movie_rate, image_rate : array, shape (n,)
        Å/px of the micrographs that the coordinates are of, of the movies before any
        binning, and of the images.
    image_size : array, shape (n,)
        Pixels of the images.
    origins : array, shape (n, 2)
        ``yx``, Å.
    """

    micrograph_rate: FloatArray
    movie_rate: FloatArray
    image_rate: FloatArray
    image_size: FloatArray
    origins: FloatArray

    @property
    def is_moved(self) -> bool:
        """Whether any particle has an origin that is known and not 0."""
        return bool((np.nan_to_num(self.origins) != 0).any())

    @property
    def is_unknown(self) -> bool:
        """Whether origins are there, in pixels of an unknown size."""
        return bool(np.isnan(self.origins).any())

    def in_angstrom(self, names: Sequence[str | None]) -> InAngstrom:
        """Return the lengths by micrograph; `names` has one for each particle."""
        pixel_size = _median(self.micrograph_rate)
        shifts = {}
        if self.is_moved:
            relative = np.ones(len(names))
            if pixel_size is not None:
                relative = pixel_size / np.where(
                    self.micrograph_rate > 0, self.micrograph_rate, pixel_size
                )
            moved = -np.nan_to_num(self.origins) * relative[:, None]
            grouped = group_coordinates(names, moved, np.zeros(len(names)))
            shifts = {name: each.yx for name, each in grouped.items()}
        box_size = _median(self.image_size * self.image_rate)
        least = _median(self.movie_rate)
        return InAngstrom(pixel_size, least, box_size, shifts)


def _median(values: FloatArray) -> float | None:
    known = values[values > 0]
    return float(np.median(known)) if known.size else None


def read_lengths(holders: Sequence[Block], blocks: Sequence[Block]) -> ParticleLengths:
    """Return the lengths of all rows of the blocks that hold particles.

    Parameters
    ----------
    holders : sequence of Block
        Blocks of particles.
    blocks : sequence of Block
        All blocks of the file, that of the optics groups among them.
    """
    optics = [each for each in blocks if _GROUP in each and each not in holders]
    parts = [_of_block(block, optics[0] if optics else None) for block in holders]
    return ParticleLengths(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in (
                *("micrograph_rate", "movie_rate", "image_rate"),
                *("image_size", "origins"),
            )
        )
    )


def _of_block(block: Block, optics: Block | None) -> ParticleLengths:
    image_rate = _numbers(block, optics, _IMAGE_RATE)
    if block.has(_DETECTOR, _MAGNIFICATION):
        magnification = block.numbers(_MAGNIFICATION, most=_LARGEST)
        known = np.where(magnification >= 1, magnification, np.nan)
        of_row = block.numbers(_DETECTOR, most=_LARGEST) * _UM_TO_A / known
        image_rate = np.where(np.isnan(image_rate), of_row, image_rate)
    if block.has(*_IN_ANGSTROM):
        origins = np.column_stack([block.positions(name) for name in _IN_ANGSTROM])
    elif block.has(*_IN_PIXELS):
        pixels = np.column_stack([block.positions(name) for name in _IN_PIXELS])
        origins = np.where(pixels == 0, 0.0, pixels * image_rate[:, None])
    else:
        origins = np.zeros((len(block), 2))
    return ParticleLengths(
        _numbers(block, optics, _MICROGRAPH_RATE),
        _numbers(block, optics, _MOVIE_RATE),
        image_rate,
        _numbers(block, optics, _IMAGE_SIZE),
        origins,
    )


def _numbers(block: Block, optics: Block | None, column: str) -> FloatArray:
    """Return a column of the block, or that of the rows' optics groups, or NaN."""
    if column in block:
        return _lengths(block, column)
    if optics is None or column not in optics:
        return np.full(len(block), np.nan)
    values = _lengths(optics, column)
    if _GROUP not in block:
        return np.full(len(block), values[0] if len(values) == 1 else np.nan)
    by_group = dict(zip(optics.columns[_GROUP], values.tolist(), strict=True))
    groups = block.columns[_GROUP]
    return np.array([by_group.get(group, np.nan) for group in groups], dtype=float)


def _lengths(block: Block, column: str) -> FloatArray:
    """Return sizes of pixels or images; those that are as good as 0 are none."""
    values = block.numbers(column, allow_nan=True, most=FARTHEST_PX)
    return np.where(np.abs(values) < _SMALLEST, 0.0, values)
