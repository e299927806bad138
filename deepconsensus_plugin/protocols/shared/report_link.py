# SPDX-License-Identifier: GPL-3.0-or-later
"""Link to the report of a run, for summaries and for the report's writer."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol


def reportPath(protocol: Protocol) -> Path:
    """Return where the report of a run is, if it was written."""
    return Path(protocol._getExtraPath("report.html"))


def describeReport(protocol: Protocol) -> list[str]:
    """Return a sentence that is a link in Scipion's window; none without a report."""
    path = reportPath(protocol)
    if not path.exists():
        return []
    return [f"Report: [[{path.absolute()}][report.html]]"]
