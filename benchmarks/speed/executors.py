# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers of a dask scheduler and processes against threads: speed, bits, a kill.

    python -m benchmarks.speed.executors [--micrographs N]

Boxes are cut, resampled and normalised for N micrographs of noise of 4096², 300 of
400 px each to 64, in turn by two threads, two processes and two workers of one thread
each of a local scheduler. Prints micrographs a second and processor seconds a
micrograph of each, medians of three; compares every result; then kills a worker in the
middle and compares again. The first round, in which workers import and are warmed, is
not counted.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dask
import mrcfile
import numpy as np
import psutil
from distributed import LocalCluster
from threadpoolctl import threadpool_limits

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.execution import Executor, Threads
from deepconsensus_plugin.core.execution.dask_scheduler import DaskWorkers
from deepconsensus_plugin.core.execution.processes import Processes
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, prepare_boxes
from deepconsensus_plugin.core.types import FloatArray, Micrograph

_SIDE, _BOX, _INPUT, _N_BOXES = 4096, 400, 64, 300
_ROUNDS, _WORKERS = 3, 2

_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
    "OMP_NUM_THREADS": "1",
}
"""Environment of workers, as that of our jobs (`plugin`)."""

Item = tuple[Micrograph, FloatArray]


def items_in(folder: Path, n: int) -> list[Item]:
    """Write micrographs of noise, and return them with places."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(n):
        path = folder / f"{number}.mrc"
        mrcfile.write(path, rng.normal(size=(_SIDE, _SIDE)).astype(np.float32))
        yx = rng.uniform(_BOX, _SIDE - _BOX, (_N_BOXES, 2))
        items.append((Micrograph(path.name, path, (_SIDE, _SIDE), 1.0), yx))
    return items


def cut(preprocessing: BoxPreprocessing, item: Item) -> np.ndarray:
    """Return the prepared boxes of a micrograph."""
    parts = cut_boxes(*item, _BOX, phase_flip=False)
    return np.concatenate([prepare_boxes(boxes, preprocessing) for boxes in parts])


def results(executor: Executor, items: list[Item]) -> Iterator[np.ndarray]:
    """Return the boxes of all micrographs, cut by an executor."""
    work = functools.partial(cut, BoxPreprocessing(input_size=_INPUT))
    return executor.map(work, items, workers=_WORKERS)


def digest_of(found: Iterator[np.ndarray]) -> str:
    hasher = hashlib.sha256()
    for boxes in found:
        hasher.update(boxes.tobytes())
    return hasher.hexdigest()


def processor_seconds() -> float:
    """Return what this process and all that it started, and ended, have computed."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        total += sum(times[:4])
    return total


def killed_digest(items: list[Item]) -> str:
    """Return the digest where a worker is killed after the second result."""
    with new_cluster() as cluster, DaskWorkers(cluster.scheduler_address) as workers:
        victim = min(workers._client.run(os.getpid).values())

        def killing() -> Iterator[np.ndarray]:
            for number, boxes in enumerate(results(workers, items)):
                if number == 1:
                    os.kill(victim, signal.SIGKILL)
                yield boxes

        return digest_of(killing())


def new_cluster() -> LocalCluster:
    # By default workers give memory back after every array, and clear it again.
    dask.config.set({"distributed.nanny.pre-spawn-environ": _KEEP_MEMORY})
    return LocalCluster(
        n_workers=_WORKERS,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    )


def compare(items: list[Item]) -> None:
    with new_cluster() as cluster, DaskWorkers(cluster.scheduler_address) as workers:
        executors = {
            "threads": Threads(),
            "processes": Processes(),
            "dask, 2 worker processes": workers,
        }
        wall: dict[str, list[float]] = {name: [] for name in executors}
        used: dict[str, list[float]] = {name: [] for name in executors}
        digests = {}
        for number in range(_ROUNDS + 1):
            for name, executor in executors.items():
                began, before = time.perf_counter(), processor_seconds()
                digests[name] = digest_of(results(executor, items))
                if number:
                    wall[name].append(time.perf_counter() - began)
                    used[name].append(processor_seconds() - before)
    expected = digests["threads"]
    killed = killed_digest(items)
    rows = []
    for name in executors:
        ratios = [t / own for t, own in zip(wall["threads"], wall[name], strict=True)]
        rows.append(
            [
                name,
                f"{len(items) / statistics.median(wall[name]):.2f}",
                f"{statistics.median(used[name]) / len(items):.2f} s",
                f"{statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} – {max(ratios):.2f})",
                "the same" if digests[name] == expected else "other",
            ]
        )
    header = ["executor", "micrographs/s", "CPU a micrograph", "speed, threads = 1"]
    print(markdown_table([*header, "boxes, to the bit"], rows))
    print(
        "\nA worker killed in the middle: boxes "
        + ("the same, none lost" if killed == expected else "OTHER")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--micrographs", type=int, default=24)
    n = parser.parse_args().micrographs
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        compare(items_in(Path(folder), n))


if __name__ == "__main__":
    main()
