# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement of the pickers over the consensus radius, with its plateau."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepconsensus_plugin.core.consensus.radius import AgreementCurve
from deepconsensus_plugin.plots.colours import GREY, LIGHT_GREY, colour_of_votes


def draw_agreement_radius(
    figure: Figure, curve: AgreementCurve, *, chosen: float, box_extent_A: float
) -> None:
    """Draw how many candidates pickers agree on at each consensus radius.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot.
    curve : AgreementCurve
        Agreement of two pickers or more.
    chosen : float
        The consensus radius that was used, boxes.
    box_extent_A : float
        Side of a box, Å.
    """
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    at_least = curve.at_least
    k = at_least.shape[1]
    for m in range(k, 1, -1):
        axes.plot(
            *([0, *curve.radii], [0, *at_least[:, m - 1]]),
            color=colour_of_votes(m, k),
            marker=".",
            label=f"{m} or more of {k} pickers" if m < k else f"all {k} pickers",
        )
    _mark(axes, chosen, f"used: {chosen:g}", "black", "-")
    if curve.plateau is not None:
        _mark(axes, curve.plateau, f"plateau: {curve.plateau:g}", GREY, "--")
    axes.set(xlim=(0, curve.radii[-1]), ylim=(0, None))
    axes.set_xlabel("Consensus radius (boxes)")
    axes.set_ylabel("Candidates that pickers agree on")
    axes.grid(color=LIGHT_GREY, linewidth=0.6)
    axes.legend(loc="lower right", framealpha=0.9)
    angstroms = axes.secondary_xaxis(
        "top", functions=(lambda r: r * box_extent_A, lambda a: a / box_extent_A)
    )
    angstroms.set_xlabel("Å")


def _mark(axes: Axes, radius: float, label: str, colour: str, style: str) -> None:
    axes.axvline(radius, color=colour, linestyle=style, label=label)
