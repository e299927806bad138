# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time and memory of every node on thousands of micrographs.

    python -m benchmarks.scale OUT [--micrographs 100 1000 5000]

Three pickers, 200 picks a micrograph each; no node looks at pixels, and scores are
drawn instead of computed and fused (`nodes`). Every node is a process of its own, whose
processor time, start-up apart, and peak memory are printed, with the exponent of the
growth between the numbers of micrographs. 15 minutes, 6 GB in OUT.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.scale import scene
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.bootstrap import prepare_environment

_MILLION = 1e6
_LINE = "measured: "
_CHAIN = ("consensus", "negatives", "score", "select")
"""Nodes from import to select, beside the imports themselves."""
_FIRST = ("micrographs", "truth", "few")
_UNTIMED = (*_FIRST, "masks")


def measure_in(folder: Path, node: str) -> dict[str, float]:
    """Carry out a node in a process of its own and return what it took."""
    words = [sys.executable, "-m", __spec__.name, str(folder), "--node", node]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = [x for x in done.stdout.splitlines() if x.startswith(_LINE)]
    if done.returncode or not lines:
        raise RuntimeError(f"{node}: {done.stdout}\n{done.stderr}")
    return json.loads(lines[-1].removeprefix(_LINE))


def carry_out(folder: Path, node: str) -> None:
    """Carry out a node in this process and print what it took."""
    prepare_environment()
    from pwem import Domain
    from pyworkflow.project import Project

    from benchmarks.scale.nodes import Nodes

    path = folder / "project"
    project = Project(Domain, str(path))
    if path.exists():
        project.load()
    else:
        project.create()
    run = Nodes(project, folder / "data").all()[node]
    started, before = time.process_time(), _peak_mb()
    n = run()
    seconds = time.process_time() - started
    took = {"cpu": seconds, "mb": _peak_mb(), "start_mb": before, "n": n or 0}
    print(_LINE + json.dumps(took))


def _peak_mb() -> float:
    """Return the peak memory of this process, MB; Linux alone tells it so."""
    # That of `getrusage` begins with what the process was started from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure_size(folder: Path, n_micrographs: int) -> dict[str, dict[str, float]]:
    """Return what every node took for so many micrographs."""
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "data"
    _write_data(data, n_micrographs)
    taken = {}
    for node in node_names():
        taken[node] = measure_in(folder, node)
        print(n_micrographs, node, taken[node], file=sys.stderr, flush=True)
    shutil.rmtree(folder)
    return {node: took for node, took in taken.items() if node not in _UNTIMED}


def _write_data(data: Path, n_micrographs: int) -> None:
    scene.write_micrographs(data / "micrographs", n_micrographs)
    names = scene.micrograph_names(n_micrographs)
    truth, picks = scene.draw_picks(names)
    scene.write_picks(data, picks, truth)
    few = {name: truth[name] for name in names[:2]}
    scene.write_picks_folder(
        data / "few", few, box_size=scene.BOX, pick_format=scene.PickFormat.BOX
    )
    (data / "model").mkdir()


def node_names() -> list[str]:
    """Return the names of the nodes in order."""
    imports = [f"import {name}, {kind.value}" for name, kind in scene.PICKERS.items()]
    return [*_FIRST, *imports, "masks", *_CHAIN, "export", "evaluation"]


def table_of(
    sizes: list[int], taken: Mapping[int, Mapping[str, dict[str, float]]]
) -> str:
    """Return a row for each node: seconds and growth, memory at the largest."""
    rows = []
    for node in taken[sizes[-1]]:
        seconds = [taken[size][node]["cpu"] for size in sizes]
        growth = [
            np.log(later / first) / np.log(many / few)
            for (few, many), (first, later) in zip(
                pairwise(sizes), pairwise(seconds), strict=True
            )
        ]
        peak = taken[sizes[-1]][node]["mb"]
        rows.append(
            [
                node,
                *(f"{each:.2f}" for each in seconds),
                ", ".join(f"{each:.2f}" for each in growth),
                f"{peak:.0f}",
            ]
        )
    header = ["node", *(f"{n} micrographs, s" for n in sizes), "n^", "peak MB"]
    return markdown_table(header, rows)


def describe_million(taken: Mapping[str, dict[str, float]]) -> str:
    """Return the time from import to select, for a million candidates."""
    n = taken["score"]["n"]
    names = [each for each in taken if each.startswith("import") or each in _CHAIN]
    seconds = sum(taken[each]["cpu"] for each in names)
    return (
        f"{n:.0f} candidates, import to select without network, cutting and fusion: "
        f"{seconds:.0f} s, {seconds / n * _MILLION:.0f} s for a million"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder, written anew")
    parser.add_argument("--micrographs", nargs="*", type=int, default=[100, 1000, 5000])
    parser.add_argument("--node", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if arguments.node:
        carry_out(out, arguments.node)
        return
    sizes = sorted(arguments.micrographs)
    taken = {n: measure_size(out / str(n), n) for n in sizes}
    print(table_of(sizes, taken), "\n")
    print(describe_million(taken[sizes[-1]]))


if __name__ == "__main__":
    main()
