# SPDX-License-Identifier: GPL-3.0-or-later
"""Histogram of scores, above the curves of kept candidates and expected precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator

from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.plots.colours import BLUE, GREEN, ORANGE, colour_of
from deepconsensus_plugin.viewers.overlay import Overlay
from deepconsensus_plugin.viewers.scores.overview import REASON, Overview
from deepconsensus_plugin.viewers.scores.table import Grouping

N_BINS = 50
"""Bars between the scores 0 and 1."""
_MOST_BINS = 1000
_N_POINTS = 501
"""Points of the curves."""

_LINE, _KEPT, _PRECISION, _RECALL = "black", BLUE, ORANGE, GREEN
_ORDERED = "YlGnBu"
_PALE = 0.65
"""Opacity of the white over the bars below the threshold."""
_FONT = 8.5
_LEFT, _RIGHT = 0.75, 0.15
_MARGINS = 0.48, 0.55, 0.72
"""Inches left free: above, between and below the plots."""


class ScorePlots:
    """The plots on the left of the window of scores.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    overview : Overview
        Data to show.
    threshold : float
        Where the line is at first.
    """

    def __init__(self, figure: Figure, overview: Overview, *, threshold: float):
        self._overview = overview
        self._figure = figure
        self._grouping, self._is_log = overview.groupings[0], False
        self._threshold = threshold
        self._span = overview.ranking.span()
        self._bars, self._curves = figure.subplots(
            2, 1, sharex=True, height_ratios=(3, 2)
        )
        self._lay_out()
        figure.canvas.mpl_connect("resize_event", self._lay_out)
        for axes in (self._bars, self._curves):
            axes.tick_params(labelsize=_FONT - 1)
        self._overlay = Overlay(figure)
        self._legend: Legend | None = None
        self._add_moving()
        self._draw_bars()
        self._draw_curves()
        self.set_threshold(threshold)

    def _lay_out(self, event: Any = None) -> None:
        """Leave the room that texts need; Matplotlib takes half a second to find it."""
        width, height = self._figure.get_size_inches()
        top, between, bottom = _MARGINS
        room = max(height - top - between - bottom, 0.5)
        self._figure.subplots_adjust(
            left=_LEFT / width,
            right=1 - _RIGHT / width,
            top=1 - top / height,
            bottom=bottom / height,
            hspace=between / (room / 2),
        )

    # -------------------------- what moves --------------------------
    def _add_moving(self) -> None:
        low, _ = self._span
        add = self._overlay.add
        self._below = add(
            self._bars.axvspan(
                low, low, color="white", alpha=_PALE, linewidth=0, zorder=2
            )
        )
        self._lines = [
            add(axes.axvline(low, color=_LINE, zorder=3))
            for axes in (self._bars, self._curves)
        ]
        self._dots = [
            add(self._curves.plot([], [], "o", color=colour, markersize=5)[0])
            for colour in (_KEPT, _PRECISION, _RECALL)
        ]
        # From the left end of the figure's room for plots, which texts may not fit in.
        place = {"x": -0.1, "loc": "left", "fontsize": _FONT, "linespacing": 1.3}
        self._kept = add(self._bars.set_title("", **place))
        self._expected = add(self._curves.set_title("", **place))

    def set_threshold(self, threshold: float) -> None:
        """Move the line, and show how many candidates it keeps."""
        self._threshold = threshold
        low, high = self._span
        shown = min(max(threshold, low), high)
        # A rectangle over the full height, in data across and in axes upwards.
        self._below.set_xy([(low, 0), (low, 1), (shown, 1), (shown, 0), (low, 0)])
        for line in self._lines:
            line.set_xdata([shown, shown])
        at = np.array([threshold])
        for dot, share in zip(self._dots, self._shares(at), strict=False):
            dot.set_data([shown], share)
        self._kept.set_text(self._overview.describe_kept(threshold))
        self._expected.set_text(self._overview.describe_expected(threshold))
        self._overlay.update()

    def threshold_at(self, event: Any) -> float | None:
        """Return the score that the mouse is at, or None if it is on no plot."""
        if event.inaxes not in (self._bars, self._curves):
            return None
        return float(np.round(event.xdata, 3))

    # -------------------------- what stays --------------------------
    def set_grouping(self, name: str) -> None:
        """Stack the bars by one of the groupings of the overview."""
        self._grouping = name
        self._draw_bars()
        self._figure.canvas.draw_idle()

    def regroup(self) -> None:
        """Stack the bars anew, if the threshold matters for it."""
        if self._grouping == REASON:
            self.set_grouping(REASON)

    def set_log(self, is_log: bool) -> None:
        """Show numbers on a logarithmic scale, or not."""
        self._is_log = is_log
        self._draw_bars()
        self._figure.canvas.draw_idle()

    def _draw_bars(self) -> None:
        axes, (low, high) = self._bars, self._span
        for old in [*axes.patches]:
            if not old.get_animated():
                old.remove()
        n_bins = min(round(N_BINS * (high - low)), _MOST_BINS)
        edges = np.linspace(low, high, n_bins + 1)
        grouping = self._overview.group_by(self._grouping, self._threshold)
        counts = grouping.count(self._overview.table.score, edges)
        top = np.zeros(n_bins)
        for name, colour, bars in zip(
            grouping.names, _colours(grouping), counts, strict=True
        ):
            axes.stairs(
                *(top + bars, edges),
                baseline=top,
                fill=True,
                color=colour,
                label=f"{name} ({bars.sum():,})",
            )
            top = top + bars
        self._scale_bars(axes, float(top.max(initial=0)))
        axes.set_ylabel(f"Candidates per {edges[1] - edges[0]:.2g}", fontsize=_FONT)
        if self._legend is not None:
            self._overlay.remove(self._legend)
        # Above what is pale.
        self._legend = self._overlay.add(
            axes.legend(loc="upper center", fontsize=_FONT - 1, framealpha=0.85)
        )

    def _scale_bars(self, axes: Axes, highest: float) -> None:
        axes.set_yscale("log" if self._is_log else "linear")
        axes.set_xlim(*self._span)
        if self._is_log:
            axes.set_ylim(0.7, max(2.0, highest) * 1.5)
        else:
            axes.set_ylim(0, max(1.0, highest) * 1.05)
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    def _draw_curves(self) -> None:
        axes = self._curves
        thresholds = np.linspace(*self._span, _N_POINTS)
        kept, *_ = self._shares(thresholds)
        axes.plot(thresholds, kept, color=_KEPT, linewidth=1.2, label="kept")
        axes.set_xlabel(self._describe_score(), fontsize=_FONT)
        is_alone = self._overview.expectation is None
        axes.set_ylabel("Fraction kept" if is_alone else "Fraction", fontsize=_FONT)
        axes.set_ylim(0, 1.03)
        if (expectation := self._overview.expectation) is None:
            return
        precision, recall = expectation.curves(thresholds)
        for name, curve, colour in (
            ("precision", precision, _PRECISION),
            ("recall", recall, _RECALL),
        ):
            axes.plot(thresholds, curve.value, color=colour, label=f"expected {name}")
            axes.fill_between(
                thresholds, curve.low, curve.high, color=colour, alpha=0.25, linewidth=0
            )
        self._figure.legend(
            handles=axes.get_legend_handles_labels()[0],
            loc="lower center",
            ncols=3,
            frameon=False,
            fontsize=_FONT - 1,
        )

    def _shares(self, thresholds: FloatArray) -> list[FloatArray]:
        """Return share kept, and expected precision and recall where there are any."""
        overview = self._overview
        shares = [overview.placed.n_kept(thresholds) / max(1, len(overview.placed))]
        if overview.expectation is not None:
            shares += [curve.value for curve in overview.expectation.curves(thresholds)]
        return shares

    def _describe_score(self) -> str:
        if not self._overview.are_probabilities:
            return "Score of the network"
        return "Score (probability of a particle)"


def _colours(grouping: Grouping) -> list[Any]:
    n_groups = len(grouping.names)
    if grouping.colours is not None:
        return list(grouping.colours)
    if grouping.is_ordered:
        return list(colormaps[_ORDERED](np.linspace(0.35, 0.95, n_groups)))
    return [colour_of(number) for number in range(n_groups)]
