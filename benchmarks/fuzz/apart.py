# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials in a process of their own, so that a crash of a library is seen."""

from __future__ import annotations

import logging
import multiprocessing
import shutil
from pathlib import Path

from benchmarks.fuzz.subjects import SUBJECTS, Subject
from benchmarks.fuzz.trial import Tally, run_trials


def run_apart(
    subject: Subject, n: int, *, seed: int, folder: Path, kept: Path
) -> Tally:
    """Run trials in a process of their own; one that dies is an outcome."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(
        target=_send, args=(sending, subject.name, n, seed, folder, kept)
    )
    process.start()
    sending.close()
    try:
        tally: Tally = receiving.recv()
    except EOFError:
        tally = Tally()
        process.join()
        tally.outcomes[f"the process died ({process.exitcode})"] += 1
        kept.mkdir(parents=True, exist_ok=True)
        if (folder / subject.file).exists():
            shutil.copy(folder / subject.file, kept / f"died_{subject.file}")
    process.join()
    return tally


def _send(
    sending: object, name: str, n: int, seed: int, folder: Path, kept: Path
) -> None:
    logging.disable(logging.CRITICAL)
    (subject,) = (each for each in SUBJECTS if each.name == name)
    tally = run_trials(subject, n, seed=seed, folder=folder, kept=kept)
    sending.send(tally)  # type: ignore[attr-defined]
