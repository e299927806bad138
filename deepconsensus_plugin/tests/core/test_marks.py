# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of a person: their file, their candidates, and what is looked at next."""

import os
import subprocess
import sys

import numpy as np
import pytest

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.marks.log import MarkLog, read_entries
from deepconsensus_plugin.core.marks.mark import (
    Chosen,
    Mark,
    Undo,
    Verdict,
    standing_marks,
)
from deepconsensus_plugin.core.marks.matching import Labels, match_marks
from deepconsensus_plugin.core.marks.ordering import (
    find_contradictions,
    order_informative,
    order_random,
    order_uncertain,
)
from deepconsensus_plugin.core.marks.sample import RandomSample
from deepconsensus_plugin.core.metrics.proportions import proportion_interval
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def good(y, x, micrograph="a.mrc", **rest):
    return Mark(micrograph, y, x, Verdict.GOOD, **rest)


def bad(y, x, micrograph="a.mrc", **rest):
    return Mark(micrograph, y, x, Verdict.BAD, **rest)


@pytest.fixture
def log(tmp_path):
    return MarkLog(tmp_path / "marks.jsonl")


# -------------------------- which marks stand --------------------------
def test_a_later_mark_of_the_same_place_counts():
    assert standing_marks([good(1, 2), bad(1.01, 2)]) == (bad(1.01, 2),)


def test_undo_takes_back_one_mark_each_and_what_it_replaced_stands_again():
    entries = [good(1, 2), bad(1, 2), good(5, 5), Undo(), Undo()]
    assert standing_marks(entries) == (good(1, 2),)
    assert standing_marks([*entries, Undo(), Undo(), bad(9, 9)]) == (bad(9, 9),)


def test_a_mark_can_be_taken_away_and_that_can_be_undone():
    away = Mark("a.mrc", 1, 2, Verdict.NONE)
    assert standing_marks([good(1, 2), away]) == ()
    assert standing_marks([good(1, 2), away, Undo()]) == (good(1, 2),)


def test_the_same_place_on_another_micrograph_is_another_one():
    assert len(standing_marks([good(1, 2), bad(1, 2, "b.mrc")])) == 2


# -------------------------- the file --------------------------
def test_what_is_added_is_read_again_in_order(log):
    first = good(1.5, 2.25, chosen=Chosen.RANDOM, who="ann", when="2026-12-01T12:00")
    assert log.read() == ()
    log.add(first)
    log.add(bad(3, 4), Undo(who="ann"))
    assert log.read() == (first, bad(3, 4), Undo(who="ann"))
    assert log.standing() == (first,)


def test_a_torn_line_is_left_out_and_removed_by_the_next_writer(log):
    log.add(good(1, 2), bad(3, 4))
    whole = log.path.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[-1])):
        log.path.write_bytes(whole[:-cut])
        assert log.read() == (good(1, 2),)
    log.add(good(5, 6))
    assert log.read() == (good(1, 2), good(5, 6))


def test_a_file_torn_within_its_first_line_begins_anew(log):
    log.path.write_bytes(b'{"kind": "ma')
    assert log.read() == ()
    log.add(good(1, 2))
    assert log.read() == (good(1, 2),)


def test_marks_made_before_a_kill_are_there(log):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from deepconsensus_plugin.core.marks.log import MarkLog\n"
        "from deepconsensus_plugin.core.marks.mark import Mark, Verdict\n"
        "MarkLog(Path(sys.argv[1])).add(Mark('a.mrc', 1.0, 2.0, Verdict.GOOD))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(log.path)], check=False)
    assert log.read() == (good(1, 2),)


def test_two_windows_append_to_one_file(log):
    other = MarkLog(log.path)
    for number in range(5):
        log.add(good(number, 0))
        other.add(bad(number, 9))
    assert len(log.read()) == 10


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "nothing"),
        (b"\x80\x81\n", "line 1"),
        (b"[1, 2]\n", "marks"),
        (b'{"kind": "marks", "schema": 2}\n', "schema 1"),
        (b'{"kind": "marks", "schema": 1}\nnothing\n', "line 2"),
        (b'{"kind": "marks", "schema": 1}\n[]\n', "line 2"),
        (b'{"kind": "marks", "schema": 1}\n{"undo": 2}\n', "line 2"),
        (b'{"kind": "marks", "schema": 1}\n{"micrograph": "a"}\n', "line 2"),
        (
            b'{"kind": "marks", "schema": 1}\n{"micrograph": "a", "y": 1e300, '
            b'"x": 0, "verdict": "good"}\n',
            "line 2",
        ),
        (
            b'{"kind": "marks", "schema": 1}\n{"micrograph": "a", "y": 1, "x": 0, '
            b'"verdict": "perhaps"}\n',
            "line 2",
        ),
        (b'{"kind": "marks", "schema": 1}\n' + b"[" * 100000 + b"\n", "line 2"),
    ],
)
def test_other_files_are_refused_with_file_and_line(log, content, where):
    log.path.write_bytes(content)
    with pytest.raises(FileFormatError, match=where) as refused:
        read_entries(log.path)
    assert str(log.path) in str(refused.value)


def test_nothing_is_appended_to_a_file_of_something_else(log):
    log.path.write_text("micrograph,x,y\na.mrc,1,2\n")
    with pytest.raises(FileFormatError):
        log.add(good(1, 2))
    assert log.path.read_text() == "micrograph,x,y\na.mrc,1,2\n"
    log.path.write_text("one line without an end")
    with pytest.raises(FileFormatError):
        log.add(good(1, 2))
    assert log.path.read_text() == "one line without an end"


def test_a_mark_out_of_range_is_refused():
    with pytest.raises(ValueError, match="belief"):
        good(1, 2, belief=0.0)
    with pytest.raises(ValueError, match="y"):
        good(1e9, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_named(log):
    log.path.parent.chmod(0o500)
    with pytest.raises(PermissionError, match=log.path.name):
        log.add(good(1, 2))


# -------------------------- their candidates --------------------------
def candidates_at(places):
    found = {
        name: ScoredCoordinates.from_arrays(
            np.array(yx, dtype=float).reshape(-1, 2), np.zeros(len(yx))
        )
        for name, yx in places.items()
    }
    return Candidates.of_one(PickerPicks("picker", 20, found))


def test_marks_label_the_nearest_candidate_that_is_near():
    candidates = candidates_at({"a.mrc": [(10, 10), (14, 10)], "b.mrc": [(10, 10)]})
    marks = [
        good(13, 10, chosen=Chosen.RANDOM),
        bad(10, 10, "b.mrc"),
        good(50, 50),
        good(1, 1, "c.mrc"),
    ]
    matched = match_marks(marks, candidates, radius_px=5)
    assert matched.labels.rows.tolist() == [1, 2]
    assert matched.labels.is_particle.tolist() == [True, False]
    assert matched.labels.is_random.tolist() == [True, False]
    assert matched.further == (good(50, 50),)
    assert matched.elsewhere == (good(1, 1, "c.mrc"),)


def test_of_two_marks_near_one_candidate_the_last_one_counts():
    candidates = candidates_at({"a.mrc": [(10, 10)]})
    matched = match_marks([good(11, 10), bad(9, 10)], candidates, radius_px=5)
    assert matched.labels.is_particle.tolist() == [False]


def test_marks_where_there_is_no_candidate_are_further_ones():
    candidates = candidates_at({"a.mrc": [], "b.mrc": [(1, 1)]})
    matched = match_marks([good(11, 10)], candidates, radius_px=5)
    assert matched.further == (good(11, 10),)
    assert len(matched.labels) == 0


def labels(rows, is_particle, *, is_random=None, belief=1.0):
    n = len(rows)
    return Labels(
        np.array(rows, dtype=np.intp),
        np.array(is_particle, dtype=bool),
        np.full(n, belief),
        np.array([False] * n if is_random is None else is_random, dtype=bool),
    )


def test_labels_of_some_candidates_are_numbered_anew():
    some = labels([1, 4, 7], [True, False, True]).among(np.array([0, 4, 5, 7]))
    assert some.rows.tolist() == [1, 3]
    assert some.is_particle.tolist() == [False, True]
    assert len(labels([1], [True]).among(np.array([], dtype=int))) == 0


# -------------------------- what is looked at next --------------------------
def test_random_order_is_every_accepted_one_that_was_not_seen():
    accepted = np.arange(10) < 6
    seen = np.arange(10) == 3
    order = order_random(accepted, seen, np.random.default_rng(0))
    assert sorted(order) == [0, 1, 2, 4, 5]
    assert order.tolist() != sorted(order)


def test_uncertain_ones_come_first_and_unknown_or_seen_ones_never():
    probability = np.linspace(0.001, 0.999, 1000)
    probability[::10] = np.nan
    seen = np.arange(1000) % 10 == 1
    order = order_uncertain(probability, 0.5, seen, np.random.default_rng(0))
    assert len(order) == 800
    assert not seen[order].any()
    first, last = (
        np.abs(probability[part] - 0.5).mean() for part in (order[:100], order[-100:])
    )
    assert first < 0.2 < 0.4 < last


def test_contradictory_ones_come_earlier_among_the_equally_uncertain():
    n = 2000
    probability = np.full(n, 0.5)
    votes = np.repeat([0.0, 1.0], n // 2)
    network = np.tile([0.0, 1.0], n // 2)
    opinions = np.column_stack([votes, network])
    is_contradicted = votes != network
    order = order_informative(
        probability,
        0.5,
        find_contradictions(opinions),
        np.zeros(n, bool),
        np.random.default_rng(0),
    )
    assert is_contradicted[order[:400]].mean() > 0.8
    assert (find_contradictions(opinions) > 1).tolist() == is_contradicted.tolist()


def test_one_opinion_alone_contradicts_nothing():
    opinions = np.column_stack([np.arange(5.0), np.full(5, np.nan)])
    assert find_contradictions(opinions).tolist() == [0] * 5


# -------------------------- the random sample --------------------------
def test_wilsons_interval():
    # Newcombe (1998), table I: 81 of 263, and 0 of 20
    assert proportion_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert proportion_interval(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    assert proportion_interval(20, 20) == pytest.approx((0.8389, 1), abs=1e-4)


@pytest.mark.parametrize(("n_good", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_counts_out_of_range_are_refused(n_good, n):
    with pytest.raises(ValueError, match="received"):
        proportion_interval(n_good, n)


def test_the_sample_is_told_in_one_sentence():
    rows = np.arange(103)
    found = labels(rows, rows >= 7, is_random=rows < 102)
    sample = RandomSample.of(found, rows < 100)
    assert sample.describe() == (
        "You looked at 100 random accepted: 93 good, 86 – 97 % (95 % interval)."
    )
    nothing = RandomSample.of(labels([], []), rows < 100)
    assert "None of the accepted" in nothing.describe()
