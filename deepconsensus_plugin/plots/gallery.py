# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of particles, in named rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from deepconsensus_plugin.plots.low_pass import CONTRAST_PERCENTILES, low_passed

_TILE_INCHES, _TITLE_INCHES = 0.95, 0.4
_GAP, _LINE = 0.02, 1.2
"""Space around a picture, and from one line to the next, in pictures."""


@dataclass(frozen=True, eq=False)
class GalleryRow:
    """Pictures with what is written below each.

    Parameters
    ----------
    title : str
        Title of the row.
    boxes : array, shape (n, box, box)
        Pixels as in the micrograph.
    captions : sequence of str
        n.
    """

    title: str
    boxes: NDArray[np.float32]
    captions: Sequence[str]


def gallery_size(n_columns: int, rows: Sequence[GalleryRow]) -> tuple[float, float]:
    """Return width and height, inches, of a gallery."""
    lines = [_n_lines(row, n_columns) for row in rows]
    height = sum(_LINE * _TILE_INCHES * n + _TITLE_INCHES for n in lines)
    return n_columns * _TILE_INCHES, height


def draw_gallery(
    figure: Figure,
    rows: Sequence[GalleryRow],
    *,
    n_columns: int,
    sampling_rate: float,
) -> None:
    """Draw each row of a gallery, low-passed for the eye.

    Parameters
    ----------
    figure : Figure
        Empty, of the size from `gallery_size` or another: pictures become as large as
        they can.
    rows : sequence of GalleryRow
        One or more.
    n_columns : int
        Pictures beside each other; a row that has more goes on below.
    sampling_rate : float
        Å/px.
    """
    ratios = [gallery_size(n_columns, [row])[1] for row in rows]
    parts = figure.subfigures(len(rows), 1, height_ratios=ratios, squeeze=False)
    for part, row in zip(parts[:, 0], rows, strict=True):
        _draw_row(part, row, n_columns, sampling_rate)


def _n_lines(row: GalleryRow, n_columns: int) -> int:
    return max(1, -(-len(row.boxes) // n_columns))


def _draw_row(
    part: SubFigure, row: GalleryRow, n_columns: int, sampling_rate: float
) -> None:
    """Draw all pictures into one plot, whose unit is the distance of two pictures."""
    height = part.bbox.height / part.figure.dpi
    part.text(0.005, 1, row.title, va="top", ha="left", fontsize="medium")
    axes = part.add_axes((0, 0, 1, 1 - 0.6 * _TITLE_INCHES / height))
    axes.set_axis_off()
    for index, (box, caption) in enumerate(zip(row.boxes, row.captions, strict=True)):
        line, column = divmod(index, n_columns)
        top = _LINE * line
        shown = low_passed(box, sampling_rate=sampling_rate)
        low, high = np.percentile(shown, CONTRAST_PERCENTILES)
        extent = (column + _GAP, column + 1 - _GAP, top + 1 - 2 * _GAP, top)
        axes.imshow(shown, cmap="gray", vmin=low, vmax=high, extent=extent)
        axes.text(
            *(column + 0.5, top + 1, caption),
            ha="center",
            va="top",
            fontsize="x-small",
        )
    axes.set(xlim=(0, n_columns), ylim=(_LINE * _n_lines(row, n_columns), 0))
    axes.set_anchor("NW")
