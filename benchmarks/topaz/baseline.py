# SPDX-License-Identifier: GPL-3.0-or-later
"""Baseline: the public package topaz-em by itself, on the benchmarks' sets.

    make env-topaz
    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.topaz.baseline OUT [--sets apoferritin,empiar10017]
        [--networks conv31,resnet8] [--labels 200] [--updates 1000]

One row a network, on the test micrographs. Seconds of an update of 256 patches on the
clock and of the processor; micrographs per second from files to coordinates, start-up
apart; peak memory of the process. What OUT holds of an earlier run is not computed
again. On two cores about ten minutes a row.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.sets.tables import markdown_table
from benchmarks.topaz.figures import evaluate
from benchmarks.topaz.peer import NETWORKS, PeerResult, run
from benchmarks.topaz.sets import SPLITS, draw_labels, load_set
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters

_SEED = 1
_HEADER = (
    "network,AP of regions,AP,best F1,at score,picks,s/update,CPU s/update,"
    "micrographs/s,CPU s/micrograph,MiB to train,MiB to pick"
)


def table(
    name: str, networks: Sequence[str], n_labels: int, folder: Path, **choices: Any
) -> str:
    """Return one row a network, all trained on the same labels."""
    learning = load_set(name, folder)
    labels = draw_labels(learning, n_labels, _SEED)
    rows = []
    for network in networks:
        place = folder / name / f"{network.replace(' ', '-')}-{n_labels}"
        result = run(learning, labels, place, network=network, **choices)
        figures = evaluate(learning, result.picking.picks, result.picking.read_scores)
        rows.append([network, *asdict(figures).values(), *_cost_cells(result)])
    return markdown_table(_HEADER.split(","), rows)


def _cost_cells(result: PeerResult) -> list[object]:
    training, picking, n = result.training, result.picking, len(result.picking.picks)
    return [
        *(training.update_s, training.update_cpu_s),
        *(n / picking.costs.total_s, picking.costs.pick_cpu_s / n),
        *(round(training.peak_mebibytes), round(picking.costs.peak_mebibytes)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sets", default="apoferritin,empiar10017", help=str([*SPLITS])
    )
    parser.add_argument("--networks", default="conv31,resnet8", help=str([*NETWORKS]))
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument(
        "--autoencoder", type=float, default=0.0, help="γ; the package's default is 0"
    )
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    parameters = TopazParameters(
        n_epochs=1, n_updates=asked.updates, autoencoder=asked.autoencoder, seed=_SEED
    )
    choices = {"parameters": parameters, "threads": asked.threads}
    networks = asked.networks.split(",")
    for name in asked.sets.split(","):
        print(f"### {name}, {asked.labels} labels, {asked.updates} updates\n")
        rows = table(name, networks, asked.labels, asked.folder, **choices)
        print(rows, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
