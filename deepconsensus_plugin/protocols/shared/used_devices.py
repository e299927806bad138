# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that the networks of a run were computed on, for summaries and the report."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.jobs import read_device

_DONE = {"train": "Trained", "score": "Scored", "network_pick": "Picked"}
"""Jobs with networks, whose files are named alike in all runs, and what they do."""


def describeDevices(protocol: Protocol) -> list[str]:
    """Return what the networks of a run were computed on, a line for each job.

    Empty where there are none, or where an earlier version did not record it.
    """
    found = {
        done: read_device(Path(protocol._getExtraPath(f"{kind}.json")))
        for kind, done in _DONE.items()
    }
    return [f"{done} on: {device}." for done, device in found.items() if device]
