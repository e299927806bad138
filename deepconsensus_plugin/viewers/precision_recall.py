# SPDX-License-Identifier: GPL-3.0-or-later
"""The precision-recall curve of picks against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import FloatArray

# Okabe and Ito's colours, told apart by the colour-blind too.
_CURVE, _PICKS, _BLIND = "#0072B2", "#D55E00", "#999999"


def draw_precision_recall(
    figure: Figure, curve: FloatArray, figures: Mapping[str, Any]
) -> None:
    """Draw all thresholds, the accepted picks, and what a blind lattice reaches.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot.
    curve : array, shape (t, 3)
        Threshold, precision and recall; t may be 0, for picks without scores.
    figures : mapping
        Content of ``metrics.json``. Figures that are not defined are not drawn.
    """
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    if len(curve):
        area = figures["average_precision"]
        label = "all thresholds" if area is None else f"average precision {area:.3f}"
        axes.plot(curve[:, 2], curve[:, 1], color=_CURVE, label=label)
    for name, source, colour in (
        ("accepted picks", figures, _PICKS),
        ("blind lattice", figures["blind_lattice"], _BLIND),
    ):
        if source["f1"] is not None and source["precision"] is not None:
            axes.plot(
                *(source["recall"], source["precision"], "o"),
                color=colour,
                label=f"{name}, F1 {source['f1']:.3f}",
            )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Recall")
    axes.set_ylabel("Precision (at least)")
    axes.set_title(
        f"{figures['n_truth']} particles on {figures['n_micrographs']} micrographs, "
        f"matched within {figures['radius_px']:.1f} px"
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
