# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawings of averages and what a window knows of them, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.core.averages.marks import Mark, Marks
from deepconsensus_plugin.core.averages.subsets import SubsetAverages
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.plots.average_pairs import (
    draw_subsets,
    subsets_size,
)
from deepconsensus_plugin.plots.averages import (
    averages_size,
    caption,
    draw_averages,
)
from deepconsensus_plugin.plots.averages_layout import (
    AveragesPanel,
    lay_out,
    panels_of,
)
from deepconsensus_plugin.report.averages import describe_averages
from deepconsensus_plugin.viewers.averages.grid import AveragesGrid
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

N, K, SIZE = 200, 9, 24
NAMES = ("a.mrc", "b.mrc", "c.mrc")


def shown(*, k: int = K, is_scored: bool = True) -> AveragesShown:
    """Return averages of random boxes, the even ones mostly accepted."""
    rng = np.random.default_rng(3)
    average = np.sort(rng.integers(0, k, N))
    accepted = (average % 2 == 0) ^ (rng.random(N) < 0.1)
    table = AveragesTable(
        average=average,
        angle_deg=np.zeros(N),
        offset_yx=np.zeros((N, 2)),
        amplitude=rng.random(N),
        correlation=rng.random(N),
        images=rng.normal(size=(k, SIZE, SIZE)).astype(np.float32),
        resolution_A=np.where(np.arange(k) == 1, np.inf, 20.0 + np.arange(k)),
        pixel_size_A=5.0,
        diameter_A=80.0,
    )
    micrographs = ShownMicrographs(NAMES, tuple(map(Path, NAMES)), 2.0, 40.0)
    return AveragesShown(
        Path("averages.h5"),
        table,
        Marks(),
        accepted if is_scored else None,
        ("one", "two"),
        rng.random((N, 2)) < 0.6,
        micrographs,
        np.where(average == 4, 2, rng.integers(0, 2, N)),
        rng.uniform(0, 400, (N, 2)),
    )


def content_is_inside(figure: Figure) -> bool:
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    fits = -0.02 < box.x0 and box.x1 < width + 0.02
    return bool(fits and -0.02 < box.y0 and box.y1 < height + 0.02)


# -------------------------- gallery --------------------------
def test_accepted_and_rejected_averages_stand_apart():
    seen = shown()
    accepted, rejected = panels_of(seen.members)
    assert {*accepted.chosen.tolist()} == {0, 2, 4, 6, 8}
    assert {*rejected.chosen.tolist()} == {1, 3, 5, 7}
    sizes = seen.members.n_members[accepted.chosen]
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    (together,) = panels_of(shown(is_scored=False).members)
    assert together.title == "Averages"


def test_every_place_holds_its_average():
    panels = [AveragesPanel("x", np.arange(5)), AveragesPanel("y", np.array([7, 6]))]
    layout = lay_out(panels, n_columns=3, n_pickers=2)
    for average, left, top in zip(
        layout.averages, layout.left, layout.top, strict=True
    ):
        assert layout.at(left + 0.5, top + 0.5) == average
    assert layout.at(2.5, layout.top[3] + 0.5) is None  # the line is not full
    assert layout.at(None, None) is None
    assert layout.top[5] - layout.top[4] > layout.top[3] - layout.top[2]  # a title
    assert layout.top.max() + 1 < layout.height


def test_a_caption_tells_number_resolution_and_share():
    seen = shown()
    members, table = seen.members, seen.table
    share = f"{members.share_accepted[2]:.0%}"
    expected = f"{members.n_members[2]} · 22 Å\n{share} accepted"
    assert caption(table, members, 2) == expected
    assert "unresolved" in caption(table, members, 1)
    assert "accepted" not in caption(table, shown(is_scored=False).members, 2)


@pytest.mark.parametrize("is_scored", [True, False])
def test_a_gallery_fits_its_figure(is_scored):
    seen = shown(is_scored=is_scored)
    layout = lay_out(panels_of(seen.members), n_columns=5, n_pickers=2)
    canvas = FigureCanvasAgg(Figure(figsize=averages_size(layout)))
    draw_averages(canvas.figure, seen.table, seen.members, layout)
    canvas.draw()
    assert content_is_inside(canvas.figure)
    assert len(canvas.figure.axes[0].images) == K


def test_bars_are_as_long_as_pickers_found():
    seen = shown()
    layout = lay_out(panels_of(seen.members), n_columns=5, n_pickers=2)
    figure = Figure(figsize=averages_size(layout))
    draw_averages(figure, seen.table, seen.members, layout)
    whole, of_first, _, of_second = figure.axes[0].collections
    for number, bars in enumerate((of_first, of_second)):
        lengths, full = (
            [np.ptp(path.vertices[:, 0]) for path in each.get_paths()]
            for each in (bars, whole)
        )
        share = seen.members.share_found[layout.averages, number]
        np.testing.assert_allclose(lengths, share * full, atol=1e-9)


def test_pairs_have_one_range_of_grey_values():
    images = np.random.default_rng(0).normal(size=(2, 3, SIZE, SIZE))
    images[1] *= 0.2
    subsets = SubsetAverages(images.astype(np.float32), np.full((2, 3), 9))
    canvas = FigureCanvasAgg(Figure(figsize=subsets_size(3, n_columns=2)))
    draw_subsets(canvas.figure, subsets, chosen=np.arange(3), n_columns=2)
    canvas.draw()
    assert content_is_inside(canvas.figure)
    drawn = canvas.figure.axes[0].images
    assert len(drawn) == 6
    assert drawn[0].get_clim() == drawn[1].get_clim() != drawn[2].get_clim()


def test_sentences_of_the_report_count_every_candidate():
    seen = shown()
    told = " ".join(describe_averages(seen.table, seen.members))
    assert f"{N} candidates" in told and "sorted into 9 averages" in told
    assert "halves agree on 8 of them" in told and "resolution 20" in told
    assert "Averages of mostly accepted candidates: 5 (" in told
    none = replace(seen.table, resolution_A=np.full(K, np.inf))
    assert "agree on none" in " ".join(describe_averages(none, seen.members))


# -------------------------- grid --------------------------
def grid(width: int = 780, height: int = 560, **options):
    canvas = FigureCanvasAgg(Figure((width / 100, height / 100), dpi=100))
    drawn = AveragesGrid(canvas.figure, shown(**options))
    canvas.draw()
    return canvas, drawn


def press(canvas, drawn: AveragesGrid, average: int) -> MouseEvent:
    place = drawn.layout.averages.tolist().index(average)
    corner = drawn.layout.left[place] + 0.5, drawn.layout.top[place] + 0.5
    axes = canvas.figure.axes[0]
    at = axes.transData.transform(corner)
    return MouseEvent("button_press_event", canvas, *at)


def test_a_click_finds_every_average_that_shows():
    canvas, drawn = grid()
    for average in range(K):
        assert drawn.average_at(press(canvas, drawn, average)) == average
    outside = MouseEvent("button_press_event", canvas, 779, 5)
    assert drawn.average_at(outside) is None


def test_marks_are_drawn_and_taken_away():
    canvas, drawn = grid()
    plain = np.asarray(canvas.buffer_rgba()).copy()
    drawn.set_marks(Marks((drawn.neighbour(1),), (drawn.neighbour(2),)))
    marked = np.asarray(canvas.buffer_rgba()).copy()
    assert (marked != plain).any()
    drawn.set_marks(Marks())
    np.testing.assert_array_equal(np.asarray(canvas.buffer_rgba()), plain)


def test_arrows_go_through_all_averages():
    _, drawn = grid()
    seen = [drawn.chosen]
    for _ in range(K - 1):
        drawn.choose(drawn.neighbour(1))
        seen.append(drawn.chosen)
    assert seen == drawn.layout.averages.tolist()
    assert drawn.neighbour(1) == seen[0]


def test_what_has_no_room_comes_with_the_wheel():
    canvas, drawn = grid(300, 240, k=30)
    last = int(drawn.layout.averages[-1])
    below = press(canvas, drawn, last)
    assert below.inaxes is None
    drawn.scroll(-100)
    canvas.draw()
    assert drawn.average_at(press(canvas, drawn, last)) == last
    drawn.scroll(100)
    assert canvas.figure.axes[0].get_ylim()[1] == 0
    _, roomy = grid()
    before = roomy._axes.get_ylim()
    roomy.scroll(-5)
    assert roomy._axes.get_ylim() == before


# -------------------------- members --------------------------
def test_members_stand_out_on_their_micrographs():
    seen = shown()
    micrographs, first = seen.micrographs_of(4)
    assert micrographs.names == ("c.mrc",) and first == 0
    others, rejected, accepted = seen.picks_on("c.mrc", 4).values()
    own = seen.table.average == 4
    assert len(others) == 0  # only members of this average lie there
    assert len(accepted) == (own & seen.accepted).sum()
    assert len(rejected) == (own & ~seen.accepted).sum()
    others, members = shown(is_scored=False).picks_on("a.mrc", 0).values()
    assert len(others) + len(members) == (seen.micrograph_index == 0).sum()


def test_the_first_micrograph_is_that_with_most_members():
    seen = shown()
    micrographs, first = seen.micrographs_of(0)
    counts = [
        ((seen.micrograph_index == n) & (seen.table.average == 0)).sum()
        for n in range(3)
    ]
    assert micrographs.names[first] == NAMES[int(np.argmax(counts))]
    assert replace(seen, micrographs=None).micrographs_of(0) is None


def test_a_line_tells_what_is_known_of_an_average():
    seen, marks = shown(), Marks((0,))
    n, n_accepted = seen.members.n_members[0], seen.members.n_accepted[0]
    expected = f"Average 1: {n} members, {n_accepted} accepted, 20 Å; good"
    assert seen.describe(0, marks) == expected
    assert seen.n_marked(marks, Mark.GOOD) == n
    assert seen.n_marked(marks, Mark.BAD) == 0
