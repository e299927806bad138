# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of averages, with number, resolution, share accepted and pickers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_LEGEND_INCHES = 0.3
_GAP = 0.03
_BAR, _TEXT, _HEADING = 0.055, 0.36, 0.26
"""Height of the bar of a picker, of the two lines of text, and of a title, in
pictures."""
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

    A panel without averages is left out. Where nothing is accepted yet, all are one.
    """
    order = members.accepted_first()
    if members.n_accepted is None:
        return [AveragesPanel("Averages", order)]
    is_accepted = members.is_mostly_accepted[order]
    panels = [
        AveragesPanel("Most members accepted", order[is_accepted]),
        AveragesPanel("Most members rejected", order[~is_accepted]),
    ]
    return [panel for panel in panels if len(panel.chosen)]


@dataclass(frozen=True, eq=False)
class AveragesLayout:
    """Places of averages in lines; the unit is the distance of two of them.

    Parameters
    ----------
    averages : array, shape (c,), int
        The averages, in the order of their places.
    left, top : array, shape (c,)
        Corner of each, with x to the right and y downwards.
    headings : dict of str to float
        Top of each title.
    width, height : float
        Extent of all.
    """

    averages: IntArray
    left: FloatArray
    top: FloatArray
    headings: Mapping[str, float]
    width: float
    height: float

    def at(self, x: float | None, y: float | None) -> int | None:
        """Return the average whose picture is at a place, or None."""
        if x is None or y is None:
            return None
        inside = (self.left <= x) & (x < self.left + 1)
        inside &= (self.top <= y) & (y < self.top + 1)
        found = self.averages[inside]
        return int(found[0]) if len(found) else None


def lay_out(
    panels: Sequence[AveragesPanel], *, n_columns: int, n_pickers: int
) -> AveragesLayout:
    """Return the places of the averages of panels, one panel below the other."""
    line = 1 + _BAR * n_pickers + _TEXT
    headings, left, top, below = {}, [], [], 0.0
    for panel in panels:
        headings[panel.title] = below
        places = np.arange(len(panel.chosen))
        left.append(places % n_columns)
        top.append(below + _HEADING + line * (places // n_columns))
        below += _HEADING + line * -(-len(panel.chosen) // n_columns)
    return AveragesLayout(
        np.concatenate([panel.chosen for panel in panels]),
        np.concatenate(left).astype(float),
        np.concatenate(top),
        headings,
        float(n_columns),
        below,
    )


def averages_size(layout: AveragesLayout) -> tuple[float, float]:
    """Return width and height, inches, of a gallery."""
    return TILE_INCHES * layout.width, TILE_INCHES * layout.height + _LEGEND_INCHES


def draw_averages(
    figure: Figure, table: AveragesTable, members: Membership, layout: AveragesLayout
) -> None:
    """Draw a gallery of averages with the legend of their bars.

    Parameters
    ----------
    figure : Figure
        Empty, of the size from `averages_size`.
    table : AveragesTable
        The averages.
    members : Membership
        What is known of their members.
    layout : AveragesLayout
        Which are drawn, and where.
    """
    legend = _LEGEND_INCHES / averages_size(layout)[1]
    axes = figure.add_axes((0, legend, 1, 1 - legend))
    axes.set(xlim=(0, layout.width), ylim=(layout.height, 0), anchor="NW")
    draw_tiles(axes, table, members, layout)
    add_picker_legend(figure, members.pickers)


def draw_tiles(
    axes: Axes,
    table: AveragesTable,
    members: Membership,
    layout: AveragesLayout,
    *,
    fontsize: float | str = "x-small",
) -> None:
    """Draw averages, with titles, numbers and bars, in the unit of their layout."""
    limits = axes.get_xlim(), axes.get_ylim()
    axes.set_axis_off()
    for title, top in layout.headings.items():
        axes.text(_GAP, top + _HEADING / 2, title, va="center", clip_on=True)
    below = 1 + _BAR * len(members.pickers)
    for average, left, top in zip(
        layout.averages.tolist(), layout.left, layout.top, strict=True
    ):
        draw_image(axes, table.images[average], left=left, top=top)
        write_number(axes, average, left=left, top=top)
        axes.text(
            left + 0.5,
            top + below,
            caption(table, members, average),
            ha="center",
            va="top",
            fontsize=fontsize,
            linespacing=1.1,
            clip_on=True,
        )
    _draw_bars(axes, members.share_found[layout.averages], layout)
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")


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
    known = f"{members.n_members[average]:,} · {resolution}"
    if members.n_accepted is None:
        return known
    return f"{known}\n{members.share_accepted[average]:.0%} accepted"


def describe_resolution(resolution_A: float) -> str:
    """Return a resolution in words of few letters."""
    return f"{resolution_A:.0f} Å" if np.isfinite(resolution_A) else "unresolved"


def add_picker_legend(figure: Figure, pickers: Sequence[str]) -> None:
    """Add what the bars mean at the bottom left of a figure."""
    if not pickers:
        return
    figure.legend(
        handles=[
            Patch(color=colour_of(number), label=f"found by {picker}")
            for number, picker in enumerate(pickers)
        ],
        loc="lower left",
        ncols=len(pickers),
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
    )


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


def _draw_bars(axes: Axes, shares: FloatArray, layout: AveragesLayout) -> None:
    """Draw below each average the share of its members that each picker found."""
    for number, share in enumerate(shares.T):
        top = layout.top + 1 + _BAR * number
        for part, colour in ((1 - 0 * share, LIGHT_GREY), (share, colour_of(number))):
            bars = [
                Rectangle(corner, (1 - 2 * _GAP) * each, 0.75 * _BAR)
                for *corner, each in zip(layout.left + _GAP, top, part, strict=True)
            ]
            drawn = PatchCollection(bars, facecolors=colour, edgecolors="none")
            axes.add_collection(drawn, autolim=False)
