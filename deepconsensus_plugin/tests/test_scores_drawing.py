# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawings of the window of scores, without a window."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import mrcfile
import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.plots.colours import REASON_COLOURS
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.overlay import Overlay
from deepconsensus_plugin.viewers.scores.gallery import PLACE_PX, Gallery
from deepconsensus_plugin.viewers.scores.micrograph import MicrographPlot
from deepconsensus_plugin.viewers.scores.overview import Overview, Page, PicksShown
from deepconsensus_plugin.viewers.scores.plots import ScorePlots
from deepconsensus_plugin.viewers.scores.table import (
    ScoredTable,
    group_all,
    group_by_votes,
)
from deepconsensus_plugin.viewers.scores.tiles import TILE_PX


def canvas(width: int = 430, height: int = 560) -> FigureCanvasAgg:
    return FigureCanvasAgg(Figure((width / 100, height / 100), dpi=100))


def pixels(of: FigureCanvasAgg) -> np.ndarray:
    return np.asarray(of.buffer_rgba()).copy()


def overview_of(scores, *, are_probabilities: bool = True) -> Overview:
    scores = np.asarray(scores, dtype=float)
    n = len(scores)
    table = ScoredTable(
        score=scores,
        groupings={
            "votes": group_by_votes((1 + np.arange(n) % 2).tolist()),
            "nothing": group_all(n),
        },
        micrographs=None,
        micrograph_index=np.full(n, -1),
        yx=np.zeros((n, 2)),
    )
    return Overview(table, are_probabilities=are_probabilities)


def at(where: FigureCanvasAgg, axes, x: float, y: float, **options) -> MouseEvent:
    place = axes.transData.transform((x, y))
    return MouseEvent("button_press_event", where, *place, **options)


# -------------------------- what moves --------------------------
def test_what_moves_is_drawn_as_if_all_was():
    figure_canvas = canvas()
    axes = figure_canvas.figure.add_subplot()
    overlay = Overlay(figure_canvas.figure)
    line = overlay.add(axes.axvline(0.2, color="red"))
    figure_canvas.draw()
    before = pixels(figure_canvas)
    line.set_xdata([0.7, 0.7])
    overlay.update()
    moved = pixels(figure_canvas)
    assert (moved != before).any()
    figure_canvas.draw()
    np.testing.assert_array_equal(pixels(figure_canvas), moved)
    line.set_xdata([0.2, 0.2])
    overlay.update()
    np.testing.assert_array_equal(pixels(figure_canvas), before)


def test_texts_fit_above_the_plots():
    figures = SimpleNamespace(
        describe=lambda: (
            "Expected of what is kept: precision 1.00 (0.99 – 1.00), recall 0.74 "
            "(0.68 – 0.74) of about 1012 particles among the candidates "
            "(95 % intervals)."
        )
    )
    overview = SimpleNamespace(expectation=SimpleNamespace(at=lambda _: figures))
    said = Overview.describe_expected(overview, 0.5)
    drawn = canvas(width=423)
    plots = ScorePlots(drawn.figure, overview_of([0.2, 0.9]), threshold=0.5)
    plots._expected.set_text(said)
    drawn.draw()
    text = plots._expected.get_window_extent()
    assert 0 <= text.x0 < text.x1 <= drawn.figure.bbox.width


def test_a_saved_picture_shows_everything(tmp_path):
    figure_canvas = canvas()
    axes = figure_canvas.figure.add_axes((0, 0, 1, 1))
    overlay = Overlay(figure_canvas.figure)
    overlay.add(axes.axvspan(0, 1, color="red"))
    figure_canvas.figure.savefig(tmp_path / "picture.png")
    figure_canvas.print_raw(tmp_path / "raw")
    raw = np.fromfile(tmp_path / "raw", np.uint8).reshape(-1, 4)
    assert ((raw == [255, 0, 0, 255]).all(axis=1)).mean() > 0.5


# -------------------------- plots --------------------------
def heights(axes) -> list[float]:
    """Return the number of candidates in the bars of each group."""
    steps = [patch for patch in axes.patches if not patch.get_animated()]
    data = [step.get_data() for step in steps]
    return [float((step.values - step.baseline).sum()) for step in data]


def test_all_candidates_are_in_the_bars_and_bars_can_be_split_anew():
    scores = [0.0, 0.1, 0.5, 0.98, 1.0, np.nan]
    figure_canvas = canvas()
    plots = ScorePlots(figure_canvas.figure, overview_of(scores), threshold=0.5)
    bars, curves = figure_canvas.figure.axes
    assert heights(bars) == [3, 2]  # one of the second has no score
    plots.set_grouping("nothing")
    assert heights(bars) == [5]
    plots.set_log(True)
    assert bars.get_yscale() == "log" and bars.get_ylim()[0] < 1
    assert heights(bars) == [5]
    assert bars.get_title("left") == "3 of 6 (50.0%) kept at score ≥ 0.5"
    assert curves.get_title("left").startswith(
        "Expected of what is kept: precision 0.83, recall 0.96"
    )
    plots.set_threshold(0.99)
    assert bars.get_title("left") == "1 of 6 (16.7%) kept at score ≥ 0.99"
    plots.set_grouping("reason")
    assert heights(bars) == [1, 4, 0]  # accepted, low score, no score
    plots.set_threshold(0.5)
    plots.regroup()
    assert heights(bars) == [3, 2, 0]
    for axes in (bars, curves):
        assert axes.lines[0].get_xdata() == [0.5, 0.5]


def test_the_mouse_tells_a_score():
    figure_canvas = canvas()
    plots = ScorePlots(figure_canvas.figure, overview_of([0.2, 0.8]), threshold=0.5)
    figure_canvas.draw()
    for axes in figure_canvas.figure.axes:
        middle = np.mean(axes.get_ylim())
        event = at(figure_canvas, axes, 0.3, middle)
        assert plots.threshold_at(event) == pytest.approx(0.3, abs=0.002)
    outside = MouseEvent("button_press_event", figure_canvas, 1, 1)
    assert plots.threshold_at(outside) is None


@pytest.mark.parametrize("are_probabilities", [True, False])
@pytest.mark.parametrize("scores", [[], [np.nan], [0.5], [0, 1]])
def test_any_scores_can_be_drawn(scores, are_probabilities):
    figure_canvas = canvas()
    overview = overview_of(scores, are_probabilities=are_probabilities)
    plots = ScorePlots(figure_canvas.figure, overview, threshold=0.5)
    plots.set_log(True)
    figure_canvas.draw()
    plots.set_threshold(np.inf)
    bars, curves = figure_canvas.figure.axes
    assert sum(heights(bars)) == np.isfinite(scores).sum()
    assert ("unknown." in curves.get_title("left")) == (not are_probabilities)


def test_scores_that_are_not_of_a_network_are_all_shown():
    figure_canvas = canvas()
    overview = overview_of([-3.0, 0.0, 1.0, 7.5], are_probabilities=False)
    ScorePlots(figure_canvas.figure, overview, threshold=0.5)
    bars, _ = figure_canvas.figure.axes
    assert bars.get_xlim() == (-3, 8)
    assert heights(bars) == [2, 2]


# -------------------------- gallery --------------------------
def test_pictures_stand_in_the_order_of_their_scores():
    figure_canvas = canvas(3 * PLACE_PX + 10, 2 * PLACE_PX + 10)
    gallery = Gallery(figure_canvas.figure)
    assert gallery.size == 6
    (axes,) = figure_canvas.figure.axes
    scores = np.zeros(10)
    rows = np.array([7, 3, 9, 1])
    scores[rows] = 0.9, 0.8, 0.4, 0.1
    page = Page(0, 10, rows, PlacedScores(scores))
    gallery.show(page, 0.5)
    tile = np.full((TILE_PX, TILE_PX), 100, np.uint8)
    gallery.add_tiles({3: tile, 1: tile + 100})
    image = np.asarray(axes.images[0].get_array())
    assert image.shape == (2 * TILE_PX, 3 * TILE_PX)
    centres = image[TILE_PX // 2 :: TILE_PX, TILE_PX // 2 :: TILE_PX]
    assert centres.tolist() == [[235, 100, 235], [200, 235, 235]]
    frames, _ = axes.collections
    colours = frames.get_colors()
    assert len(frames.get_segments()) == 4
    assert (colours[0] == colours[1]).all() and (colours[2] == colours[3]).all()
    assert (colours[1] != colours[2]).any()
    texts = [text.get_text() for text in axes.texts[: gallery.size]]
    assert texts == ["0.900", "0.800", "0.400", "0.100", "", ""]
    figure_canvas.draw()
    assert gallery.row_at(at(figure_canvas, axes, 1.5, 0.5)) == 3
    assert gallery.row_at(at(figure_canvas, axes, 0.5, 1.5)) == 1
    assert gallery.row_at(at(figure_canvas, axes, 2.5, 1.5)) is None


def test_a_larger_figure_has_more_places():
    figure_canvas = canvas(2 * PLACE_PX, 2 * PLACE_PX)
    gallery = Gallery(figure_canvas.figure)
    assert not gallery.fit()
    figure_canvas.figure.set_size_inches(5 * PLACE_PX / 100, 3 * PLACE_PX / 100)
    assert gallery.fit()
    assert gallery.size == 15


# -------------------------- micrograph --------------------------
def a_micrograph(folder: Path, *, box_size: float = 30):
    rng = np.random.default_rng(0)
    mrcfile.write(folder / "m.mrc", rng.normal(size=(300, 400)).astype(np.float32))
    picture = MicrographPicture.read("m.mrc", folder / "m.mrc", 2.0)
    yx = np.array([[50.0, 90.0], [200.0, 300.0], [10.0, 90.0]])
    scores = np.full(10, np.nan)
    rows = np.array([4, 8, 9])
    scores[rows] = 0.9, 0.2, 0.8
    all_yx = np.zeros((10, 2))
    all_yx[rows] = yx
    places = Places(all_yx, np.zeros(10, int), np.array([[300.0, 400.0]]), 30, 2.0)
    picks = PicksShown(rows, yx, PlacedScores(scores, places))
    figure_canvas = canvas()
    plot = MicrographPlot(figure_canvas.figure, box_size=box_size)
    plot.show(picture, picks, 0.5)
    return figure_canvas, plot, picture


def test_picks_have_the_colour_of_what_becomes_of_them(tmp_path):
    figure_canvas, plot, picture = a_micrograph(tmp_path)
    (axes,) = figure_canvas.figure.axes
    *_, border, rejected, accepted, chosen = axes.collections
    assert border.get_offsets().tolist() == [[90, 10]]
    assert accepted.get_offsets().tolist() == [[90, 50]]  # x, y
    assert rejected.get_offsets().tolist() == [[300, 200]]
    assert picture.extent == (-0.5, 399.5, 299.5, -0.5)
    assert axes.get_title("left") == "m.mrc"
    plot.set_threshold(0.1)
    assert len(rejected.get_offsets()) == 0
    assert legend_of(axes) == ["accepted (2)", "low score (0)", "at the edge (1)"]
    circles = [c for c in axes.collections if isinstance(c, EllipseCollection)]
    colours = [each.get_edgecolors()[0].tolist() for each in circles]
    assert len({tuple(colour) for colour in colours}) == len(colours)
    plot.show_only(Reason.BORDER)
    assert len(border.get_offsets()) == 1 and len(accepted.get_offsets()) == 0
    plot.show_only(None)
    assert len(accepted.get_offsets()) == 2
    plot.point_at(8)
    assert chosen.get_offsets().tolist() == [[300, 200]]
    plot.point_at(5)  # on another micrograph
    assert len(chosen.get_offsets()) == 0


def test_the_legend_counts_what_lies_on_carbon_or_ice(tmp_path):
    figure_canvas, plot, picture = a_micrograph(tmp_path)
    (axes,) = figure_canvas.figure.axes
    yx = np.array([[50.0, 90.0], [200.0, 300.0]])
    on_micrograph = yx, np.zeros(2, int), np.array([[300.0, 400.0]]), 30, 2.0
    places = Places(*on_micrograph, area_distance_px=np.array([9.0, -9.0]))
    picks = PicksShown(np.arange(2), yx, PlacedScores(np.array([0.9, 0.8]), places))

    plot.show(picture, picks, 0.5)

    assert legend_of(axes) == [
        "accepted (1)",
        "low score (0)",
        "on carbon, ice or padding (1)",
    ]
    (entry,) = axes.get_legend().legend_handles[2:]
    assert entry.get_markeredgecolor() == REASON_COLOURS[Reason.AREA]
    figure_canvas.draw()


def legend_of(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_wheel_zooms_about_the_mouse_and_the_bar_follows(tmp_path):
    figure_canvas, plot, _ = a_micrograph(tmp_path)
    (axes,) = figure_canvas.figure.axes
    figure_canvas.draw()
    before = axes.get_xlim()
    event = at(figure_canvas, axes, 100, 80, step=1)
    plot.zoom(event)
    left, right = axes.get_xlim()
    assert right - left == pytest.approx((before[1] - before[0]) / 1.3)
    assert (100 - left) / (right - left) == pytest.approx(100.5 / 400, abs=0.01)
    for _ in range(20):  # not closer than two boxes
        plot.zoom(
            at(
                figure_canvas,
                axes,
                *map(np.mean, (axes.get_xlim(), axes.get_ylim())),
                step=1,
            )
        )
    left, right = axes.get_xlim()
    assert 60 <= right - left < 100
    bar, text = axes.lines[-1], axes.texts[0]
    shown_nm = np.ptp(bar.get_xdata()) * (right - left) * 0.2
    assert text.get_text() == f"{shown_nm:.0f} nm"
    plot.drag(at(figure_canvas, axes, left, 80))  # nothing was grabbed
    assert axes.get_xlim() == (left, right)
    figure_canvas.draw()
    centre = np.mean(axes.get_xlim()), np.mean(axes.get_ylim())
    plot.grab(at(figure_canvas, axes, *centre))
    plot.drag(at(figure_canvas, axes, centre[0] + 10, centre[1]))
    assert axes.get_xlim()[0] == pytest.approx(left - 10, abs=0.5)
    plot.let_go(None)
    plot.grab(at(figure_canvas, axes, *centre, dblclick=True))
    assert axes.get_xlim() == before
