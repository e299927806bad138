# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a fusion: it says what the fusion found, and survives its file."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
    read_report,
    write_report,
)
from deepconsensus_plugin.core.calibration.thresholds import AUTOMATIC, select
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pipeline.fuse import can_fuse, fuse_scores
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import BoolArray, FloatArray


def _candidates(found: BoolArray, n_micrographs: int) -> Candidates:
    n, k = found.shape
    return Candidates(
        micrographs=tuple(f"{i}.mrc" for i in range(n_micrographs)),
        pickers=tuple("abcdef"[:k]),
        observed=np.ones((n_micrographs, k), bool),
        micrograph_index=np.sort(np.arange(n) % n_micrographs),
        yx=np.zeros((n, 2)),
        found=found,
        picker_scores=np.full((n, k), np.nan),
        agreement=found.sum(axis=1),
        agreed_yx=np.zeros((n, 2)),
    )


@pytest.fixture(scope="module")
def drawn() -> tuple[Candidates, FloatArray]:
    """Three pickers that find 0.8 of the particles and 0.15 of the rest."""
    rng = np.random.default_rng(3)
    is_particle = rng.random(3000) < 0.6
    found = rng.random((3000, 3)) < np.where(is_particle, 0.8, 0.15)[:, np.newaxis]
    seen = found.any(axis=1)
    score = rng.normal(size=3000) + 2.0 * is_particle
    return _candidates(found[seen], 10), score[seen]


@pytest.mark.slow
def test_the_verdict_is_that_of_the_fusion(drawn, tmp_path):
    candidates, score = drawn
    probability, report = fuse_scores(candidates, score, seed=4)
    fusion = fuse(
        Evidence.of_candidates(candidates, score), rng=np.random.default_rng(4)
    )
    np.testing.assert_array_equal(probability, fusion.probability)
    assert report.n_particles == probability.sum()
    for column, verdict in enumerate(report.pickers):
        expected = probability[candidates.found[:, column]].mean()
        assert verdict.name == candidates.pickers[column]
        assert verdict.n_picks == candidates.found[:, column].sum()
        assert verdict.precision.value == pytest.approx(expected)
        assert verdict.precision.low < verdict.precision.value < verdict.precision.high
    accepted = select(probability, AUTOMATIC)
    assert report.suggested_threshold == probability[accepted].min()

    write_report(tmp_path / "calibration.json", report)
    assert to_plain(read_report(tmp_path / "calibration.json")) == to_plain(report)


@pytest.mark.slow
def test_what_is_expected_at_a_threshold_is_that_of_the_candidates_above(drawn):
    candidates, score = drawn
    probability, report = fuse_scores(candidates, score, seed=0)
    nearest = int(np.abs(np.array(report.thresholds) - 0.3).argmin())
    precision, recall = report.precision[nearest], report.recall[nearest]
    above = probability[probability >= 0.3]
    assert precision.value == pytest.approx(above.mean())
    assert recall.value == pytest.approx(above.sum() / probability.sum())


def test_one_micrograph_has_no_intervals(tmp_path):
    found = np.array([[True, True], [True, False], [False, True]] * 4)
    _, report = fuse_scores(_candidates(found, 1), np.linspace(0, 1, 12), seed=0)
    assert "(" not in report.pickers[0].precision.describe()
    write_report(tmp_path / "calibration.json", report)
    again = read_report(tmp_path / "calibration.json")
    assert np.isnan(again.pickers[0].precision.low)
    assert again.pickers[0].n_picks == 8


def test_one_picker_alone_cannot_be_fused():
    assert can_fuse(_candidates(np.array([[True, False], [False, True]]), 1))
    assert not can_fuse(_candidates(np.array([[True, False], [True, False]]), 1))
    assert not can_fuse(Candidates.empty(("a", "b")))


def test_a_figure_reads_as_a_sentence_does():
    assert EstimatedFigure(0.944, 0.93, 0.951).describe() == "0.94 (0.93 – 0.95)"
    assert EstimatedFigure(0.944, np.nan, np.nan).describe() == "0.94"


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text('{"schema": 1, "seed": 3}')
    with pytest.raises(FileFormatError, match=CalibrationReport.__name__):
        read_report(path)
