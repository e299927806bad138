# SPDX-License-Identifier: GPL-3.0-or-later
"""Real sets of micrographs with a truth, and what a user knows of their particles.

Their folders lie beside each other where ``DEEPCONSENSUS_DATA`` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.sets.real_sets import BOX_SIZE, SAMPLING_RATE, data_folder
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

MATCH_RADIUS_IN_BOXES = 0.25
HEADER = "picker,n,precision,recall,F1,threshold,best F1,at score,AP"


@dataclass(frozen=True)
class PickingSet:
    """Set of micrographs, and what a user would know of the particle."""

    folder: str
    sampling_rate: float
    box_size: int
    diameter_A: float


SETS = (
    PickingSet("apoferritin", 1.5, 100, 120.0),
    PickingSet("empiar10017", SAMPLING_RATE, BOX_SIZE, 160.0),
)


def load(
    picking: PickingSet,
) -> tuple[tuple[Micrograph, ...], dict[str, ScoredCoordinates]]:
    """Return the micrographs of a set and their true centres."""
    root = data_folder().parent / picking.folder
    micrographs = tuple(
        Micrograph(path.name, path, read_shape(path), picking.sampling_rate)
        for path in sorted((root / "micrographs").glob("*.mrc"))
    )
    truth = read_picks_folder(
        root / "truth",
        micrographs,
        picker="truth",
        options=ReadOptions(box_size=picking.box_size),
    )
    return micrographs, dict(truth.coordinates)


def lattice_row(picking: PickingSet) -> list[object]:
    """Return the row, under `HEADER`, of a lattice that never saw the images."""
    micrographs, truth = load(picking)
    blind = evaluate_blind_lattice(
        truth,
        {micrograph.name: micrograph.shape for micrograph in micrographs},
        box_size=picking.box_size,
        radius_px=MATCH_RADIUS_IN_BOXES * picking.box_size,
    )
    scores = (blind.n_picks, blind.precision, blind.recall, blind.f1)
    return ["blind lattice", *scores, *[None] * 4]
