# SPDX-License-Identifier: GPL-3.0-or-later
"""Data of the window of scores, against slow obvious versions."""

from __future__ import annotations

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.scores.images import (
    MicrographImages,
    MixedImages,
    StackImages,
)
from deepconsensus_plugin.viewers.scores.overview import REASON, Overview
from deepconsensus_plugin.viewers.scores.ranking import Ranking
from deepconsensus_plugin.viewers.scores.table import (
    ScoredTable,
    group_all,
    group_by_picker,
    group_by_votes,
)
from deepconsensus_plugin.viewers.scores.tiles import TILE_PX, Tiles, make_tile
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs


def some_scores(n: int = 400) -> np.ndarray:
    """Return scores with ties, and some missing."""
    rng = np.random.default_rng(4)
    scores = rng.beta(0.4, 0.4, n).round(2)
    scores[rng.random(n) < 0.05] = np.nan
    return scores


# -------------------------- ranking --------------------------
def test_candidates_are_ranked_by_their_scores():
    scores = some_scores()
    ranking = Ranking(scores)
    assert (np.diff(ranking.scores) <= 0).all()
    np.testing.assert_array_equal(scores[ranking.order], ranking.scores)
    assert len(ranking) == np.isfinite(scores).sum()


def test_equal_scores_keep_the_order_of_the_set():
    assert Ranking(np.array([0.5, 0.9, 0.5, np.nan])).order.tolist() == [1, 0, 2]


def test_a_page_has_the_threshold_in_its_middle():
    overview = Overview(table_of(np.linspace(1, 0, 101)), are_probabilities=True)
    page = overview.page(0.5, 10)
    assert (page.scores >= 0.5).sum() == 5
    assert page.describe() == f"Ranks {page.first + 1} – {page.first + 10} of 101"
    assert overview.page(0.5, 10, shift=10).first == page.first + 10
    assert overview.page(2, 10).first == 0
    assert overview.page(-1, 10).first == 91  # full to the end
    assert overview.page(0.5, 500).first == 0  # larger than all there is


def test_no_score_at_all_is_no_error():
    overview = Overview(table_of(np.full(3, np.nan)), are_probabilities=True)
    assert overview.describe_kept(0.5) == "0 of 3 (0.0%) kept at score ≥ 0.5"
    assert "not defined" in overview.describe_expected(0.5)
    assert overview.page(0.5, 10).describe() == "No candidate"
    assert overview.ranking.span() == (0, 1)
    assert overview.suggested_threshold == np.inf
    nothing = Overview(table_of(np.empty(0)), are_probabilities=False)
    assert nothing.describe_kept(0.5) == "0 of 0 kept at score ≥ 0.5"


# -------------------------- what is kept --------------------------
def test_what_is_shown_is_what_the_rule_accepts():
    """Every number of the window is that of a selection with the same criteria."""
    rng, scores = np.random.default_rng(2), some_scores()
    n = len(scores)
    index = rng.integers(0, 2, n)
    places = Places(
        rng.uniform(0, 100, (n, 2)), index, np.full((2, 2), 100.0), 16, sampling_rate=2
    )
    spacing = Spacing(border_A=20, neighbour_A=8)
    table = table_of(scores, index=index)
    overview = Overview(table, are_probabilities=True, places=places, spacing=spacing)
    for threshold in (0.0, 0.31, 0.8):
        rule = AcceptanceRule(spacing=spacing).at(threshold)
        accepted = accept(rule, scores, places)
        told = accepted.summarise()
        n_kept, n_border = told.n_accepted, told.n_for(Reason.BORDER)
        assert min(n_kept, n_border, told.n_for(Reason.NEIGHBOUR)) > 0
        kept, less = overview.describe_kept(threshold).split("\n")
        assert kept.startswith(f"{n_kept} of {n} (")
        assert less == (
            f"less {n_border} at the micrograph edge and "
            f"{told.n_for(Reason.NEIGHBOUR)} too close to another"
        )
        expected = " ".join(overview.describe_expected(threshold).split())
        assert expected == told.expected.describe()
        on_first = overview.picks_on(0)
        np.testing.assert_array_equal(
            on_first.reasons(threshold), accepted.reason[on_first.rows]
        )
        for reason in (Reason.ACCEPTED, Reason.BORDER, Reason.NEIGHBOUR):
            ranked = overview.ranked(threshold, reason)
            assert len(ranked) == told.n_for(reason)
            page = overview.page(threshold, 5, only=reason)
            assert set(page.rows) <= set(ranked)
            assert set(page.reasons(threshold)) == {reason}
        groups = overview.group_by(REASON, threshold)
        labels = [Reason(code).label for code in accepted.reason]
        assert [groups.names[number] for number in groups.index] == labels
    automatic = accept(AcceptanceRule(spacing=spacing), scores, places)
    assert overview.suggested_threshold == automatic.threshold


def test_networks_scores_promise_nothing():
    overview = Overview(table_of(some_scores()), are_probabilities=False)
    assert "expected precision and recall are unknown" in overview.describe_expected(
        0.5
    )


# -------------------------- table --------------------------
def table_of(scores: np.ndarray, micrographs=None, index=None) -> ScoredTable:
    n = len(scores)
    return ScoredTable(
        score=scores,
        groupings={"nothing": group_all(n)},
        micrographs=micrographs,
        micrograph_index=np.zeros(n, int) if index is None else np.array(index),
        yx=np.arange(2.0 * n).reshape(n, 2),
    )


def test_bars_of_groups_are_histograms():
    scores = some_scores()
    votes = np.random.default_rng(0).integers(1, 4, len(scores))
    grouping = group_by_votes(votes.tolist())
    assert grouping.names == ("1 vote", "2 votes", "3 votes")
    edges = np.linspace(0, 1, 21)
    for count, vote in zip(grouping.count(scores, edges), (1, 2, 3), strict=True):
        own = scores[(votes == vote) & ~np.isnan(scores)]
        # Scores are whole hundredths: moved off the edges for the slow version.
        expected, _ = np.histogram(np.minimum(own + 1e-9, 1), edges)
        assert count.tolist() == expected.tolist()


def test_pickers_alone_and_several():
    grouping = group_by_picker(["b", "a;b", "a", "b;c", "b", None])
    assert grouping.names == ("only ?", "only a", "only b", "several pickers")
    assert grouping.index.tolist() == [2, 3, 1, 3, 2, 0]
    assert group_by_picker(["x;y"]).names == ("several pickers",)


def test_picks_of_a_micrograph():
    micrographs = ShownMicrographs(("a", "b"), (), 1.0, 10)
    table = table_of(np.array([0.2, np.nan, 0.9, 0.4]), micrographs, [1, 1, 0, 1])
    overview = Overview(table, are_probabilities=False)
    picks = overview.picks_on(1)
    assert picks.rows.tolist() == [0, 3]  # one has no score
    assert picks.reasons(0.3).tolist() == [Reason.SCORE, Reason.ACCEPTED]
    np.testing.assert_array_equal(picks.yx, table.yx[[0, 3]])
    assert overview.most_mixed_micrograph(0.3) == 1


# -------------------------- pictures --------------------------
def test_stacks_give_the_box_of_each_candidate(tmp_path):
    rng = np.random.default_rng(0)
    stacks = rng.normal(size=(2, 3, 8, 8)).astype(np.float32)
    paths = [tmp_path / f"{n}.mrcs" for n in range(2)]
    for path, stack in zip(paths, stacks, strict=True):
        mrcfile.write(path, stack)
    images = StackImages(
        paths, np.array([1, 0, 1]), np.array([3, 1, 4]), sampling_rate=2.0
    )
    np.testing.assert_array_equal(images.read(0), stacks[1, 2])
    np.testing.assert_array_equal(images.read(1), stacks[0, 0])
    with pytest.raises(FileFormatError, match=r"image number 4.*3 images"):
        images.read(2)


def test_micrographs_give_boxes_where_there_are_no_stacks(tmp_path):
    image = np.arange(400, dtype=np.float32).reshape(20, 20)
    mrcfile.write(tmp_path / "a.mrc", image)
    micrographs = ShownMicrographs(("a.mrc",), (tmp_path / "a.mrc",), 1.5, 4)
    images = MicrographImages(micrographs, np.array([0]), np.array([[10.0, 5.0]]))
    np.testing.assert_array_equal(images.read(0), image[8:12, 3:7])
    assert images.sampling_rate == 1.5


def test_what_is_in_no_stack_is_cut_out_with_the_contrast_of_the_stack(tmp_path):
    rng = np.random.default_rng(1)
    image = rng.normal(size=(40, 40)).astype(np.float32)
    mrcfile.write(tmp_path / "a.mrc", image)
    mrcfile.write(tmp_path / "s.mrcs", -image[np.newaxis, 10:18, 20:28])
    micrographs = ShownMicrographs(("a.mrc",), (tmp_path / "a.mrc",), 1.5, 8)
    cut_out = MicrographImages(
        micrographs, np.array([0, 0]), np.array([[30.0, 30.0], [14.0, 24.0]])
    )
    stacks = StackImages(
        [tmp_path / "s.mrcs"], np.array([-1, 0]), np.array([7, 1]), sampling_rate=1.5
    )
    images = MixedImages(stacks, cut_out)
    np.testing.assert_array_equal(images.read(1), -image[10:18, 20:28])
    np.testing.assert_allclose(images.read(0), -image[26:34, 26:34], atol=1e-6)


@pytest.mark.parametrize(("period_A", "left"), [(40, 0.5), (400, 1.0), (13, 0.0)])
def test_half_of_the_amplitude_is_left_where_asked(period_A, left):
    x = np.arange(160)
    wave = np.cos(2 * np.pi * x * 2.5 / period_A)  # 400 Å wide: whole periods
    noise = np.cos(2 * np.pi * x / 160)[:, np.newaxis]  # what the grey scale follows
    box = (0.2 * wave + noise).astype(np.float32)
    tile = make_tile(box, sampling_rate=2.5, low_pass_A=40.0)
    assert tile.shape == (TILE_PX, TILE_PX)
    profile = tile[10:-10].astype(float) - tile[10:-10].mean(axis=1, keepdims=True)
    amplitude = np.abs(np.fft.rfft(profile, axis=1)).max(axis=1).mean() * 2 / TILE_PX
    along = tile.astype(float).mean(axis=1)
    scale = np.abs(np.fft.rfft(along - along.mean())).max() * 2 / TILE_PX
    assert amplitude / scale == pytest.approx(0.2 * left, abs=0.02)


def test_a_flat_box_is_grey():
    flat = make_tile(np.full((50, 50), 7, np.float32), sampling_rate=1.0)
    assert (flat == 128).all()
    holes = make_tile(np.full((50, 50), np.nan, np.float32), sampling_rate=1.0)
    assert (holes == 128).all()


class Counted:
    """Pictures that count how often they are read."""

    sampling_rate = 1.0

    def __init__(self):
        self.n_read = 0

    def read(self, row):
        self.n_read += 1
        return np.full((TILE_PX, TILE_PX), row, np.float32)


def test_pictures_are_made_once_for_each_filter():
    images = Counted()
    tiles = Tiles(images)
    for _ in range(2):
        parts = list(tiles.read([3, 1, 2], low_pass_A=0.0))
        assert sorted(row for part in parts for row in part) == [1, 2, 3]
        assert images.n_read == 3
    assert len(next(tiles.read([1], low_pass_A=0.0))) == 1  # at hand at once
    list(tiles.read([1], low_pass_A=20.0))
    assert images.n_read == 4


# -------------------------- work in another thread --------------------------
class Loop:
    """Stand-in for the event loop of a window: calls back when told to."""

    def __init__(self):
        self.waiting = []

    def after(self, ms, func):
        self.waiting.append(func)
        return func

    def after_cancel(self, id):
        self.waiting.remove(id)

    def run(self):
        while self.waiting:
            self.waiting.pop(0)()


def test_parts_arrive_in_order_and_an_older_wish_is_forgotten():
    loop, errors, received = Loop(), [], []
    background = Background(loop, errors.append)
    background.ask("a", iter([1, 2]), lambda part: received.append(("old", part)))
    background.ask("a", iter([3, 4, 5]), lambda part: received.append(("new", part)))
    background.ask("b", iter([6]), lambda part: received.append(("b", part)))
    loop.run()
    assert [part for topic, part in received if topic == "new"] == [3, 4, 5]
    assert ("b", 6) in received
    assert not [part for topic, part in received if topic == "old"]
    assert not background.is_busy
    background.close()
    assert errors == []


def test_errors_are_told_and_the_window_goes_on():
    loop, errors, received = Loop(), [], []
    background = Background(loop, errors.append)

    def fail():
        yield 1
        raise FileNotFoundError("gone.mrcs")

    background.ask("a", fail(), received.append)
    loop.run()
    background.ask("a", iter([2]), received.append)
    loop.run()
    assert received == [1, 2]
    assert [str(error) for error in errors] == ["gone.mrcs"]
    background.ask("a", iter([3]), received.append)
    background.close()
    assert not loop.waiting and not background.is_busy
