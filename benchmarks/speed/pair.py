# SPDX-License-Identifier: GPL-3.0-or-later
"""Pair of equivalent computations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """A way of ours, what it is compared with, and how far the results agree."""

    name: str
    ours: Run
    other: Run
    agreement: str = ""
