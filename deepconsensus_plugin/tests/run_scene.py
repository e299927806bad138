# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene for the tests of the command run, and the command on it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    pick,
    write_folder,
    write_micrographs,
)

N_MICROGRAPHS, N_PARTICLES = 3, 20


def make_scene(folder: Path) -> Path:
    """Write micrographs, two pickers (one not run on the last) and the truth.

    A picker is called as the protocol that selects is.
    """
    names = [f"mic_{i}.mrc" for i in range(N_MICROGRAPHS)]
    truth = write_micrographs(folder / "mics", names, n=N_PARTICLES)
    for seed, picker in enumerate(("alpha", "particles")):
        picks = pick(truth, seed=seed, recall=0.9, jitter_px=1.5, n_false=4)
        if picker == "particles":
            del picks[names[-1]]
        write_folder(folder / picker, picks)
    exact = {name: ScoredCoordinates.from_arrays(yx) for name, yx in truth.items()}
    write_folder(folder / "truth", exact)
    return folder


def run_command(scene: Path, *, project: str = "project", **changes) -> list[str]:
    """Return the command with quick settings, and others by name."""
    command = [sys.executable, "-m", "deepconsensus_plugin", "run", "deep_consensus"]
    settings = {
        "micrographs": f"{scene}/mics/*.mrc",
        "samplingRate": SAMPLING_RATE,
        "picks": f"{scene}/alpha,{scene}/particles",
        "boxSize": BOX,
        "nEpochs": 1,
        "nModels": 1,
        "network.batchSize": 16,
        "truth": f"{scene}/truth",
        **changes,
    }
    given = [f"{name}={value}" for name, value in settings.items()]
    return [*command, *given, "--project", str(scene / project)]


def run(scene: Path, **changes) -> subprocess.CompletedProcess:
    """Run the command to its end, in a process of its own."""
    command = run_command(scene, **changes)
    return subprocess.run(command, check=False, capture_output=True, text=True)


def run_and_kill(scene: Path, *, when: str, **changes) -> None:
    """Kill the command, in a process of its own, a moment after it says `when`.

    What it started goes on.
    """
    command = run_command(scene, **changes)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as killed:
        assert any(when in line for line in killed.stderr)
        time.sleep(1)
        killed.kill()


def run_here(scene: Path, **changes) -> int:
    """Run the command to its end in this process; return its exit status.

    The project becomes the working directory.
    """
    _python, _m, _package, *words = run_command(scene, **changes)
    with launched_here():
        return main(words)
