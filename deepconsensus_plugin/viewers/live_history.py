# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot of a training's history that updates while the training runs."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from deepconsensus_plugin.plots.training import Histories, draw_history

_MILLISECONDS_BETWEEN_LOOKS = 2000


class LiveHistory:
    """Plot of a history, redrawn whenever it has grown, until the training ends.

    Parameters
    ----------
    figure : Figure
        Empty. Keeps this object alive, as ``figure.live_history``.
    read : callable
        Gives the histories so far, and whether the training is still at work.
    draw : callable
        Draws them; replaces what is in the figure.
    """

    def __init__(
        self,
        figure: Figure,
        read: Callable[[], tuple[Histories, bool]],
        draw: Callable[..., None] = draw_history,
    ):
        self.figure, self._read, self._draw = figure, read, draw
        self._drawn: tuple[Histories, bool] | None = None
        figure.live_history = self
        self._timer = figure.canvas.new_timer(interval=_MILLISECONDS_BETWEEN_LOOKS)
        self._timer.add_callback(self.look)
        figure.canvas.mpl_connect("close_event", lambda _: self._timer.stop())
        if self.look():
            self._timer.start()

    def look(self) -> bool:
        """Draw what is new; return whether there is more to come."""
        histories, is_running = self._read()
        if (histories, is_running) != self._drawn:
            self._drawn = histories, is_running
            self._draw(self.figure, histories, is_running=is_running)
            self.figure.canvas.draw_idle()
        return is_running  # Matplotlib ends a timer whose callback says so
