# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of picking whole sets: found particles, resumed runs, thresholds, refusals."""

from __future__ import annotations

from dataclasses import replace

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import read_result, run_job, write_job
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.pickers.classical.learnt_profile import learn_profile
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pipeline import classical_peaks
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult, run
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

SHAPE, DIAMETER, SAMPLING_RATE = (300, 420), 16, 2.5


def simulate(rng, *, is_hollow, fringe):
    """Return a micrograph with dark particles on a loose lattice, and their centres."""
    grid = np.stack(np.mgrid[25:280:34, 25:400:34], axis=-1).reshape(-1, 2)
    centres = grid + rng.integers(-5, 6, grid.shape)
    image = rng.normal(0, 1, SHAPE)
    axis = np.arange(-10, 11)
    radius = np.hypot(axis[:, None], axis[None, :])
    particle = 1.0 * ((radius <= DIAMETER / 2) & (radius >= 5 * is_hollow))
    particle[(radius > 4) & (radius <= DIAMETER / 2)] -= fringe
    for y, x in centres:
        image[y - 10 : y + 11, x - 10 : x + 11] -= 2 * particle
    return image.astype(np.float32), centres


@pytest.fixture
def picking(tmp_path):
    return write_set(tmp_path)


def write_set(tmp_path, *, is_hollow=False, fringe=0.0):
    """Write three micrographs; return a request to pick them, and the truth."""
    rng = np.random.default_rng(0)
    micrographs, truth = [], {}
    for name in ("m1.mrc", "m2.mrc", "m3.mrc"):
        image, centres = simulate(rng, is_hollow=is_hollow, fringe=fringe)
        mrcfile.write(tmp_path / name, image)
        micrographs.append(Micrograph(name, tmp_path / name, SHAPE, SAMPLING_RATE))
        truth[name] = ScoredCoordinates.from_arrays(centres)
    parameters = PickParameters(DIAMETER * SAMPLING_RATE)
    return PickRequest(
        tuple(micrographs), parameters, tmp_path / "peaks", tmp_path / "picks.h5"
    ), truth


def figures(request, truth):
    found = read_coordinates(request.result)
    return evaluate_detections(found, truth, radius_px=DIAMETER / 4)


@pytest.mark.parametrize(
    ("method", "is_hollow"),
    [
        (PickMethod.GAUSSIANS, False),
        (PickMethod.CORRELATION, False),
        (PickMethod.CORRELATION, True),
    ],
)
@pytest.mark.slow
def test_particles_are_found_by_their_diameter(tmp_path, method, is_hollow):
    request, truth = write_set(tmp_path, is_hollow=is_hollow)
    request = replace(request, parameters=replace(request.parameters, method=method))
    result = run(request, Progress())
    found = figures(request, truth)
    assert result.is_separated
    assert result.n_picks == found.n_picks
    assert found.f1 > 0.97
    assert found.centre_rmse_px < 1
    assert abs(found.centre_shift_y_px) < 0.2
    assert abs(found.centre_shift_x_px) < 0.2


@pytest.mark.slow
def test_particles_with_a_bright_fringe_are_found_by_their_middle(tmp_path):
    """As defocus makes them: a disc fits best beside such a one."""
    request, truth = write_set(tmp_path, fringe=1.5)
    parameters = replace(request.parameters, method=PickMethod.CORRELATION)
    run(replace(request, parameters=parameters), Progress())
    found = figures(request, truth)
    assert found.f1 > 0.95
    assert found.centre_rmse_px < 1.5


@pytest.mark.parametrize("is_hollow", [False, True])
@pytest.mark.slow
def test_learnt_profile_is_that_of_the_particles(tmp_path, is_hollow):
    request, _ = write_set(tmp_path, is_hollow=is_hollow)
    parameters = replace(request.parameters, method=PickMethod.CORRELATION)
    profile = learn_profile(request.micrographs, parameters, workers=1)
    profile -= profile[-3:].mean()
    centre, rim = profile[:3].mean(), profile[6:8].mean()
    assert rim > 0.5
    assert (centre < 0.4 * rim) == is_hollow


def test_white_particles_are_found_if_asked_for(picking, tmp_path):
    request, truth = picking
    micrographs = []
    for micrograph in request.micrographs:
        path = tmp_path / f"white_{micrograph.name}"
        mrcfile.write(path, -mrcfile.read(micrograph.path))
        micrographs.append(replace(micrograph, path=path))
    white = replace(
        request,
        micrographs=tuple(micrographs),
        parameters=replace(request.parameters, particles_dark=False),
    )
    run(white, Progress())
    assert figures(white, truth).f1 > 0.97


def test_killed_run_goes_on_and_new_threshold_reads_no_micrograph(picking, monkeypatch):
    request, _ = picking
    read = []
    original = classical_peaks.pick_micrograph

    def fail_at_third(micrograph, parameters, *, profile):
        read.append(micrograph.name)
        if len(read) == 3:
            raise OSError("killed")
        return original(micrograph, parameters, profile=profile)

    request = replace(request, workers=1)
    monkeypatch.setattr(classical_peaks, "pick_micrograph", fail_at_third)
    with pytest.raises(OSError, match="killed"):
        run(request, Progress())
    first = run(request, Progress())
    assert read == ["m1.mrc", "m2.mrc", "m3.mrc", "m3.mrc"]
    stricter = run(replace(request, threshold=first.threshold * 1.5), Progress())
    assert len(read) == 4
    assert stricter.n_picks < first.n_picks
    assert stricter.n_peaks == first.n_peaks
    other = replace(request.parameters, min_distance=0.9)
    run(replace(request, parameters=other), Progress())
    assert len(read) == 7


def test_thresholds_are_kept_on_both_sides(picking):
    request, _ = picking
    run(replace(request, threshold=0.0), Progress())
    peaks = np.concatenate(
        [found.scores for found in read_coordinates(request.result).values()]
    )
    low, high = np.quantile(peaks, [0.2, 0.9], method="nearest")
    result = run(replace(request, threshold=low, upper_threshold=high), Progress())
    assert result.n_picks == ((peaks >= low) & (peaks <= high)).sum()


def test_gold_is_left_out_if_asked_for(picking):
    request, truth = picking
    path = request.micrographs[0].path
    image = mrcfile.read(path).copy()
    row, column = (round(each) for each in truth["m1.mrc"].yx[5])
    image[row - 3 : row + 4, column - 3 : column + 4] -= 30
    mrcfile.write(path, image, overwrite=True)

    def n_there(avoid):
        parameters = replace(request.parameters, avoid_contamination=avoid)
        run(replace(request, parameters=parameters), Progress())
        found = read_coordinates(request.result)["m1.mrc"].yx
        return int((np.hypot(*(found - [row, column]).T) < DIAMETER / 2).sum())

    assert n_there(avoid=False) == 1
    assert n_there(avoid=True) == 0


def test_noise_alone_is_told(picking, tmp_path, caplog):
    request, _ = picking
    noise = np.random.default_rng(5).normal(0, 1, SHAPE).astype(np.float32)
    mrcfile.write(tmp_path / "noise.mrc", noise)
    mrcfile.write(tmp_path / "empty.mrc", np.zeros(SHAPE, np.float32))
    names = ("noise.mrc", "empty.mrc")
    micrographs = tuple(
        Micrograph(name, tmp_path / name, SHAPE, SAMPLING_RATE) for name in names
    )
    result = run(replace(request, micrographs=micrographs), Progress())
    assert not result.is_separated
    assert result.n_picks == result.n_peaks
    assert "do not separate particles from background" in caplog.text
    found = read_coordinates(request.result)
    assert list(found) == ["noise.mrc", "empty.mrc"]
    assert len(found["empty.mrc"]) == 0


def test_runs_as_a_job_with_the_same_result(picking, tmp_path):
    request, _ = picking
    parameters = replace(
        request.parameters, method=PickMethod.CORRELATION, reference=Reference.DISC
    )
    request = replace(request, parameters=parameters)
    here = run(request, Progress())
    write_job(tmp_path / "job.json", request)
    run_job(tmp_path / "job.json")
    there = read_result(tmp_path / "job.json", PickResult)
    assert replace(there, timings={}) == replace(here, timings={})


def test_refusals_name_what_is_wrong(picking):
    request, _ = picking
    first, *others = request.micrographs
    with pytest.raises(ValueError, match="received none"):
        run(replace(request, micrographs=()), Progress())
    mixed = (replace(first, sampling_rate=1.0), *others)
    with pytest.raises(ValueError, match=r"one sampling rate, received 1, 2\.5"):
        run(replace(request, micrographs=mixed), Progress())
    huge = replace(request.parameters, diameter_A=5000)
    with pytest.raises(ValueError, match=r"m1\.mrc: expected a diameter"):
        run(replace(request, parameters=huge), Progress())
