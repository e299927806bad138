# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs of a process, chosen before anything that computes on them is loaded."""

from __future__ import annotations

import os

from deepconsensus_plugin.core.execution.worker import VISIBLE_DEVICES


def choose_gpus(numbers: str | None) -> list[str]:
    """Let this process see the GPUs of a list, and return them.

    A queue gives a job some GPUs of its computer and says which; the list then counts
    among them, from 0.

    Parameters
    ----------
    numbers : str, optional
        As ``0,1``; empty for none. None: the process sees what it did.

    Raises
    ------
    ValueError
        If the queue gave fewer.
    """
    given = _split(os.environ.get(VISIBLE_DEVICES, ""))
    if numbers is None:
        return given
    chosen = _split(numbers)
    if given and chosen:
        if (highest := max(map(int, chosen))) >= len(given):
            raise ValueError(
                f"GPUs: expected numbers below {len(given)}, of the GPUs that this job "
                f"was given ({VISIBLE_DEVICES}={','.join(given)}), received {highest}"
            )
        chosen = [given[int(number)] for number in chosen]
    os.environ[VISIBLE_DEVICES] = ",".join(chosen)
    return chosen


def _split(text: str) -> list[str]:
    return [each for each in text.split(",") if each]
