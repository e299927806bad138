# SPDX-License-Identifier: GPL-3.0-or-later
"""Demonstration with several seeds, as a table for docs/results.md.

    python -m benchmarks.consensus.demo OUT [--seeds 1 2 3] [name=value …]

Every seed is a project in OUT, with micrographs, networks and all of its own; one that
is finished is not run again. The margin is the F1 of the accepted set minus that of
the better picker.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.serialisation import read_json
from deepconsensus_plugin.report.evaluation import ACCEPTED, AGREED, LATTICE, UNION

TEMPLATE = "deep_consensus_demo"
_NOT_PICKERS = (UNION, AGREED, ACCEPTED, LATTICE)


def run_seed(out: Path, seed: int, settings: Sequence[str]) -> dict[str, Any]:
    """Run the command, and return what its ``summary.json`` holds."""
    project = out / f"seed-{seed}"
    command = [sys.executable, "-m", "deepconsensus_plugin", "run", TEMPLATE]
    command += [f"seed={seed}", *settings, "--project", str(project)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read_json(project / "summary.json")


def rows_of(seed: int, summary: Mapping[str, Any]) -> list[list[object]]:
    """Return one row for every set that was compared with the truth."""
    return [
        [
            f"{seed}: {row['picks']}",
            row["n_accepted"],
            *(row[name] for name in ("precision", "recall", "f1", "average_precision")),
        ]
        for row in summary["comparison"]["rows"]
    ]


def margin(summary: Mapping[str, Any]) -> float:
    """Return by how much the accepted set's F1 is above the better picker's."""
    f1 = {row["picks"]: row["f1"] for row in summary["comparison"]["rows"]}
    return f1[ACCEPTED] - max(f1[picks] for picks in f1 if picks not in _NOT_PICKERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of the projects")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("settings", nargs="*", help="name=value of the command")
    arguments = parser.parse_intermixed_args()
    summaries = {
        seed: run_seed(arguments.out.resolve(), seed, arguments.settings)
        for seed in arguments.seeds
    }
    header = ["seed: picks", "n", "precision", "recall", "F1", "AP"]
    rows = [row for seed, found in summaries.items() for row in rows_of(seed, found)]
    print(markdown_table(header, rows), end="\n\n")
    for seed, summary in summaries.items():
        seconds = sum(cost["seconds"] for cost in summary["timings"].values())
        print(f"- Seed {seed}: margin {margin(summary):+.3f}, {seconds:.0f} s.")


if __name__ == "__main__":
    main()
