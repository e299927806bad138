# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of particles beside each other, in named rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from deepconsensus_plugin.commands.picture import CONTRAST_PERCENTILES, low_passed

_TILE_INCHES, _TITLE_INCHES = 0.95, 0.5


@dataclass(frozen=True, eq=False)
class GalleryRow:
    """Pictures with what is written below each.

    Parameters
    ----------
    title : str
        What they are.
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
    height = sum(1.2 * _TILE_INCHES * n + _TITLE_INCHES for n in lines)
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
        Empty, of the size that `gallery_size` tells.
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
    n_lines = _n_lines(row, n_columns)
    height = gallery_size(n_columns, [row])[1]
    top = 1 - 0.6 * _TITLE_INCHES / height
    part.text(0.005, 1, row.title, va="top", ha="left", fontsize="medium")
    grid = part.subplots(
        n_lines,
        n_columns,
        squeeze=False,
        gridspec_kw={
            **{"left": 0.005, "right": 0.995, "bottom": 0.01, "top": top},
            **{"wspace": 0.04, "hspace": 0.25},
        },
    )
    for axes in grid.flat:
        axes.set_axis_off()
        axes.set_anchor("N")
    for axes, box, caption in zip(grid.flat, row.boxes, row.captions, strict=False):
        shown = low_passed(box, sampling_rate=sampling_rate)
        low, high = np.percentile(shown, CONTRAST_PERCENTILES)
        axes.imshow(shown, cmap="gray", vmin=low, vmax=high)
        axes.text(
            *(0.5, -0.03, caption),
            transform=axes.transAxes,
            ha="center",
            va="top",
            fontsize="x-small",
        )
