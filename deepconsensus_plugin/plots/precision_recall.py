# SPDX-License-Identifier: GPL-3.0-or-later
"""Precision-recall plot of picks against the truth, for several sets together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.plots.colours import GREY, LIGHT_GREY, colour_of


@dataclass(frozen=True, eq=False)
class EvaluatedPicks:
    """A set that was compared with the truth.

    Parameters
    ----------
    name : str
        Name in the legend.
    figures : mapping
        Content of ``metrics.json``.
    curve : array, shape (t, 3)
        Threshold, precision and recall; t may be 0, for picks without scores.
    """

    name: str
    figures: Mapping[str, Any]
    curve: FloatArray


def draw_precision_recall(figure: Figure, sets: Sequence[EvaluatedPicks]) -> None:
    """Draw all thresholds of each set, and as a dot what is accepted of it.

    Beside precision over recall stands F1 over the number of picks that are accepted,
    in parts of the number of particles: an axis that picks with scores of any scale
    share. What a blind lattice reaches is the floor.

    Parameters
    ----------
    figure : Figure
        Empty; gets two plots beside each other.
    sets : sequence of EvaluatedPicks
        At least one; the first one's truth and lattice are shown. Figures that are not
        defined are not drawn.
    """
    figure.set_layout_engine("constrained")
    precision, f1 = figure.subplots(1, 2)
    for number, each in enumerate(sets):
        _draw_curve(precision, f1, each.curve, colour_of(number))
        label = _describe(each)
        _draw_dot(precision, f1, each.figures, colour_of(number), label)
    floor = sets[0].figures.get("blind_lattice")
    if floor is not None:
        _draw_dot(precision, f1, floor, GREY, f"blind lattice, F1 {_decimals(floor)}")
    precision.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Recall")
    precision.set_ylabel("Precision (lower bound)")
    f1.set(xlim=(0, None), ylim=(0, 1.02), ylabel="F1")
    f1.set_xlabel("Accepted picks per true particle")
    for axes in (precision, f1):
        axes.grid(color=LIGHT_GREY, linewidth=0.6)
        axes.set_axisbelow(True)
    first = sets[0].figures
    figure.suptitle(
        f"{first['n_truth']} particles on {first['n_micrographs']} micrographs, "
        f"matched within {first['radius_px']:.1f} px",
        fontsize="medium",
    )
    handles, labels = precision.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=1 if max(map(len, labels), default=0) > 45 else 2,
        frameon=False,
        fontsize="small",
    )


def _draw_curve(precision: Axes, f1: Axes, curve: FloatArray, colour: str) -> None:
    """Draw the thresholds at which anything is matched; the others have no place."""
    matched = curve[curve[:, 2] > 0] if len(curve) else np.empty((0, 3))
    if not len(matched):
        return
    _, of_precision, of_recall = matched.T
    precision.plot(of_recall, of_precision, color=colour)
    f1.plot(
        of_recall / of_precision,
        2 * of_precision * of_recall / (of_precision + of_recall),
        color=colour,
    )


def _draw_dot(
    precision: Axes, f1: Axes, figures: Mapping[str, Any], colour: str, label: str
) -> None:
    """Draw what is accepted; without a precision there is only a legend."""
    if figures["f1"] is None or figures["precision"] is None:
        precision.plot([], [], "o", color=colour, label=label)
        return
    precision.plot(
        *(figures["recall"], figures["precision"], "o"), color=colour, label=label
    )
    n_per_particle = figures["n_accepted"] / figures["n_truth"]
    f1.plot(n_per_particle, figures["f1"], "o", color=colour)


def _describe(each: EvaluatedPicks) -> str:
    text = f"{each.name}: F1 {_decimals(each.figures)}"
    if each.figures["best_f1"] is not None:
        text += (
            f", at best {each.figures['best_f1']:.3f} at score "
            f"{each.figures['best_f1_threshold']:.3g}"
        )
    area = each.figures["average_precision"]
    return text if area is None else f"{text}, average precision {area:.3f}"


def _decimals(figures: Mapping[str, Any]) -> str:
    return "–" if figures["f1"] is None else f"{figures['f1']:.3f}"
