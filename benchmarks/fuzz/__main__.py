# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing of all readers: mutated files are refused, or read as what they are.

    python -m benchmarks.fuzz OUT [--n 100000] [--slow 10000] [--seed 1] [--only NAME …]

A reader raises FileFormatError or returns what is right: every position, score, box and
weight in its range; of tables whose fields were exchanged, exactly the numbers that a
second, simple reader finds; of images that lost bytes, the same pixels. Nothing takes
more than 5 s or 2 GB. Prints a table, and writes it to OUT/fuzz.md; inputs of bad
outcomes are kept beside it. Each reader has a process of its own, so that a crash of a
library counts. The exit status is 1 if anything was bad.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fuzz.apart import run_apart
from benchmarks.fuzz.subjects import SUBJECTS, Subject
from benchmarks.fuzz.trial import Tally
from benchmarks.sets.tables import markdown_table

HEADER = ("reader", "inputs", "refused", "read", "bad", "slowest, s", "memory, MB", "s")


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the readers, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--n", type=int, default=100_000, help="inputs, fast reader")
    parser.add_argument("--slow", type=int, default=10_000, help="inputs, slow reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="names of readers")
    options = parser.parse_args(arguments)
    rows, bad = [], {}
    for subject in SUBJECTS:
        if options.only and subject.name not in options.only:
            continue
        n = options.n if subject.is_fast else options.slow
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            tally = run_apart(
                *(subject, n),
                seed=options.seed,
                folder=Path(folder),
                kept=options.out / "bad",
            )
        rows.append(_row(subject, tally, time.perf_counter() - began))
        bad[subject.name] = tally.faults
        print(*rows[-1], tally.faults or "", flush=True)
    text = markdown_table(HEADER, rows)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "fuzz.md").write_text(text + "\n", encoding="utf-8")
    return int(any(bad.values()))


def _row(subject: Subject, tally: Tally, seconds: float) -> list[object]:
    return [
        *(subject.name, tally.n, tally.outcomes["refused"], tally.outcomes["read"]),
        *(sum(tally.faults.values()), f"{tally.slowest_s:.2f}"),
        *(f"{tally.peak_bytes / 1e6:.0f}", f"{seconds:.0f}"),
    ]


if __name__ == "__main__":
    sys.exit(main())
