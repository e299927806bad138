# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory of picking with a HydraPicker at 4096².

Jobs in processes of their own, as Scipion starts them, of one micrograph and of more:
their difference is what a micrograph takes when the network is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.types import Micrograph

SIDE = 4096
_RATE_A = 1.0
_DIAMETERS_A = (100.0, 200.0)
_MORE = 4


def speed_table(model: Path, folder: Path) -> str:
    """Return one row a diameter: the smaller a particle, the more is looked at."""
    rows = []
    for diameter in _DIAMETERS_A:
        one, more = (_pick(model, diameter, n, folder) for n in (1, _MORE))
        seconds = (more.seconds - one.seconds) / (_MORE - 1)
        rows.append(
            [
                *(f"{diameter / _RATE_A:.0f}", f"{1 / seconds:.2f}"),
                *(f"{seconds:.1f}", f"{more.peak_memory_mb:.0f}"),
            ]
        )
    header = [f"diameter px ({SIDE}²)", "micrographs/s", "s each", "peak MiB"]
    return markdown_table(header, rows)


def _pick(
    model: Path, diameter_A: float, n_micrographs: int, folder: Path
) -> StageCost:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    request = NetworkPickRequest(
        tuple(_micrograph(folder, seed) for seed in range(n_micrographs)),
        model.resolve(),
        folder / "found",
        folder / "picks.h5",
        options=HydraPickOptions(GENERAL, diameter_A),
    )
    job = folder / "pick.json"
    write_job(job, request)
    command = [sys.executable, "-m", "deepconsensus_plugin.core.jobs", str(job)]
    subprocess.run(command, check=True, capture_output=True)
    cost = read_result(job, NetworkPickResult).timings["pick"]
    shutil.rmtree(folder)
    return cost


def _micrograph(folder: Path, seed: int) -> Micrograph:
    """Write noise: what is found does not decide the cost."""
    path = folder / f"noise_{seed}.mrc"
    noise = np.random.default_rng(seed).normal(0, 30, (SIDE, SIDE))
    write_micrograph(path, noise, PixelType.INT16, sampling_rate=_RATE_A)
    return Micrograph(path.name, path, (SIDE, SIDE), _RATE_A)
