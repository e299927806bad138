# SPDX-License-Identifier: GPL-3.0-or-later
"""The command export, from the files of a finished run."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.picks import read_picks
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.serialisation import write_json


@pytest.fixture
def project(tmp_path):
    """Three candidates on a.mrc, one on b.mrc; two of them accepted."""
    n = 4
    candidates = Candidates(
        micrographs=("a.mrc", "b.mrc"),
        pickers=("x",),
        observed=np.ones((2, 1), bool),
        micrograph_index=np.array([0, 0, 0, 1]),
        yx=np.array([[10.0, 20.5], [30.0, 40.0], [50.0, 60.0], [70.0, 80.0]]),
        found=np.ones((n, 1), bool),
        picker_scores=np.full((n, 1), np.nan),
        agreement=np.ones(n, int),
        agreed_yx=np.zeros((n, 2)),
    )
    score = np.array([0.75, 0.25, 0.875, 0.125])
    write_scores_csv(
        tmp_path / "scores.csv",
        candidates,
        score=score,
        network_score=score,
        spread=np.zeros(n),
        accepted=score >= 0.5,
    )
    # Nothing was found on c.mrc; nobody looked at d.mrc.
    observed = {"a.mrc": ["x"], "b.mrc": ["x"], "c.mrc": ["x"], "d.mrc": []}
    write_json(tmp_path / "summary.json", {"box_size": 8, "observed": observed})
    return tmp_path


def _export(project, *options: str) -> int:
    return main(["export", str(project), "--out", str(project / "out"), *options])


@pytest.mark.parametrize("pick_format", ["star", "csv"])
def test_one_file_of_all_micrographs(project, pick_format):
    assert _export(project, "--format", pick_format) == 0
    read = read_picks(project / "out" / f"coordinates.{pick_format}")
    np.testing.assert_allclose(read["a.mrc"].yx, [[50.0, 60.0], [10.0, 20.5]])
    np.testing.assert_allclose(read["a.mrc"].scores, [0.875, 0.75])
    assert len(read.get("b.mrc", ())) == 0


def test_a_box_file_for_each_micrograph(project):
    assert _export(project, "--format", "box") == 0
    read = read_picks(project / "out" / "a.box")[None]
    np.testing.assert_allclose(read.yx, [[50.0, 60.0], [10.0, 20.5]])
    assert len(read_picks(project / "out" / "b.box")[None]) == 0
    assert len(read_picks(project / "out" / "c.box")[None]) == 0
    assert not (project / "out" / "d.box").exists()


def test_every_candidate_or_another_threshold(project, capsys):
    assert _export(project, "--format", "box", "--all") == 0
    assert "4 of 4 coordinates" in capsys.readouterr().out
    assert len(read_picks(project / "out" / "b.box")[None]) == 1
    assert _export(project, "--format", "box", "--threshold", "0.8") == 0
    assert "1 of 4 coordinates" in capsys.readouterr().out


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert _export(tmp_path, "--format", "star") == 1
    assert "scores.csv" in capsys.readouterr().err


def test_micrographs_that_would_share_a_file_are_refused(project, capsys):
    observed = {"a.mrc": ["x"], "a.tif": ["x"]}
    write_json(project / "summary.json", {"box_size": 8, "observed": observed})
    assert _export(project, "--format", "box") == 1
    assert "received a.mrc and a.tif: both files would be a.box" in (
        capsys.readouterr().err
    )
    assert _export(project, "--format", "star") == 0


def test_a_summary_without_a_box_size_is_refused(project, capsys):
    write_json(project / "summary.json", {"observed": {}})
    assert _export(project, "--format", "star") == 1
    assert "summary.json: expected box_size" in capsys.readouterr().err
