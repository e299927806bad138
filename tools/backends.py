# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores by JAX and PyTorch beside those by TensorFlow, for every kind of model.

``make test-backends``. Each backend gets a process of its own, since Keras chooses it
once; there it scores boxes and picks with the small models of ``tests/stored``, and
picks with the general model. Compared are the scores of the same boxes and of the same
picks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

BACKENDS = ("tensorflow", "jax", "torch")
LARGEST_DIFFERENCE = 1e-3
"""Of scores, relative to their spread; what the tests of stored models allow."""

_NEAR_PX = 1.5


def main(words: list[str]) -> int:
    """Compare all backends, or be the process of one; 0 if all agree."""
    if words[:1] == ["--score"]:
        print(json.dumps(score_all(Path(words[1]))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = {name: _ask(name, Path(folder) / name) for name in BACKENDS}
    print(f"{'kind of model':24} {'scores':>7}  largest difference to TensorFlow's")
    faults = 0
    for kind, reference in found["tensorflow"]["scores"].items():
        parts = []
        for name in BACKENDS[1:]:
            difference = compare(reference, found[name]["scores"][kind])
            faults += difference > LARGEST_DIFFERENCE
            parts.append(f"{name} {difference:.1e}")
        print(f"{kind:24} {len(reference['score']):7}  {', '.join(parts)}")
    for name in BACKENDS:
        print(f"{name} {found[name]['version']}: {found[name]['seconds']:.0f} s")
    print("All agree." if not faults else f"{faults} differ.")
    return 1 if faults else 0


def _ask(backend: str, folder: Path) -> dict:
    """Return the scores of a backend, from a process of its own."""
    environ = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}
    answer = subprocess.run(
        [sys.executable, "-m", "tools.backends", "--score", str(folder)],
        env={**environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def compare(expected: dict, received: dict) -> float:
    """Return the largest difference of scores, relative to their spread.

    Infinite where picks of one are not among those of the other.
    """
    scores = np.asarray(received["score"])
    if len(scores) != len(expected["score"]):
        return float("inf")
    if "yx" in expected:
        distance, nearest = cKDTree(received["yx"]).query(expected["yx"])
        if distance.max() > _NEAR_PX:
            return float("inf")
        scores = scores[nearest]
    reference = np.asarray(expected["score"])
    return float(np.abs(scores - reference).max() / np.ptp(reference))


def score_all(folder: Path) -> dict:
    """Return the scores of all models by the backend of this process."""
    import keras

    from deepconsensus_plugin.core.io.scores import read_scores
    from deepconsensus_plugin.core.jobs import run_job
    from deepconsensus_plugin.core.networks.versions import used_versions
    from deepconsensus_plugin.tests.stored_models import KINDS, unpack_stored

    start = time.monotonic()
    folder.mkdir()
    unpack_stored(folder)
    os.chdir(folder)  # paths of the jobs are relative
    boxes = read_scores(run_job(Path("jobs/score.json")).scores).mean
    found = {"deep_consensus, boxes": {"score": boxes.tolist()}}
    for kind in KINDS:
        found[f"{kind}, picks"] = _picks(Path(f"jobs/pick_with_{kind}.json"))
    found["hydra, general model"] = _picks(_general_job())
    return {
        "scores": found,
        "version": used_versions()[keras.backend.backend()],
        "seconds": time.monotonic() - start,
    }


def _picks(job: Path) -> dict:
    """Return positions and scores of what a job picks."""
    from deepconsensus_plugin.core.io.tables import read_coordinates
    from deepconsensus_plugin.core.jobs import run_job

    (found,) = read_coordinates(run_job(job).coordinates).values()
    return {"yx": found.yx.tolist(), "score": found.scores.tolist()}


def _general_job() -> Path:
    """Return a job that picks with the model that comes with the package."""
    from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model

    plain = json.loads(Path("jobs/pick_with_hydra.json").read_text())
    plain["request"] |= {"model": str(general_model()), "found": "found/general"}
    plain["request"]["result"] = "picks_general.h5"
    job = Path("jobs/pick_with_general.json")
    job.write_text(json.dumps(plain))
    return job


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
