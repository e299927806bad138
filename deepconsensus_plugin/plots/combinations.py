# SPDX-License-Identifier: GPL-3.0-or-later
"""UpSet plot: candidates per combination of pickers (Lex et al. 2014)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepconsensus_plugin.core.consensus.agreement import Combinations
from deepconsensus_plugin.core.types import BoolArray, IntArray
from deepconsensus_plugin.plots.colours import BLUE, GREY, LIGHT_GREY

N_SHOWN = 20
"""Combinations that are drawn, the largest; with six pickers there may be 63."""


def draw_combinations(figure: Figure, combinations: Combinations) -> None:
    """Draw how many candidates were found by exactly which pickers.

    Parameters
    ----------
    figure : Figure
        Empty; gets three plots that share axes.
    combinations : Combinations
        Where the expected number of particles is known, bars are split by it.
    """
    figure.set_layout_engine("constrained")
    k = len(combinations.pickers)
    grid = figure.add_gridspec(
        2, 2, height_ratios=[max(4, 1.2 * k), k], width_ratios=[1, 3]
    )
    bars = figure.add_subplot(grid[0, 1])
    dots = figure.add_subplot(grid[1, 1], sharex=bars)
    totals = figure.add_subplot(grid[1, 0], sharey=dots)
    _draw_bars(bars, combinations)
    _draw_dots(dots, combinations.members[:N_SHOWN])
    _draw_totals(totals, combinations, combinations.n_candidates)
    n_hidden = len(combinations) - N_SHOWN
    hidden = f" ({n_hidden} rarer combinations not shown)" if n_hidden > 0 else ""
    figure.suptitle(
        f"Candidates by the pickers that found them{hidden}", fontsize="medium"
    )


def _draw_bars(axes: Axes, combinations: Combinations) -> None:
    counts = combinations.n_candidates[:N_SHOWN]
    particles = combinations.n_particles[:N_SHOWN]
    at = np.arange(len(counts))
    if np.isnan(particles).any():
        axes.bar(at, counts, color=BLUE, width=0.6)
    else:
        axes.bar(at, particles, color=BLUE, width=0.6, label="expected particles")
        rest = counts - particles
        axes.bar(at, rest, bottom=particles, color=GREY, width=0.6, label="others")
        axes.legend(frameon=False, loc="upper right")
    for x, count in zip(at, counts, strict=True):
        axes.annotate(
            str(count),
            (x, count),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize="small" if len(counts) <= 12 else "x-small",
        )
    axes.set_xlim(-0.6, max(1, len(counts)) - 0.4)
    axes.set_ylim(0, max(1, counts.max(initial=0)) * 1.12)
    axes.set_ylabel("Candidates")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(bottom=False, labelbottom=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_dots(axes: Axes, members: BoolArray) -> None:
    """Draw a column of dots for each combination, those of its pickers joined."""
    columns, rows = np.meshgrid(*map(np.arange, members.shape), indexing="ij")
    for chosen, colour in ((~members, LIGHT_GREY), (members, "black")):
        axes.scatter(columns[chosen], rows[chosen], s=60, color=colour, zorder=2)
    for column, member in enumerate(members):
        ends = np.flatnonzero(member)[[0, -1]]
        axes.plot([column, column], ends, color="black", linewidth=2, zorder=1)
    axes.set_ylim(members.shape[1] - 0.4, -0.6)
    axes.tick_params(left=False, labelleft=False, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)


def _draw_totals(axes: Axes, combinations: Combinations, counts: IntArray) -> None:
    """Draw how many candidates each picker found in all, growing to the left."""
    totals = counts @ combinations.members
    k = len(combinations.pickers)
    axes.barh(np.arange(k), totals, color=BLUE, height=0.5)
    for row, total in enumerate(totals):
        axes.annotate(
            f"{total} ",
            (total, row),
            ha="right",
            va="center",
            fontsize="small",
        )
    axes.set_xlim(1.6 * max(1, totals.max(initial=0)), 0)
    axes.set_yticks(range(k), combinations.pickers)
    axes.tick_params(left=False)
    axes.set_xlabel("Candidates found in total")
    axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.yaxis.set_tick_params(labelleft=True, pad=4)
