# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated reviewers: what marks are worth, and whether what is expected is true.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.review [--real OUT] [--simulated OUT] [--demo PROJECT]

A reviewer marks candidates by the truth, 5 % of them wrongly, and after 25, 50, 100 and
200 marks the fusion is repeated with them (`core.pipeline.refit`), the threshold being
chosen anew. OUT of real sets holds finished `run` projects, as
``benchmarks.consensus.real_data OUT --run`` leaves them, OUT of simulated ones the
folders of ``benchmarks.consensus.accuracy_simulated OUT``, PROJECT is that of
``make demo``. Nothing is trained: networks scored before anything was marked, or are
left out (``--no-network``). Figures are means over `--reviewers`, with the root mean
square of expected less true precision, and the share of reviewers for whom it is at
most .03. A minute a set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.review.reviewer import STAGES, WRONG, Order, Outcome, Reviewer
from benchmarks.review.sets import ReviewedSet, demo_set, real_set, simulated_set
from benchmarks.sets.simulated_sets import SETS
from benchmarks.sets.tables import markdown_table

REAL = ("weak", "A", "B")
SIMULATED = ("tetramer-40", "barrel-160", "wishbone-160")
CLOSE = 0.03
HEADER = (
    "order,marks,F1,gain,bad kept,precision expected,true,rms of the difference,"
    "within .03"
).split(",")


def row(order: Order, stage: list[Outcome], f1_before: float) -> list[object]:
    """Return the row of one number of marks, over all reviewers."""
    off = np.array([each.expected - each.true for each in stage])
    mean = {
        name: float(np.mean([getattr(each, name) for each in stage]))
        for name in ("f1", "bad_kept", "expected", "true")
    }
    return [
        *(order.value, stage[0].n_marks, mean["f1"], f"{mean['f1'] - f1_before:+.3f}"),
        *(mean["bad_kept"], mean["expected"], mean["true"]),
        float(np.sqrt((off**2).mean())),
        f"{(np.abs(off) <= CLOSE).mean():.0%}",
    ]


def report(reviewed: ReviewedSet, n_reviewers: int) -> str:
    """Return the table of one set."""
    reviewer = Reviewer(reviewed)
    rows = []
    for order in Order:
        runs = [list(reviewer.review(order, seed)) for seed in range(n_reviewers)]
        before = runs[0][0]
        for number in range(1 if rows else 0, len(STAGES)):
            stage = [outcomes[number] for outcomes in runs]
            rows.append(row(order, stage, before.f1))
    return (
        f"### {reviewed.name}: {len(reviewed.candidates)} candidates, {n_reviewers} "
        f"reviewers, {WRONG:.0%} of the marks wrong\n\n{markdown_table(HEADER, rows)}"
    )


def chosen_sets(arguments: argparse.Namespace) -> Iterator[ReviewedSet]:
    """Yield the sets that are there."""
    with_network = not arguments.no_network
    wanted = arguments.sets
    for name in REAL:
        if arguments.real and (not wanted or name in wanted):
            yield real_set(name, arguments.real / name, with_network=with_network)
    for name in wanted or SIMULATED:
        if arguments.simulated and name in SETS:
            folder = arguments.simulated.resolve() / f"{name}-{arguments.seed}"
            yield simulated_set(name, folder, with_network=with_network)
    if arguments.demo and (not wanted or "demo" in wanted):
        yield demo_set(arguments.demo, with_network=with_network)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    folder = partial(parser.add_argument, type=Path)
    folder("--real", help="folder of finished projects of real sets")
    folder("--simulated", help="folder of finished simulated sets")
    folder("--demo", help="project of the demonstration")
    parser.add_argument("--sets", nargs="+", choices=[*REAL, *SETS, "demo"])
    parser.add_argument("--seed", type=int, default=1, help="of simulated sets")
    parser.add_argument("--reviewers", type=int, default=10)
    parser.add_argument("--no-network", action="store_true")
    arguments = parser.parse_args()
    for reviewed in chosen_sets(arguments):
        print(report(reviewed, arguments.reviewers), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
