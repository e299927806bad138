# SPDX-License-Identifier: GPL-3.0-or-later
"""Classical pickers on real micrographs, given the diameter only.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.pickers

Every peak is written and evaluated, so that average precision and the best threshold
can be compared with the default one, which the picker finds from the scores alone.
Speed is that of picking from files in the page cache in one thread, beside a forward
and an inverse FFT of the same micrographs in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.fft

from benchmarks.sets.picking_sets import (
    HEADER,
    MATCH_RADIUS_IN_BOXES,
    SETS,
    PickingSet,
    lattice_row,
    load,
)
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.metrics import DetectionMetrics, evaluate_detections
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.pickers.classical.learnt_profile import learn_profile
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.picking import pick_micrograph
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult, run
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

_REPEATS = 5

PICKERS = {
    "difference of Gaussians": {"method": PickMethod.GAUSSIANS},
    "correlation, learnt": {"method": PickMethod.CORRELATION},
    "correlation, disc": {
        "method": PickMethod.CORRELATION,
        "reference": Reference.DISC,
    },
    "correlation, ring": {
        "method": PickMethod.CORRELATION,
        "reference": Reference.RING,
    },
}


def figures(
    micrographs: tuple[Micrograph, ...],
    truth: Mapping[str, ScoredCoordinates],
    parameters: PickParameters,
    folder: Path,
    *,
    radius_px: float,
    workers: int = 2,
) -> tuple[PickResult, list[object]]:
    """Return the result of picking, and its figures of `HEADER`."""
    request = PickRequest(
        micrographs, parameters, folder / "peaks", folder / "all.h5", workers=workers
    )
    result = run(request, Progress())
    run(replace(request, threshold=-np.inf), Progress())  # from the same peaks
    found = evaluate_detections(
        read_coordinates(folder / "all.h5"),
        truth,
        radius_px=radius_px,
        threshold=result.threshold,
    )
    return result, figures_of(found, result.threshold)


def figures_of(found: DetectionMetrics, threshold: float) -> list[object]:
    """Return the figures of `HEADER`, of picks accepted from a threshold on."""
    return [
        *(found.n_accepted, found.precision, found.recall, found.f1, threshold),
        *(found.best_f1, found.best_f1_threshold, found.average_precision),
    ]


def figure_table(picking: PickingSet, workers: int) -> str:
    """Return one row a picker, the blind lattice last."""
    micrographs, truth = load(picking)
    radius_px = MATCH_RADIUS_IN_BOXES * picking.box_size
    rows = []
    for name, choices in PICKERS.items():
        parameters = PickParameters(picking.diameter_A, **choices)
        with tempfile.TemporaryDirectory() as folder:
            result, row = figures(
                micrographs,
                truth,
                parameters,
                Path(folder),
                radius_px=radius_px,
                workers=workers,
            )
        rows.append([name if result.is_separated else f"{name} (all peaks)", *row])
    return markdown_table(HEADER.split(","), [*rows, lattice_row(picking)])


def speed_table(picking: PickingSet) -> str:
    """Return micrographs a second, one thread, beside a plain FFT."""
    micrographs, _ = load(picking)
    some = micrographs[:4]

    def transform(micrograph: Micrograph) -> None:
        image = np.asarray(open_micrograph(micrograph.path), dtype=np.float32)
        scipy.fft.irfft2(scipy.fft.rfft2(image), s=image.shape)

    def pick(
        parameters: PickParameters, profile: np.ndarray | None
    ) -> Callable[[Micrograph], ScoredCoordinates]:
        return lambda mic: pick_micrograph(mic, parameters, profile=profile)

    tasks: dict[str, Callable[[Micrograph], object]] = {"FFT and back": transform}
    for name in ("difference of Gaussians", "correlation, learnt"):
        parameters = PickParameters(picking.diameter_A, **PICKERS[name])
        learnt = parameters.is_learnt
        profile = learn_profile(some, parameters, workers=1) if learnt else None
        tasks[name] = pick(parameters, profile)
    seconds = {name: _seconds_each(task, some) for name, task in tasks.items()}
    plain = seconds["FFT and back"]
    rows = [[name, f"{1 / s:.1f}", f"{s / plain:.2f}"] for name, s in seconds.items()]
    return markdown_table(["work", "micrographs/s", "time, in FFTs"], rows)


def _seconds_each(
    task: Callable[[Micrograph], object], micrographs: Sequence[Micrograph]
) -> float:
    """Return the processor time a micrograph, the median of some repeats."""
    times = []
    for _ in range(_REPEATS):
        started = time.process_time()
        for micrograph in micrographs:
            task(micrograph)
        times.append((time.process_time() - started) / len(micrographs))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    for picking in SETS:
        print(f"### {picking.folder}, diameter {picking.diameter_A:g} Å\n")
        print(figure_table(picking, arguments.workers), end="\n\n")
        print(speed_table(picking), end="\n\n")


if __name__ == "__main__":
    main()
