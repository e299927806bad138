# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of a picker's training: its history, and what each threshold gives."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepconsensus_plugin.core.pickers.trained.validation import (
    WANTED_PRECISION,
    PickerValidation,
)
from deepconsensus_plugin.plots.colours import GREY, LIGHT_GREY, colour_of
from deepconsensus_plugin.plots.training import Histories

_MOST_PICKS = 2.0
"""Picks per particle up to which the curves are drawn: beyond, all is background."""


def draw_picker_history(
    figure: Figure, histories: Histories, *, is_running: bool
) -> None:
    """Draw training loss and validation of every round of a training.

    Parameters
    ----------
    figure : Figure
        Anything in it is replaced; gets two plots above each other, over the updates.
    histories : sequence of sequences of Checkpoint
        History of each round; empty ones are not drawn.
    is_running : bool
        Whether there will be more.
    """
    figure.clear()
    figure.set_layout_engine("constrained")
    loss, precision = figure.subplots(2, 1, sharex=True)
    first = 0
    for number, history in enumerate(histories):
        updates = [first + each.update for each in history]
        style = {"color": colour_of(number), "marker": ".", "markersize": 4}
        loss.plot(updates, [each.training_loss for each in history], **style)
        figures = _average_precisions(history)
        precision.plot(updates, figures, label=f"round {number + 1}", **style)
        if np.isfinite(figures).any():
            best = int(np.nanargmax(figures))
            precision.plot(
                *(updates[best], figures[best], "*"),
                color=colour_of(number),
                markersize=11,
            )
        first = updates[-1] if updates else first
    loss.set_ylabel("Training loss")
    precision.set(ylabel="Average precision\n(held out)", xlabel="Updates (batches)")
    if len(histories) > 1:
        precision.legend(loc="lower right", fontsize="small")
    for axes in (loss, precision):
        axes.grid(color=LIGHT_GREY, linewidth=0.6)
        axes.margins(x=0.02)
    precision.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.align_ylabels([loss, precision])
    figure.suptitle(_describe(histories, is_running), fontsize="medium")


def _average_precisions(history) -> np.ndarray:
    kept = [each.validation_average_precision for each in history]
    return np.array([np.nan if each is None else each for each in kept], dtype=float)


def _describe(histories: Histories, is_running: bool) -> str:
    checkpoints = [each for history in histories for each in history]
    if not checkpoints:
        return "No validation yet"
    if is_running:
        return f"Running: {histories[-1][-1].update} updates"
    if not np.isfinite(_average_precisions(checkpoints)).any():
        return "No micrograph was held out; the last weights are kept"
    return "The weights with the highest average precision are kept (★)"


def draw_picker_validation(figure: Figure, validation: PickerValidation) -> None:
    """Draw precision over recall, and what each threshold gives.

    Parameters
    ----------
    figure : Figure
        Empty; gets two plots beside each other.
    validation : PickerValidation
        With a curve.
    """
    figure.set_layout_engine("constrained")
    curve, over = figure.subplots(1, 2)
    n_picks = np.array(validation.curve)[:, 1]
    shown = n_picks <= _MOST_PICKS * validation.n_particles
    thresholds, precision, recall, f1 = (
        each[shown]
        for each in (
            validation.thresholds,
            validation.precision,
            validation.recall,
            validation.f1,
        )
    )
    curve.plot(recall, precision, color=colour_of(0))
    curve.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1.02), ylim=(0, 1.02))
    for number, (name, values) in enumerate(
        (("precision", precision), ("recall", recall), ("F1", f1))
    ):
        over.plot(thresholds, values, color=colour_of(number), label=name)
    over.set(xlabel="Threshold (log-odds)", ylim=(0, 1.02))
    _mark(over, validation.best_threshold, "best F1", ":")
    _mark(
        over,
        validation.threshold_for(WANTED_PRECISION),
        f"precision {WANTED_PRECISION:g}",
        "--",
    )
    over.legend(loc="best", fontsize="small")
    for axes in (curve, over):
        axes.grid(color=LIGHT_GREY, linewidth=0.6)
    figure.suptitle(
        f"{validation.n_micrographs} held-out micrographs; {validation.n_labels} of "
        f"about {validation.n_particles:.0f} particles labelled; average precision "
        f"{validation.average_precision:.3f}",
        fontsize="medium",
    )


def _mark(axes: Axes, threshold: float | None, name: str, style: str) -> None:
    if threshold is not None:
        axes.axvline(threshold, color=GREY, linestyle=style, label=name)
