# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of the radius wizard: agreement over the radius, and one micrograph."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from deepconsensus_plugin.core.types import DIAMETER_PER_BOX, IntArray
from deepconsensus_plugin.plots.colours import (
    GREY,
    LIGHT_GREY,
    colour_of,
    colour_of_votes,
)
from deepconsensus_plugin.plots.picture import (
    add_circles,
    circle_in_legend,
)
from deepconsensus_plugin.viewers.micrograph_view import FONT, MicrographView
from deepconsensus_plugin.viewers.overlay import Overlay
from deepconsensus_plugin.wizards.agreed_picks import AgreedPicks

_LEFT, _RIGHT, _ABOVE, _BELOW = 0.75, 0.2, 0.55, 0.9
"""Inches left free."""
_MARKERS, _MARKER_SIZE = "os^Dv", 3.5
_FIRST_COLOUR = 2
"""Pickers begin with colours that few votes and all votes do not have."""


def describe_agreed(n_agreed: IntArray) -> str:
    """Return on how many candidates how many pickers agree, as one line."""
    k = len(n_agreed)
    parts = [f"{n:,} by {m} of {k}" for m, n in enumerate(n_agreed.tolist(), start=1)]
    return f"agreed: {', '.join(parts[::-1])}"


class RadiusCurves:
    """Curves over the radius: candidates that at least m pickers agree on.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    n_pickers : int
        Two or more.
    box_extent_A : float
        Side of a box, Å.
    highest : float
        The largest radius, boxes.
    """

    def __init__(
        self, figure: Figure, *, n_pickers: int, box_extent_A: float, highest: float
    ):
        self._figure, self._highest = figure, highest
        self._points: dict[float, IntArray] = {}
        self.axes = figure.add_subplot()
        self._lay_out()
        figure.canvas.mpl_connect("resize_event", self._lay_out)
        self._curves = {
            m: self.axes.plot(
                *([], []),
                color=colour_of_votes(m, n_pickers),
                marker=".",
                label=f"{m} or more of {n_pickers}" if m < n_pickers else f"all {m}",
            )[0]
            for m in range(n_pickers, 1, -1)
        }
        self.axes.set(xlim=(0, highest), ylim=(0, 1))
        self.axes.set_xlabel("Consensus radius (boxes)", fontsize=FONT)
        self.axes.set_ylabel("Candidates that pickers agree on", fontsize=FONT)
        self.axes.tick_params(labelsize=FONT - 1)
        self.axes.grid(color=LIGHT_GREY, linewidth=0.6)
        angstroms = self.axes.secondary_xaxis(
            "top", functions=(lambda r: r * box_extent_A, lambda a: a / box_extent_A)
        )
        angstroms.set_xlabel("Å", fontsize=FONT)
        angstroms.tick_params(labelsize=FONT - 1)
        figure.legend(
            handles=[*self._curves.values()],
            loc="lower center",
            ncols=2,
            frameon=False,
            fontsize=FONT,
        )
        self._overlay = Overlay(figure)
        self._line = self._overlay.add(self.axes.axvline(0, color="black"))

    def _lay_out(self, event: Any = None) -> None:
        width, height = self._figure.get_size_inches()
        self._figure.subplots_adjust(
            left=_LEFT / width,
            right=1 - _RIGHT / width,
            top=1 - _ABOVE / height,
            bottom=_BELOW / height,
        )

    def add_point(self, radius: float, n_agreed: IntArray) -> None:
        """Go on with the curves; `n_agreed` as from `count_agreed`."""
        self._points[radius] = n_agreed
        radii = sorted(self._points)
        counts = np.array([self._points[radius] for radius in radii])
        at_least = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
        for m, curve in self._curves.items():
            curve.set_data(radii, at_least[:, m - 1])
        self.axes.set_ylim(0, max(1, 1.05 * at_least[:, 1].max()))
        self._figure.canvas.draw_idle()

    def mark_plateau(self, radius: float) -> None:
        """Mark where the agreement levels off."""
        self.axes.axvline(radius, color=GREY, linestyle=":")
        self.axes.annotate(
            " plateau",
            (radius, 0.02),
            xycoords=self.axes.get_xaxis_transform(),
            color=GREY,
            fontsize=FONT,
        )
        self._figure.canvas.draw_idle()

    def set_radius(self, radius: float) -> None:
        """Move the line."""
        self._line.set_xdata([radius, radius])
        self._overlay.update()

    def radius_at(self, event: Any) -> float | None:
        """Return the radius that the mouse is at; None if it is not on the plot."""
        if event.inaxes is not self.axes:
            return None
        return float(np.clip(round(event.xdata, 3), 0.001, self._highest))


class RadiusPlot(MicrographView):
    """Picks as dots, joined where they agree, and candidates as circles.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    pickers : tuple of str
        Two or more.
    box_size : float
        Pixels.
    """

    def __init__(self, figure: Figure, *, pickers: tuple[str, ...], box_size: float):
        super().__init__(figure, box_size=box_size)
        k, add = len(pickers), self.overlay.add
        self._links = add(LineCollection([], colors="white", linewidths=1.2))
        self.axes.add_collection(self._links, autolim=False)
        self._dots = {
            name: add(self._add_dots(colour_of(_FIRST_COLOUR + number), marker))
            for number, (name, marker) in enumerate(
                zip(pickers, cycle(_MARKERS), strict=False)
            )
        }
        self._circles = {
            m: add(
                add_circles(
                    self.axes, DIAMETER_PER_BOX * box_size, colour_of_votes(m, k)
                )
            )
            for m in range(1, k + 1)
        }
        self._legend = add(self._make_legend())

    def _make_legend(self) -> Legend:
        """Return a legend below the axes: circles by votes, then dots by picker."""
        k = len(self._circles)
        handles = [
            circle_in_legend(colour_of_votes(m, k), f"{m} of {k}")
            for m in range(1, k + 1)
        ]
        handles += [
            Line2D(
                *([], []),
                color=dots.get_color(),
                marker=dots.get_marker(),
                markersize=_MARKER_SIZE,
                linestyle="",
                label=name,
            )
            for name, dots in self._dots.items()
        ]
        return self.axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=2 * k,
            frameon=False,
            fontsize=FONT,
            columnspacing=1.0,
            handletextpad=0.2,
        )

    def _add_dots(self, colour: str, marker: str) -> Line2D:
        style = {"linestyle": "", "marker": marker, "markersize": _MARKER_SIZE}
        (dots,) = self.axes.plot([], [], color=colour, **style)
        return dots

    def show_agreed(self, agreed: AgreedPicks, *, radius_px: float) -> None:
        """Draw the picks of the micrograph, and what they agree on.

        Parameters
        ----------
        agreed : AgreedPicks
            Agreed picks of the micrograph that is shown.
        radius_px : float
            Radius of the consensus, pixels.
        """
        self._links.set_segments(agreed.links(reach_px=radius_px)[:, :, ::-1])
        for name, dots in self._dots.items():
            yx = agreed.picks.get(name, np.empty((0, 2)))
            dots.set_data(yx[:, 1], yx[:, 0])
        entries = self._legend.get_texts()
        for m, circles in self._circles.items():
            here = agreed.yx[agreed.agreement == m]
            circles.set_offsets(here[:, ::-1])
            k = len(self._circles)
            entries[m - 1].set_text(f"{m} of {k} ({len(here):,})")
        self.overlay.update()
