# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of a training: its history, and curves on the held-out boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepconsensus_plugin.core.calibration.network_grounds import describe_held_out
from deepconsensus_plugin.core.metrics.classification import (
    area_under_roc,
    average_precision,
    count_at_thresholds,
)
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.plots.colours import GREY, LIGHT_GREY, colour_of

_LOSS, _ACCURACY = "Cross entropy", "Accuracy"
_PRECISION, _RATE = "Average\nprecision", "Learning\nrate"
_RATIOS = {_LOSS: 2.2, _ACCURACY: 1.4, _PRECISION: 1.4, _RATE: 1}
"""Plots of a history from above, and their heights."""

Histories = Sequence[Sequence[Checkpoint]]
"""The validations of each network."""

Labelled = tuple[BoolArray, FloatArray]
"""Labels and scores of boxes, arrays of shape (n,)."""


def draw_history(figure: Figure, histories: Histories, *, is_running: bool) -> None:
    """Draw loss, accuracy, average precision and learning rate of every network.

    Parameters
    ----------
    figure : Figure
        Anything in it is replaced; gets four plots above each other, over the updates,
        or three where no average precision was kept.
    histories : sequence of sequences of Checkpoint
        Empty ones are not drawn.
    is_running : bool
        Whether there will be more.
    """
    figure.clear()
    figure.set_layout_engine("constrained")
    checkpoints = [each for history in histories for each in history]
    ratios = dict(_RATIOS)
    if checkpoints and all(c.validation_average_precision is None for c in checkpoints):
        del ratios[_PRECISION]
    rows = figure.subplots(
        len(ratios), 1, sharex=True, height_ratios=[*ratios.values()]
    )
    plots = dict(zip(ratios, rows, strict=True))
    for name, axes in plots.items():
        axes.set_ylabel(name)
    for number, history in enumerate(histories):
        _draw_network(plots, history, number)
    loss, rate = plots[_LOSS], plots[_RATE]
    rate.set_xlabel("Updates (batches)")
    if checkpoints:
        rate.set_yscale("log")
        loss.plot([], [], color=GREY, label="validation")
        loss.plot([], [], color=GREY, linestyle=":", label="training")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    for axes in rows:
        axes.grid(color=LIGHT_GREY, linewidth=0.6)
        axes.margins(x=0.02)
    figure.align_ylabels(rows)
    rate.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(_describe(histories, is_running), fontsize="medium")


def _draw_network(
    plots: Mapping[str, Axes], history: Sequence[Checkpoint], number: int
) -> None:
    loss = plots[_LOSS]
    updates = [each.update for each in history]
    style = {"color": colour_of(number), "marker": ".", "markersize": 4}
    name = f"network {number + 1}"
    loss.plot(updates, [each.validation_loss for each in history], label=name, **style)
    loss.plot(
        updates,
        [each.training_loss for each in history],
        color=colour_of(number),
        linestyle=":",
    )
    accuracies = [each.validation_accuracy for each in history]
    plots[_ACCURACY].plot(updates, accuracies, **style)
    if _PRECISION in plots:
        known = [c for c in history if c.validation_average_precision is not None]
        precisions = [c.validation_average_precision for c in known]
        plots[_PRECISION].plot([c.update for c in known], precisions, **style)
    rates = [each.learning_rate for each in history]
    plots[_RATE].step(updates, rates, where="pre", **style)
    if history:  # the weights of this one are kept
        best = min(history, key=lambda each: each.validation_loss)
        loss.plot(
            *(best.update, best.validation_loss, "*"),
            color=colour_of(number),
            markersize=11,
        )


def _describe(histories: Histories, is_running: bool) -> str:
    n_begun = sum(map(bool, histories))
    if not n_begun:
        return "No validation yet"
    last = histories[n_begun - 1][-1]
    if is_running:
        return (
            f"Running: network {n_begun}, {last.update} updates, validation accuracy "
            f"{last.validation_accuracy:.1%}"
        )
    kept = "the weights with the lowest validation loss are kept (★)"
    return f"{n_begun} network{'s' if n_begun > 1 else ''}; {kept}"


def draw_validation(figure: Figure, networks: Sequence[Labelled]) -> None:
    """Draw ROC and precision-recall of each network on what it held out.

    Parameters
    ----------
    figure : Figure
        Empty; gets two plots beside each other.
    networks : sequence of (array, array)
        Labels and scores of each; without both labels a network is not drawn.
    """
    figure.set_layout_engine("constrained")
    roc, precision = figure.subplots(1, 2)
    for number, (is_particle, scores) in enumerate(networks):
        n_particles, n_others = int(is_particle.sum()), int((~is_particle).sum())
        if not n_particles or not n_others:
            continue
        counts = count_at_thresholds(is_particle, scores)
        recall = counts.n_true / n_particles
        false_alarms = (counts.n_accepted - counts.n_true) / n_others
        too_few = describe_held_out(n_particles, n_others)
        area = f"area {area_under_roc(counts):.3f}"
        average = f"average precision {average_precision(counts, n_particles):.3f}"
        roc.plot(
            *(np.append(0, false_alarms), np.append(0, recall)),
            color=colour_of(number),
            label=f"network {number + 1}: {too_few or area}",
        )
        precision.plot(
            *(recall, counts.n_true / counts.n_accepted),
            color=colour_of(number),
            label=f"network {number + 1}: {too_few or average}",
        )
    roc.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="chance")
    roc.set(xlabel="False positive rate", ylabel="True positive rate")
    precision.set(xlabel="Recall", ylabel="Precision")
    for axes in (roc, precision):
        axes.set(xlim=(-0.02, 1.02), ylim=(0, 1.02))
        axes.grid(color=LIGHT_GREY, linewidth=0.6)
        axes.legend(loc="lower right", fontsize="small", framealpha=0.9)
    figure.suptitle(
        "On the held-out micrographs of each network, compared with their labels",
        fontsize="medium",
    )
