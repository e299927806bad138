# SPDX-License-Identifier: GPL-3.0-or-later
"""MRC files of micrographs, in the pixel types that detectors give."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.types import FloatArray


class PixelType(Enum):
    """Type in which pixels are stored."""

    FLOAT32 = "float32"
    """Electrons."""
    INT16 = "int16"
    """Electrons, rounded."""
    INT8 = "int8"
    """25 levels per standard deviation, 0 the mean."""


def write_micrograph(
    path: Path, image: FloatArray, pixel_type: PixelType, *, sampling_rate: float
) -> None:
    """Write an image as an MRC file; `sampling_rate` in Å/px."""
    pixels = _as_type(image, pixel_type)
    with (
        whole_file(path) as partial,
        mrcfile.new(partial, pixels, overwrite=True) as file,
    ):
        file.voxel_size = sampling_rate


def _as_type(image: FloatArray, pixel_type: PixelType) -> NDArray[Any]:
    if pixel_type is PixelType.FLOAT32:
        return np.asarray(image, dtype=np.float32)
    levels = image
    if pixel_type is PixelType.INT8:
        levels = 25 * (image - image.mean()) / max(float(image.std()), 1e-6)
    kind = np.dtype(pixel_type.value)
    limits = np.iinfo(kind)
    return np.clip(np.rint(levels), limits.min, limits.max).astype(kind)
