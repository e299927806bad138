# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of averages: of the accepted members, and beside it of the rejected ones."""

from __future__ import annotations

from matplotlib.figure import Figure

from deepconsensus_plugin.core.averages.subsets import SubsetAverages
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.plots.averages import (
    GAP,
    TILE_INCHES,
    draw_image,
    write_number,
)

_WIDTH, _HEIGHT = 2 + 4 * GAP, 1.2
"""Extent of a pair with its text, in pictures."""


def draw_subsets(
    figure: Figure, subsets: SubsetAverages, *, chosen: IntArray, n_columns: int
) -> None:
    """Draw averages of the accepted members beside those of the rejected.

    Parameters
    ----------
    figure : Figure
        Empty, of the size from `subsets_size` or another.
    subsets : SubsetAverages
        Of two groups: accepted, rejected.
    chosen : array, shape (c,), int
        The averages, in their order.
    n_columns : int
        Pairs beside each other.
    """
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for place, average in enumerate(chosen.tolist()):
        line, column = divmod(place, n_columns)
        both = subsets.images[:, average]
        for side, word in enumerate(("accepted", "rejected")):
            left, top = _WIDTH * column + side, _HEIGHT * line
            if not side:
                write_number(axes, average, left=left, top=top)
            draw_image(axes, both[side], left=left, top=top, like=both[0])
            axes.text(
                left + 0.5,
                top + 1,
                f"{subsets.n_members[side, average]:,} {word}",
                ha="center",
                va="top",
                fontsize="x-small",
            )
    n_lines = max(1, -(-len(chosen) // n_columns))
    axes.set(xlim=(0, _WIDTH * n_columns), ylim=(_HEIGHT * n_lines, 0), aspect="equal")
    axes.set_anchor("NW")


def subsets_size(n_pairs: int, *, n_columns: int) -> tuple[float, float]:
    """Return width and height, inches, of `draw_subsets`."""
    n_lines = max(1, -(-n_pairs // n_columns))
    return _WIDTH * n_columns * TILE_INCHES, _HEIGHT * n_lines * TILE_INCHES
