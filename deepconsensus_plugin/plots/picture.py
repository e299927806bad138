# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of one micrograph with its accepted and rejected picks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import (
    DIAMETER_PER_BOX,
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
)
from deepconsensus_plugin.core.usable_area.files import read_outlines
from deepconsensus_plugin.plots.area_outlines import (
    add_area_legend,
    add_area_outlines,
)
from deepconsensus_plugin.plots.colours import REASON_COLOURS
from deepconsensus_plugin.plots.low_pass import (
    CONTRAST_PERCENTILES,
    low_passed,
    picture_extent,
)

_SIDE_INCHES, _DPI = 8.0, 150
_BAR_LENGTHS_NM = (5, 10, 20, 50, 100, 200, 500)
_BAR_SHARE = 0.2
"""The longest scale bar, as a part of the picture's width."""


def write_picture(
    path: Path,
    micrographs: Sequence[Micrograph],
    candidates: Candidates,
    reason: IntArray,
    *,
    box_size: float,
    masks: Path | None = None,
) -> None:
    """Write a PNG of the micrograph chosen by `choose_micrograph`.

    Parameters
    ----------
    path : Path
        The file; replaced if it is there.
    micrographs : sequence of Micrograph
        Those of the candidates.
    candidates : Candidates
        All of them, n.
    reason : array, shape (n,), int
        Codes of `Reason`: what a selection made of them.
    box_size : float
        Pixels.
    masks : Path, optional
        Folder of masks, which are outlined (`read_outlines`).
    """
    accepted = np.asarray(reason == Reason.ACCEPTED)
    index = choose_micrograph(candidates.micrograph_index, accepted)
    here = candidates.micrograph_index == index
    name = candidates.micrographs[index]
    micrograph = next(each for each in micrographs if each.name == name)
    figure = Figure(figsize=(_SIDE_INCHES, _SIDE_INCHES))
    draw_picks(
        figure,
        open_micrograph(micrograph.path),
        {
            (each.label, colour): candidates.yx[here & (reason == each)]
            for each, colour in REASON_COLOURS.items()
            if each is Reason.ACCEPTED or (here & (reason == each)).any()
        },
        sampling_rate=micrograph.sampling_rate,
        diameter_px=DIAMETER_PER_BOX * box_size,
        outlines=read_outlines(masks, name, micrograph.shape),
    )
    above = 22  # points: the legend
    figure.axes[0].set_title(name, loc="left", fontsize="medium", pad=above)
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=_DPI, bbox_inches="tight")


def choose_micrograph(micrograph_index: IntArray, accepted: BoolArray) -> int:
    """Return the micrograph with the most candidates of the rarer kind.

    Of accepted and rejected ones, that is; of equals, the first.

    Parameters
    ----------
    micrograph_index : array, shape (n,), int
        Micrograph index of each candidate, >= 0.
    accepted : array, shape (n,), bool
        Which ones a selection kept.
    """
    n_micrographs = int(micrograph_index.max(initial=0)) + 1
    kinds = [
        np.bincount(micrograph_index[chosen], minlength=n_micrographs)
        for chosen in (accepted, ~accepted)
    ]
    return int(np.argmax(np.minimum(*kinds)))


def draw_picks(
    figure: Figure,
    image: NDArray[Any],
    picks: dict[tuple[str, str], FloatArray],
    *,
    sampling_rate: float,
    diameter_px: float,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Draw a micrograph, low-passed for the eye, with circles and a scale bar.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot.
    image : array, shape (rows, columns)
        Pixels; those that are not finite are grey.
    picks : dict of (label, colour) to array, shape (n, 2)
        Centres ``yx`` of each kind, pixels.
    sampling_rate : float
        Å/px.
    diameter_px : float
        Diameter of the circles, pixels.
    outlines : sequence of array, shape (n, 2)
        Outlines ``yx`` of the unusable area, pixels.
    """
    axes = figure.add_subplot()
    axes.set_axis_off()
    shown = low_passed(image, sampling_rate=sampling_rate)
    low, high = np.percentile(shown, CONTRAST_PERCENTILES)
    extent = picture_extent(image.shape)
    axes.imshow(shown, cmap="gray", vmin=low, vmax=high, extent=extent)
    for (label, colour), yx in picks.items():
        add_circles(axes, diameter_px, colour).set_offsets(yx[:, ::-1])
        axes.add_line(circle_in_legend(colour, f"{label} ({len(yx)})"))
    if outlines:
        add_area_outlines(axes, outlines)
        add_area_legend(axes)
    _draw_scale_bar(axes, image.shape[1], sampling_rate)
    axes.legend(
        handles=[artist for artist in axes.lines if artist.get_label()[:1] != "_"],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.2,
        ncols=len(picks),
        columnspacing=1.2,
        handletextpad=0.3,
        frameon=False,
    )


def add_circles(axes: Axes, diameter_px: float, colour: str) -> EllipseCollection:
    """Add circles that have no places yet: give them ``xy`` by `set_offsets`."""
    circles = EllipseCollection(
        [diameter_px],
        [diameter_px],
        [0],
        units="xy",
        offsets=np.empty((0, 2)),
        offset_transform=axes.transData,
        facecolors="none",
        edgecolors=colour,
        linewidths=1.3,
    )
    axes.add_collection(circles)
    return circles


def circle_in_legend(colour: str, label: str) -> Line2D:
    """Return the legend entry for circles of a colour."""
    marker = {"marker": "o", "fillstyle": "none", "linestyle": "none"}
    return Line2D([], [], color=colour, label=label, **marker)


def round_length_nm(width_nm: float) -> float:
    """Return the length of a scale bar for a picture of this width: a fifth at most."""
    fitting = [each for each in _BAR_LENGTHS_NM if each <= _BAR_SHARE * width_nm]
    return fitting[-1] if fitting else _BAR_LENGTHS_NM[0]


def _draw_scale_bar(axes: Axes, columns: int, sampling_rate: float) -> None:
    """Draw a bar of round length at the bottom left, with its length above it."""
    nm_per_px = sampling_rate / 10
    length = round_length_nm(columns * nm_per_px)
    # In parts of the axes, so that it looks alike on every micrograph.
    left, width = 0.03, length / nm_per_px / columns
    axes.plot(
        [left, left + width],
        [0.035, 0.035],
        transform=axes.transAxes,
        color="white",
        linewidth=4,
        solid_capstyle="butt",
    )
    axes.text(
        left + width / 2,
        0.045,
        f"{length} nm",
        transform=axes.transAxes,
        color="white",
        ha="center",
        va="bottom",
        bbox={"facecolor": "black", "alpha": 0.5, "edgecolor": "none", "pad": 2},
    )
