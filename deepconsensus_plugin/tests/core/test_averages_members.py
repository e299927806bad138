# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of averages: counted, marked, and averaged in groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.averages.marks import (
    Mark,
    Marks,
    describe_numbers,
    digest_of,
    marks_path,
    numbers_in,
    read_marks,
    write_marks,
)
from deepconsensus_plugin.core.averages.matching import Poses, lay_on
from deepconsensus_plugin.core.averages.membership import count_members
from deepconsensus_plugin.core.averages.sorting import transform_of_pictures
from deepconsensus_plugin.core.averages.subsets import average_subsets
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.errors import FileFormatError

SIZE, SCALE = 20, 2.0


def table_of(n: int, k: int, seed: int = 0) -> AveragesTable:
    rng = np.random.default_rng(seed)
    return AveragesTable(
        average=rng.integers(-1, k, n),
        angle_deg=rng.uniform(0, 360, n),
        offset_yx=SCALE * rng.uniform(-1.5, 1.5, (n, 2)),
        amplitude=rng.random(n),
        correlation=rng.random(n),
        images=rng.normal(size=(k, SIZE, SIZE)).astype(np.float32),
        resolution_A=np.where(np.arange(k) % 2, np.inf, 20.0),
        pixel_size_A=3.0 * SCALE,
        diameter_A=80.0,
    )


# -------------------------- numbers --------------------------
def test_members_counted_by_hand():
    average = np.array([0, 0, 0, 1, 1, -1, 3])
    accepted = np.array([1, 1, 0, 0, 0, 1, 1], dtype=bool)
    found = np.array([[1, 1], [1, 0], [0, 1], [0, 1], [0, 1], [1, 1], [1, 0]], bool)
    members = count_members(
        average, 4, accepted=accepted, found=found, pickers=("a", "b")
    )
    assert members.n_members.tolist() == [3, 2, 0, 1]
    assert members.n_accepted.tolist() == [2, 0, 0, 1]
    np.testing.assert_allclose(members.share_accepted, [2 / 3, 0, np.nan, 1])
    np.testing.assert_allclose(members.share_found[:2], [[2 / 3, 2 / 3], [0, 1]])
    # Mostly accepted ones by size, then the others; none without members.
    assert members.accepted_first().tolist() == [0, 3, 1]


def test_where_nothing_is_accepted_yet_averages_come_by_size():
    average = np.array([0, 1, 1, 2, 2, 2])
    none = np.zeros((6, 0), dtype=bool)
    members = count_members(average, 3, accepted=None, found=none, pickers=())
    assert members.accepted_first().tolist() == [2, 1, 0]
    assert np.isnan(members.share_accepted).all()
    assert members.share_found.shape == (3, 0)


# -------------------------- marks --------------------------
def test_marks_are_set_changed_and_taken_away():
    marks = Marks().set(2, Mark.GOOD).set(0, Mark.GOOD).set(2, Mark.BAD)
    assert (marks.good, marks.bad) == ((0,), (2,))
    assert [marks.of(n) for n in range(3)] == [Mark.GOOD, None, Mark.BAD]
    average = np.array([2, 0, -1, 2])
    assert marks.members(average, Mark.BAD).tolist() == [True, False, False, True]
    assert marks.set(2, None).bad == ()
    with pytest.raises(ValueError, match="once"):
        Marks((1,), (1, 2))


def test_marks_are_read_as_written_and_only_for_their_averages(tmp_path):
    path, table = tmp_path / "averages.h5", table_of(9, 4)
    assert read_marks(path, table) == Marks(averages=digest_of(table))
    marks = read_marks(path, table).set(3, Mark.BAD)
    write_marks(path, marks)
    assert read_marks(path, table) == marks
    assert read_marks(path, table_of(9, 4, seed=1)).bad == ()
    assert [each.name for each in tmp_path.iterdir()] == ["averages_marks.json"]


def test_a_broken_file_of_marks_is_named(tmp_path):
    path = marks_path(tmp_path / "averages.h5")
    path.write_text('{"schema": 1, "good": ["x"]}', encoding="utf-8")
    with pytest.raises(FileFormatError, match=path.name):
        read_marks(Path(tmp_path / "averages.h5"), table_of(9, 4))


@pytest.mark.parametrize(
    "numbers, text",
    [((), ""), ((0,), "1"), ((0, 1, 2, 6, 8, 9), "1-3, 7, 9-10")],
)
def test_numbers_are_read_as_told(numbers, text):
    assert describe_numbers(numbers) == text
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("text", ["0", "x", "3-1", "1-2-3", "-1", "1.5", "2-"])
def test_other_numbers_are_refused(text):
    with pytest.raises(ValueError, match="expected numbers"):
        numbers_in(text)


# -------------------------- averages of groups --------------------------
def boxes_and_average(table: AveragesTable) -> tuple[np.ndarray, AveragesTable]:
    """Return boxes, and the table with the averages that these have in its poses."""
    rng = np.random.default_rng(5)
    n, k = len(table.average), len(table.images)
    boxes = rng.normal(size=(n, SIZE, SIZE)).astype(np.float32)
    transform = transform_of_pictures(SIZE)
    poses = Poses(
        table.average,
        np.deg2rad(table.angle_deg),
        -table.offset_yx / SCALE,
        np.zeros(n, dtype=np.float32),
    )
    laid = np.concatenate(
        [part for _, part in lay_on(transform, transform.sample(boxes), poses)]
    )
    means = [laid[table.average == each].mean(axis=0) for each in range(k)]
    images = transform.draw(np.array(means, dtype=np.complex64))
    return boxes, AveragesTable(**{**vars(table), "images": images})


@pytest.mark.parametrize("contrast", [1, -1])
def test_averages_of_groups_together_are_those_of_all(contrast):
    boxes, table = boxes_and_average(table_of(60, 3))
    group = np.random.default_rng(2).integers(0, 2, 60)
    parts = [(np.arange(40, 60), contrast * boxes[40:])]
    parts.append((np.arange(40), contrast * boxes[:40]))  # in any order
    found = average_subsets(parts, table, group, 2, sampling_rate=3.0)
    for average in range(3):
        own = table.average == average
        counts = [(own & (group == each)).sum() for each in range(2)]
        assert found.n_members[:, average].tolist() == counts
    weights = (
        found.n_members[:, :, None, None] / found.n_members.sum(axis=0)[:, None, None]
    )
    together = (found.images * weights).sum(axis=0)
    np.testing.assert_allclose(together, table.images, atol=1e-5)


def test_candidates_of_no_group_are_left_out():
    boxes, table = boxes_and_average(table_of(60, 3))
    group = np.where(table.average == 1, -1, 0)
    parts = [(np.arange(60), boxes)]
    found = average_subsets(parts, table, group, 1, sampling_rate=3.0)
    np.testing.assert_allclose(found.images[0, 0], table.images[0], atol=1e-5)
    assert found.n_members[0, 1] == 0
    assert not found.images[0, 1].any()
    assert found.have_enough.tolist() == [0, 2]
