# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot of a box and a particle over a micrograph, resized with the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deepconsensus_plugin.plots.colours import AMBER, SKY
from deepconsensus_plugin.viewers.micrograph_view import (
    FONT,
    MicrographPicture,
    MicrographView,
)
from deepconsensus_plugin.wizards.measure import Measure

_ANGLES = np.linspace(0, 2 * np.pi, 73)
_CIRCLE = np.array([np.cos(_ANGLES), np.sin(_ANGLES)]) / 2
_SQUARE = np.array([(-1, 1, 1, -1, -1), (-1, -1, 1, 1, -1)]) / 2
_SMALLEST_ZOOM_PX = 20.0


class SizePlot(MicrographView):
    """A micrograph with a square and a circle around one place.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    measure : Measure
        Measured length: its outline is solid, the other one dashed.
    value : float, optional
        At first, in the unit of `measure`; from the micrograph if None.
    """

    def __init__(self, figure: Figure, measure: Measure, *, value: float | None):
        super().__init__(figure, box_size=_SMALLEST_ZOOM_PX)
        self.measure, self.value = measure, value
        self._centre: tuple[float, float] | None = None
        self._pulled = False
        self._square, self._circle = (
            self._add_outline(colour, name, solid=solid)
            for colour, name, solid in (
                (AMBER, "box", measure.is_box),
                (SKY, "particle", not measure.is_box),
            )
        )
        self.axes.legend(
            handles=[self._square, self._circle],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=2,
            frameon=False,
            fontsize=FONT,
        )

    def _add_outline(self, colour: str, name: str, *, solid: bool) -> Line2D:
        style = "-" if solid else "--"
        (line,) = self.axes.plot(
            [], [], color=colour, linestyle=style, linewidth=1.8, label=name
        )
        return self.overlay.add(line)

    def set_picture(self, picture: MicrographPicture) -> None:
        """Show another micrograph, with the outlines in its middle at first."""
        left, right, bottom, top = picture.extent
        if self.value is None:
            self.value = self.measure.first_value((right - left, bottom - top))
        if self._centre is None:
            self._centre = (left + right) / 2, (bottom + top) / 2
        self._place()
        super().set_picture(picture)

    def set_value(self, value: float) -> None:
        """Draw the outlines for a value in the unit of the measure."""
        self.value = value
        self._place()
        self.overlay.update()

    def press(self, event: Any) -> None:
        """Put the outlines where the mouse is."""
        if event.inaxes is self.axes and self.value is not None:
            self._centre, self._pulled = (event.xdata, event.ydata), True
            self.set_value(self.value)

    def pull(self, event: Any) -> float | None:
        """Pull what is measured to where the mouse is; return its new value, if any."""
        if not self._pulled or event.inaxes is not self.axes:
            return None
        across = np.abs(np.subtract((event.xdata, event.ydata), self._centre))
        radius = across.max() if self.measure.is_box else np.hypot(*across)
        if radius < 1:
            return None
        value = self.measure.of_px(2 * radius)
        self.set_value(value)
        return value

    def release(self, event: Any) -> None:
        """End a pull."""
        self._pulled = False

    def _place(self) -> None:
        if self._centre is None or self.value is None:
            return
        box, diameter = self.measure.sides_px(self.value)
        for line, outline, side in (
            (self._square, _SQUARE, box),
            (self._circle, _CIRCLE, diameter),
        ):
            line.set_data(*(outline * side + np.array(self._centre)[:, np.newaxis]))
