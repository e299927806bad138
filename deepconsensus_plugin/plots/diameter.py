# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot of the probability of particle diameters, as micrographs tell them."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from deepconsensus_plugin.core.pickers.diameter.estimate import DiameterEstimate
from deepconsensus_plugin.plots.colours import BLUE, LIGHT_GREY, ORANGE, SKY

_TICKS = (50, 100, 200, 400, 800)


def draw_diameter(
    figure: Figure, estimate: DiameterEstimate, *, given_A: float | None = None
) -> None:
    """Draw how likely each diameter is, the estimate, and the given one.

    Parameters
    ----------
    figure : Figure
        Empty.
    estimate : DiameterEstimate
        Probabilities of trial diameters; its interval is shaded where it is told.
    given_A : float, optional
        Diameter that the user gave, Å.
    """
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    axes.plot(estimate.trials_A, estimate.probabilities, "o-", color=BLUE)
    if estimate.diameter_A is not None:
        axes.axvspan(estimate.low_A, estimate.high_A, color=SKY, alpha=0.25)
        label = f"estimated: {estimate.diameter_A:.0f} Å"
        axes.axvline(estimate.diameter_A, color=BLUE, label=label)
    if given_A is not None:
        label = f"given: {given_A:.0f} Å"
        axes.axvline(given_A, color=ORANGE, linestyle="--", label=label)
    axes.set(xscale="log", xlabel="Longest diameter (Å)", ylabel="Probability")
    axes.set_xticks(_TICKS)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_ylim(bottom=0)
    axes.grid(color=LIGHT_GREY, linewidth=0.6)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False)
    if estimate.why is not None:
        axes.set_title(f"Not told: {estimate.why}", fontsize="small")
