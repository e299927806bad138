# SPDX-License-Identifier: GPL-3.0-or-later
"""Window content of the radius wizard, in Tk: curves and a micrograph with picks."""

from __future__ import annotations

import tkinter as tk
from typing import Any

from deepconsensus_plugin.core.consensus.radius import (
    AgreementCurve,
    RadiusStudy,
    count_agreed,
)
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.pane import Pane
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.wizards.agreed_picks import AgreedPicks
from deepconsensus_plugin.wizards.radius_plots import (
    RadiusCurves,
    RadiusPlot,
    describe_agreed,
)
from deepconsensus_plugin.wizards.value_dialog import ValueFrame

_HEIGHT = 530
_WIDTHS = 400, 640
_HINT = (
    "Drag the line in the plot, or type a radius. At the plateau, 95 % of the "
    "agreement within the merge radius is reached: all picks of the same particle "
    "agree.\n"
    "On the micrograph, white lines join picks that agree; the wheel zooms."
)


class RadiusFrame(ValueFrame):
    """Curves over the radius, with a line to drag, and what it does on a micrograph.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    study : RadiusStudy
        Picks of two pickers or more.
    micrographs : ShownMicrographs
        Those of the study, in its order.
    value : float
        The radius at first, boxes.
    """

    def __init__(
        self,
        parent: tk.Misc,
        study: RadiusStudy,
        micrographs: ShownMicrographs,
        *,
        value: float,
    ):
        super().__init__(parent, label="Consensus radius", unit="boxes", hint=_HINT)
        self._study, self._rate = study, micrographs.sampling_rate
        self.value = min(value, study.merge_radius)
        self.candidates = study.candidates_at(self.value)
        body = tk.PanedWindow(self, sashwidth=6, bg="#DDDDDD", bd=0)
        body.pack(fill=tk.BOTH, expand=True)
        self.curves = _CurvesPane(self, body)
        self._plateau = self.curves.add_button("Plateau", lambda: None)
        self._plateau.configure(state=tk.DISABLED)
        self.micrograph = _AgreedPane(self, body, micrographs)
        for pane in (self.curves, self.micrograph):
            body.add(pane, stretch="always")
        self.set_value(self.value)
        self._points: list[tuple[float, IntArray]] = []
        self.background.ask("curves", study.points(), self._add_point)

    @property
    def study(self) -> RadiusStudy:
        """Study of the agreement that is shown."""
        return self._study

    @property
    def box_extent_A(self) -> float:
        """Side of a box, Å."""
        return self._study.box_size * self._rate

    def parse(self, typed: str) -> float:
        """Return the radius that was typed, if it can be."""
        value = super().parse(typed)
        if value > self._study.merge_radius:
            raise ValueError(
                f"Expected at most the merge radius, {self._study.merge_radius:g}, "
                f"received '{typed}'."
            )
        return value

    def set_value(self, value: float) -> None:
        """Set the radius, and show what the pickers agree on."""
        self.value = value
        self.candidates = self._study.candidates_at(value)
        self.curves.curves.set_radius(value)
        self.micrograph.show_agreed()
        n_looked_at = len(self._study.micrographs)
        some = f"{n_looked_at:,} of {self._study.n_micrographs:,} micrographs"
        length = f"= {value * self._study.box_size:.1f} px = "
        self.show_value(
            value,
            f"{length}{value * self.box_extent_A:.0f} Å; "
            f"{describe_agreed(count_agreed(self.candidates))} (on {some})",
        )

    def _add_point(self, point: tuple[float, IntArray]) -> None:
        self.curves.curves.add_point(*point)
        self._points.append(point)
        if len(self._points) == len(self._study.radii):
            radii, counts = zip(*self._points, strict=True)
            curve = AgreementCurve([*radii], [each.tolist() for each in counts])
            self._propose(curve.plateau)

    def _propose(self, plateau: float | None) -> None:
        """Mark where the agreement levels off; the button takes the radius over."""
        if plateau is None:
            return
        self.curves.curves.mark_plateau(plateau)
        self._plateau.configure(
            text=f"Plateau: {plateau:g}",
            state=tk.NORMAL,
            command=lambda: self.set_value(plateau),
        )


class _CurvesPane(Pane):
    """Curves over the radius; the line follows the mouse."""

    def __init__(self, frame: RadiusFrame, parent: tk.Misc):
        super().__init__(parent, width=_WIDTHS[0], height=_HEIGHT)
        self._frame = frame
        self.curves = RadiusCurves(
            self.figure,
            n_pickers=len(frame.study.pickers),
            box_extent_A=frame.box_extent_A,
            highest=frame.study.merge_radius,
        )
        for event in ("button_press_event", "motion_notify_event"):
            self.canvas.mpl_connect(event, self._follow)

    def _follow(self, event: Any) -> None:
        radius = self.curves.radius_at(event)
        if event.button == 1 and radius is not None:
            self._frame.set_value(radius)


class _AgreedPane(MicrographPane):
    """Micrographs with picks, joined where pickers agree."""

    view: RadiusPlot

    def __init__(
        self, frame: RadiusFrame, parent: tk.Misc, micrographs: ShownMicrographs
    ):
        self._frame = frame
        super().__init__(
            parent, micrographs, frame.background, width=_WIDTHS[1], height=_HEIGHT
        )

    def make_view(self) -> RadiusPlot:
        """Return a micrograph with dots and circles."""
        study = self._frame.study
        names = tuple(sorted(picker.picker for picker in study.pickers))
        return RadiusPlot(self.figure, pickers=names, box_size=study.box_size)

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph with its picks."""
        super().receive(picture)
        self.show_agreed()

    def show_agreed(self) -> None:
        """Show what the pickers agree on now."""
        study, candidates = self._frame.study, self._frame.candidates
        name = study.micrographs[self.shown]
        agreed = AgreedPicks.of_micrograph(study, candidates, name)
        self.view.show_agreed(agreed, radius_px=self._frame.value * study.box_size)
