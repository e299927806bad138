# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of all sets with the truth, as the cells of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEADER = ("picks", "n", "precision", "recall", "F1 (95 %)", "AP", "best F1")


def comparison_cells(
    comparison: Mapping[str, Any],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header, and a row for every set; empty where a figure is not defined.

    Parameters
    ----------
    comparison : mapping
        Of ``summary.json``, as `evaluation.compare` makes it.
    """
    return _HEADER, [_cells(row) for row in comparison["rows"]]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    f1, interval = _decimals(row["f1"]), row["f1_interval"]
    if interval is not None and None not in interval:
        f1 += f" ({_decimals(interval[0])} – {_decimals(interval[1])})"
    return (
        row["picks"],
        str(row["n_accepted"]),
        _decimals(row["precision"]),
        _decimals(row["recall"]),
        f1,
        _decimals(row["average_precision"]),
        _decimals(row["best_f1"]),
    )


def _decimals(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"
