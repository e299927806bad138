# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the general model as a witness of candidates."""

from __future__ import annotations

from dataclasses import replace

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.execution import Here, Progress
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.null_control.comparison import (
    NullComparison,
    compare_with_null,
)
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.maps.scores_at import scores_at
from deepconsensus_plugin.core.pipeline import witness
from deepconsensus_plugin.core.pipeline.likely_particles import find_likely_particles
from deepconsensus_plugin.core.pipeline.witness_opinion import find_opinion
from deepconsensus_plugin.core.pipeline.witness_request import (
    WitnessRequest,
    read_witness,
)
from deepconsensus_plugin.core.types import (
    Ctf,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.witness import ask_about, ask_general_model
from deepconsensus_plugin.tests.small_network import SmallWitness

BOX, SHAPE, RATE = 18, (90, 120), 4.0
CENTRES = np.array([[20.0, 20], [20, 60], [60, 30], [60, 90]])


def _places(*rows):
    array = np.array(rows, dtype=float).reshape(-1, 3)
    return ScoredCoordinates(array[:, :2], array[:, 2])


def test_the_best_place_near_a_coordinate_counts():
    places = _places((0, 0, 1), (0, 2, 5), (0, 9, 7), (30, 30, -2))
    found = scores_at(np.array([[0.0, 0], [30, 31]]), places, radius_px=3)
    np.testing.assert_array_equal(found, [5, -2])


def test_a_coordinate_beside_a_particle_does_not_get_its_score():
    """The peak belongs to the nearer of the two, though it is near enough to both."""
    places = _places((0, 1, 8), (0, 4, -3))
    found = scores_at(np.array([[0.0, 0], [0, 3.5]]), places, radius_px=3)
    np.testing.assert_array_equal(found, [8, -3])


def test_without_a_place_the_lowest_of_the_nearest_counts():
    places = _places((0, 8, 5), (0, 9, -1), (0, 10, 2), (0, 11, 3), (0, 50, -9))
    assert scores_at(np.zeros((1, 2)), places, radius_px=2) == [-1]
    assert np.isnan(scores_at(np.zeros((2, 2)), _places(), radius_px=2)).all()
    assert len(scores_at(np.empty((0, 2)), places, radius_px=2)) == 0


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory) -> tuple[Micrograph, ...]:
    """Two micrographs of dark discs on noise, at the same places."""
    folder, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    rows, columns = np.indices(SHAPE)
    made = []
    for name in ("a.mrc", "b.mrc"):
        image = rng.normal(size=SHAPE)
        for y, x in CENTRES:
            image[np.hypot(rows - y, columns - x) < 5] -= 2
        mrcfile.write(folder / name, image.astype(np.float32))
        made.append(Micrograph(name, folder / name, SHAPE, RATE))
    return tuple(made)


@pytest.fixture
def small(monkeypatch):
    """Return the micrographs that a stand-in for the general model looks at."""
    looked_at = []

    class Counted(SmallWitness):
        def prepare(self, micrograph):
            looked_at.append(micrograph.name)
            return super().prepare(micrograph)

    monkeypatch.setattr(witness, "load", Counted)
    return looked_at


def _coordinates(*names, more=()):
    yx = np.concatenate([CENTRES, np.array([[40.0, 60], [40, 105]]), *more])
    return {name: ScoredCoordinates.from_arrays(yx) for name in names}


def test_particles_get_more_than_background(micrographs, small, tmp_path):
    found = ask_general_model(
        micrographs, _coordinates("a.mrc", "b.mrc"), tmp_path, box_size=BOX
    )
    for here in found.values():
        np.testing.assert_array_equal(here.yx, _coordinates("a.mrc")["a.mrc"].yx)
        assert here.scores[:4].min() > here.scores[4:].max()
    peaks = read_coordinates(ChainFiles(tmp_path).witness_peaks)
    best = peaks["a.mrc"].take(np.arange(4)).yx
    assert np.hypot(*(best[:, None] - CENTRES[None]).T).min(axis=0).max() < 4
    null = NullComparison.read(ChainFiles(tmp_path).null)
    assert (null.scorer, null.n_micrographs) == ("general model", 2)
    assert null.n_real > 0
    light = ask_general_model(
        micrographs,
        _coordinates("a.mrc"),
        tmp_path / "light",
        box_size=BOX,
        are_particles_dark=False,
    )
    assert light["a.mrc"].scores[:4].max() < light["a.mrc"].scores[4:].min()


def test_a_killed_run_looks_at_the_rest_only(micrographs, small, tmp_path, monkeypatch):
    coordinates = _coordinates("a.mrc", "b.mrc")
    with monkeypatch.context() as patched:
        patched.setattr(SmallWitness, "detect_all", _dies_at_the_third())
        with pytest.raises(KeyboardInterrupt):
            ask_general_model(micrographs, coordinates, tmp_path, box_size=BOX)
    small.clear()
    resumed = ask_general_model(micrographs, coordinates, tmp_path, box_size=BOX)
    assert small == ["b.mrc"]
    whole = ask_general_model(
        micrographs, coordinates, tmp_path / "new", box_size=BOX, workers=1
    )
    for name, here in whole.items():
        np.testing.assert_array_equal(here.scores, resumed[name].scores)
    small.clear()
    other = coordinates | _coordinates("b.mrc", more=[np.array([[70.0, 60]])])
    ask_general_model(micrographs, other, tmp_path, box_size=BOX)
    assert small == ["b.mrc"]


def test_runs_share_what_was_seen(micrographs, small, tmp_path):
    """Whoever asks about the same places next needs no network, with or without CTF."""
    coordinates, seen = _coordinates("a.mrc", "b.mrc"), tmp_path / "seen"
    options = {"box_size": BOX, "seen": seen}
    first = ask_general_model(micrographs, coordinates, tmp_path / "1", **options)
    assert small == ["a.mrc", "b.mrc"]
    ctf = Ctf(10_000.0, 10_000.0, 0.0, 300.0, 2.7, 0.1)
    known = [replace(each, ctf=ctf) for each in micrographs]
    second = ask_general_model(known, coordinates, tmp_path / "2", **options)
    assert small == ["a.mrc", "b.mrc"]
    for name, here in first.items():
        np.testing.assert_array_equal(here.scores, second[name].scores)
    assert not (tmp_path / "2" / "witness").exists()


def _dies_at_the_third():
    """Return a look at the first micrograph and at its noise, and no further one."""
    detect_all, called = SmallWitness.detect_all, []

    def detect(self, image):
        called.append(1)
        if len(called) == 3:
            raise KeyboardInterrupt
        return detect_all(self, image)

    return detect


def test_what_looks_elsewhere_sees_the_same(micrographs, small, tmp_path):
    ask_general_model(micrographs, _coordinates("a.mrc"), tmp_path, box_size=BOX)
    found = []
    for name, networks in (("here", None), ("elsewhere", Here())):
        out = tmp_path / name
        request = WitnessRequest(
            micrographs,
            ChainFiles(tmp_path).asked,
            BOX,
            general_model(),
            48.0,
            True,
            *(out / part for part in ("seen", "found.h5", "peaks.h5", "null")),
        )
        small.clear()
        out.mkdir()
        witness.run(request, Progress(networks=networks))
        assert small == ["a.mrc"]
        found.append(read_coordinates(request.log_odds)["a.mrc"].scores)
        assert request.null.is_file()
    np.testing.assert_array_equal(*found)


def test_no_candidates_on_the_micrographs_is_an_error(micrographs, tmp_path, small):
    ask_general_model(micrographs, _coordinates("a.mrc"), tmp_path, box_size=BOX)
    request = WitnessRequest(
        micrographs[1:],
        ChainFiles(tmp_path).asked,
        BOX,
        general_model(),
        48.0,
        True,
        *(tmp_path / name for name in ("seen", "found.h5", "peaks.h5", "null")),
    )
    with pytest.raises(ValueError, match="expected candidates on the 1 micrographs"):
        witness.run(request, Progress())


def _candidates(*names, n_pickers=2) -> Candidates:
    pickers = [
        PickerPicks(f"p{number}", BOX, _coordinates(*names))
        for number in range(n_pickers)
    ]
    return find_consensus(pickers, consensus_radius_px=2, merge_radius_px=5)


def _ask(candidates, micrographs, folder, *, is_wanted=True):
    ask_about(
        candidates,
        candidates.coordinates(),
        micrographs,
        folder,
        is_wanted=is_wanted,
        box_size=BOX,
        are_particles_dark=True,
        workers=1,
        run_job=lambda request: witness.run(request, Progress()),
    )
    return read_witness(ChainFiles(folder).witness, candidates)


def test_candidates_on_bad_or_other_micrographs_have_none(micrographs, small, tmp_path):
    candidates = _candidates("a.mrc", "b.mrc", "c.mrc")
    candidates = replace(candidates, bad_micrographs=("b.mrc",))
    log_odds = _ask(candidates, micrographs, tmp_path)
    assert small == ["a.mrc"]
    is_known = candidates.are_on(["a.mrc"])
    np.testing.assert_array_equal(np.isnan(log_odds), ~is_known)
    scored = candidates.take(is_known)
    file = ChainFiles(tmp_path).witness
    np.testing.assert_array_equal(read_witness(file, scored), log_odds[is_known])
    with pytest.raises(ValueError, match=r"expected 3 candidates on a\.mrc"):
        read_witness(file, candidates.take(np.arange(3)))


@pytest.mark.parametrize(("n_pickers", "is_wanted"), [(1, True), (2, False)])
def test_it_is_not_asked_where_nothing_is_combined(
    micrographs, small, tmp_path, n_pickers, is_wanted
):
    assert np.isfinite(_ask(_candidates("a.mrc"), micrographs, tmp_path)).all()
    candidates = _candidates("a.mrc", n_pickers=n_pickers)
    small.clear()
    log_odds = _ask(candidates, micrographs, tmp_path, is_wanted=is_wanted)
    assert not small
    assert np.isnan(log_odds).all()


def _write_peaks(path, background, particles):
    rng = np.random.default_rng(0)
    scores = np.append(rng.normal(-6, 1, background), rng.normal(2, 0.7, particles))
    yx = np.stack([np.arange(len(scores)), np.zeros(len(scores))], axis=1)
    write_coordinates(path, {"a.mrc": ScoredCoordinates.from_arrays(yx, scores)})


def test_likely_particles_are_the_maxima_above_the_models_own_threshold(tmp_path):
    path, null = tmp_path / "peaks.h5", tmp_path / "null.json"
    assert find_likely_particles(path, null) == {}
    _write_peaks(path, 2000, 200)
    found = find_likely_particles(path, null, scale=0.5)["a.mrc"]
    assert 195 <= len(found) <= 205
    assert found.yx[:, 0].min() >= 0.5 * 1990
    _write_peaks(path, 2000, 0)
    assert find_likely_particles(path, null) == {}


def test_a_model_that_finds_no_more_than_in_noise_is_not_believed(tmp_path):
    path, null = tmp_path / "peaks.h5", tmp_path / "null.json"
    _write_peaks(path, 2000, 200)
    scores = read_coordinates(path)["a.mrc"].scores
    for noise, n_expected in ((scores, 0), (scores[:2000], 195)):
        rng = np.random.default_rng(0)
        compare_with_null("toy", [scores], [noise], rng=rng).write(null)
        found = find_likely_particles(path, null)
        assert sum(map(len, found.values())) >= n_expected
        assert bool(found) == bool(n_expected)


def test_the_opinion_is_that_of_the_models_own_maxima(tmp_path):
    path, null = tmp_path / "peaks.h5", tmp_path / "null.json"
    candidates = _candidates("a.mrc")
    log_odds = np.array([np.nan, -6.0, -4.0, 1.5, 2.0, 3.0])
    assert find_opinion(log_odds, candidates, path, null) is None
    _write_peaks(path, 2000, 200)
    opinion = find_opinion(log_odds, candidates, path, null)
    assert np.isnan(opinion[0])
    assert (np.diff(opinion[1:]) >= 0).all()
    assert 0 < opinion[1] and opinion[2] < 0.1 and 0.9 < opinion[3]
    assert opinion[-1] < 1
    unknown = np.full(len(candidates), np.nan)
    assert find_opinion(unknown, candidates, path, null) is None
    own = np.column_stack([0.01 * log_odds + 5, unknown])
    same = replace(candidates, picker_scores=own)
    assert find_opinion(log_odds, same, path, null) is None
    _write_peaks(path, 2000, 0)
    assert find_opinion(log_odds, candidates, path, null) is None
