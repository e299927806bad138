# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot of each picker's expected precision and recall, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.plots.colours import BLUE, GREEN, LIGHT_GREY, ORANGE


def draw_reliability(figure: Figure, report: CalibrationReport) -> None:
    """Draw expected precision and recall of each picker, and what it found alone.

    Parameters
    ----------
    figure : Figure
        Empty; gets three plots beside each other, a row for each picker.
    report : CalibrationReport
        Intervals that are not known are not drawn.
    """
    figure.set_layout_engine("constrained")
    shares, recalls, alone = figure.subplots(1, 3, sharey=True)
    verdicts = report.pickers
    _draw_figures(shares, [v.precision for v in verdicts], BLUE, decimals=2)
    _draw_figures(recalls, [v.recall for v in verdicts], ORANGE, decimals=2)
    _draw_figures(alone, [v.found_alone for v in verdicts], GREEN, decimals=0)
    shares.set(title="Precision", xlabel="Expected precision")
    recalls.set(title="Recall", xlabel="Expected recall")
    for axes in (shares, recalls):
        axes.set(xlim=(0, 1.02), xticks=(0, 0.25, 0.5, 0.75, 1))
    highest = max([1.0, *_ends([v.found_alone for v in verdicts])])
    alone.set(xlim=(0, 1.15 * highest), title="Found alone")
    alone.set_xlabel("Particles found by no other picker")
    shares.set_yticks(range(len(verdicts)), [v.name for v in verdicts])
    shares.set_ylim(len(verdicts) - 0.4, -0.7)
    has_intervals = not np.isnan([v.precision.low for v in verdicts]).all()
    figure.suptitle(
        f"Estimated without truth, from {report.n_candidates} candidates, of which "
        f"about {report.n_particles:.0f} are particles"
        + ("\nbars: 95 % intervals" if has_intervals else ""),
        fontsize="medium",
    )


def _draw_figures(
    axes: Axes, figures: Sequence[EstimatedFigure], colour: str, *, decimals: int
) -> None:
    """Draw a dot with its interval, and the number above it, in each row."""
    for row, figure in enumerate(figures):
        axes.plot([figure.low, figure.high], [row, row], color=colour, linewidth=3)
        axes.plot(figure.value, row, "o", color=colour, markersize=7)
        axes.annotate(
            f"{figure.value:.{decimals}f}",
            (figure.value, row),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    axes.grid(axis="x", color=LIGHT_GREY, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(left=False)
    axes.spines[["top", "left", "right"]].set_visible(False)


def _ends(figures: Sequence[EstimatedFigure]) -> list[float]:
    """Return what must fit on the axis: values, and the upper ends that are known."""
    ends = [end for figure in figures for end in (figure.value, figure.high)]
    return [end for end in ends if np.isfinite(end)]
