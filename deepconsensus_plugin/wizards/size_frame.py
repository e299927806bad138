# SPDX-License-Identifier: GPL-3.0-or-later
"""Window content of the size wizards, in Tk: a length measured on micrographs."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from typing import Any

from deepconsensus_plugin.core.pickers.diameter.estimate import DiameterEstimate
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.wizards.measure import Measure
from deepconsensus_plugin.wizards.size_plot import SizePlot
from deepconsensus_plugin.wizards.value_dialog import ValueFrame

_SIZE = {"width": 680, "height": 560}
_RIGHT_BUTTON = 3
_HINT = (
    "Press on the centre of a particle and drag to its edge. The wheel zooms, the "
    "right button moves the micrograph, and a double click shows all of it."
)


class SizeFrame(ValueFrame):
    """Micrographs with an outline that the mouse drags, and its size as a number.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    micrographs : ShownMicrographs
        At least one.
    measure : Measure
        Measured length and its unit.
    value : float, optional
        At first.
    estimate : callable, optional
        Estimates the diameter; it is shown below, and is the value where none is given.
    """

    def __init__(
        self,
        parent: tk.Misc,
        micrographs: ShownMicrographs,
        measure: Measure,
        *,
        value: float | None,
        estimate: Callable[[], DiameterEstimate] | None = None,
    ):
        super().__init__(parent, label=measure.name, unit=measure.unit, hint=_HINT)
        self._measure, self._is_given = measure, value is not None
        self.pane = _SizePane(self, micrographs, self.background, measure, value)
        self.pane.pack(fill=tk.BOTH, expand=True)
        if estimate is not None:
            self.show_hint(f"{_HINT}\nEstimating the diameter …")
            self.background.ask("diameter", _once(estimate), self.receive_estimate)

    def receive_estimate(self, estimate: DiameterEstimate) -> None:
        """Show an estimate, and take it over where no value was given."""
        self.show_hint(f"{_HINT}\n{estimate.describe()}")
        if estimate.diameter_A is not None and not self._is_given:
            self.set_value(round(estimate.diameter_A))

    def parse(self, typed: str) -> float:
        """Return the value that was typed: as it is, whole where boxes are measured."""
        value = super().parse(typed)
        return max(1, round(value)) if self._measure.is_box else value

    def set_value(self, value: float) -> None:
        """Show an outline of this size."""
        self.pane.view.set_value(value)
        self.show_value(value, self._measure.describe(value))


def _once(make: Callable[[], DiameterEstimate]) -> Iterator[DiameterEstimate]:
    yield make()


class _SizePane(MicrographPane):
    """Micrographs with an outline; the left button of the mouse drags its size."""

    view: SizePlot

    def __init__(
        self,
        frame: SizeFrame,
        micrographs: ShownMicrographs,
        background: Background,
        measure: Measure,
        value: float | None,
    ):
        self._frame, self._measure, self._value = frame, measure, value
        super().__init__(
            frame, micrographs, background, moves_with=_RIGHT_BUTTON, **_SIZE
        )
        for event, follow in (
            ("button_press_event", self._press),
            ("motion_notify_event", self._pull),
            ("button_release_event", self.view.release),
        ):
            self.canvas.mpl_connect(event, follow)

    def make_view(self) -> SizePlot:
        """Return a micrograph with outlines."""
        return SizePlot(self.figure, self._measure, value=self._value)

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph; the initial value may come from the first one."""
        super().receive(picture)
        self._frame.set_value(self.view.value)

    def _press(self, event: Any) -> None:
        if event.button == 1 and not event.dblclick:
            self.view.press(event)

    def _pull(self, event: Any) -> None:
        if (value := self.view.pull(event)) is not None:
            self._frame.show_value(value, self._measure.describe(value))
