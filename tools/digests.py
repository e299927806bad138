# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of the results of four templates on a small scene, before and after a change.

``python -m tools.digests FOLDER`` runs each template once, with fixed seeds and one
thread, and prints the SHA-256 of its ``scores.csv`` or of its coordinates. A change
that must not change numbers prints the same lines on the same machine.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from deepconsensus_plugin.tests.run_scene import make_scene
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE

_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"),
)

_SHORT = {"nEpochs": 2, "batchSize": 16}


def _short(*trainings: str) -> dict[str, object]:
    """Return the settings of short trainings, by their protocols' labels."""
    return {
        f"{label}.{name}": value
        for label in trainings
        for name, value in _SHORT.items()
    }


_NETWORK = {"nModels": 1, "boxSize": BOX}

RUNS: dict[str, dict[str, object]] = {
    "deep_consensus": {**_NETWORK, **_short("network"), "picks": "alpha,particles"},
    "topaz": {
        **_NETWORK,
        **_short("Topaz", "network"),
        **{"labels": "truth", "updatesPerEpoch": 30, "nUnits": 4},
    },
    "deepem": {
        **_NETWORK,
        **_short("DeepEM", "network"),
        **{"labels": "truth", "nRounds": 1},
    },
    "pick_without_training": {"particleDiameter": BOX * SAMPLING_RATE * 2 / 3},
}
"""Settings of each template; folders are those of the scene."""

_FOLDERS = ("picks", "labels")


def digest_runs(folder: Path, templates: list[str]) -> dict[str, str]:
    """Return the digest of each template's result; projects are left in `folder`."""
    scene = folder / "scene"
    if not scene.exists():
        make_scene(scene)
    return {name: _digest(_run(scene, name)) for name in templates}


def _run(scene: Path, template: str) -> Path:
    project = scene.parent / template
    settings: dict[str, object] = {
        "micrographs": f"{scene}/mics/*.mrc",
        "samplingRate": SAMPLING_RATE,
        **RUNS[template],
    }
    for name in _FOLDERS:
        if name in settings:
            paths = str(settings[name]).split(",")
            settings[name] = ",".join(f"{scene}/{path}" for path in paths)
    words = [f"{name}={value}" for name, value in settings.items()]
    command = [sys.executable, "-m", "deepconsensus_plugin", "run", template, *words]
    subprocess.run(
        [*command, "--project", str(project)],
        check=True,
        stdout=sys.stderr,
        env=os.environ | dict.fromkeys(_THREADS, "1"),
    )
    return project


def _digest(project: Path) -> str:
    table = project / "scores.csv"
    if not table.exists():
        exported = project.parent / f"{project.name}-picks"
        subprocess.run(
            [
                *(sys.executable, "-m", "deepconsensus_plugin", "export"),
                *(str(project), "--format", "csv", "--out", str(exported)),
            ],
            check=True,
            stdout=sys.stderr,
        )
        content = b"".join(path.read_bytes() for path in sorted(exported.iterdir()))
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(table.read_bytes()).hexdigest()


def main() -> None:
    """Print a line a template: its digest and its name."""
    folder, *templates = sys.argv[1:]
    results = digest_runs(Path(folder), templates or [*RUNS])
    for template, digest in results.items():
        print(f"{digest}  {template}")


if __name__ == "__main__":
    main()
