# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time of the general picker on a micrograph of 4096².

    python -m benchmarks.speed.general_picker [DIAMETER_PX ...]

Finds all places on noise with dark discs, with the model that comes with the package.
The first micrograph, for which graphs are made, is not counted. Masks, nulls and the
count of particles, which a job adds, are not in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import mrcfile
import numpy as np
import scipy.ndimage

from benchmarks.sets.tables import markdown_table
from benchmarks.speed.ratios import describe_machine
from deepconsensus_plugin.core.methods import load_picker
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.types import Micrograph

_SIDE, _REPEATS, _N_PARTICLES = 4096, 3, 300


def write_scene(path: Path, diameter_px: float) -> Micrograph:
    """Write a micrograph of noise and particles, pixels of 1 Å."""
    rng = np.random.default_rng(0)
    places = rng.integers(_SIDE // 20, _SIDE - _SIDE // 20, (_N_PARTICLES, 2))
    dots = np.zeros((_SIDE, _SIDE), np.float32)
    dots[tuple(places.T)] = 1
    blurred = scipy.ndimage.gaussian_filter(dots, diameter_px / 4)
    noise = rng.standard_normal(dots.shape, dtype=np.float32)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(noise - blurred / blurred.max())
    return Micrograph(path.name, path, dots.shape, 1.0)


def timed_row(path: Path, diameter_px: float) -> list[object]:
    """Return processor seconds of preparing and finding, and what was found."""
    micrograph = write_scene(path, diameter_px)
    options = HydraPickOptions(particle_diameter_A=diameter_px)
    picker = load_picker(general_model(), options)
    picker.find(picker.prepare(micrograph))
    times = []
    for _ in range(_REPEATS):
        started = time.process_time()
        prepared = picker.prepare(micrograph)
        between = time.process_time()
        found = picker.find(prepared)
        times.append((between - started, time.process_time() - between))
    prepare, find = np.median(times, axis=0)
    seconds = [f"{each:.2f} s" for each in (prepare, find, prepare + find)]
    return [f"{diameter_px:g} px", *seconds, len(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("diameters", nargs="*", type=float, default=[200.0, 100.0])
    arguments = parser.parse_args()
    print(describe_machine(), "\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scene.mrc")
        rows = [timed_row(path, each) for each in arguments.diameters]
    header = ["particles", "prepare", "find", "together", "places"]
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
