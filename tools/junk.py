# SPDX-License-Identifier: GPL-3.0-or-later
"""Junk that comes with the package: simulated images without any particle.

``python -m tools.junk`` simulates micrographs without particles, with films and
crystals of many kinds, and cuts images at the edges of carbon film, at ice crystals and
in empty ice. It writes ``deepconsensus_plugin/junk``: a stack in 8 bits, light on dark,
and its STAR. The same command gives the same bytes; it takes two minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.atomic import whole_file, write_text
from deepconsensus_plugin.core.pick_files.star_blocks import star_table
from deepconsensus_plugin.core.preprocessing import fourier_resize, normalise_background
from deepconsensus_plugin.core.simulation.micrograph import (
    SimulatedMicrograph,
    simulate_micrograph,
)
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.sample import Contamination, Crowd
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

FOLDER = Path(__file__).parents[1] / "deepconsensus_plugin" / "junk"
STACK, STAR = "junk.mrcs", "junk.star"

_RATE, _SIDE, _BINNING = 2.5, 192, 2
_WANTED = {"carbon edge": 36, "ice crystal": 36, "empty ice": 28}
_LEVELS, _MOST = 25, 127
"""Levels per deviation of the background, and the highest level of 8 bits."""

_PARAMETERS = SimulationParameters(
    shape=(1024, 1024),
    sampling_rate=_RATE,
    crowd=replace(Crowd(), particles_per_micrograph=0, aggregates=0.0),
    contamination=Contamination(
        carbon_probability=0.5,
        ice_crystals=6.0,
        ethane_blobs=0.0,
        gold_beads=0.0,
        film_variety=0.5,
        ice_variety=0.5,
    ),
    seed=20_261_201,
)


def draw_places(
    micrograph: SimulatedMicrograph, rng: np.random.Generator, n: int
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield kinds and centres of boxes, at most `n` of each kind."""
    area, half = micrograph.contamination, _SIDE // 2
    centres = rng.integers(half, np.array(area.shape) - half, (200, 2))
    left = dict.fromkeys(_WANTED, n)
    for y, x in centres:
        inside = area[y - half : y + half, x - half : x + half]
        middle = inside[half // 2 : -half // 2, half // 2 : -half // 2]
        kind = _kind_of(inside, middle)
        if kind is not None and left[kind]:
            left[kind] -= 1
            yield kind, np.array([y, x])


def _kind_of(inside: NDArray[np.uint8], middle: NDArray[np.uint8]) -> str | None:
    carbon = float((middle == AreaKind.CARBON).mean())
    if 0.2 < carbon < 0.8:
        return "carbon edge"
    if carbon == 0 and (middle == AreaKind.ICE).mean() > 0.15:
        return "ice crystal"
    return None if inside.any() else "empty ice"


def make_junk() -> tuple[NDArray[np.int8], list[str]]:
    """Return the images, light on dark, sorted by kind, and the kind of each."""
    rng = np.random.default_rng(_PARAMETERS.seed)
    found: dict[str, list[NDArray[np.float32]]] = {kind: [] for kind in _WANTED}
    for index in range(200):
        if all(len(found[kind]) >= n for kind, n in _WANTED.items()):
            break
        micrograph = simulate_micrograph(_PARAMETERS, index)
        for kind, yx in draw_places(micrograph, rng, 3):
            (box,) = extract_boxes(micrograph.image, yx[None], _SIDE)
            found[kind].append(box)
    kinds = [kind for kind, n in _WANTED.items() for _ in range(n)]
    boxes = np.stack([b for kind, n in _WANTED.items() for b in found[kind][:n]])
    small = fourier_resize(boxes, _SIDE // _BINNING)
    return _in_8_bits(normalise_background(small, invert=True)), kinds


def _in_8_bits(boxes: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return images in whole levels; those of high contrast in larger steps."""
    highest = np.abs(boxes).max(axis=(1, 2), keepdims=True)
    scaled = boxes * np.minimum(_LEVELS, _MOST / highest)
    return np.rint(scaled).astype(np.int8)


def write_junk(folder: Path) -> None:
    """Write the stack and its STAR into a folder."""
    images, kinds = make_junk()
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / STACK) as partial:
        with mrcfile.new(partial, images, overwrite=True) as file:
            file.set_image_stack()
            file.voxel_size = _RATE * _BINNING
            file.header.label[0] = "simulated junk"
            file.header.nlabl = 1
    rows = [
        (f"{number:06d}@{STACK}", f"{_RATE * _BINNING:g}", f'"{kind}"')
        for number, kind in enumerate(kinds, start=1)
    ]
    columns = ("rlnImageName", "rlnImagePixelSize", "rlnComment")
    write_text(folder / STAR, star_table("particles", columns, rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    write_junk(parser.parse_args().out)
