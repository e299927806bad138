# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecules from MRC maps, whose grey values have no known unit."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import scipy.ndimage
from mrcfile.mrcinterpreter import MrcInterpreter

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.unpacked import read_unpacked
from deepconsensus_plugin.core.io.untrusted import PARSER_ERRORS
from deepconsensus_plugin.core.limits import LARGEST_SCORE
from deepconsensus_plugin.core.simulation.potential import (
    PROTEIN_CONTRAST,
    VOXELS_PER_RESOLUTION,
    PotentialMap,
    centred,
    even_side,
)
from deepconsensus_plugin.core.types import FloatArray

_LARGEST_VOXEL_A, _MOST_VOXELS = 1e4, 2**30
"""Of the cube around a map."""


def read_potential(
    path: Path,
    resolution_A: float,
    *,
    voxel_size_A: float | None = None,
) -> PotentialMap:
    """Return an MRC map scaled to the contrast of protein in ice.

    What the map's numbers mean is not known: what stands out of its background (above
    the threshold of Ridler and Calvard, 1978) has `PROTEIN_CONTRAST` on average, and
    what lies away from it is ice.

    Raises
    ------
    FileFormatError
        If it is no map, has no voxel size, or is flat.
    """
    values, header_voxel = _read_cube(path)
    voxel = voxel_size_A or header_voxel
    if not voxel:
        raise FileFormatError(
            path,
            expected="a map with a voxel size, or one that is given",
            received="voxel size 0",
        )
    threshold = _between_two_levels(values)
    inside = values > threshold
    if not inside.any() or inside.all():
        raise FileFormatError(
            path, expected="a molecule on a background", received="a flat map"
        )
    near = scipy.ndimage.gaussian_filter(
        scipy.ndimage.binary_dilation(inside, iterations=2).astype(np.float32), 1.0
    )
    background = float(values[~inside].mean())
    contrast = (values - background) * near
    contrast *= PROTEIN_CONTRAST / contrast[inside].mean()
    return _resampled(PotentialMap(contrast, voxel), resolution_A)


def _read_cube(path: Path) -> tuple[FloatArray, float]:
    """Return a map as a cube with even sides, and the voxel size of its header."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bytes that follow, and the like
            file = MrcInterpreter(iostream=BytesIO(read_unpacked(path)))
            values = np.array(file.data, dtype=np.float32)
            voxel = float(file.voxel_size.x)
    except FileFormatError:
        raise
    except PARSER_ERRORS as error:
        raise FileFormatError(
            path, expected="an MRC map", received=str(error)[:200]
        ) from error
    if not 0 <= voxel < _LARGEST_VOXEL_A:
        raise FileFormatError(path, expected="a voxel size in Å", received=f"{voxel:g}")
    is_map = values.ndim == 3 and min(values.shape) >= 8
    if not is_map or not (np.abs(values) <= LARGEST_SCORE).all():
        raise FileFormatError(
            path,
            expected=f"a map of values up to {LARGEST_SCORE:g}, 8 voxels or more along "
            "each side",
            received=f"shape {values.shape}",
        )
    side = max(values.shape) + max(values.shape) % 2
    if side**3 > _MOST_VOXELS:
        raise FileFormatError(
            path,
            expected=f"a map in a cube of at most {_MOST_VOXELS} voxels",
            received=f"shape {values.shape}",
        )
    missing = [side - length for length in values.shape]
    around = [(lack - lack // 2, lack // 2) for lack in missing]
    return np.pad(values, around, constant_values=np.median(values)), voxel


def _between_two_levels(values: FloatArray) -> float:
    """Return the level midway between the means of what it separates."""
    level = float(values.min() + values.max()) / 2
    for _ in range(100):
        above = values > level
        if not above.any():  # flat
            break
        midway = float(values[above].mean() + values[~above].mean()) / 2
        if np.isclose(midway, level, rtol=1e-6):
            break
        level = midway
    return level


def _resampled(density: PotentialMap, resolution_A: float) -> PotentialMap:
    """Return a map on the grid that a resolution asks for, centred, in a cube."""
    middle = centred(density)
    radius = middle.diameter_A / 2 + 2 * resolution_A
    voxel = max(resolution_A / VOXELS_PER_RESOLUTION, density.voxel_size_A)
    side = even_side(radius, voxel, resolution_A)
    step = voxel / density.voxel_size_A
    blur = np.sqrt(max(resolution_A**2 - (2 * density.voxel_size_A) ** 2, 0)) / (
        np.pi * np.sqrt(2) * density.voxel_size_A
    )
    smooth = scipy.ndimage.gaussian_filter(middle.values, blur)
    at = (np.arange(side) - side // 2) * step + len(smooth) // 2
    grid = np.meshgrid(at, at, at, indexing="ij")
    values = scipy.ndimage.map_coordinates(smooth, grid, order=1, cval=0.0)
    return PotentialMap(np.asarray(values, dtype=np.float32), voxel)
