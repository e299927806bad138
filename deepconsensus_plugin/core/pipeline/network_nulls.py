# SPDX-License-Identifier: GPL-3.0-or-later
"""Nulls of micrographs as files, for trained pickers of every kind.

A null is written with the pixels that the network sees, and then picked as any
micrograph is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.methods import TrainedPicker
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.trained.downsampling import (
    Downsampling,
    downsample,
)
from deepconsensus_plugin.core.pipeline.nulls import Null
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


def pick_null(picker: TrainedPicker, null: Null, folder: Path) -> ScoredCoordinates:
    """Return all maxima of a picker on a null, pixels of the micrograph.

    Parameters
    ----------
    picker : TrainedPicker
        Any.
    null : Null
        Micrograph and seed.
    folder : Path
        Folder where the null is written; it is deleted after picking.
    """
    micrograph = null.micrograph
    factor = max(picker.pixel_size_A / micrograph.sampling_rate, 1.0)
    pixels = open_micrograph(micrograph.path)
    noise = randomise_phases(downsample(pixels, factor), null.rng())
    rate = micrograph.sampling_rate * factor
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place, "null.mrc")
        write_micrograph(path, noise, PixelType.FLOAT32, sampling_rate=rate)
        shape = noise.shape[0], noise.shape[1]
        reduced = Micrograph(micrograph.name, path, shape, rate, micrograph.ctf)
        found = picker.find(picker.prepare(reduced))
    grid = Downsampling((pixels.shape[0], pixels.shape[1]), factor)
    return ScoredCoordinates(grid.to_micrograph(found.yx), found.scores)
