# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of drawing all negatives of a set: small micrographs with a carbon edge."""

from __future__ import annotations

from dataclasses import replace

import mrcfile
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import (
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.negatives.displaced import FARTHEST, NEAREST
from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest, run
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates

SHAPE, BOX = (320, 480), 32
CARBON = 400  # columns from here on


def simulate(rng):
    """Return a micrograph with particles on a loose lattice and carbon at the right."""
    image = rng.normal(0, 1, SHAPE)
    grid = np.stack(np.mgrid[40:300:56, 40:380:56], axis=-1).reshape(-1, 2)
    particles = grid + rng.integers(-6, 7, grid.shape)
    rows, cols = np.ogrid[: SHAPE[0], : SHAPE[1]]
    for y, x in particles:
        image -= 4 * np.exp(-((rows - y) ** 2 + (cols - x) ** 2) / 50)
    image[:, CARBON:] = image[:, CARBON:] * 3 - 15
    return image.astype(np.float32), particles


@pytest.fixture
def request_(tmp_path):
    """Four micrographs, the last one observed by one of two pickers only."""
    rng = np.random.default_rng(0)
    micrographs, picks = [], {"a": {}, "b": {}}
    for name in ("m1.mrc", "m2.mrc", "m3.mrc", "m4.mrc"):
        image, particles = simulate(rng)
        mrcfile.write(tmp_path / name, image)
        micrographs.append(Micrograph(name, tmp_path / name, SHAPE, 2.0))
        false = np.stack([rng.uniform(20, 300, 6), rng.uniform(425, 455, 6)], axis=1)
        picks["a"][name] = ScoredCoordinates.from_arrays(particles)
        picks["b"][name] = ScoredCoordinates.from_arrays([*particles, *false])
    del picks["a"]["m4.mrc"]
    pickers = [PickerPicks(name, BOX, rows) for name, rows in picks.items()]
    candidates = find_consensus(pickers, consensus_radius_px=4, merge_radius_px=10)
    write_candidates(tmp_path / "candidates.h5", candidates)
    return NegativesRequest(
        micrographs=tuple(micrographs),
        candidates=tmp_path / "candidates.h5",
        box_size=BOX,
        min_pickers=2,
        result=tmp_path / "negatives.h5",
        mine_hard_negatives=True,
        displaced_fraction=0.0,
        seed=7,
    )


def of_kind(coordinates, kind):
    parts = [p.yx[p.scores == kind.value] for p in coordinates.values()]
    return np.concatenate(parts)


def test_as_many_as_positives_where_all_pickers_were_run(request_):
    result = run(request_, Progress())
    found = read_coordinates(result.coordinates)
    assert list(found) == ["m1.mrc", "m2.mrc", "m3.mrc"]
    assert result.n_micrographs == 3
    assert result.n_requested == 3 * 35
    assert sum(map(len, found.values())) == sum(result.counts.values()) == 3 * 35
    hard = sum(n for kind, n in result.counts.items() if kind != "RANDOM")
    assert 0 < hard <= 0.25 * result.counts["RANDOM"]


def test_picks_on_carbon_and_carbon_itself_are_mined(request_):
    result = run(request_, Progress())
    found = read_coordinates(result.coordinates)
    for kind in (NegativeKind.SINGLE_PICKER, NegativeKind.CONTAMINATION):
        yx = of_kind(found, kind)
        assert len(yx) >= 5
        assert (yx[:, 1] > CARBON - BOX // 2).all()
    assert result.counts["SORTED_OUT"] == 1


def test_random_ones_keep_away_from_all_candidates(request_):
    everything = replace(
        request_,
        negatives_per_positive=3.0,
        mine_hard_negatives=False,
        sort_out_agreed=False,
    )
    result = run(everything, Progress())
    assert result.counts == {
        "RANDOM": 3 * 3 * 35,
        "SORTED_OUT": 0,
        "SINGLE_PICKER": 0,
        "CONTAMINATION": 0,
        "USER": 0,
        "DISPLACED": 0,
    }
    rng = np.random.default_rng(0)
    for name, picks in read_coordinates(result.coordinates).items():
        _, particles = simulate(rng)
        rng.uniform(20, 300, 6), rng.uniform(425, 455, 6)
        assert cdist(picks.yx, particles).min() > BOX / 2, name


def test_displaced_ones_take_the_place_of_random_ones(request_):
    result = run(replace(request_, displaced_fraction=0.4), Progress())
    counts = result.counts
    assert sum(counts.values()) == 3 * 35
    assert counts["DISPLACED"] == round(0.4 * (counts["DISPLACED"] + counts["RANDOM"]))
    rng = np.random.default_rng(0)
    beside = read_coordinates(result.coordinates)
    for picks in beside.values():
        _, particles = simulate(rng)
        rng.uniform(20, 300, 6), rng.uniform(425, 455, 6)
        yx = picks.yx[picks.scores == NegativeKind.DISPLACED.value]
        assert len(yx)
        nearest = cdist(yx, particles).min(axis=1) / BOX
        assert nearest.min() >= NEAREST
        assert nearest.max() <= FARTHEST + 1 / BOX  # whole pixels


def test_same_seed_same_negatives(request_, tmp_path):
    run(request_, Progress())
    again = replace(request_, result=tmp_path / "again.h5", workers=1)
    run(again, Progress())
    one, two = read_coordinates(request_.result), read_coordinates(again.result)
    assert all(np.array_equal(one[name].yx, two[name].yx) for name in one)


def test_too_crowded_is_told(request_, caplog):
    crowded = replace(request_, exclusion_radius=3.0, mine_hard_negatives=False)
    result = run(crowded, Progress())
    assert sum(result.counts.values()) < result.n_requested
    assert "smaller exclusion radius" in caplog.text


def test_an_explicit_number_of_positives_counts(request_):
    result = run(replace(request_, n_positives=20), Progress())
    assert result.n_requested == sum(result.counts.values()) == 20


def test_too_few_agreed_particles_mine_nothing(request_, caplog):
    pickers = [
        PickerPicks(name, BOX, {"m1.mrc": ScoredCoordinates.from_arrays([(60, 60)])})
        for name in "ab"
    ]
    candidates = find_consensus(pickers, consensus_radius_px=4, merge_radius_px=10)
    write_candidates(request_.candidates, candidates)
    result = run(replace(request_, n_positives=10), Progress())
    assert result.counts["RANDOM"] == 10
    assert "no hard negatives" in caplog.text


def test_no_micrograph_that_all_observed(request_):
    pickers = [
        PickerPicks(name, BOX, {f"m{i}.mrc": ScoredCoordinates.from_arrays([(60, 60)])})
        for i, name in enumerate("ab", start=1)
    ]
    candidates = find_consensus(pickers, consensus_radius_px=4, merge_radius_px=10)
    write_candidates(request_.candidates, candidates)
    with pytest.raises(ValueError, match="all pickers were run on"):
        run(request_, Progress())


def test_micrographs_that_are_not_given(request_):
    with pytest.raises(ValueError, match="not among"):
        run(replace(request_, micrographs=request_.micrographs[1:]), Progress())


def test_further_places_are_avoided_by_random_and_off_centre_ones(request_, tmp_path):
    rng = np.random.default_rng(1)
    here = rng.uniform((16, 16), (304, 464), (60, 2))
    avoided = {
        name: ScoredCoordinates.from_arrays(here)
        for name in ("m1.mrc", "m3.mrc", "another.mrc")
    }
    write_coordinates(tmp_path / "avoided.h5", avoided)
    request = replace(
        request_,
        mine_hard_negatives=False,
        sort_out_agreed=False,
        displaced_fraction=0.5,
        avoid=tmp_path / "avoided.h5",
    )
    run(request, Progress())
    found = read_coordinates(request.result)
    nearest = {
        kind: min(
            cdist(here, found[name].yx[found[name].scores == kind.value]).min()
            for name in ("m1.mrc", "m3.mrc")
        )
        for kind in (NegativeKind.RANDOM, NegativeKind.DISPLACED)
    }
    assert nearest[NegativeKind.RANDOM] > 0.5 * BOX
    assert nearest[NegativeKind.DISPLACED] >= NEAREST * BOX
    assert cdist(here, found["m2.mrc"].yx).min() < NEAREST * BOX
