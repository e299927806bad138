# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated sets as a job: files, workers, and going on after an interruption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.pixel_types import PixelType
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import read_result, run_job, write_job
from deepconsensus_plugin.core.pipeline import simulate
from deepconsensus_plugin.core.pipeline.simulate import (
    SimulateRequest,
    SimulateResult,
    run,
)
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    ObjectClass,
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.simulation.truth import read_truth

PARAMETERS = SimulationParameters(
    shape=(128, 160),
    sampling_rate=4.0,
    structures=(Structure(Phantom.GLOBULE),),
    crowd=Crowd(15, broken_fraction=0.2, aggregates=0.0),
    contamination=Contamination(None, 0.0, 0.0, 1.0, 0.0, 0.0),
)


@pytest.fixture
def request_(tmp_path):
    return SimulateRequest(PARAMETERS, 3, tmp_path / "mics", tmp_path / "truth.h5")


def _images(result):
    return [np.array(open_micrograph(record.path)) for record in result.micrographs]


def test_a_set_is_the_same_for_any_number_of_workers(request_, tmp_path):
    alone = run(replace(request_, workers=1), Progress())
    other = replace(request_, folder=tmp_path / "others", workers=4)
    together = run(other, Progress())
    for one, another in zip(_images(alone), _images(together), strict=True):
        np.testing.assert_array_equal(one, another)
    truths = [[read_truth(r.truth) for r in s.micrographs] for s in (alone, together)]
    assert truths[0] == truths[1]


def test_a_job_gives_files_and_the_accepted_coordinates(request_, tmp_path):
    accepted = (ObjectClass.GOOD, ObjectClass.OVERLAPPING)
    write_job(tmp_path / "job.json", replace(request_, accepted=accepted))
    run_job(tmp_path / "job.json")
    result = read_result(tmp_path / "job.json", SimulateResult)
    names = [record.path.name for record in result.micrographs]
    assert names == ["simulated_0001.mrc", "simulated_0002.mrc", "simulated_0003.mrc"]
    assert result.box_size % 2 == 0
    assert result.box_size * 4.0 == pytest.approx(1.5 * result.diameter_A, abs=8)
    coordinates = read_coordinates(result.coordinates)
    assert list(coordinates) == names
    for record in result.micrographs:
        objects = read_truth(record.truth)
        expected = [(o.y, o.x) for o in objects if o.object_class in accepted]
        np.testing.assert_allclose(coordinates[record.path.name].yx, expected)
        assert sum(record.counts.values()) == len(objects)


def test_finished_micrographs_are_kept_and_missing_ones_made(request_, monkeypatch):
    first = run(request_, Progress())
    images = _images(first)
    first.micrographs[1].path.unlink()
    made = []
    original = simulate.simulate_micrograph

    def spy(parameters, index):
        made.append(index)
        return original(parameters, index)

    monkeypatch.setattr(simulate, "simulate_micrograph", spy)
    again = run(request_, Progress())
    assert made == [1]
    assert [r.counts for r in again.micrographs] == [
        r.counts for r in first.micrographs
    ]
    for one, another in zip(images, _images(again), strict=True):
        np.testing.assert_array_equal(one, another)


def test_other_parameters_make_all_anew(request_):
    first = _images(run(request_, Progress()))
    other = replace(request_, parameters=replace(PARAMETERS, seed=5))
    second = _images(run(other, Progress()))
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("pixel_type", PixelType)
def test_pixels_are_stored_as_asked(request_, pixel_type):
    counts = _images(run(replace(request_, n_micrographs=1), Progress()))[0]
    stored = replace(request_, n_micrographs=1, pixel_type=pixel_type)
    image = _images(run(stored, Progress()))[0]
    assert image.dtype == pixel_type.value
    assert np.corrcoef(image.ravel(), counts.ravel())[0, 1] > 0.98
    if pixel_type is PixelType.INT16:
        np.testing.assert_array_equal(image, np.rint(counts))


def test_nothing_asked_for_is_refused(request_):
    with pytest.raises(ValueError, match=r"n_micrographs.*must be 1 or more"):
        replace(request_, n_micrographs=0)
