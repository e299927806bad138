# SPDX-License-Identifier: GPL-3.0-or-later
"""Browser of micrographs with picks: one figure with two buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.backend_bases import KeyEvent
from matplotlib.figure import Figure
from matplotlib.widgets import Button

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.types import FloatArray, Micrograph
from deepconsensus_plugin.plots.picture import draw_picks

Picks = dict[tuple[str, str], FloatArray]
"""Centres ``yx``, shape (n, 2), pixels, by label and colour."""

_STEPS = {"left": -1, "right": 1, "pageup": -1, "pagedown": 1}
"""Steps of the keys."""


class MicrographBrowser:
    """Browser of several micrographs; *previous* and *next* wrap around.

    Parameters
    ----------
    figure : Figure
        Empty. Keeps this object alive, as ``figure.browser``.
    micrographs : sequence of Micrograph
        At least one.
    picks_on : callable
        Gives the picks of a micrograph, by its name.
    diameter_px : float
        Diameter of the circles, pixels.
    first : int
        First micrograph to show.
    """

    def __init__(
        self,
        figure: Figure,
        micrographs: Sequence[Micrograph],
        picks_on: Callable[[str], Picks],
        *,
        diameter_px: float,
        first: int = 0,
    ):
        self.figure, self.micrographs, self.index = figure, micrographs, first
        self._picks_on, self._diameter_px = picks_on, diameter_px
        figure.set_layout_engine("constrained")
        self._picture, bar = figure.subfigures(2, 1, height_ratios=[16, 1])
        self._buttons = self._add_buttons(bar)
        figure.canvas.mpl_connect("key_press_event", self._on_key)
        figure.browser = self  # Matplotlib keeps weak references to callbacks
        self.step(0)

    def _add_buttons(self, bar: Figure) -> list[Button]:
        left, right = bar.subplots(1, 2)
        buttons = [Button(left, "◀ Previous"), Button(right, "Next ▶")]
        for button, step in zip(buttons, (-1, 1), strict=True):
            button.on_clicked(lambda _, step=step: self.step(step))
        return buttons

    def _on_key(self, event: KeyEvent) -> None:
        if event.key in _STEPS:
            self.step(_STEPS[event.key])

    def step(self, by: int) -> None:
        """Show the micrograph that is `by` places further on."""
        self.index = (self.index + by) % len(self.micrographs)
        micrograph = self.micrographs[self.index]
        self._picture.clear()
        draw_picks(
            self._picture,
            open_micrograph(micrograph.path),
            self._picks_on(micrograph.name),
            sampling_rate=micrograph.sampling_rate,
            diameter_px=self._diameter_px,
        )
        self._picture.suptitle(
            f"{micrograph.name}  ({self.index + 1} of {len(self.micrographs)})",
            fontsize="medium",
        )
        self.figure.canvas.draw_idle()
