# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements and drawings of the wizards, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.consensus.radius import RadiusStudy, count_agreed
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.wizards.agreed_picks import AgreedPicks
from deepconsensus_plugin.wizards.measure import Measure
from deepconsensus_plugin.wizards.radius_plots import (
    RadiusCurves,
    RadiusPlot,
    describe_agreed,
)
from deepconsensus_plugin.wizards.size_plot import SizePlot

_RATE = 2.5


def canvas() -> FigureCanvasAgg:
    return FigureCanvasAgg(Figure((5, 4), dpi=100))


def a_picture(shape: tuple[int, int] = (300, 400)) -> MicrographPicture:
    rows, columns = shape
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    return MicrographPicture("m.mrc", np.zeros(shape, np.uint8), extent, _RATE)


def at(where: FigureCanvasAgg, axes, x: float, y: float) -> MouseEvent:
    place = axes.transData.transform((x, y))
    return MouseEvent("motion_notify_event", where, *place)


# -------------------------- sizes --------------------------
def test_a_box_is_even_and_a_diameter_in_angstrom():
    box, diameter = Measure.box(_RATE), Measure.diameter(_RATE)
    assert [box.of_px(px) for px in (0.2, 89.2, 91.0, 92.9)] == [2, 90, 92, 92]
    assert diameter.of_px(64.1) == 160
    assert diameter.to_px(160) == 64
    # A box is one and a half particles wide, whichever of the two is measured.
    assert box.sides_px(90) == pytest.approx((90, 60))
    assert diameter.sides_px(150) == pytest.approx((90, 60))
    assert box.describe(90).startswith("box 90 px = 225 Å, for particles of about 150")
    assert diameter.describe(150).startswith("diameter 150 Å = 60 px; a box of 90 px")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [(Measure.box(_RATE), 80), (Measure.diameter(_RATE), 250)],
)
def test_the_mouse_pulls_an_outline_from_the_centre(measure, expected):
    figure_canvas = canvas()
    plot = SizePlot(figure_canvas.figure, measure, value=None)
    plot.set_picture(a_picture())
    assert plot.value == measure.of_px(30)  # a tenth of the shorter side
    figure_canvas.draw()
    assert plot.pull(at(figure_canvas, plot.axes, 150, 90)) is None  # not pressed
    plot.press(at(figure_canvas, plot.axes, 120, 60))
    # 40 px across, 30 down: half a box of 80 px, or a radius of 50 px = 125 Å.
    value = plot.pull(at(figure_canvas, plot.axes, 160, 90))
    assert value == pytest.approx(expected, abs=3)
    solid = next(
        line
        for line in plot.axes.lines
        if line.get_linestyle() == "-" and line.get_label() in ("box", "particle")
    )
    x, y = solid.get_data()
    assert np.ptp(x) == pytest.approx(measure.to_px(value))
    assert (x.max() + x.min()) / 2 == pytest.approx(120, abs=1)
    assert (y.max() + y.min()) / 2 == pytest.approx(60, abs=1)
    plot.release(None)
    assert plot.pull(at(figure_canvas, plot.axes, 300, 90)) is None


def test_another_low_pass_leaves_the_part_that_is_looked_at():
    figure_canvas = canvas()
    plot = SizePlot(figure_canvas.figure, Measure.box(_RATE), value=40)
    plot.set_picture(a_picture())
    figure_canvas.draw()
    event = at(figure_canvas, plot.axes, 100, 100)
    event.step = 3
    plot.zoom(event)
    part = plot.axes.get_xlim()
    plot.set_picture(a_picture())
    assert plot.axes.get_xlim() == part
    plot.show_all()
    assert plot.axes.get_xlim() == (-0.5, 399.5)


# -------------------------- consensus radius --------------------------
def picks(name: str, **yx_by_micrograph) -> PickerPicks:
    known = {m: ScoredCoordinates.from_arrays(yx) for m, yx in yx_by_micrograph.items()}
    return PickerPicks(name, 100, known)


def a_study(**options) -> RadiusStudy:
    """Return two pickers that are 5, 15 and 60 px apart on three particles."""
    one = picks("one", a=[(100, 100), (300, 300)], b=[(100, 100)])
    two = picks("two", a=[(100, 105), (300, 315)], b=[(100, 160)])
    return RadiusStudy.of_some([one, two], box_size=100, merge_radius=0.3, **options)


@pytest.mark.parametrize(
    ("radius", "alone", "together"), [(0.04, 4, 0), (0.1, 3, 1), (0.2, 2, 2)]
)
def test_what_is_counted_is_what_the_consensus_finds(radius, alone, together):
    study = a_study()
    candidates = study.candidates_at(radius)
    counts = count_agreed(candidates)
    expected = find_consensus(
        study.pickers, consensus_radius_px=100 * radius, merge_radius_px=30
    )
    assert counts.tolist() == [(expected.agreement == m).sum() for m in (1, 2)]
    # Picks that are one candidate but do not agree count once.
    assert counts.tolist() == [alone, together]
    sentence = f"agreed: {together} by 2 of 2, {alone} by 1 of 2"
    assert describe_agreed(counts) == sentence


def test_curves_reach_the_merge_radius_and_never_fall():
    radii, counts = zip(*a_study().points(), strict=True)
    assert radii[-1] == pytest.approx(0.3)
    agreed = [each[1] for each in counts]
    assert agreed == sorted(agreed)
    assert (agreed[0], agreed[-1]) == (0, 2)


def test_picks_that_agree_are_joined():
    study = a_study()
    agreed = AgreedPicks.of_micrograph(study, study.candidates_at(0.1), "a")
    links = agreed.links(reach_px=10)
    assert links.tolist() == [[[100, 100], [100, 102.5]], [[100, 105], [100, 102.5]]]
    nobody = AgreedPicks.of_micrograph(study, study.candidates_at(0.1), "b")
    assert nobody.links(reach_px=10).shape == (0, 2, 2)


def test_what_is_drawn_is_what_is_agreed_on():
    study, figure_canvas = a_study(), canvas()
    plot = RadiusPlot(figure_canvas.figure, pickers=("one", "two"), box_size=100)
    plot.set_picture(a_picture())
    plot.show_agreed(
        AgreedPicks.of_micrograph(study, study.candidates_at(0.1), "a"), radius_px=10
    )
    texts = [text.get_text() for text in plot.axes.get_legend().get_texts()]
    assert texts == ["1 of 2 (1)", "2 of 2 (1)", "one", "two"]
    links, alone, together = plot.axes.collections
    assert len(links.get_segments()) == 2
    assert together.get_offsets().tolist() == [[102.5, 100]]  # x, y
    assert len(alone.get_offsets()) == 1


def test_the_line_over_the_curves_follows_the_mouse():
    figure_canvas = canvas()
    curves = RadiusCurves(
        figure_canvas.figure, n_pickers=2, box_extent_A=250, highest=0.3
    )
    for radius, counts in [*a_study().points()][3::6]:
        curves.add_point(radius, counts)
    (curve,) = (line for line in curves.axes.lines if line.get_label() == "all 2")
    assert curve.get_ydata().tolist() == sorted(curve.get_ydata())
    assert curve.get_ydata()[-1] == 2
    figure_canvas.draw()
    assert curves.radius_at(at(figure_canvas, curves.axes, 0.12, 1)) == pytest.approx(
        0.12, abs=0.002
    )
    assert curves.radius_at(MouseEvent("", figure_canvas, 1, 1)) is None
    curves.mark_plateau(0.16)
    assert curves.axes.lines[-1].get_xdata() == [0.16, 0.16]
