# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of candidates from files: marks, and selections of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.tables import write_candidates
from deepconsensus_plugin.core.marks.log import MarkLog
from deepconsensus_plugin.core.marks.mark import Chosen, Mark, Verdict
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.pipeline.feedback import (
    SELECTION_BELIEF,
    read_feedback,
)
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.pipeline.fuse import keep_fused
from deepconsensus_plugin.core.types import (
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)

BOX = 40
PLACES = {"a.mrc": [(100, 100), (100, 200), (200, 100)], "b.mrc": [(50, 60), (300, 60)]}
MICROGRAPHS = tuple(Micrograph(name, Path(name), (400, 400), 2.0) for name in PLACES)


def coordinates(places):
    return {
        name: ScoredCoordinates.from_arrays(
            np.array(yx, dtype=float).reshape(-1, 2), np.ones(len(yx))
        )
        for name, yx in places.items()
    }


@pytest.fixture
def candidates():
    return Candidates.of_one(PickerPicks("one", BOX, coordinates(PLACES)))


def read(path, candidates, accepted=(True,) * 5, **options):
    return read_feedback(
        path,
        candidates,
        MICROGRAPHS,
        accepted=np.array(accepted),
        box_size=BOX,
        options=ReadOptions(**options) if options else None,
    )


def write_star(path, places):
    write_merged_picks(
        path, coordinates(places), box_size=BOX, pick_format=PickFormat.STAR
    )
    return path


def told(feedback):
    labels = feedback.labels
    return dict(zip(labels.rows.tolist(), labels.is_particle.tolist(), strict=True))


def test_marks_are_labels(tmp_path, candidates):
    log = MarkLog(tmp_path / "marks.jsonl")
    log.add(
        Mark("a.mrc", 101.0, 100.0, Verdict.GOOD, Chosen.RANDOM),
        Mark("b.mrc", 300.0, 60.0, Verdict.BAD),
        Mark("b.mrc", 200.0, 200.0, Verdict.GOOD),
    )
    found = read(log.path, candidates)
    assert told(found) == {0: True, 4: False}
    assert found.labels.is_random.tolist() == [True, False]
    assert found.labels.belief.tolist() == [1, 1]
    assert found.remarks[-1].startswith("1 places in it are at no candidate")


def test_a_selection_is_good_and_what_it_leaves_out_of_the_accepted_bad(
    tmp_path, candidates
):
    path = write_star(tmp_path / "select.star", {"a.mrc": [(100, 102)]})
    found = read(path, candidates, (True, True, False, True, True))
    # Nothing is known of b.mrc, nor of what the other program was not given.
    assert told(found) == {0: True, 1: False}
    assert (found.labels.belief == SELECTION_BELIEF).all()
    assert not found.labels.is_random.any()


def test_positions_of_binned_micrographs_are_scaled(tmp_path, candidates):
    path = write_star(tmp_path / "select.star", {"a.mrc": [(50, 50), (100, 50)]})
    assert told(read(path, candidates, scale=2.0)) == {0: True, 1: False, 2: True}
    with pytest.raises(ValueError, match="Check their scale"):
        read(path, candidates, (False,) * 5)


def test_a_folder_of_picks_is_read_as_well(tmp_path, candidates):
    for name, rows in (("a", "100 100\n"), ("b", "")):
        (tmp_path / f"{name}.box").write_text(
            "".join(
                f"{int(x) - 20} {int(y) - 20} 40 40\n"
                for y, x in map(str.split, rows.splitlines())
            )
        )
    assert told(read(tmp_path, candidates)) == {0: True, 1: False, 2: False}


def test_what_is_no_file_of_positions_is_refused(tmp_path, candidates):
    path = tmp_path / "marks.jsonl"
    path.write_text("nothing of the kind\n")
    with pytest.raises(FileFormatError, match=r"marks\.jsonl"):
        read(path, candidates)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.star", candidates)


def test_probabilities_that_are_kept_know_the_labels(tmp_path):
    rng = np.random.default_rng(0)
    n = 200
    yx = rng.uniform(30, 370, (n, 2))
    found = rng.random((n, 2)) < 0.7
    found[~found.any(axis=1), 0] = True
    table = Candidates(
        ("a.mrc", "b.mrc"),
        ("one", "two"),
        np.ones((2, 2), dtype=bool),
        np.repeat([0, 1], n // 2),
        yx,
        found,
        np.full((n, 2), np.nan),
        found.sum(axis=1),
        yx,
    )
    write_candidates(tmp_path / "candidates.h5", table)
    log = MarkLog(tmp_path / "marks.jsonl")
    good, bad = (yx[row].tolist() for row in (0, 150))
    log.add(
        Mark("a.mrc", *good, Verdict.GOOD, Chosen.RANDOM),
        Mark("b.mrc", *bad, Verdict.BAD, Chosen.RANDOM),
    )
    report = keep_fused(
        table,
        rng.random(n),
        seed=0,
        score=tmp_path / "score.npy",
        calibration=tmp_path / "calibration.json",
        feedback=FeedbackFile(log.path, MICROGRAPHS, 4),
    )
    score = np.load(tmp_path / "score.npy")
    assert score[0] >= 0.95
    assert score[150] <= 0.051
    remarks = "\n".join(report.describe_pickers())
    assert "marks.jsonl labels 2 candidates, 1 of them as particles." in remarks
    assert "2 marks:" in remarks
