# SPDX-License-Identifier: GPL-3.0-or-later
"""Tabs that the windows of all trainings have, and what they say without a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matplotlib.figure import Figure
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.plots.training import Histories
from deepconsensus_plugin.viewers.tabs.tab import Plot, PlotTab

NO_MODEL = "There is no model yet; wait until the run has finished."


def history_tab(
    help_: str,
    read: Callable[[], tuple[Histories, bool]],
    draw: Callable[..., None],
) -> PlotTab:
    """Return the history of a training, drawn again while it grows.

    Parameters
    ----------
    help_ : str
        What is shown.
    read : callable
        Gives the histories so far, and whether the training is still at work.
    draw : callable
        Draws them into a figure.
    """

    def read_plot() -> Plot:
        histories, is_running = read()
        return Plot(
            partial(_draw, draw, histories, is_running),
            content=(histories, is_running),
            is_final=not is_running,
        )

    return PlotTab("History", help_, read_plot)


def _draw(
    draw: Callable[..., None], histories: Histories, is_running: bool, figure: Figure
) -> None:
    draw(figure, histories, is_running=is_running)


def model_tab(protocol: Protocol) -> PlotTab:
    """Return the summary of the model: its training data and its figures."""

    def describe() -> str:
        if not protocol.hasAttribute("outputModel"):
            return NO_MODEL
        versions = protocol.outputModel.getCard().versions
        made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
        return "\n".join([*protocol.summary(), f"Made with {made_with}."])

    return PlotTab("Model summary", "Training data and figures of the model.", describe)
