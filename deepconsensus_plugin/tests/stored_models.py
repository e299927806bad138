# SPDX-License-Identifier: GPL-3.0-or-later
"""Models and jobs that an earlier version wrote, with the micrograph that they need."""

from __future__ import annotations

import shutil
from pathlib import Path

import mrcfile
import numpy as np

from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

STORED = Path(__file__).parent / "stored"
KINDS = ("deep_consensus", "topaz", "deepem", "hydra")


def draw_micrograph(seed: int) -> tuple[FloatArray, FloatArray]:
    """Return a micrograph of dark discs, and their centres.

    `RandomState` gives the same numbers in every version of NumPy.
    """
    random = np.random.RandomState(seed)
    grid = np.stack(np.mgrid[18:150:28, 18:190:28], axis=-1).reshape(-1, 2)
    centres = grid + random.randint(-4, 5, grid.shape)
    rows, columns = np.indices((160, 200))
    image = random.standard_normal((160, 200))
    for y, x in centres:
        image[np.hypot(rows - y, columns - x) <= 6] -= 2
    return image.astype(np.float32), centres


def unpack_stored(folder: Path) -> None:
    """Fill a folder with the models and the project, and with what the jobs need."""
    for name in ("models", "project"):
        shutil.unpack_archive(STORED / f"{name}.tar.xz", folder, filter="data")
    shutil.copytree(STORED / "jobs", folder / "jobs")
    image, centres = draw_micrograph(99)
    (folder / "micrographs").mkdir()
    mrcfile.write(folder / "micrographs" / "seen.mrc", image)
    background = [centres[:20] + 7, centres[20:30] + 14]
    boxes = ScoredCoordinates.from_arrays(np.concatenate([centres, *background]))
    write_coordinates(folder / "seen.h5", {"seen.mrc": boxes})
