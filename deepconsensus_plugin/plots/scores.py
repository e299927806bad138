# SPDX-License-Identifier: GPL-3.0-or-later
"""Histogram of scores with the threshold, above the expected precision and recall."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.plots.colours import (
    GREEN,
    LIGHT_GREY,
    ORANGE,
    REASON_COLOURS,
)

_N_BINS = 50


def draw_scores(
    figure: Figure,
    score: FloatArray,
    reason: IntArray,
    *,
    threshold: float,
    calibration: CalibrationReport | None,
) -> None:
    """Draw the histogram of scores by what became of them, and what is expected.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot, and below it another one where figures are expected.
    score : array, shape (n,)
        0 - 1; NaN is not drawn.
    reason : array, shape (n,), int
        Codes of `Reason`.
    threshold : float
        The lowest score that is good enough; not drawn where it is infinite.
    calibration : CalibrationReport, optional
        None where scores are no probabilities.
    """
    figure.set_layout_engine("constrained")
    is_told = calibration is not None and calibration.why_withheld is None
    n_rows = 2 if is_told else 1
    top, *below = figure.subplots(n_rows, 1, sharex=True, squeeze=False)[:, 0]
    _draw_histogram(top, score, reason)
    for axes in below:
        _draw_expected(axes, calibration)
    for axes in (top, *below):
        axes.set_xlim(0, 1)
        if np.isfinite(threshold):
            axes.axvline(threshold, color="black", linestyle="--", label="threshold")
        axes.legend(frameon=False, fontsize="small", loc="upper left", ncols=3)
    (below or [top])[-1].set_xlabel(
        "Score of the network" if calibration is None else "Score (probability)"
    )


def _draw_histogram(axes: Axes, score: FloatArray, reason: IntArray) -> None:
    known = np.isfinite(score)
    parts = {each: score[known & (reason == each)] for each in REASON_COLOURS}
    always = (Reason.ACCEPTED, Reason.SCORE)
    shown = [each for each in parts if each in always or len(parts[each])]
    axes.hist(
        [parts[each] for each in shown],
        bins=list(np.linspace(0, 1, _N_BINS + 1)),
        stacked=True,
        color=[REASON_COLOURS[each] for each in shown],
        label=[f"{each.label} ({len(parts[each])})" for each in shown],
    )
    # Most scores of a good set are near 1; the rest should be seen too.
    axes.set_yscale("log")
    axes.set_ylim(0.7, 1.5 * max(10.0, axes.get_ylim()[1]))
    axes.set_ylabel(f"Candidates per {1 / _N_BINS:g}")


def _draw_expected(axes: Axes, calibration: CalibrationReport) -> None:
    for name, figures, colour in (
        ("precision", calibration.precision, ORANGE),
        ("recall", calibration.recall, GREEN),
    ):
        _draw_with_interval(
            axes, calibration.thresholds, figures, colour, f"expected {name}"
        )
    axes.set(ylim=(0, 1.25), yticks=np.linspace(0, 1, 6), ylabel="Expected value")
    axes.grid(color=LIGHT_GREY, linewidth=0.6)


def _draw_with_interval(
    axes: Axes,
    thresholds: list[float],
    figures: list[EstimatedFigure],
    colour: str,
    label: str,
) -> None:
    axes.plot(thresholds, [each.value for each in figures], color=colour, label=label)
    low, high = ([getattr(each, end) for each in figures] for end in ("low", "high"))
    axes.fill_between(thresholds, low, high, color=colour, alpha=0.25, linewidth=0)
