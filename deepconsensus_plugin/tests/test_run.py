# SPDX-License-Identifier: GPL-3.0-or-later
"""Command run, from micrographs and folders of picks to particles."""

from __future__ import annotations

import csv
import html
import json
import re
from itertools import compress
from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.scores_csv_rows import COLUMNS
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.tests.run_scene import (
    N_MICROGRAPHS,
    N_PARTICLES,
    make_scene,
    run,
    run_and_kill,
    run_here,
)
from deepconsensus_plugin.tests.synthetic import BOX, SHAPE

N_FIRST = 7

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def finished(scene) -> Path:
    """Return the project of a run that was killed while a network learnt."""
    run_and_kill(scene, when="network: started")
    done = run(scene)
    assert done.returncode == 0, done.stderr
    assert "network: waiting for process" in done.stderr
    assert "network: started" not in done.stderr
    return scene / "project"


def test_summary_holds_sets_timings_and_figures(finished):
    summary = json.loads((finished / "summary.json").read_text())
    sets = summary["sets"]
    n_candidates = sets["consensus.outputCoordinatesOR"]
    assert sets["micrographs.outputMicrographs"] == N_MICROGRAPHS
    assert sets["scores.outputCoordinates"] == n_candidates
    assert "scores.outputParticles" not in sets
    assert sum(summary["score_histogram"]["counts"]) == n_candidates
    kept = sets.get("particles.outputCoordinates", 0)
    assert kept + sets.get("particles.outputCoordinatesRejected", 0) == n_candidates
    assert sets.get("particles.outputParticles", 0) == kept
    assert summary["box_size"] == BOX
    assert summary["micrograph_shapes"]["mic_2.mrc"] == list(SHAPE)
    assert 0 < summary["threshold"] < 1
    verdicts = {each["name"]: each for each in summary["calibration"]["pickers"]}
    assert {*verdicts} == {"alpha", "particles"}
    acceptance = summary["acceptance"]
    assert acceptance["expected"] is None  # so few boxes tell nothing
    assert acceptance["why"]
    assert {each["precision"]["value"] for each in verdicts.values()} == {None}
    page = (finished / "report.html").read_text()
    assert page.count(html.escape(acceptance["why"])) >= 2  # tile and text
    assert summary["observed"] == {
        "mic_0.mrc": ["alpha", "particles"],
        "mic_1.mrc": ["alpha", "particles"],
        "mic_2.mrc": ["alpha"],
    }
    assert {"picks of alpha", "picks of particles", "truth"} < set(summary["timings"])
    assert all(cost["seconds"] > 0 for cost in summary["timings"].values())
    assert summary["timings"]["scores"]["peak_memory_mb"] > 100
    metrics = json.loads((finished / summary["metrics_file"]).read_text())
    assert metrics["n_truth"] == N_MICROGRAPHS * N_PARTICLES
    assert metrics["threshold"] == summary["threshold"]


def test_pickers_union_and_agreement_are_compared_with_the_truth_too(finished):
    summary = json.loads((finished / "summary.json").read_text())
    metrics = json.loads((finished / "metrics.json").read_text())
    compared = {row["picks"]: row for row in summary["comparison"]["rows"]}
    assert [*compared] == [
        *("alpha", "particles", "union (OR)", "agreed (AND)"),
        *("accepted", "blind lattice"),
    ]
    sets = summary["sets"]
    union, agreed = compared["union (OR)"], compared["agreed (AND)"]
    assert union["n_accepted"] == sets["consensus.outputCoordinatesOR"]
    assert agreed["n_accepted"] == sets["consensus.outputCoordinatesAND"]
    assert union["recall"] > compared["alpha"]["recall"] > agreed["recall"]
    assert agreed["precision"] > union["precision"]
    assert compared["accepted"]["n_accepted"] == metrics["n_accepted"]
    # A picker is judged where it was run; this one was not run on the last.
    assert metrics["pickers"]["particles"]["n_micrographs"] == N_MICROGRAPHS - 1
    assert metrics["pickers"]["alpha"]["n_micrographs"] == N_MICROGRAPHS
    picture = (finished / summary["picture_file"]).read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_the_report_needs_nothing_beside_itself(finished):
    summary = json.loads((finished / "summary.json").read_text())
    page = (finished / summary["report_file"]).read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", page)
    assert page.count("data:image/png;base64,") == 8  # no reliability
    for part in (
        *("Reliability of the pickers", "alpha", "particles kept of"),
        *("Comparison with the truth", "Sanchez-Garcia et al. (2018)", "nEpochs"),
        f"{summary['threshold']:.3g}",
    ):
        assert part in page


def test_a_report_can_be_written_again(finished, tmp_path, capfd):
    out = tmp_path / "again.html"
    assert main(["report", str(finished), "--out", str(out)]) == 0
    again, first = (path.read_text() for path in (out, finished / "report.html"))
    for page in (again, first):
        assert page.count("<section>") == 12
        assert "nEpochs=1" in page
    assert not (tmp_path / "again.png").exists()
    assert main(["report", str(finished), "--selection", "none"]) == 1
    said = capfd.readouterr().err
    assert "No finished selection 'none' in " in said
    assert "it has 'particles'." in said


def test_scores_have_one_row_per_candidate(finished):
    summary = json.loads((finished / "summary.json").read_text())
    with (finished / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == summary["sets"]["consensus.outputCoordinatesOR"]
    assert sum(row["accepted"] == "1" for row in rows) == summary["sets"].get(
        "particles.outputParticles", 0
    )
    observed = {row["micrograph"]: row["observed"] for row in rows}
    assert observed == {
        "mic_0.mrc": "alpha;particles",
        "mic_1.mrc": "alpha;particles",
        "mic_2.mrc": "alpha",
    }


def test_what_is_accepted_is_exported_and_told(finished, tmp_path, capfd):
    table = read_scores_csv(finished / "scores.csv")
    arguments = ["--format", "csv", "--out", str(tmp_path)]
    assert main(["export", str(finished), *arguments]) == 0
    n = table.accepted.sum()
    assert f"{n} of {len(table)} coordinates of 'particles'" in capfd.readouterr().out
    exported = read_picks(tmp_path / "coordinates.csv")
    found = [
        (name, *yx, score)
        for name, picks in exported.items()
        for yx, score in zip(picks.yx.tolist(), picks.scores.tolist(), strict=True)
    ]
    rows = zip(table.micrograph, table.yx.tolist(), table.score.tolist(), strict=True)
    every = [(name, *yx, score) for name, yx, score in rows]
    assert sorted(found) == sorted(compress(every, table.accepted))
    summary = json.loads((finished / "summary.json").read_text())
    counts = summary["acceptance"]["counts"]
    assert (counts["accepted"], sum(counts.values())) == (n, len(table))
    sentence = f"{n} kept of {len(table)} candidates"
    assert sentence in "".join(summary["protocols"]["particles"])
    assert sentence in (finished / "report.html").read_text(encoding="utf-8")


def test_the_same_command_again_repeats_nothing(scene, finished, capfd):
    before = (finished / "scores.csv").read_bytes()
    assert run_here(scene) == 0
    again = capfd.readouterr()
    assert "started" not in again.err
    assert f"Report: {finished}/report.html" in again.out
    # Scipion's window leads from the selection to it.
    (link,) = finished.glob("Runs/*Select/extra/report.html")
    assert link.samefile(finished / "report.html")
    assert (finished / "scores.csv").read_bytes() == before


def test_pickers_in_another_order_give_the_same_scores_to_the_bit(scene, finished):
    """The first run was killed and continued; this one takes the best few."""
    picks = f"{scene}/particles,{scene}/alpha"
    few = {"thresholdMode": "first N", "numberOfParticles": N_FIRST}
    project = scene / "other_order"
    assert run_here(scene, picks=picks, project=project.name, **few) == 0

    first, other = (
        read_scores_csv(folder / "scores.csv") for folder in (finished, project)
    )
    assert other.micrograph == first.micrograph
    for name in ("yx", "score", "network_score", "spread"):
        np.testing.assert_array_equal(getattr(other, name), getattr(first, name))

    summary = json.loads((project / "summary.json").read_text())
    assert summary["sets"]["particles.outputParticles"] == N_FIRST
    metrics = json.loads((project / "metrics.json").read_text())
    assert metrics["threshold"] == summary["threshold"]
    assert metrics["n_accepted"] == N_FIRST
    assert metrics["precision"] == metrics["n_matched"] / N_FIRST


def test_other_settings_need_another_project(scene, finished, capfd):
    assert run_here(scene, seed=7) == 1
    said = capfd.readouterr().err
    assert "seed was not given, now 7. Use a new --project" in said
