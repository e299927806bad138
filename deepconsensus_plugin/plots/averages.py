# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of averages, with number, resolution, share accepted and pickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from deepconsensus_plugin.core.averages.membership import Membership
from deepconsensus_plugin.core.averages.subsets import SubsetAverages
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.plots.colours import LIGHT_GREY, colour_of
from deepconsensus_plugin.plots.low_pass import CONTRAST_PERCENTILES

TILE_INCHES = 1.15
"""Width of a picture in a gallery, with what is around it."""

_TITLE_INCHES, _LEGEND_INCHES = 0.32, 0.3
_GAP = 0.03
_BAR, _TEXT = 0.055, 0.34
"""Height of the bar of a picker and of the two lines of text, in pictures."""
_SUBSET_TEXT = 0.2
_NUMBER_PAD = 0.05


@dataclass(frozen=True, eq=False)
class AveragesPanel:
    """Averages under a title.

    Parameters
    ----------
    title : str
        Title.
    chosen : array, shape (c,), int
        The averages, in their order.
    """

    title: str
    chosen: IntArray


def panels_of(members: Membership) -> list[AveragesPanel]:
    """Return the averages of mostly accepted members, and of mostly rejected ones.

    A panel without averages is left out.
    """
    order = members.accepted_first()
    is_accepted = members.is_mostly_accepted[order]
    panels = [
        AveragesPanel("Most members accepted", order[is_accepted]),
        AveragesPanel("Most members rejected", order[~is_accepted]),
    ]
    return [panel for panel in panels if len(panel.chosen)]


def line_height(n_pickers: int) -> float:
    """Return the height of an average with all that stands below, in its widths."""
    return 1 + _BAR * n_pickers + _TEXT


def averages_size(
    panels: Sequence[AveragesPanel], *, n_columns: int, n_pickers: int
) -> tuple[float, float]:
    """Return width and height, inches, of a gallery."""
    heights = [_panel_inches(panel, n_columns, n_pickers) for panel in panels]
    return n_columns * TILE_INCHES, sum(heights) + _LEGEND_INCHES


def draw_averages(
    figure: Figure,
    table: AveragesTable,
    members: Membership,
    panels: Sequence[AveragesPanel],
    *,
    n_columns: int,
) -> None:
    """Draw averages, largest first, in panels one below the other.

    Parameters
    ----------
    figure : Figure
        Empty, of the size from `averages_size` or another.
    table : AveragesTable
        The averages.
    members : Membership
        What is known of their members.
    panels : sequence of AveragesPanel
        One or more.
    n_columns : int
        Averages beside each other.
    """
    n_pickers = len(members.pickers)
    ratios = [_panel_inches(panel, n_columns, n_pickers) for panel in panels]
    parts = figure.subfigures(
        len(panels) + 1, 1, height_ratios=[*ratios, _LEGEND_INCHES], squeeze=False
    )
    for part, panel, ratio in zip(parts[:, 0], panels, ratios, strict=False):
        top = 1 - 0.2 * _TITLE_INCHES / ratio
        part.text(0.005, top, panel.title, va="top", ha="left", fontsize="medium")
        axes = part.add_axes((0, 0, 1, 1 - _TITLE_INCHES / ratio))
        draw_tiles(axes, table, members, panel.chosen, n_columns=n_columns)
    parts[-1, 0].legend(
        handles=picker_legend(members.pickers),
        loc="center left",
        ncols=max(1, n_pickers),
        frameon=False,
        fontsize="small",
        title="",
    )


def draw_tiles(
    axes: Axes,
    table: AveragesTable,
    members: Membership,
    chosen: IntArray,
    *,
    n_columns: int,
    fontsize: float | str = "x-small",
) -> None:
    """Draw averages in lines; the unit of the axes is the distance of two of them.

    The place number i lies in column ``i % n_columns``, its top at
    ``line_height(…) · (i // n_columns)``.
    """
    height = line_height(len(members.pickers))
    axes.set_axis_off()
    for place, average in enumerate(chosen.tolist()):
        line, column = divmod(place, n_columns)
        draw_image(axes, table.images[average], left=column, top=height * line)
        write_number(axes, average, left=column, top=height * line)
        axes.text(
            column + 0.5,
            height * line + 1 + _BAR * len(members.pickers),
            caption(table, members, average),
            ha="center",
            va="top",
            fontsize=fontsize,
            linespacing=1.1,
        )
    _draw_bars(axes, members.share_found[chosen], height, n_columns)
    n_lines = max(1, -(-len(chosen) // n_columns))
    axes.set(xlim=(0, n_columns), ylim=(height * n_lines, 0), aspect="equal")
    axes.set_anchor("NW")


def draw_image(
    axes: Axes,
    image: NDArray[np.float32],
    *,
    left: float,
    top: float,
    like: NDArray[np.float32] | None = None,
) -> None:
    """Draw one average; `like` gives the range of grey values, itself if None."""
    low, high = np.percentile(image if like is None else like, CONTRAST_PERCENTILES)
    axes.imshow(
        image,
        cmap="gray",
        vmin=low,
        vmax=high,
        extent=(left + _GAP, left + 1 - _GAP, top + 1 - _GAP, top + _GAP),
        interpolation="bilinear",
    )


def write_number(axes: Axes, average: int, *, left: float, top: float) -> None:
    """Write the number of an average, from 1, into the corner of its picture."""
    axes.text(
        left + _GAP + _NUMBER_PAD,
        top + _GAP + _NUMBER_PAD,
        f"{average + 1}",
        ha="left",
        va="top",
        color="white",
        fontsize="x-small",
    )


def caption(table: AveragesTable, members: Membership, average: int) -> str:
    """Return number of members, resolution and share accepted, in two lines."""
    resolution = describe_resolution(float(table.resolution_A[average]))
    share = members.share_accepted[average]
    return f"{members.n_members[average]:,} · {resolution}\n{share:.0%} accepted"


def describe_resolution(resolution_A: float) -> str:
    """Return a resolution in words of few letters."""
    return f"{resolution_A:.0f} Å" if np.isfinite(resolution_A) else "unresolved"


def picker_legend(pickers: Sequence[str]) -> list[Patch]:
    """Return the entries of a legend of bars, one for each picker."""
    return [
        Patch(color=colour_of(number), label=f"found by {picker}")
        for number, picker in enumerate(pickers)
    ]


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
    width, height = 2 + 4 * _GAP, 1 + _SUBSET_TEXT
    for place, average in enumerate(chosen.tolist()):
        line, column = divmod(place, n_columns)
        both = subsets.images[:, average]
        for side, word in enumerate(("accepted", "rejected")):
            left, top = width * column + side, height * line
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
    axes.set(xlim=(0, width * n_columns), ylim=(height * n_lines, 0), aspect="equal")
    axes.set_anchor("NW")


def subsets_size(n_pairs: int, *, n_columns: int) -> tuple[float, float]:
    """Return width and height, inches, of `draw_subsets`."""
    n_lines = max(1, -(-n_pairs // n_columns))
    width, height = (2 + 4 * _GAP) * n_columns, (1 + _SUBSET_TEXT) * n_lines
    return width * TILE_INCHES, height * TILE_INCHES


def _panel_inches(panel: AveragesPanel, n_columns: int, n_pickers: int) -> float:
    n_lines = max(1, -(-len(panel.chosen) // n_columns))
    return TILE_INCHES * n_lines * line_height(n_pickers) + _TITLE_INCHES


def _draw_bars(axes: Axes, shares: FloatArray, height: float, n_columns: int) -> None:
    """Draw below each average the share of its members that each picker found."""
    for number, share in enumerate(shares.T):
        below = 1 + _BAR * number
        for part, colour in ((1 - 0 * share, LIGHT_GREY), (share, colour_of(number))):
            bars = [
                Rectangle(
                    (place % n_columns + _GAP, height * (place // n_columns) + below),
                    (1 - 2 * _GAP) * each,
                    0.75 * _BAR,
                )
                for place, each in enumerate(part)
            ]
            drawn = PatchCollection(bars, facecolors=colour, edgecolors="none")
            axes.add_collection(drawn, autolim=False)
