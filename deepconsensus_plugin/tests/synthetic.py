# SPDX-License-Identifier: GPL-3.0-or-later
"""Small micrographs with discs, pickers that err, and a Scipion project around them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import Coordinate, SetOfCoordinates, SetOfMicrographs
from pwem.protocols import EMProtocol, ProtImportMicrographs
from pyworkflow.tests import BaseTest, setupTestProject

from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_picks
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates
from deepconsensus_plugin.protocols import ProtImportPicks
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.small_network import small_networks

SHAPE = (384, 512)
"""Rows and columns: rectangular, so that an exchange of x and y shows."""

BOX = 40
SAMPLING_RATE = 2.5
N_MICROGRAPHS = 4

Positions = dict[str, FloatArray]


def draw_particles(
    rng: np.random.Generator, n: int, *, shape: tuple[int, int] = SHAPE, box: int = BOX
) -> FloatArray:
    """Return `n` whole centres more than a box apart, boxes inside, shape (n, 2)."""
    centres = np.empty((0, 2))
    while len(centres) < n:
        centre = rng.integers((box, box), np.subtract(shape, box))
        if (np.hypot(*(centres - centre).T) > box).all():
            centres = np.vstack([centres, centre])
    return centres


def write_micrograph(
    path: Path,
    yx: FloatArray,
    rng: np.random.Generator,
    *,
    shape: tuple[int, int] = SHAPE,
    radius: float = BOX / 4,
) -> None:
    """Write dark discs at `yx` in noise."""
    image = rng.normal(0, 1, shape).astype(np.float32)
    rows, columns = np.indices(shape)
    for y, x in yx:
        image[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] -= 2
    with mrcfile.new(path, image) as file:
        file.voxel_size = SAMPLING_RATE


def write_micrographs(
    folder: Path, names: Sequence[str], *, seed: int = 0, n: int = 25, **options
) -> Positions:
    """Write micrographs with `n` particles each; return the true centres by name."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    truth = {}
    for name in names:
        truth[name] = draw_particles(rng, n, shape=options.get("shape", SHAPE))
        write_micrograph(folder / name, truth[name], rng, **options)
    return truth


def pick(
    truth: Mapping[str, FloatArray],
    *,
    seed: int,
    recall: float = 1.0,
    jitter_px: float = 0.0,
    n_false: int = 0,
) -> dict[str, ScoredCoordinates]:
    """Return what a picker would find; true picks have the higher scores."""
    rng = np.random.default_rng(seed)
    picks = {}
    for name, yx in truth.items():
        found = yx[rng.random(len(yx)) < recall]
        found = found + rng.uniform(-jitter_px, jitter_px, found.shape)
        false = rng.uniform((BOX, BOX), np.subtract(SHAPE, BOX), (n_false, 2))
        scores = [*rng.uniform(0.5, 1, len(found)), *rng.uniform(0, 0.5, n_false)]
        picks[name] = ScoredCoordinates.from_arrays(
            np.concatenate([found, false]), scores
        )
    return picks


def write_folder(
    folder: Path, picks: Mapping[str, ScoredCoordinates], *, box: int = BOX
) -> Path:
    """Write one ``.box`` file per micrograph."""
    folder.mkdir(parents=True)
    for name, coordinates in picks.items():
        write_picks(
            folder / f"{Path(name).stem}.box",
            coordinates,
            box_size=box,
            pick_format=PickFormat.BOX,
            micrograph=name,
        )
    return folder


def positions_of(coordinates: SetOfCoordinates) -> dict[str, list[tuple[int, int]]]:
    """Return Scipion's whole (x, y) by micrograph, in the order of items."""
    positions: dict[str, list[tuple[int, int]]] = {}
    for item in coordinates.iterItems():
        positions.setdefault(item.getMicName(), []).append(item.getPosition())
    return positions


def first_items(coordinates: SetOfCoordinates, n: int = 1) -> list[Coordinate]:
    """Return copies of the first items."""
    items = []
    for item in coordinates.iterItems(limit=n):
        items.append(item.clone())
    return items


class SyntheticProject(BaseTest):
    """A Scipion project with imported micrographs; `truth` holds their particles.

    What is trained and scored in this process are small networks, unless a class says
    `published_networks`.
    """

    published_networks = False

    names = tuple(f"mic_{number}.mrc" for number in range(1, N_MICROGRAPHS + 1))

    @classmethod
    def setUpClass(cls):
        if not cls.published_networks:
            small = small_networks()
            small.__enter__()
            cls.addClassCleanup(small.__exit__, None, None, None)
        setupTestProject(cls)
        cls.data = Path(cls.getOutputPath("data"))
        shutil.rmtree(cls.data, ignore_errors=True)  # of an earlier run
        cls.truth = write_micrographs(cls.data / "micrographs", cls.names)
        cls.micrographs = cls.importMicrographs(cls.data / "micrographs")

    @classmethod
    def launchProtocol(
        cls, prot: EMProtocol, *, process: bool = False, **options
    ) -> EMProtocol:
        """Run a protocol to its end, in this process unless it shall have its own."""
        with nullcontext() if process else launched_here():
            return super().launchProtocol(prot, **options)

    @classmethod
    def importMicrographs(
        cls, folder: Path, *, samplingRate: float = SAMPLING_RATE
    ) -> SetOfMicrographs:
        protocol = cls.newProtocol(
            ProtImportMicrographs,
            filesPath=str(folder),
            filesPattern="*.mrc",
            samplingRate=samplingRate,
            voltage=300,
        )
        cls.launchProtocol(protocol)
        return protocol.outputMicrographs

    @classmethod
    def importPicks(
        cls,
        name: str,
        picks: Mapping[str, ScoredCoordinates],
        *,
        micrographs: SetOfMicrographs | None = None,
        **options,
    ) -> ProtImportPicks:
        protocol = cls.newProtocol(
            ProtImportPicks,
            inputMicrographs=micrographs or cls.micrographs,
            filesPath=str(write_folder(cls.data / name, picks)),
            **options,
        )
        cls.launchProtocol(protocol)
        return protocol
