# SPDX-License-Identifier: GPL-3.0-or-later
"""Start of nodes: a Python for each, as Scipion does it, and forks of one server.

    python -m benchmarks.speed.start_up [--nodes N]

Starts N processes either way, in turn, that import what a node needs and end. Prints
processor and wall seconds of each; the server's own start is told apart.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import psutil

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.commands.node_server import NodeServer

_IMPORTS = (
    "import pyworkflow; from pyworkflow.protocol import runProtocolMain; "
    "import deepconsensus_plugin.protocols; "
    "pyworkflow.Config.getDomain().getProtocols()"
)


def start_python() -> None:
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True)


def touch() -> None:
    """Do what a node does first: ask for the protocols."""
    import pyworkflow

    pyworkflow.Config.getDomain().getProtocols()


def start_fork() -> None:
    process = multiprocessing.get_context("forkserver").Process(target=touch)
    process.start()
    process.join()


def cost(start: Callable[[], None]) -> tuple[float, float]:
    """Return wall and processor seconds."""
    began, before = time.perf_counter(), processor_seconds()
    start()
    return time.perf_counter() - began, processor_seconds() - before


def processor_seconds() -> float:
    own = os.times()
    total = own.children_user + own.children_system
    for child in psutil.Process().children(recursive=True):
        total += sum(child.cpu_times()[:4])
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=11)
    n = parser.parse_args().nodes
    with tempfile.TemporaryDirectory() as home:
        prepare_environment(home)
        server = cost(lambda: (NodeServer(), start_fork()) and None)
        pairs = [(cost(start_python), cost(start_fork)) for _ in range(n)]
    rows = [["server, once", f"{server[0]:.2f} s", f"{server[1]:.2f} s", ""]]
    for name, costs in zip(
        ("a Python each", "forks"), zip(*pairs, strict=True), strict=True
    ):
        wall, used = (statistics.median(each) for each in zip(*costs, strict=True))
        total = sum(each[1] for each in costs)
        rows.append([name, f"{wall:.2f} s", f"{used:.2f} s", f"{total:.1f} s"])
    header = ["start", "wall, each", "CPU, each", f"CPU, {n} nodes"]
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
