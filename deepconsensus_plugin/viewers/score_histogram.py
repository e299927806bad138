# SPDX-License-Identifier: GPL-3.0-or-later
"""The histogram of scores that a threshold is chosen from."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepconsensus_plugin.core.types import FloatArray

N_BINS = 50
"""Bars between the scores 0 and 1."""

# Okabe and Ito's colours, told apart by the colour-blind too.
_KEPT, _REJECTED, _LINE = "#0072B2", "#BBBBBB", "#D55E00"


def describe_selection(scores: FloatArray, threshold: float) -> str:
    """Return how many of `scores`, shape (n,), reach `threshold`, as one line."""
    n_kept = int((scores >= threshold).sum())
    share = f" ({n_kept / len(scores):.0%})" if len(scores) else ""
    return f"{n_kept} of {len(scores)}{share} kept at score ≥ {threshold:.3g}"


def draw_score_histogram(
    figure: Figure, scores: FloatArray, *, threshold: float
) -> None:
    """Draw kept and rejected scores, and how many any other threshold would keep.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot.
    scores : array, shape (n,)
        0 – 1; NaN, not scored, is counted but not drawn.
    threshold : float
        A score equal to it is kept. Bars that it crosses are split exactly.
    """
    known = np.sort(scores[np.isfinite(scores)])
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    low, high = _range(known)
    edges = np.linspace(low, high, min(round(N_BINS * (high - low)), 20 * N_BINS) + 1)
    parts = [known[known < threshold], known[known >= threshold]]
    axes.hist(
        parts,
        bins=list(edges),
        stacked=True,
        color=[_REJECTED, _KEPT],
        label=[f"rejected ({len(parts[0])})", f"kept ({len(parts[1])})"],
    )
    axes.axvline(threshold, color=_LINE, label="threshold")
    axes.set(xlim=(low, high), xlabel="Score")
    axes.set_ylabel(f"Candidates per {edges[1] - edges[0]:.2g}")
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(describe_selection(scores, threshold))
    _draw_number_kept(axes, known)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)


def _range(known: FloatArray) -> tuple[float, float]:
    """Return what the axis shows: 0 to 1, and more where scores lie outside."""
    return np.floor(min([0.0, *known[:1]])), np.ceil(max([1.0, *known[-1:]]))


def _draw_number_kept(axes: Axes, known: FloatArray) -> None:
    """Draw the number kept against the threshold, with its axis on the right."""
    right = axes.twinx()
    thresholds = np.linspace(*axes.get_xlim(), 501)
    n_kept = len(known) - np.searchsorted(known, thresholds, side="left")
    right.plot(
        thresholds, n_kept, color="black", linewidth=1, label="kept at any threshold"
    )
    right.set_ylim(0, max(1, len(known)) * 1.05)
    right.yaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_ylabel("Candidates kept")
