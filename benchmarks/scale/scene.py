# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene of the benchmark of size: thousands of micrographs, all of them one file.

It holds noise of 8 bits. The masks, all usable, are there already: no node looks at
more of an image than a few rows, which tell that there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mrcfile
import numpy as np

from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.pipeline.mask import MaskRequest, origin_of
from deepconsensus_plugin.core.types import (
    DIAMETER_PER_BOX,
    Micrograph,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.files import write_area

SIDE, BOX, SAMPLING_RATE = 4096, 160, 1.0
N_TRUE, N_PICKED, N_FALSE = 160, 150, 50
"""True particles a micrograph, and what each picker finds of them and beside them."""

PICKERS = {
    "one": PickFormat.STAR,
    "two": PickFormat.TOPAZ,
    "three": PickFormat.BOX,
}
_BINNING = 64
_CELLS = SIDE // BOX - 1

Picks = Mapping[str, ScoredCoordinates]


def micrograph_names(n: int) -> list[str]:
    """Return names such as a facility gives."""
    return [f"20261019_FoilHole_{number:05d}_fractions.mrc" for number in range(n)]


def write_micrographs(folder: Path, n: int) -> list[Micrograph]:
    """Write one file of noise, and links to it."""
    folder.mkdir(parents=True)
    whole = folder.parent / "whole.mrc"
    noise = np.random.default_rng(0).normal(0, 20, (SIDE, SIDE)).clip(-99, 99)
    with mrcfile.new(whole, noise.astype(np.int8)) as file:
        file.voxel_size = SAMPLING_RATE
    made = []
    for name in micrograph_names(n):
        (folder / name).hardlink_to(whole)
        made.append(Micrograph(name, folder / name, (SIDE, SIDE), SAMPLING_RATE))
    return made


def write_masks(folder: Path, micrographs: list[Micrograph]) -> None:
    """Write masks that permit everything, as if the job had made them."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = np.zeros((SIDE // _BINNING,) * 2, np.uint8)
    area = UsableArea(kinds, _BINNING, (SIDE, SIDE))
    request = MaskRequest(
        tuple(micrographs), folder, BOX * SAMPLING_RATE * DIAMETER_PER_BOX
    )
    for each in micrographs:
        path = request.path_of(each)
        write_area(path, area, SAMPLING_RATE, made_from=origin_of(request, each))


def draw_picks(names: list[str]) -> tuple[Picks, dict[str, Picks]]:
    """Return the true particles, and the picks of every picker."""
    rng = np.random.default_rng(0)
    truth: dict[str, ScoredCoordinates] = {}
    picks: dict[str, dict[str, ScoredCoordinates]] = {each: {} for each in PICKERS}
    for name in names:
        cells = rng.permutation(_CELLS**2)
        centres = BOX * (np.stack(np.divmod(cells, _CELLS), axis=1) + 1.0)
        true, others = centres[:N_TRUE], centres[N_TRUE:]
        truth[name] = ScoredCoordinates.from_arrays(true)
        for found in picks.values():
            yx = np.concatenate(
                [
                    rng.permutation(true)[:N_PICKED] + rng.normal(0, 4, (N_PICKED, 2)),
                    rng.permutation(others)[:N_FALSE] + rng.normal(0, 4, (N_FALSE, 2)),
                ]
            )
            scores = np.concatenate(
                [rng.normal(2, 1, N_PICKED), rng.normal(0, 1, N_FALSE)]
            )
            found[name] = ScoredCoordinates.from_arrays(yx, scores)
    return truth, dict(picks)


def write_picks(folder: Path, picks: dict[str, Picks], truth: Picks) -> None:
    """Write what pickers found, each in its own format, and the truth as boxes."""
    for name, pick_format in (*PICKERS.items(), ("truth", PickFormat.BOX)):
        found = truth if name == "truth" else picks[name]
        if pick_format is PickFormat.TOPAZ:
            (folder / name).mkdir(parents=True)
            path = folder / name / f"picks{pick_format.extension}"
            write_merged_picks(path, found, box_size=BOX, pick_format=pick_format)
        else:
            write_picks_folder(
                folder / name, found, box_size=BOX, pick_format=pick_format
            )
