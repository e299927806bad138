# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: runs that are killed, starved and misled, beside an undisturbed one.

    python -m benchmarks.faults OUT [--kills 105] [--each 2] [--stages STAGE …]
                                [--kinds KIND …] [--commands 9] [--seed 0]

Small runs of the whole chain, forked from one process: signals at random moments of
every stage, disks that are full or cannot be written to, inputs that vanish or are
exchanged, two runs at once. Each must then end as the undisturbed run, to the bit; if
it cannot go on, it must say why. ``--commands`` adds the command *run* with all of
Scipion, stopped at random moments. The table is OUT/table.md; 30 minutes on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.faults.commands import command_outcomes, full_disk_outcomes
from benchmarks.faults.disk import SmallDisk, small_disk
from benchmarks.faults.trials import (
    AFTER,
    REFUSAL,
    SAME,
    SIGNALS,
    WRONG,
    Outcome,
    Trials,
    trials_in,
)
from benchmarks.faults.victim import STAGES
from benchmarks.sets.tables import markdown_table

_FILE_LIMITS = (100, 3_000, 10_000, 30_000, 100_000)
_PLACES, _ENDS = (*STAGES, AFTER), (SAME, REFUSAL, WRONG)
_HEADER = ("disturbance", *_PLACES, "runs", *_ENDS)


KINDS: dict[str, Callable[[Trials, str, SmallDisk | None], Outcome]] = {
    "disk full": lambda trials, stage, disk: trials.fill_disk(stage, disk),
    "read-only project": lambda trials, stage, disk: trials.protect_project(
        stage, disk
    ),
    "vanished micrograph": lambda trials, stage, _: trials.lose(stage),
    "exchanged micrograph": lambda trials, stage, _: trials.exchange(
        stage, "micrograph"
    ),
    "exchanged picks": lambda trials, stage, _: trials.exchange(stage, "picks"),
    "two at once": lambda trials, stage, _: trials.run_two(stage),
}
"""What can happen in a stage, beside signals."""

_ON_DISK = ("disk full", "read-only project")
READ_ONLY, FILE_LIMIT = "read-only input", "file limit"


def all_outcomes(
    trials: Trials,
    disk: SmallDisk | None,
    *,
    n_kills: int,
    n_each: int,
    stages: Sequence[str],
    kinds: Sequence[str],
) -> Iterator[Outcome]:
    """Yield the ends of runs that are disturbed in every way, in turn."""
    signals = itertools.cycle(SIGNALS)
    for stage, number in zip(itertools.cycle(stages), signals, strict=False):
        if n_kills <= 0:
            break
        n_kills -= 1
        yield trials.kill(stage, number)
    possible = [kind for kind in KINDS if disk is not None or kind not in _ON_DISK]
    for _ in range(n_each):
        for stage, kind in itertools.product(stages, possible):
            if kind in kinds:
                yield KINDS[kind](trials, stage, disk)
        if disk is not None and READ_ONLY in kinds:
            yield trials.protect_input(disk)
        for limit in _FILE_LIMITS if FILE_LIMIT in kinds else ():
            yield trials.limit_files(limit)


def few_outcomes(trials: Trials) -> Iterator[Outcome]:
    """Yield the ends of a few runs, as `make test` has them."""
    yield trials.kill("train", signal.SIGKILL)
    yield trials.limit_files(10_000)
    yield trials.run_two("mask")


def table(outcomes: list[Outcome]) -> str:
    """Return counts by kind: where runs were disturbed, and how they ended."""
    rows = []
    for kind in [*dict.fromkeys(each.kind for each in outcomes), "all"]:
        here = [each for each in outcomes if kind in (each.kind, "all")]
        places = Counter(each.stage for each in here)
        ends = Counter(each.verdict for each in here)
        rows.append(
            [
                *(kind, *(places[stage] or None for stage in _PLACES), len(here)),
                *(ends[verdict] for verdict in _ENDS),
            ]
        )
    return markdown_table(_HEADER, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=105)
    parser.add_argument(
        "--each", type=int, default=2, help="of each other kind, a stage"
    )
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    every = (*KINDS, READ_ONLY, FILE_LIMIT)
    parser.add_argument("--kinds", nargs="+", choices=every, default=every)
    parser.add_argument("--commands", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="three runs in all")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []

    def note(found: Iterator[Outcome]) -> None:
        for each in found:
            outcomes.append(each)
            print(
                *(each.kind, each.stage, each.verdict, each.detail),
                sep=" | ",
                flush=True,
            )
            (out / "table.md").write_text(table(outcomes) + "\n")

    if arguments.quick:
        with trials_in(out / "trials", arguments.seed) as trials:
            note(few_outcomes(trials))
        return _told(outcomes)
    with (
        trials_in(out / "trials", arguments.seed) as trials,
        small_disk(out / "trials" / "disk") as disk,
    ):
        print("small disk: " + ("none, not root" if disk is None else "tmpfs"))
        chosen = {"n_kills": arguments.kills, "n_each": arguments.each}
        chosen |= {"stages": arguments.stages, "kinds": arguments.kinds}
        note(all_outcomes(trials, disk, **chosen))
    n_commands, seed = arguments.commands, arguments.seed
    note(command_outcomes(out / "commands", n_commands, seed))
    with small_disk(out / "disk") as disk:
        note(full_disk_outcomes(out / "commands_full", disk, n_commands // 3, seed))
    return _told(outcomes)


def _told(outcomes: list[Outcome]) -> int:
    """Print the table; return the exit status."""
    print(table(outcomes))
    return int(any(each.verdict == WRONG for each in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
