# SPDX-License-Identifier: GPL-3.0-or-later
"""Nulls of micrographs as files, for trained pickers of every kind.

A null is written with the pixels that the network sees, and then picked as any
micrograph is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.methods import TrainedPicker
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.trained.downsampling import (
    Downsampling,
    downsample,
)
from deepconsensus_plugin.core.pipeline.nulls import Null
from deepconsensus_plugin.core.types import BoolArray, Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


def pick_null(
    picker: TrainedPicker, null: Null, area: UsableArea, folder: Path
) -> ScoredCoordinates:
    """Return all maxima of a picker on a null, pixels of the micrograph.

    Parameters
    ----------
    picker : TrainedPicker
        Any.
    null : Null
        Micrograph and seed.
    area : UsableArea
        Mask of the micrograph; the spectrum is that of its usable area.
    folder : Path
        Folder where the null is written; it is deleted after picking.
    """
    micrograph = null.micrograph
    factor = max(picker.pixel_size_A / micrograph.sampling_rate, 1.0)
    pixels = open_micrograph(micrograph.path)
    grid = Downsampling((pixels.shape[0], pixels.shape[1]), factor)
    is_usable = _usable_pixels(area, grid)
    noise = randomise_phases(
        downsample(pixels, factor), null.rng(), is_usable=is_usable
    )
    rate = micrograph.sampling_rate * factor
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place, "null.mrc")
        write_micrograph(path, noise, PixelType.FLOAT32, sampling_rate=rate)
        shape = noise.shape[0], noise.shape[1]
        reduced = Micrograph(micrograph.name, path, shape, rate, micrograph.ctf)
        found = picker.find(picker.prepare(reduced))
    return ScoredCoordinates(grid.to_micrograph(found.yx), found.scores)


def _usable_pixels(area: UsableArea, grid: Downsampling) -> BoolArray | None:
    """Return which pixels of the reduced micrograph are usable; None if none is."""
    places = np.moveaxis(np.indices(grid.new_shape), 0, -1).reshape(-1, 2)
    kinds = area.kind_at(grid.to_micrograph(places.astype(np.float64)))
    is_usable = (kinds == AreaKind.USABLE).reshape(grid.new_shape)
    return is_usable if is_usable.any() else None
