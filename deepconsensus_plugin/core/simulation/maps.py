# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecules from MRC maps, whose grey values have no known unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.mrc import HEADER_BYTES, read_layout
from deepconsensus_plugin.core.io.unpacked import read_unpacked
from deepconsensus_plugin.core.limits import LARGEST_SCORE
from deepconsensus_plugin.core.simulation.potential import (
    PROTEIN_CONTRAST,
    VOXELS_PER_RESOLUTION,
    PotentialMap,
    centred,
    even_side,
)
from deepconsensus_plugin.core.types import FloatArray

_LARGEST_VOXEL_A = 1e4
_MOST_VOXELS, _MOST_ADDED_VOXELS = 2**30, 2**26
"""Of the cube around a map, and of what is not in the file."""


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
    """Return a map as a cube with even sides, and its voxel size, 0 if not told."""
    content = read_unpacked(path)
    layout = read_layout(path, content[:HEADER_BYTES], size=len(content), is_stack=True)
    n_voxels = layout.shape[0] * layout.shape[1]
    stored = np.frombuffer(content, layout.dtype, n_voxels, layout.offset)
    rows = layout.shape[0] // layout.n_images
    values = stored.astype(np.float32).reshape(-1, rows, layout.shape[1])
    voxel = layout.pixel_size_A or 0.0
    if not 0 <= voxel < _LARGEST_VOXEL_A:
        raise FileFormatError(path, expected="a voxel size in Å", received=f"{voxel:g}")
    is_map = min(values.shape) >= 8
    if not is_map or not (np.abs(values) <= LARGEST_SCORE).all():
        raise FileFormatError(
            path,
            expected=f"a map of values up to {LARGEST_SCORE:g}, 8 voxels or more along "
            "each side",
            received=f"shape {values.shape}",
        )
    side = max(values.shape) + max(values.shape) % 2
    most = min(_MOST_VOXELS, values.size + _MOST_ADDED_VOXELS)
    if side**3 > most:
        raise FileFormatError(
            path,
            expected=f"a map in a cube of at most {most} voxels",
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
