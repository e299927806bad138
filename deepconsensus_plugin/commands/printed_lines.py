# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that ``run`` prints at its end: sets, figures against the truth, files."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.summary import SUMMARY
from deepconsensus_plugin.report.comparison import comparison_cells

_INTERVAL = re.compile(r" \(\d[^)]*\)$")
_FILES = {
    "particle_file": "Accepted particles",
    "score_file": "Scores of all candidates",
    "metrics_file": "Figures against the truth",
    "picture_file": "Picture",
    "summary_file": "Summary",
    "report_file": "Report",
}


def report_lines(
    folder: Path, summary: Mapping[str, Any], *, columns: int | None = None
) -> Iterator[str]:
    """Yield what a user wants to know of a finished run.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    summary : mapping
        Content of its ``summary.json``.
    columns : int, optional
        Width of the terminal; lines are broken at words to fit. Without it, as in a
        file, they are as long as they are.
    """
    for line in _report_lines(folder, summary, columns):
        if columns is None or line.startswith(("|", "/")) or len(line) < columns:
            yield line
        else:
            yield from _broken(line, columns)


def _broken(line: str, columns: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(),
        columns - 1,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _report_lines(
    folder: Path, summary: Mapping[str, Any], columns: int | None
) -> Iterator[str]:
    for label, lines in summary["protocols"].items():
        yield f"{label}:"
        yield from (f"  {line}" for line in lines)
    if "comparison" in summary:
        yield ""
        yield from comparison_lines(summary["comparison"], columns=columns)
        yield ""
    named = {**summary, "summary_file": SUMMARY}
    for key, what in _FILES.items():
        if key in named:
            yield f"{what}: {folder / named[key]}"


def warning_lines(protocols: Iterable[Protocol]) -> Iterator[str]:
    """Yield the warnings of the stages that are finished, for a run that failed."""
    for protocol in protocols:
        if protocol.isFinished():
            for line in protocol.summary():
                if line.startswith("WARNING"):
                    yield f"{protocol.getObjLabel()}: {line}"


def comparison_lines(
    comparison: Mapping[str, Any], *, columns: int | None = None
) -> Iterator[str]:
    """Yield a table with a row for every set that was compared with the truth.

    Parameters
    ----------
    comparison : mapping
        Of ``summary.json``, as `evaluation.compare` makes it.
    columns : int, optional
        Width of the terminal; intervals are left out of a table that is wider.
    """
    yield (
        f"{comparison['n_truth']} true particles on {comparison['n_micrographs']} "
        f"micrographs, matched within {comparison['radius_px']:.1f} px:"
    )
    yield ""
    header, rows = comparison_cells(comparison)
    table = [*_markdown([header, *rows])]
    if columns is not None and max(map(len, table)) >= columns:
        plain = [[_INTERVAL.sub("", cell) for cell in row] for row in (header, *rows)]
        table = [*_markdown(plain)]
    yield from table


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
