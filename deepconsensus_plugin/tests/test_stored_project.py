# SPDX-License-Identifier: GPL-3.0-or-later
"""A project of an earlier version: continued, reported on, exported and looked at."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.commands.project import (
    load_protocols,
    open_project,
    open_run,
    read_record,
)
from deepconsensus_plugin.commands.settings import PicksFolder, parse_settings
from deepconsensus_plugin.convert import read_observed
from deepconsensus_plugin.core.serialisation import read_json
from deepconsensus_plugin.report.reported_run import collect_run
from deepconsensus_plugin.viewers.scores.reading import (
    PICKERS,
    VOTES,
    locate,
    read_overview,
)

STORED = Path(__file__).parent / "stored"

pytestmark = pytest.mark.skipif(
    not STORED.exists(), reason="the stored files are in the repository only"
)

WORDS = (
    *("micrographs=/data/scene/mics/*.mrc", "samplingRate=2.5", "boxSize=40"),
    *("nEpochs=2", "nModels=1", "batchSize=8", "inputSize=16"),
)
"""Written behind ``run deep_consensus``, beside picks and truth."""

MICROGRAPHS = "Runs/000002_ProtImportMicrographs/extra"
MODEL = "Runs/000263_ProtDeepConsensusTrain/extra/model"
N_ACCEPTED, N_CANDIDATES = 23, 34
GROUPS = {
    "alpha": "only alpha",
    "beta": "only beta",
    "alpha;beta": "several pickers",
}
"""What a window calls who found a candidate."""


@pytest.fixture(autouse=True)
def _working_directory(monkeypatch):
    """Go back afterwards: a project becomes the working directory."""
    monkeypatch.chdir(os.getcwd())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return the project with noise for micrographs and no weights of the network."""
    parent = tmp_path_factory.mktemp("stored")
    shutil.unpack_archive(STORED / "project.tar.xz", parent, filter="data")
    project = parent / "project"
    for number in range(3):
        image = np.random.RandomState(number).standard_normal((192, 256))
        path = project / MICROGRAPHS / f"mic_{number}.mrc"
        mrcfile.write(path, image.astype(np.float32))
    (project / MODEL / "model.keras").touch()
    return project


@pytest.fixture
def protocols(folder):
    """Return the protocols of the run by what users call them."""
    project = open_project(folder)
    numbers = read_record(folder)["protocols"].values()
    runs = [project.getProtocol(number) for number in numbers]
    return {run.getObjLabel(): run for run in runs}


def assert_same(received, expected):
    """Compare what JSON holds; numbers but for rounding."""
    if isinstance(expected, dict):
        assert received.keys() == expected.keys()
        for key, value in expected.items():
            assert_same(received[key], value)
    elif isinstance(expected, list):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float):
        assert received == pytest.approx(expected, rel=1e-6)
    else:
        assert received == expected


def settings_of(*words):
    """Return the settings of the command; folders of picks are there no more."""
    return replace(
        parse_settings("deep_consensus", words),
        picks=(PicksFolder("/data/scene/alpha"), PicksFolder("/data/scene/beta")),
        truth="/data/scene/truth",
    )


def test_the_same_command_goes_on_with_it(folder):
    settings = settings_of(*WORDS)
    project = open_run(folder, settings)
    loaded = load_protocols(project, settings, [])
    assert len(loaded) == 10
    assert all(run.isFinished() for run in loaded.values())
    with pytest.raises(ValueError, match="seed was not given, now 2"):
        open_run(folder, settings_of(*WORDS, "seed=2"))


def test_what_it_came_to_is_told_again(folder, protocols):
    run = collect_run("project", [*protocols.values()], {})
    received = json.loads(json.dumps(run.summary))
    summary = read_json(folder / "summary.json")
    later = (
        received["calibration"].pop("why_withheld"),
        received["calibration"].pop("remarks"),
    )
    assert later == (None, [])  # that version withheld nothing
    for key in (
        *("sets", "box_size", "observed", "micrograph_shapes", "threshold"),
        *("calibration", "score_histogram", "comparison"),
    ):
        assert_same(received[key], summary[key])
    assert received["protocols"].keys() == summary["protocols"].keys()
    assert all(received["protocols"].values())
    figures = json.loads(json.dumps(run.figures))
    assert_same(figures, json.loads((folder / "metrics.json").read_text()))
    assert len(run.scored.score) == N_CANDIDATES
    assert run.scored.accepted.sum() == N_ACCEPTED


def test_its_sets_know_who_looked_where(protocols):
    coverage = read_observed(protocols["scores"].outputCoordinates)
    assert coverage.pickers == ["alpha", "beta"]
    assert coverage.observed == {
        "mic_0.mrc": ["alpha", "beta"],
        "mic_1.mrc": ["alpha", "beta"],
        "mic_2.mrc": ["alpha"],
    }


def test_its_report_is_written(folder, tmp_path):
    out = tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    tile = f"<b>{N_ACCEPTED}</b><span>particles kept of {N_CANDIDATES} candidates"
    assert tile in page
    assert page.count("<section>") == 12


def test_its_coordinates_are_exported_as_they_were(folder, tmp_path):
    arguments = ["--format", "star", "--out", str(tmp_path)]
    assert main(["export", str(folder), *arguments]) == 0
    received = (tmp_path / "coordinates.star").read_text().split()
    # Micrographs go by their paths now.
    received = [Path(word).name for word in received]
    assert received == (STORED / "exported.star").read_text().split()


@pytest.mark.parametrize("name", ["outputCoordinates", "outputParticles"])
def test_its_scores_are_shown(folder, protocols, name):
    scored = protocols["scores"]
    source = locate(
        getattr(scored, name), folder=folder, report=scored.readCalibration()
    )
    shown = read_overview(source)

    with (folder / "scores.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: float(row["score"]))
    table = shown.table
    order = np.argsort(table.score)
    groups = table.groupings[PICKERS]
    found = np.array(groups.names)[groups.index]
    names = np.array(table.micrographs.names)[table.micrograph_index]
    expected = {column: [row[column] for row in rows] for column in rows[0]}
    scores, x, y = (np.array(expected[name], float) for name in ("score", "x", "y"))
    np.testing.assert_allclose(table.score[order], scores, rtol=1e-9)
    # Scipion's coordinates are whole pixels.
    np.testing.assert_allclose(table.yx[order], np.transpose([y, x]), atol=0.5 + 1e-9)
    assert names[order].tolist() == expected["micrograph"]
    assert found[order].tolist() == [GROUPS[each] for each in expected["pickers"]]
    assert VOTES in table.groupings
    assert shown.expectation.at(0.5).has_intervals  # the report is of these scores
