# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution of long work: where, in which order, with progress."""

from deepconsensus_plugin.core.execution.executor import Executor
from deepconsensus_plugin.core.execution.progress import (
    Progress,
    StageCost,
    peak_memory_mb,
)
from deepconsensus_plugin.core.execution.threads import Here, Threads, map_ahead

__all__ = [
    "Executor",
    "Here",
    "Progress",
    "StageCost",
    "Threads",
    "map_ahead",
    "peak_memory_mb",
]
