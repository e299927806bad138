# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed ratios of equivalent computations, timed alternately in one run.

    python -m benchmarks.speed.ratios OUT [NAME ...]

Each pair is run once to warm up and then in turn; a ratio is that of two neighbours.
CPU time counts all threads and says the same on a machine that others use too, wall
time does not. Prints a table of docs/performance.md, and draws it as OUT/speed.png.
About seven minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from benchmarks.sets.tables import markdown_table
from benchmarks.speed.pair import Pair, Run
from benchmarks.speed.pairs import BENCHMARKS
from deepconsensus_plugin.core.networks.convolution import current_device

_REPEATS = 5


@dataclass(frozen=True, eq=False)
class Measured:
    """A pair's times: r repeats, of ours and the other, CPU and wall seconds.

    Parameters
    ----------
    pair : Pair
        What was run.
    seconds : array, shape (r, 2, 2)
        Repeat, way, clock.
    """

    pair: Pair
    seconds: NDArray[np.float64]

    @property
    def ratios(self) -> NDArray[np.float64]:
        """Speed-up of ours, shape (3, 2): median, least, most; clock."""
        each = self.seconds[:, 1] / self.seconds[:, 0]
        return np.stack([np.median(each, axis=0), each.min(0), each.max(0)])

    def row(self) -> list[object]:
        """Return the cells of its row."""
        cpu = np.median(self.seconds[:, 0, 0])
        ratios = [
            f"{median:.2f} ({least:.2f} – {most:.2f})"
            for median, least, most in self.ratios.T
        ]
        return [self.pair.name, f"{cpu:.2f} s", *ratios, self.pair.agreement]


def measure(pair: Pair) -> Measured:
    """Run both ways in turn."""
    pair.ours(), pair.other()
    seconds = [[_seconds(pair.ours), _seconds(pair.other)] for _ in range(_REPEATS)]
    return Measured(pair, np.array(seconds))


def draw(names: Sequence[str], ratios: NDArray[np.float64], path: Path) -> None:
    """Draw ratios, shape (n, 3): median, least and most, as a picture file."""
    figure = Figure(figsize=(8, 0.4 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    median, least, most = ratios.T
    axes.errorbar(
        median,
        range(len(names)),
        xerr=(median - least, most - median),
        fmt="o",
        color="black",
        capsize=4,
    )
    axes.axvline(1, color="0.6")
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("times faster: CPU time, median and range")
    axes.invert_yaxis()
    figure.savefig(path, dpi=100)


def describe_machine() -> str:
    """Return one sentence of hardware and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy")
    )
    return (
        f"{os.cpu_count()} cores of {(models or [platform.processor()])[0]}, "
        f"{current_device().value}; {packages}; load {os.getloadavg()[0]:.1f}."
    )


def _seconds(run: Run) -> tuple[float, float]:
    """Return CPU and wall time of a run."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="folder of the picture")
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(describe_machine(), "\n")
    measured = [
        measure(pair) for name in arguments.names for pair in BENCHMARKS[name]()
    ]
    header = ["", "CPU time, ours", "times faster, CPU", "wall", "agreement"]
    print(markdown_table(header, [each.row() for each in measured]))
    names = [each.pair.name.replace("`", "") for each in measured]
    ratios = np.array([each.ratios[:, 0] for each in measured])
    draw(names, ratios, arguments.out / "speed.png")


if __name__ == "__main__":
    main()
