# SPDX-License-Identifier: GPL-3.0-or-later
"""Costs of finished protocols (time and memory), kept in their folders."""

from __future__ import annotations

import math
from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)

_FILE = "cost.json"


def write_cost(folder: Path, cost: StageCost) -> None:
    """Write what a protocol took into its folder."""
    write_json(folder / _FILE, to_plain(cost))


def read_cost(folder: Path, protocol: Protocol) -> StageCost:
    """Return what a finished protocol took.

    The memory is NaN where it was not measured: for runs of the GUI, and those that
    went on after `run` was ended.
    """
    kept = folder / _FILE
    if kept.exists():
        return from_plain(read_json(kept), StageCost, path=kept)
    return StageCost(protocol.getElapsedTime().total_seconds(), math.nan)
