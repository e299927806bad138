# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that ``run`` prints at its end: sets, figures against the truth, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepconsensus_plugin.commands.summary import SUMMARY
from deepconsensus_plugin.report.comparison import comparison_cells

_FILES = {
    "score_file": "Scores of all candidates",
    "metrics_file": "Figures against the truth",
    "picture_file": "Picture",
    "summary_file": "Summary",
    "report_file": "Report",
}


def report_lines(folder: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a user wants to know of a finished run.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    summary : mapping
        Content of its ``summary.json``.
    """
    for label, lines in summary["protocols"].items():
        yield f"{label}:"
        yield from (f"  {line}" for line in lines)
    if "comparison" in summary:
        yield ""
        yield from comparison_lines(summary["comparison"])
        yield ""
    named = {**summary, "summary_file": SUMMARY}
    for key, what in _FILES.items():
        if key in named:
            yield f"{what}: {folder / named[key]}"


def comparison_lines(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table with a row for every set that was compared with the truth.

    Parameters
    ----------
    comparison : mapping
        Of ``summary.json``, as `evaluation.compare` makes it.
    """
    yield (
        f"{comparison['n_truth']} true particles on {comparison['n_micrographs']} "
        f"micrographs, matched within {comparison['radius_px']:.1f} px:"
    )
    yield ""
    header, rows = comparison_cells(comparison)
    yield from _markdown([header, *rows])


def _markdown(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table whose columns line up, the first one to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = [f"{'-' * (width - 1)}:" for width in widths]
    rule[0] = "-" * widths[0]
    for first, *rest in (rows[0], rule, *rows[1:]):
        aligned = [
            cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)
        ]
        yield f"| {' | '.join([first.ljust(widths[0]), *aligned])} |"
