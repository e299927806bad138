# SPDX-License-Identifier: GPL-3.0-or-later
"""Review of scored candidates in their window: marks, lists and signs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.core.marks.log import MarkLog
from deepconsensus_plugin.core.marks.mark import Chosen, Mark, Undo, Verdict
from deepconsensus_plugin.viewers.scores.gallery import MARKS, PLACE_PX, Gallery
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.review import Review, ReviewList
from deepconsensus_plugin.viewers.scores.table import ScoredTable, group_all
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

N = 40
BOX = 20


@pytest.fixture
def table():
    """Return candidates whose micrographs alternate; the last one's is not known."""
    micrograph = np.arange(N) % 2
    micrograph[-1] = -1
    return ScoredTable(
        np.linspace(1, 0, N),
        {"nothing": group_all(N)},
        ShownMicrographs(("b.mrc", "a.mrc"), (Path("b"), Path("a")), 1.0, BOX),
        micrograph,
        np.stack([np.arange(N) * 30.0, np.full(N, 50.0)], axis=1),
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "marks.jsonl"


def test_marks_are_of_the_rows_and_on_the_disk_at_once(table, path):
    review = Review(table, path)
    review.mark(3, Verdict.GOOD, ReviewList.RANDOM)
    review.mark(6, Verdict.BAD, ReviewList.SCORE)
    first, second = MarkLog(path).read()
    assert (first.micrograph, first.y, first.chosen) == ("a.mrc", 90, Chosen.RANDOM)
    assert (second.micrograph, second.y, second.chosen) == ("b.mrc", 180, Chosen.FREE)
    assert first.who and first.when
    again = Review(table, path)
    assert [again.verdict(row) for row in (3, 6, 7)] == [
        Verdict.GOOD,
        Verdict.BAD,
        Verdict.NONE,
    ]
    assert again.labels.rows.tolist() == [3, 6]


def test_a_mark_can_be_changed_taken_away_and_taken_back(table, path):
    review = Review(table, path)
    assert not review.undo()
    for verdict in (Verdict.GOOD, Verdict.BAD, Verdict.NONE):
        review.mark(3, verdict, ReviewList.SCORE)
        assert review.verdict(3) is verdict
    for before in (Verdict.BAD, Verdict.GOOD, Verdict.NONE):
        assert review.undo()
        assert review.verdict(3) is before
    assert not review.undo()
    assert isinstance(MarkLog(path).read()[-1], Undo)


def test_what_changes_nothing_is_no_entry(table, path):
    review = Review(table, path)
    review.mark(3, Verdict.NONE, ReviewList.SCORE)
    review.mark(N - 1, Verdict.GOOD, ReviewList.SCORE)  # it is on no micrograph
    assert not path.exists()


def test_marks_of_another_window_are_found_by_place(table, path):
    MarkLog(path).add(
        Mark("a.mrc", 91.0, 51.0, Verdict.BAD), Mark("c.mrc", 0.0, 0.0, Verdict.GOOD)
    )
    review = Review(table, path)
    assert review.labels.rows.tolist() == [3]
    assert review.verdict(3) is Verdict.BAD


def test_lists_leave_out_what_is_marked(table, path):
    review = Review(table, path)
    review.mark(3, Verdict.GOOD, ReviewList.RANDOM)
    overview = Overview(table, are_probabilities=True, review=review)
    accepted = set(np.flatnonzero(table.score >= 0.5).tolist())
    random = overview.listed(ReviewList.RANDOM, 0.5).tolist()
    assert sorted(random) == sorted(accepted - {3})
    for which in (ReviewList.UNCERTAIN, ReviewList.INFORMATIVE):
        assert sorted(overview.listed(which, 0.5)) == [r for r in range(N) if r != 3]
    assert overview.listed(ReviewList.MARKED, 0.5).tolist() == [3]
    page = overview.page_of(np.array(random), 2, 5)
    assert page.rows.tolist() == random[2:7]
    assert page.describe() == f"Ranks 3 – 7 of {len(random)}"


def test_random_marks_tell_a_share(table, path):
    review = Review(table, path)
    review.mark(0, Verdict.GOOD, ReviewList.SCORE)
    assert review.describe() == "1 good, 0 bad."
    review.mark(1, Verdict.GOOD, ReviewList.RANDOM)
    review.mark(2, Verdict.BAD, ReviewList.RANDOM)
    assert review.describe().startswith(
        "2 good, 1 bad. You looked at 2 random accepted: 1 good"
    )


def test_signs_of_marks_differ_in_shape_and_colour(table, path):
    signs = [MARKS[verdict] for verdict in (Verdict.GOOD, Verdict.BAD)]
    assert len({sign for sign, _ in signs}) == len({colour for _, colour in signs}) == 2
    canvas = FigureCanvasAgg(
        Figure((4 * PLACE_PX / 100 + 0.01, 2 * PLACE_PX / 100 + 0.01))
    )
    gallery = Gallery(canvas.figure)
    overview = Overview(table, are_probabilities=True)
    page = overview.page_of(np.arange(5), 0, gallery.size)
    gallery.show(page, 0.5)

    def drawn():
        canvas.draw()
        return np.asarray(canvas.buffer_rgba()).copy()

    plain = drawn()
    gallery.show_marks([Verdict.GOOD] + [Verdict.NONE] * 4, None)
    good = drawn()
    gallery.show_marks([Verdict.BAD] + [Verdict.NONE] * 4, None)
    bad = drawn()
    gallery.show_marks([Verdict.NONE] * 5, 4)
    focus = drawn()
    for changed in (good, bad):
        where = (changed != plain).any(axis=2)
        rows, columns = where.nonzero()
        assert where.any()
        assert rows.max() < plain.shape[0] / 2 and columns.max() < plain.shape[1] / 4
    assert (good != bad).any()
    rows, _ = (focus != plain).any(axis=2).nonzero()
    assert rows.min() > plain.shape[0] / 2 - 2
