# SPDX-License-Identifier: GPL-3.0-or-later
"""Command export, from the files of a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.names import stem
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.reasons import derive_reasons
from deepconsensus_plugin.core.serialisation import read_json, to_plain, write_json
from deepconsensus_plugin.core.types import Micrograph


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
        reason=derive_reasons(score, score >= 0.5),
    )
    # Nothing was found on c.mrc; nobody looked at d.mrc.
    observed = {"a.mrc": ["x"], "b.mrc": ["x"], "c.mrc": ["x"], "d.mrc": []}
    summary = {
        "box_size": 8,
        "observed": observed,
        "micrograph_shapes": {name: [100, 200] for name in observed},
    }
    write_json(tmp_path / "summary.json", summary)
    return tmp_path


def _export(project, *options: str) -> int:
    return main(["export", str(project), "--out", str(project / "out"), *options])


@pytest.mark.parametrize("pick_format", ["star", "csv", "cs", "topaz"])
def test_one_file_of_all_micrographs(project, pick_format):
    assert _export(project, "--format", pick_format) == 0
    (path,) = (project / "out").glob("*[!g]")  # without cryoSPARC's .csg
    read = {stem(name): picks for name, picks in read_picks(path).items()}
    whole = pick_format == "topaz"
    expected = [[50.0, 60.0], [10.0, 21 if whole else 20.5]]
    np.testing.assert_allclose(read["a"].yx, expected, atol=1e-5)
    np.testing.assert_allclose(read["a"].scores, [0.875, 0.75])
    assert len(read.get("b", ())) == 0


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("box", "a.box b.box c.box"),
        ("cbox", "a.cbox b.cbox c.cbox"),
        ("pos", "a.pos b.pos c.pos config.xmd"),
        (
            "json",
            "info/a_info.json info/b_info.json info/c_info.json info/project.json",
        ),
        (
            "star --per-micrograph",
            "a_autopick.star autopick.star b_autopick.star c_autopick.star",
        ),
        ("csv --per-micrograph", "a.csv b.csv c.csv"),
        ("topaz --per-micrograph", "a.txt b.txt c.txt"),
    ],
)
def test_a_folder_as_its_program_lays_it_out_comes_back(project, options, names):
    assert _export(project, "--format", *options.split()) == 0
    out = project / "out"
    files = sorted(
        p.relative_to(out).as_posix() for p in out.rglob("*.*") if p.is_file()
    )
    assert files == names.split()
    micrographs = [
        Micrograph(f"{name}.mrc", Path(f"{name}.mrc"), (100, 200), 1.0)
        for name in "abcd"
    ]
    size = None if options in ("box", "cbox", "pos", "json") else 8
    picks = read_picks_folder(
        out, micrographs, picker="p", options=ReadOptions(box_size=size)
    )
    assert picks.box_size == 8
    # A table without rows names no micrograph, but is named after one.
    assert list(picks.coordinates) == ["a.mrc", "b.mrc", "c.mrc"]
    whole = options.startswith(("pos", "topaz"))
    expected = [[50.0, 60.0], [10.0, 21 if whole else 20.5]]
    np.testing.assert_allclose(picks.coordinates["a.mrc"].yx, expected)
    np.testing.assert_allclose(picks.coordinates["a.mrc"].scores, [0.875, 0.75])
    assert len(picks) == 2


def test_fractions_need_the_shapes_of_micrographs(project, capsys):
    summary = read_json(project / "summary.json")
    del summary["micrograph_shapes"]
    write_json(project / "summary.json", summary)
    assert _export(project, "--format", "cs") == 1
    assert "expected rows and columns of every micrograph" in capsys.readouterr().err
    assert _export(project, "--format", "cs", "--per-micrograph") == 1
    assert "one micrograph a file" in capsys.readouterr().err


def test_what_eman2_knows_besides_stays(project):
    info = project / "out" / "info"
    info.mkdir(parents=True)
    (info / "a_info.json").write_text('{"ctf": [1], "boxes": [[1, 2, "manual"]]}')
    (info / "project.json").write_text('{"global.apix": 1.5}')
    assert _export(project, "--format", "json") == 0
    written = json.loads((info / "a_info.json").read_text())
    assert (written["ctf"], len(written["boxes"])) == ([1], 2)
    written = json.loads((info / "project.json").read_text())
    assert written == {"global.apix": 1.5, "global.boxsize": 8}


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


def test_another_threshold_keeps_the_other_criteria(project, capsys):
    """Files alone, of a run that tells where particles may lie."""
    # Boxes of 30 px: that of the first candidate, at row 10, leaves the micrograph.
    rule = AcceptanceRule(spacing=Spacing(neighbour_A=60))
    acceptance = AcceptanceSummary({}, 0.5, rule)
    summary = read_json(project / "summary.json")
    more = {"box_size": 30, "sampling_rate": 2.0, "acceptance": to_plain(acceptance)}
    write_json(project / "summary.json", summary | more)
    for threshold, n in (("0.3", 1), ("0.2", 0), ("0.1", 1)):
        # At 0.2, two are 28 px from each other; at 0.1 there is one on b.mrc too.
        assert _export(project, "--format", "csv", "--threshold", threshold) == 0
        assert f"{n} of 4 coordinates" in capsys.readouterr().out


def test_a_selection_needs_a_project(project, capsys):
    assert _export(project, "--format", "csv", "--selection", "best") == 1
    assert "not a Scipion project" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert _export(tmp_path, "--format", "star") == 1
    assert (
        f"No finished selection in {tmp_path} yet. Run `run` to the end first."
        in capsys.readouterr().err
    )


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert _export(tmp_path / "gone", "--format", "star") == 1
    assert f"{tmp_path / 'gone'}: no such folder" in capsys.readouterr().err


def test_micrographs_that_would_share_a_file_are_refused(project, capsys):
    observed = {"a.mrc": ["x"], "a.tif": ["x"]}
    write_json(project / "summary.json", {"box_size": 8, "observed": observed})
    assert _export(project, "--format", "box") == 1
    assert "received a.mrc and a.tif" in capsys.readouterr().err
    assert _export(project, "--format", "star") == 0


def test_a_summary_without_a_box_size_is_refused(project, capsys):
    write_json(project / "summary.json", {"observed": {}})
    assert _export(project, "--format", "star") == 1
    assert "summary.json: expected box_size" in capsys.readouterr().err


def test_help_names_the_formats_of_one_file(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "star, csv, topaz and cs: one file of all micrographs" in text
    assert "star, csv and topaz: one file for each micrograph" in text
