# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of averages, with number, resolution, share accepted and pickers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from deepconsensus_plugin.core.averages.membership import Membership
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.plots.averages_layout import BAR, HEADING, AveragesLayout
from deepconsensus_plugin.plots.colours import LIGHT_GREY, colour_of
from deepconsensus_plugin.plots.low_pass import CONTRAST_PERCENTILES

TILE_INCHES = 1.15
"""Width of a picture in a gallery, with what is around it."""
GAP = 0.03
"""Space around a picture, in pictures."""

_LEGEND_INCHES = 0.3
_NUMBER_PAD = 0.05


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
        axes.text(GAP, top + HEADING / 2, title, va="center", clip_on=True)
    below = 1 + BAR * len(members.pickers)
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
        extent=(left + GAP, left + 1 - GAP, top + 1 - GAP, top + GAP),
        interpolation="bilinear",
    )


def write_number(axes: Axes, average: int, *, left: float, top: float) -> None:
    """Write the number of an average, from 1, into the corner of its picture."""
    axes.text(
        left + GAP + _NUMBER_PAD,
        top + GAP + _NUMBER_PAD,
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


def _draw_bars(axes: Axes, shares: FloatArray, layout: AveragesLayout) -> None:
    """Draw below each average the share of its members that each picker found."""
    for number, share in enumerate(shares.T):
        top = layout.top + 1 + BAR * number
        for part, colour in ((1 - 0 * share, LIGHT_GREY), (share, colour_of(number))):
            bars = [
                Rectangle(corner, (1 - 2 * GAP) * each, 0.75 * BAR)
                for *corner, each in zip(layout.left + GAP, top, part, strict=True)
            ]
            drawn = PatchCollection(bars, facecolors=colour, edgecolors="none")
            axes.add_collection(drawn, autolim=False)
