# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials of one reader: mutated files are read, and outcomes counted."""

from __future__ import annotations

import faulthandler
import hashlib
import os
import random
import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.mutations import cut, lose
from benchmarks.fuzz.seeds import seeds_of
from benchmarks.fuzz.subjects import Subject
from benchmarks.fuzz.tables import (
    TABLES,
    are_same,
    draw_rows,
    expected_picks,
    with_other_field,
)
from deepconsensus_plugin.core.errors import FileFormatError

LONGEST_S = 5
MOST_BYTES = 2 * 10**9
REFUSED, READ = "refused", "read"

_SHARE_OF_TABLES = 0.4
_HANGING_S, _WATCHED_S = 100.0, 20.0
"""Time after which a library that does not come back ends with its process, and after
which that begins anew."""

_KEPT = 20
"""Inputs of each bad outcome that are kept."""


@dataclass
class Tally:
    """Counts of outcomes of one reader.

    Parameters
    ----------
    outcomes : Counter
        By `REFUSED`, `READ`, or what went wrong.
    slowest_s : float
        Longest time of one input.
    peak_bytes : int
        Largest memory of the process.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_bytes: int = 0

    @property
    def n(self) -> int:
        """Number of inputs."""
        return self.outcomes.total()

    @property
    def faults(self) -> dict[str, int]:
        """Outcomes that must not be."""
        return {k: n for k, n in self.outcomes.items() if k not in (REFUSED, READ)}


def run_trials(
    subject: Subject, n: int, *, seed: int, folder: Path, kept: Path | None = None
) -> Tally:
    """Read `n` mutated files of a subject; inputs of bad outcomes go to `kept`."""
    rng = random.Random(f"{seed} {subject.name}")
    seeds = seeds_of(subject.name, folder)
    path = folder / subject.file
    wanted = [_wanted(subject, path, data) for data in seeds]
    tally, watched = Tally(), -_WATCHED_S
    with _limited():
        for _ in range(n):
            began = time.perf_counter()
            if began - watched >= _WATCHED_S:
                faulthandler.dump_traceback_later(_HANGING_S, exit=True)
                watched = began
            outcome, data = _one(subject, path, seeds, wanted, rng)
            tally.slowest_s = max(tally.slowest_s, time.perf_counter() - began)
            tally.outcomes[outcome] += 1
            if kept is not None and tally.faults.get(outcome, _KEPT + 1) <= _KEPT:
                _keep(kept, subject, outcome, data)
    faulthandler.cancel_dump_traceback_later()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    tally.peak_bytes = used
    if used > MOST_BYTES:
        tally.outcomes[f"{used / 1e9:.1f} GB of memory"] += 1
    return tally


def _wanted(subject: Subject, path: Path, data: bytes) -> Any:
    """Return what the seed of an image holds; the seed itself must be read."""
    path.write_bytes(data)
    found = subject.read(path)
    return found[1] if subject.is_image else None


def _one(
    subject: Subject, path: Path, seeds: list[bytes], wanted: list[Any], rng: Any
) -> tuple[str, bytes]:
    """Return the outcome of one input, and the input."""
    if subject.name in TABLES and rng.random() < _SHARE_OF_TABLES:
        return _one_table(subject, path, rng)
    number = rng.randrange(len(seeds))
    data, mutation = subject.mutate(seeds[number], rng)
    path.write_bytes(data)
    outcome, found = _read(subject, path)
    if outcome != READ:
        return outcome, data
    fault = subject.fault(found)
    if not fault and subject.is_image and mutation in (cut, lose):
        same = np.array_equal(found[1], wanted[number], equal_nan=True)
        fault = "" if same else "other pixels of a file that lost bytes"
    return f"WRONG: {fault[:60]}" if fault else READ, data


def _one_table(subject: Subject, path: Path, rng: Any) -> tuple[str, bytes]:
    table = TABLES[subject.name]
    rows = with_other_field(table, draw_rows(rng), rng)
    data, expected = table.render(rows), expected_picks(table, rows)
    path.write_bytes(data)
    outcome, found = _read(subject, path)
    if outcome == REFUSED and expected is not None:
        return "WRONG: refused what is right", data
    if outcome != READ:
        return outcome, data
    picks = [
        (x, y, score)
        for each in found.coordinates.values()
        for (y, x), score in zip(each.yx.tolist(), each.scores.tolist(), strict=True)
    ]
    if expected is None:
        return "WRONG: read what is no number or out of range", data
    return READ if are_same(picks, expected) else "WRONG: other numbers", data


def _read(subject: Subject, path: Path) -> tuple[str, Any]:
    """Return the outcome of reading, and what was read."""
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        return READ, subject.read(path)
    except FileFormatError:
        return REFUSED, None
    except TooSlowError:
        return f"more than {LONGEST_S} s", None
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        return f"{type(error).__name__} at {where}", None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class TooSlowError(BaseException):
    """A reader took longer than `LONGEST_S`; no handler of a reader catches it."""


@contextmanager
def _limited() -> Iterator[None]:
    """Let readers be stopped that take too long, and warnings be errors."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        signal.signal(signal.SIGALRM, before)


def _keep(folder: Path, subject: Subject, outcome: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(data, digest_size=4).hexdigest()
    name = "".join(c if c.isalnum() else "_" for c in f"{subject.name}_{outcome}")
    (folder / f"{name}_{digest}{Path(subject.file).suffix}").write_bytes(data)
