# SPDX-License-Identifier: GPL-3.0-or-later
"""Usable area of real sets: what masks cover, true particles lost, and F1 of picks.

    python -m benchmarks.hydra.area OUT

Picks are those of the general HydraPicker, at the threshold that each sample gives: of
all maxima, without those in padding, and without those on contamination too. Prints CSV
tables; what OUT holds is not computed again.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.hydra.rows import hydra_request
from benchmarks.sets.picking_sets import (
    MATCH_RADIUS_IN_BOXES,
    SETS,
    PickingSet,
    load,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pipeline import mask, network_pick
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.usable_area.files import area_path, read_area
from deepconsensus_plugin.core.usable_area.finding import find_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_LARGE, _DIAMETERS = 4096, (25, 60, 150, 300)
_KINDS = tuple(kind for kind in AreaKind if kind != AreaKind.USABLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--masks", action="store_true", help="no picking")
    asked = parser.parse_args()
    for each in SETS:
        folder = asked.out / each.folder
        folder.mkdir(parents=True, exist_ok=True)
        describe_masks(each, folder)
        if not asked.masks:
            describe_picks(each, folder)
    describe_speed()


def describe_masks(each: PickingSet, folder: Path) -> None:
    """Print the area of each kind, and the true particles on it."""
    micrographs, truth = load(each)
    request = mask.MaskRequest(micrographs, folder / "masks", each.diameter_A)
    mask.run(request, Progress())
    areas = {m.name: read_area(area_path(request.folder, m.name)) for m in micrographs}
    on = np.concatenate([areas[name].kind_at(yx.yx) for name, yx in truth.items()])
    print("set,kind,share of the area,true particles on it,share of all")
    for kind in _KINDS:
        share = np.mean([(area.kinds == kind).mean() for area in areas.values()])
        lost = int((on == kind).sum())
        print(f"{each.folder},{kind.label},{share:.4f},{lost},{lost / len(on):.4f}")


def describe_picks(each: PickingSet, folder: Path) -> None:
    """Print precision, recall and F1 of the picks everywhere and on usable area."""
    micrographs, truth = load(each)
    request = hydra_request(micrographs, each.diameter_A, folder, model=general_model())
    print("set,picks on,n,precision,recall,F1,threshold,from")
    radius_px = MATCH_RADIUS_IN_BOXES * each.box_size
    for area, avoid in (("everywhere", None), ("recorded", False), ("usable", True)):
        result = pick_on(request, avoid)
        matched = match_picks(
            read_coordinates(result.coordinates), truth, radius_px=radius_px
        )
        figures = summarise_matches(matched)
        print(
            f"{each.folder},{area},{result.n_picks},{figures.precision:.3f},"
            f"{figures.recall:.3f},{figures.f1:.3f},{result.threshold:.2f},"
            f"{result.origin.name.lower()}",
            flush=True,
        )


def describe_speed() -> None:
    """Print the processor time of the mask of a large micrograph, by the diameter."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(0, 20, (_LARGE, _LARGE)).astype(np.float32)
    print("rows and columns,diameter (px),seconds")
    for diameter in _DIAMETERS:
        started = time.process_time()
        find_area(pixels, sampling_rate=1.0, diameter_A=diameter)
        print(f"{_LARGE},{diameter},{time.process_time() - started:.2f}")


def pick_on(request: NetworkPickRequest, avoid: bool | None) -> NetworkPickResult:
    """Pick on usable area; None for `avoid` is everywhere, also in padding."""
    if avoid is not None:
        request = replace(request, avoid_contamination=avoid)
        return network_pick.run(request, Progress())
    with patch.object(network_pick, "_on_usable_area", lambda _, __, found: found):
        return network_pick.run(request, Progress())


if __name__ == "__main__":
    main()
