# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown tables of figures, as they are pasted into docs/results.md."""

from __future__ import annotations

import math
from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; floats as `figure`, the first column to the left."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    lines = [header, marks, *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: object) -> str:
    """Return the text of one cell; nothing for None."""
    if isinstance(value, float):
        return figure(value)
    return "" if value is None else str(value)


def figure(value: float | None) -> str:
    """Return three decimals, or nothing where a figure is not defined."""
    return "" if value is None or math.isnan(value) else f"{value:.3f}"


def with_interval(value: float, low: float, high: float) -> str:
    """Return a figure and its interval."""
    if math.isnan(value) or math.isnan(low):
        return figure(value)
    return f"{value:.3f} ({low:.3f} – {high:.3f})"


def bar(share: float, *, width: int = 40) -> str:
    """Return a line of # as long as `share` (0 - 1) of `width`."""
    return "#" * round(share * width)
