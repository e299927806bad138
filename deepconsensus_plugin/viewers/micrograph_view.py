# SPDX-License-Identifier: GPL-3.0-or-later
"""View of one low-passed micrograph, with zoom and pan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.files import read_outlines
from deepconsensus_plugin.plots.area_outlines import (
    add_area_legend,
    add_area_outlines,
)
from deepconsensus_plugin.plots.low_pass import (
    CONTRAST_PERCENTILES,
    LOW_PASS_A,
    low_passed,
    picture_extent,
)
from deepconsensus_plugin.plots.picture import round_length_nm
from deepconsensus_plugin.viewers.overlay import Overlay

FONT = 8.5
_ZOOM_STEP = 1.3
_SMALLEST_SIDE_BOXES = 2
"""Smallest side of the view, in boxes: the limit of the zoom."""
_ABOVE, _BELOW = 0.3, 0.42
"""Inches left free."""


@dataclass(frozen=True, eq=False)
class MicrographPicture:
    """A micrograph made ready to be shown.

    Parameters
    ----------
    name : str
        Its name.
    grey : array, shape (rows, columns), uint8
        Grey values to show.
    extent : tuple of float
        Left, right, bottom, top; pixels of the micrograph.
    sampling_rate : float
        Å/px of the micrograph.
    outlines : sequence of array, shape (n, 2)
        Outlines ``yx`` of the unusable area, pixels of the micrograph.
    """

    name: str
    grey: FloatArray
    extent: tuple[float, float, float, float]
    sampling_rate: float
    outlines: Sequence[FloatArray] = ()

    @classmethod
    def read(
        cls,
        name: str,
        path: Path,
        sampling_rate: float,
        *,
        low_pass_A: float = LOW_PASS_A,
        masks: Path | None = None,
    ) -> MicrographPicture:
        """Return the picture of a file.

        `low_pass_A` as for `low_passed`, `masks` as for `read_outlines`.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If it cannot be read.
        """
        image = open_micrograph(path)
        shown = low_passed(image, sampling_rate=sampling_rate, low_pass_A=low_pass_A)
        low, high = np.percentile(shown, CONTRAST_PERCENTILES)
        stretched = (shown - low) / max(high - low, 1e-30)
        grey = np.clip(255 * stretched, 0, 255).astype(np.uint8)
        return cls(
            name,
            grey,
            picture_extent(image.shape),
            sampling_rate,
            read_outlines(masks, name, image.shape),
        )


class MicrographView:
    """A picture with a scale bar; the wheel zooms, a double click shows all.

    Where there is a mask of the micrograph, the unusable area is outlined.

    Others draw over it: what they give to `overlay` can move without the picture.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    box_size : float
        Box size of the particles, pixels.
    """

    def __init__(self, figure: Figure, *, box_size: float):
        self._figure = figure
        self._box_size = box_size
        self.axes = figure.add_subplot()
        self._lay_out()
        figure.canvas.mpl_connect("resize_event", self._lay_out)
        self.axes.set_axis_off()
        self.overlay = Overlay(figure)
        self._extent = (0.0, 1.0, 1.0, 0.0)
        self._nm_per_px = 0.1
        self._grabbed: tuple[float, float] | None = None
        self._add_scale_bar()
        self._outlined: list[Artist] = []

    def _lay_out(self, event: Any = None) -> None:
        """Leave room for the name above and the legend below."""
        height = self._figure.get_size_inches()[1]
        self._figure.subplots_adjust(
            left=0.01, right=0.99, top=1 - _ABOVE / height, bottom=_BELOW / height
        )

    def _add_scale_bar(self) -> None:
        place = {"transform": self.axes.transAxes, "color": "white"}
        (bar,) = self.axes.plot([], [], linewidth=4, solid_capstyle="butt", **place)
        self._bar = self.overlay.add(bar)
        behind = {"facecolor": "black", "alpha": 0.5, "edgecolor": "none", "pad": 2}
        length = self.axes.text(
            *(0.03, 0.045, ""), fontsize=FONT, va="bottom", bbox=behind, **place
        )
        self._bar_length = self.overlay.add(length)

    def set_picture(self, picture: MicrographPicture) -> None:
        """Show a micrograph, all of it, unless it only looks different."""
        for old in [*self.axes.images]:
            old.remove()
        is_other = self.axes.get_title("left") != picture.name
        self._extent, self._nm_per_px = picture.extent, picture.sampling_rate / 10
        part = self.axes.get_xlim(), self.axes.get_ylim()
        self.axes.imshow(
            *(picture.grey, "gray"), vmin=0, vmax=255, extent=picture.extent
        )
        self._outline(picture.outlines)
        self.axes.set_title(picture.name, fontsize=FONT, loc="left")
        if is_other:
            self.show_all()
        else:
            self._show_part(*part)

    def _outline(self, outlines: Sequence[FloatArray]) -> None:
        """Outline the unusable area instead of that of the micrograph before."""
        for old in self._outlined:
            old.remove()
        self._outlined = []
        if outlines:
            lines = add_area_outlines(self.axes, outlines)
            self._outlined = [lines, add_area_legend(self.axes, fontsize=FONT - 1)]

    # -------------------------- which part of it --------------------------
    def zoom(self, event: Any) -> None:
        """Zoom by a step of the wheel, about where the mouse is."""
        if event.inaxes is not self.axes:
            return
        factor = _ZOOM_STEP**-event.step
        x, y = event.xdata, event.ydata
        (left, right), (bottom, top) = self.axes.get_xlim(), self.axes.get_ylim()
        width, height = (right - left) * factor, (bottom - top) * factor
        if width >= self._extent[1] - self._extent[0]:
            self.show_all()
        elif min(width, height) >= _SMALLEST_SIDE_BOXES * self._box_size:
            self._show_part(
                (x + (left - x) * factor, x + (right - x) * factor),
                (y + (bottom - y) * factor, y + (top - y) * factor),
            )

    def grab(self, event: Any) -> None:
        """Take hold of the micrograph; a double click lets all of it show."""
        if event.inaxes is not self.axes:
            return
        if event.dblclick:
            self.show_all()
        else:
            self._grabbed = event.xdata, event.ydata

    def drag(self, event: Any) -> None:
        """Move what was grabbed to where the mouse is."""
        if self._grabbed is None or event.inaxes is not self.axes:
            return
        x, y = (
            g - e
            for g, e in zip(self._grabbed, (event.xdata, event.ydata), strict=True)
        )
        (left, right), (bottom, top) = self.axes.get_xlim(), self.axes.get_ylim()
        self._show_part((left + x, right + x), (bottom + y, top + y))

    def let_go(self, event: Any) -> None:
        """End a drag."""
        self._grabbed = None

    def show_all(self) -> None:
        """Show the whole micrograph."""
        left, right, bottom, top = self._extent
        self._show_part((left, right), (bottom, top))

    def _show_part(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.axes.set(xlim=x, ylim=y)
        width_nm = (x[1] - x[0]) * self._nm_per_px
        length = round_length_nm(width_nm)
        self._bar.set_data([0.03, 0.03 + length / width_nm], [0.03, 0.03])
        self._bar_length.set_text(f"{length:g} nm")
        self._figure.canvas.draw_idle()
