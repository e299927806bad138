# SPDX-License-Identifier: GPL-3.0-or-later
"""Command run, with a template that ends with picks."""

from __future__ import annotations

import json

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    write_folder,
    write_micrographs,
)

NAMES = ["mic_0.mrc", "mic_1.mrc"]
DIAMETER_A = 0.5 * BOX * SAMPLING_RATE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the project of the general picker on discs."""
    folder = tmp_path_factory.mktemp("scene")
    truth = write_micrographs(folder / "mics", NAMES, n=20)
    exact = {name: ScoredCoordinates.from_arrays(yx) for name, yx in truth.items()}
    write_folder(folder / "truth", exact)
    settings = {
        "micrographs": f"{folder}/mics/*.mrc",
        "samplingRate": SAMPLING_RATE,
        "particleDiameter": DIAMETER_A,
        "truth": f"{folder}/truth",
        "boxSize": BOX,
    }
    given = [f"{name}={value}" for name, value in settings.items()]
    project = folder / "project"
    command = ["run", "pick_without_training", *given, "--project", str(project)]
    with launched_here():
        assert main(command) == 0
    return project


def test_picks_are_listed_with_their_probabilities(finished):
    table = read_scores_csv(finished / "scores.csv")
    assert table.accepted.all()
    assert ((table.score > 0) & (table.score < 1)).all()
    assert {*table.micrograph} == {*NAMES}
    assert {*table.pickers} == {("HydraPicker",)}


def test_summary_tells_what_was_found_of_the_truth(finished):
    summary = json.loads((finished / "summary.json").read_text())
    accepted, lattice = summary["comparison"]["rows"]
    assert (accepted["picks"], lattice["picks"]) == ("accepted", "blind lattice")
    assert accepted["n_accepted"] == summary["sets"]["picks.outputCoordinates"]
    assert accepted["precision"] > 0.5
    assert accepted["best_f1"] > lattice["f1"]
    assert (finished / summary["picture_file"]).read_bytes().startswith(b"\x89PNG")
    assert "report_file" not in summary


def test_picks_are_exported(finished, tmp_path):
    command = ["export", str(finished), "--format", "star", "--out", str(tmp_path)]
    assert main(command) == 0
    assert (tmp_path / "coordinates.star").is_file()


def test_there_is_no_report_without_a_selection(finished, capfd):
    assert main(["report", str(finished)]) == 1
    assert "nothing was selected there, only picked" in capfd.readouterr().err


def test_a_truth_that_cannot_be_read_is_told_before_picking(tmp_path, capfd):
    write_micrographs(tmp_path / "mics", NAMES[:1], n=5)
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "mic_0.csv").write_text("x,y\n40,50\n")
    given = [f"micrographs={tmp_path}/mics/*.mrc", f"samplingRate={SAMPLING_RATE}"]
    given += [f"particleDiameter={DIAMETER_A}", f"truth={tmp_path}/truth"]
    project = tmp_path / "project"

    command = ["run", "pick_without_training", *given, "--project", str(project)]
    with launched_here():
        assert main(command) == 1
    assert "box size" in capfd.readouterr().err
    assert not list(project.glob("Runs/*NetworkPick/extra/*"))
