# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether scores mean the same at every defocus, on simulated sets.

    python -m benchmarks.defocus OUT [--sets tetramer-80 …] [--seed 1]

The micrographs of a set are parted in three by their defocus. One threshold for all,
the automatic one; precision and recall of each third against all whole molecules, and
the medians of what the network and the fusion say of true candidates. OUT is the folder
of ``benchmarks.accuracy_simulated``, whose networks are used where they are there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.accuracy_simulated import NETWORK, find_true, fused_probability
from benchmarks.classical import agree, network_scores, pick_all
from benchmarks.simulated_sets import SETS, simulate_set
from benchmarks.tables import markdown_table
from deepconsensus_plugin.core.thresholds import ThresholdMode, choose_threshold

_DEFAULT_SETS = ("tetramer-80", "shell-80", "barrel-160")
_HEADER = (
    "set,defocus µm,candidates,true,accepted,precision,recall,"
    "median network score of true,median probability of true"
).split(",")


def rows_of(name: str, seed: int, folder: Path) -> list[list[object]]:
    """Return one row for each third of the micrographs, the least defocus first."""
    simulated = simulate_set(name, seed, folder)
    candidates = agree(pick_all(simulated.good, folder), simulated.good.box_size)
    network = network_scores(simulated.good, candidates, NETWORK, folder)
    probability = fused_probability(candidates, network)
    accepted = probability >= choose_threshold(probability, mode=ThresholdMode.MAX_F)
    is_true = find_true(simulated.whole, candidates, probability)
    defocus_um = {
        each.name: (each.ctf.defocus_u_A + each.ctf.defocus_v_A) / 2e4
        for each in simulated.whole.micrographs
        if each.ctf is not None
    }
    by_defocus = sorted(candidates.micrographs, key=defocus_um.__getitem__)
    rows: list[list[object]] = []
    for third in np.array_split(np.array(by_defocus), 3):
        here = np.isin(candidates.micrographs, third)[candidates.micrograph_index]
        both = here & is_true
        n_true = sum(len(simulated.whole.truth[each]) for each in third.tolist())
        lowest, highest = defocus_um[third[0]], defocus_um[third[-1]]
        rows.append(
            [
                name,
                f"{lowest:.1f} - {highest:.1f}",
                int(here.sum()),
                n_true,
                int((here & accepted).sum()),
                float(is_true[here & accepted].mean()),
                float((both & accepted).sum() / n_true),
                float(np.median(network[both])),
                float(np.median(probability[both])),
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=_DEFAULT_SETS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rows = []
    for name in arguments.sets:
        folder = arguments.out.resolve() / f"{name}-{arguments.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        rows += rows_of(name, arguments.seed, folder)
    print(markdown_table(_HEADER, rows))


if __name__ == "__main__":
    main()
