# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and peak memory of whole stages on EMPIAR-10017.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.speed.stages OUT [name=value ...]

First jobs of scoring, each in a process of its own as Scipion starts them: other
batches, and twenty times as many micrographs (the 12, repeated), which must not take
more memory. Then the whole workflow on trio B, with any settings of the command. Ten
minutes, 2 GB in OUT.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from benchmarks.consensus.real_data import cost_table, run_project
from benchmarks.sets.real_sets import BOX_SIZE, SAMPLING_RATE, RealSet, load_set
from benchmarks.sets.tables import markdown_table
from benchmarks.speed.ratios import describe_machine
from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.core import (
    BoxPreprocessing,
    ScoringParameters,
    StackOptions,
    TrainingParameters,
    score,
)
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.requests import ScoreResult
from deepconsensus_plugin.core.deep_consensus.scoring import CPU_BATCH
from deepconsensus_plugin.core.deep_consensus.store import save_model
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.preprocessing import fitting_input_size

_BATCH_SIZES = (8, 16, 32, 64)
_REPEATED = (1, 20)
_BOXES_PER_MICROGRAPH = 100


def scoring_table(real: RealSet, folder: Path) -> str:
    """Return the cost of scoring with other batches, and of more micrographs."""
    model = write_random_model(folder / "model")
    defaults = (CPU_BATCH, _REPEATED[0])
    varied = [(size, defaults[1]) for size in _BATCH_SIZES]
    varied += [(defaults[0], times) for times in _REPEATED]
    rows = []
    for batch_size, times in varied:
        cost = score_repeated(
            real, model, folder / "job", times=times, batch_size=batch_size
        )
        n_micrographs = times * len(real.micrographs)
        n_boxes = n_micrographs * _BOXES_PER_MICROGRAPH
        rate = f"{n_boxes / cost.seconds:.0f}"
        memory = f"{cost.peak_memory_mb:.0f}"
        rows.append([n_micrographs, n_boxes, batch_size, rate, memory])
    header = ["micrographs", "boxes", "batch", "boxes/s", "peak memory, MB"]
    return markdown_table(header, rows)


def score_repeated(
    real: RealSet, model: Path, folder: Path, *, times: int, batch_size: int
) -> StageCost:
    """Score boxes of the micrographs, repeated, in a job, and write their stacks."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies = {
        f"{i:02d}_{micrograph.name}": micrograph
        for i in range(times)
        for micrograph in real.micrographs
    }
    coordinates = {
        name: real.truth[micrograph.name].take(np.arange(_BOXES_PER_MICROGRAPH))
        for name, micrograph in copies.items()
    }
    job = folder / "score.json"
    score(
        [replace(mic, name=name) for name, mic in copies.items()],
        coordinates,
        model,
        folder,
        box_size=BOX_SIZE,
        parameters=ScoringParameters(
            stacks=StackOptions(folder / "stacks"), batch_size=batch_size
        ),
        run_job=lambda request: _run_job(job, request),
    )
    return read_result(job, ScoreResult).timings["score"]


def _run_job(job: Path, request: object) -> None:
    """Run a job in the environment that protocols give it."""
    write_job(job, request)
    prepare_environment()
    from deepconsensus_plugin.plugin import JOBS_MODULE, Plugin

    command = [sys.executable, "-m", JOBS_MODULE, str(job)]
    subprocess.run(command, check=True, env=Plugin.getEnviron(), capture_output=True)


def write_random_model(folder: Path) -> Path:
    """Write an untrained ensemble of the default size."""
    keras.utils.set_random_seed(0)
    parameters = TrainingParameters()
    size = fitting_input_size(BOX_SIZE, SAMPLING_RATE)
    networks = [build_network(input_size=size) for _ in range(parameters.n_models)]
    card = EnsembleCard(
        n_models=len(networks),
        box_size=BOX_SIZE,
        sampling_rate=SAMPLING_RATE,
        preprocessing=BoxPreprocessing(size),
        training=parameters,
        training_sets=[],
    )
    save_model(folder, networks, card)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of models, scores and a project")
    parser.add_argument("settings", nargs="*", help="name=value of the command")
    arguments = parser.parse_intermixed_args()
    real, out = load_set("B"), arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    print(describe_machine(), "\n")
    print(scoring_table(real, out / "scoring"), "\n", flush=True)
    shutil.rmtree(out / "B", ignore_errors=True)
    run_project(real, out / "B", arguments.settings)
    print(cost_table(out / "B" / "summary.json"))


if __name__ == "__main__":
    main()
