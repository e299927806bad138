# SPDX-License-Identifier: GPL-3.0-or-later
"""Models, jobs and tables that an earlier version wrote; see tests/stored/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from deepconsensus_plugin.commands.exported import read_summary
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.deep_consensus.datasets import read_boxes
from deepconsensus_plugin.core.deep_consensus.held_out import read_held_out
from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoreRequest,
    ScoreResult,
    TrainRequest,
    TrainResult,
)
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
)
from deepconsensus_plugin.core.jobs import (
    read_device,
    read_request,
    read_result,
    run_job,
    write_job,
)
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.core.pipeline.negatives import (
    NegativesRequest,
    NegativesResult,
)
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest, SimulateResult
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.tests.stored_models import KINDS, STORED, unpack_stored

EXPECTED = json.loads((STORED / "expected.json").read_text())
"""What that version made of the files."""

LATER = {
    "forms": [],
    **dict.fromkeys(
        ("film_variety", "ice_variety", "precipitates", "cracks", "vesicles"), 0.0
    ),
    "hold_out_micrographs": True,
    "leave_out_filaments": False,
    "n_in_rows": 0,
    "shortest_diameter_A": None,
    "max_negatives": 10_000,
    "half_size": False,
    "avoid_contamination": True,
    "avoid_likely_particles": True,
    "masks": None,
    "avoid": None,
    "images": None,
    "is_from_null": False,
    "null": None,
    "numbers": None,
    "expected_recall": None,
    "why": None,
}
"""Fields that came later, with the defaults that mean what that version did."""

JOBS = {
    "simulate": (SimulateRequest, SimulateResult),
    "pick": (PickRequest, PickResult),
    "negatives": (NegativesRequest, NegativesResult),
    "train": (TrainRequest, TrainResult),
    "score": (ScoreRequest, ScoreResult),
    "train_topaz": (TopazTrainRequest, PickerTrainResult),
    "train_deepem": (DeepEMTrainRequest, PickerTrainResult),
    "train_hydra": (HydraTrainRequest, PickerTrainResult),
    "network_pick": (NetworkPickRequest, NetworkPickResult),
}
"""Request and result of each kind of job."""

RESULT = ".result.json"
JOB_FILES = [
    path
    for path in sorted((STORED / "jobs").glob("*.json"))
    if not path.name.endswith(RESULT)
]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Return a folder with the models and the project, and what jobs need."""
    folder = tmp_path_factory.mktemp("stored")
    unpack_stored(folder)
    return folder


def _as_before(plain: object) -> object:
    """Return what JSON holds without later fields, which have their defaults."""
    if isinstance(plain, list):
        return [_as_before(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    # Pickers without training knew it before.
    later = LATER | ({"avoid_contamination": True} if "found" in plain else {})
    assert all(plain.get(name, value) == value for name, value in later.items())
    return {k: _as_before(v) for k, v in plain.items() if k not in later}


def test_a_job_of_every_kind_is_there():
    assert {read_json(path)["kind"] for path in JOB_FILES} == {*JOBS}


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: path.stem)
def test_job_is_read_and_written_again_with_the_same_content(path, tmp_path):
    request_type, _ = JOBS[read_json(path)["kind"]]
    request = read_request(path, request_type)
    write_job(tmp_path / "job.json", request)
    written, stored = (json.loads(p.read_text()) for p in (tmp_path / "job.json", path))
    assert _as_before(written) == _as_before(stored)


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: path.stem)
def test_result_of_a_job_is_read(path):
    stored = path.with_suffix(RESULT)
    if path.stem == "train_new_head":  # never carried out
        assert not stored.exists()
        return
    _, result_type = JOBS[read_json(path)["kind"]]
    result = _as_before(to_plain(read_result(path, result_type)))
    assert result == read_json(stored)["result"]
    assert read_device(path) is None  # that version did not keep it


@pytest.mark.parametrize("kind", KINDS)
def test_card_is_read_and_written_again_to_the_same_bytes(unpacked, kind, tmp_path):
    card = load_card(unpacked / "models" / kind)
    assert (card.kind, card.box_size, card.sampling_rate) == (kind, 24, 2.0)
    write_json(tmp_path / "card.json", _as_before(to_plain(card)))
    stored = (unpacked / "models" / kind / "card.json").read_bytes()
    assert (tmp_path / "card.json").read_bytes() == stored


@pytest.mark.parametrize("kind", KINDS)
def test_model_picks_as_it_did(unpacked, kind, monkeypatch):
    monkeypatch.chdir(unpacked)  # paths of the jobs are relative
    job = Path("jobs") / f"pick_with_{kind}.json"
    before = read_result(job, NetworkPickResult)
    result = run_job(job)

    assert result.n_picks == before.n_picks
    assert result.expected_precision == pytest.approx(
        before.expected_precision, abs=0.01, nan_ok=True
    )
    found = read_coordinates(result.coordinates)["seen.mrc"]
    expected = EXPECTED["picks"][kind]
    distance, nearest = cKDTree(found.yx).query(expected["yx"])
    assert sorted(nearest) == [*range(len(found))]
    assert distance.max() <= 1
    np.testing.assert_allclose(
        found.scores[nearest], expected["scores"], rtol=1e-3, atol=1e-3
    )


def test_network_scores_boxes_as_it_did(unpacked, monkeypatch):
    monkeypatch.chdir(unpacked)
    result = run_job(Path("jobs") / "score.json")
    received = read_scores(result.scores).mean
    np.testing.assert_allclose(received, EXPECTED["scores"], atol=1e-3)
    assert np.ptp(received) > 0.5  # particles and background


def as_plain(table, names):
    """Return columns as JSON holds them."""
    columns = {name: getattr(table, name) for name in names}
    return json.loads(
        json.dumps(columns, default=lambda array: array.tolist()).replace("NaN", "null")
    )


def test_tables_are_read():
    tables = STORED / "tables"
    expected = EXPECTED["candidates"]
    assert as_plain(read_candidates(tables / "candidates.h5"), expected) == expected
    coordinates = read_coordinates(tables / "coordinates.h5")
    received = {name: each.yx.tolist() for name, each in coordinates.items()}
    assert received == EXPECTED["coordinates"]
    scores = read_scores(tables / "scores.h5")
    np.testing.assert_allclose(scores.mean, EXPECTED["scores"], atol=1e-6)


def test_labelled_boxes_are_read():
    expected = dict(EXPECTED["boxes"])
    means = expected.pop("means")
    data = read_boxes(STORED / "tables" / "boxes.h5")
    assert as_plain(data.rows, expected) == expected
    np.testing.assert_allclose(data.boxes.astype(float).mean(axis=(1, 2)), means)

    expected = dict(EXPECTED["held_out"])
    scores = expected.pop("scores")
    held_out = read_held_out(STORED / "tables" / "held_out.npz")
    assert as_plain(held_out.rows, expected) == expected
    np.testing.assert_array_equal(held_out.scores, scores)


def test_summary_and_scores_of_a_run_are_read(unpacked):
    project = unpacked / "project"
    finished = read_summary(project / "summary.json")
    assert finished.box_size == 40
    assert finished.observed == ("mic_0.mrc", "mic_1.mrc", "mic_2.mrc")
    assert finished.shapes == dict.fromkeys(finished.observed, (192, 256))

    summary = read_json(project / "summary.json")
    plain = summary["calibration"]
    report = from_plain(plain, CalibrationReport, path=project / "summary.json")
    later = {"why_withheld": None, "remarks": []}
    assert to_plain(report) == {**plain, **later}
    assert [picker.name for picker in report.pickers] == ["alpha", "beta"]

    table = read_scores_csv(project / "scores.csv")
    assert len(table) == summary["sets"]["scores.outputCoordinates"]
    assert table.accepted.sum() == summary["sets"]["particles.outputCoordinates"]
    assert table.score[table.accepted].min() == summary["threshold"]
