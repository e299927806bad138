# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of HydraPicker as jobs: from data sets to a model, and from it to picks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.jobs import read_result, run_job, write_job
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.networks.history import states_folder
from deepconsensus_plugin.core.pickers.hydra import train as train_hydra
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    GENERAL,
    HydraArchitecture,
    HydraParameters,
)
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pickers.hydra.store import load_hydra
from deepconsensus_plugin.core.pickers.trained.requests import (
    LearningInput,
    PickerTrainResult,
)
from deepconsensus_plugin.core.pickers.trained.training import PickerTrainer
from deepconsensus_plugin.core.pipeline import network_pick, score_evidence
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    ThresholdOrigin,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

pytestmark = pytest.mark.slow

SAMPLING_RATE = 2.0
TINY = HydraArchitecture(
    body_channels=8,
    head_channels=(12, 16),
    n_residual=0,
    n_groups=2,
    dropout=0.0,
)
PARAMETERS = HydraParameters(
    architecture=TINY,
    n_epochs=2,
    n_head_epochs=1,
    n_updates=25,
    n_crops=2,
    restart_epochs=2,
    learning_rate=5e-3,
)
QUICK = replace(PARAMETERS, n_epochs=1, n_updates=2)
"""Learns next to nothing."""


def simulate(rng, diameter, sign):
    """Return a micrograph with discs on a loose lattice, and their centres."""
    pitch = int(2.2 * diameter)
    grid = np.stack(np.mgrid[pitch:250:pitch, pitch:250:pitch], axis=-1).reshape(-1, 2)
    centres = grid + rng.integers(-diameter // 4, diameter // 4 + 1, grid.shape)
    y, x = np.mgrid[:280, :280]
    image = rng.normal(0, 1, (280, 280))
    for cy, cx in centres:
        image += sign * 1.5 * (np.hypot(y - cy, x - cx) <= diameter / 2)
    return (50 + 10 * image).astype(np.float32), centres


def write_set(folder, name, diameter, *, sign=-1, n_micrographs=2, seed=1):
    """Write a data set of discs, `diameter` pixels wide; return it and its truth."""
    rng = np.random.default_rng([seed, diameter])
    place = folder / name
    place.mkdir(parents=True)
    micrographs, truth = [], {}
    for each in (f"m{i}.mrc" for i in range(n_micrographs)):
        image, centres = simulate(rng, diameter, sign)
        mrcfile.write(place / each, image)
        micrographs.append(Micrograph(each, place / each, image.shape, SAMPLING_RATE))
        truth[each] = ScoredCoordinates.from_arrays(centres)
    write_coordinates(place / "labels.h5", truth)
    asked = LearningInput(
        micrographs=tuple(micrographs),
        labels=place / "labels.h5",
        set_name=name,
        box_size=int(1.5 * diameter),
        particle_diameter_A=diameter * SAMPLING_RATE,
        pixel_size_A=SAMPLING_RATE,
        validation_fraction=0.5,
    )
    return asked, truth


@dataclass(frozen=True)
class Learnt:
    """A training that was carried out."""

    request: HydraTrainRequest
    result: PickerTrainResult

    @property
    def card(self) -> HydraCard:
        return load_card_of(self.request.model, HydraCard)

    def weights(self):
        return load_hydra(self.request.model, self.card)


def train(request) -> Learnt:
    return Learnt(request, train_hydra.run(request, Progress()))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Two data sets, of 12 and 24 pixels: enlarged, and downsampled."""
    folder = tmp_path_factory.mktemp("hydra")
    sets = [write_set(folder, "small", 12)[0], write_set(folder, "large", 24)[0]]
    return train(HydraTrainRequest(tuple(sets), PARAMETERS, folder / "model"))


def ask(learnt, asked, folder, **choices):
    """Return a request for all that a model finds on the micrographs of a data set."""
    return NetworkPickRequest(
        asked.micrographs,
        learnt.request.model,
        folder / "found",
        folder / "picks.h5",
        options=HydraPickOptions(**choices),
    )


def pick(learnt, asked, folder, **choices):
    """Return what is picked, and all that is found."""
    request = ask(learnt, asked, folder, **choices)
    network_pick.run(request, Progress())
    return read_coordinates(request.result), network_pick.find_all(request, Progress())


def assert_same(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


class TestTraining:
    def test_card_names_the_heads_and_their_figures(self, learnt):
        card = learnt.card
        assert [head.name for head in card.heads] == [GENERAL, "small", "large"]
        assert [h.particle_diameter_A for h in card.heads] == [None, 24.0, 48.0]
        assert all(h.validation.average_precision > 0.8 for h in card.heads)
        assert [len(history) for history in learnt.result.history] == [2, 1]
        assert learnt.result.n_micrographs == 2
        assert not states_folder(learnt.request.model).exists()

    def test_heads_differ(self, learnt):
        _, (general, small, large) = learnt.weights()
        assert not np.array_equal(small[0], large[0])
        assert not np.array_equal(small[0], general[0])

    def test_general_head_finds_particles_of_a_size_never_seen(self, learnt, tmp_path):
        asked, truth = write_set(tmp_path, "unseen", 17, seed=5)
        _, found = pick(learnt, asked, tmp_path, head=GENERAL, particle_diameter_A=34.0)
        figures = evaluate_detections(found, truth, radius_px=5)
        assert figures.average_precision > 0.8
        assert abs(figures.centre_shift_y_px) < 1
        assert abs(figures.centre_shift_x_px) < 1

    def test_killed_training_ends_as_one_never_interrupted(
        self, tmp_path, monkeypatch, eagerly
    ):
        sets = tuple(
            write_set(tmp_path, name, d)[0] for name, d in (("a", 14), ("b", 16))
        )
        whole = train(HydraTrainRequest(sets, QUICK, tmp_path / "whole"))
        request = HydraTrainRequest(sets, QUICK, tmp_path / "killed")
        advance, n_epochs = PickerTrainer.advance, []

        def die(self, *arguments):
            if n_epochs:
                raise KeyboardInterrupt
            n_epochs.append(1)
            advance(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(PickerTrainer, "advance", die)
            with pytest.raises(KeyboardInterrupt):
                train_hydra.run(request, Progress())
        resumed = train(request)
        body, heads = whole.weights()
        other_body, other_heads = resumed.weights()
        assert_same(body, other_body)
        for one, other in zip(heads, other_heads, strict=True):
            assert_same(one, other)

    def test_one_head_for_all_sets(self, tmp_path, eagerly):
        sets = tuple(
            write_set(tmp_path, name, d)[0] for name, d in (("a", 14), ("b", 16))
        )
        parameters = replace(QUICK, n_head_epochs=0)
        made = train(HydraTrainRequest(sets, parameters, tmp_path / "model"))
        (head,) = made.card.heads
        assert (head.name, head.particle_diameter_A) == (GENERAL, None)
        assert len(made.result.history) == 1

    def test_names_of_data_sets_are_those_of_heads(self, tmp_path):
        asked, _ = write_set(tmp_path, GENERAL, 14)
        with pytest.raises(ValueError, match="different names"):
            train_hydra.run(HydraTrainRequest((asked,), QUICK, tmp_path), Progress())


class TestFewShot:
    def test_only_the_new_head_learns(self, learnt, tmp_path):
        asked, truth = write_set(tmp_path, "white", 20, sign=1, seed=6)
        request = HydraTrainRequest(
            (asked,),
            replace(PARAMETERS, n_updates=5),
            tmp_path / "model",
            base=learnt.request.model,
        )
        path = tmp_path / "job.json"
        write_job(path, request)
        run_job(path)
        tuned = Learnt(request, read_result(path, PickerTrainResult))
        (body, heads), (old_body, old_heads) = tuned.weights(), learnt.weights()
        assert_same(body, old_body)
        assert_same(heads[0], old_heads[0])
        assert not np.array_equal(heads[1][0], heads[0][0])
        assert [head.name for head in tuned.card.heads] == [GENERAL, "white"]
        assert tuned.card.base == learnt.request.model.name
        assert not tuned.card.heads[1].are_particles_dark
        _, found = pick(tuned, asked, tmp_path)
        figures = evaluate_detections(found, truth, radius_px=6)
        assert figures.average_precision > 0.8


class TestPicking:
    def test_general_head_asks_for_a_diameter(self, learnt, tmp_path):
        asked = learnt.request.sets[0]
        with pytest.raises(IncompatibleModelError, match="diameter"):
            pick(learnt, asked, tmp_path)

    def test_unknown_head_is_named(self, learnt, tmp_path):
        asked = learnt.request.sets[0]
        with pytest.raises(IncompatibleModelError, match=r"small, large.*'other'"):
            pick(learnt, asked, tmp_path, head="other")

    def test_particles_are_counted_where_scores_do_not_tell(
        self, learnt, tmp_path, monkeypatch
    ):
        asked, truth = write_set(tmp_path, "unseen", 17, seed=5)
        monkeypatch.setattr(score_evidence, "fit_particle_mixture", lambda scores: None)
        request = ask(learnt, asked, tmp_path, head=GENERAL, particle_diameter_A=34.0)
        n_truth = sum(map(len, truth.values()))

        counted = network_pick.run(request, Progress())
        found = network_pick.find_all(request, Progress()).values()
        probability = [counted.calibration.probability(each.scores) for each in found]
        assert counted.origin is ThresholdOrigin.COUNTED
        assert counted.n_picks == pytest.approx(n_truth, rel=0.1)
        assert np.concatenate(probability).sum() == pytest.approx(n_truth, rel=0.1)

        assert counted.expected_recall == pytest.approx(
            counted.expected_precision, rel=0.15
        )

        monkeypatch.setattr(score_evidence, "count_particles", lambda *_: None)
        not_counted = network_pick.run(request, Progress())
        assert not_counted.why.startswith("The number of particles is unknown")
        assert np.isnan(not_counted.expected_precision)
        assert not_counted.origin is ThresholdOrigin.VALIDATION
        assert not_counted.threshold == learnt.card.validation.best_threshold

    def test_border_filter(self, learnt, tmp_path):
        asked = learnt.request.sets[1]
        _, whole = pick(learnt, asked, tmp_path, head="large")
        _, inner = pick(learnt, asked, tmp_path, head="large", border=0.5)
        for name, picks in inner.items():
            assert 0 < len(picks) < len(whole[name])
            assert picks.yx.min() >= 11
            assert picks.yx.max() <= 280 - 11

    def test_model_is_small(self, learnt):
        body, heads = learnt.weights()
        n_weights = sum(w.size for part in (body, *heads) for w in part)
        size = (learnt.request.model / "model.keras").stat().st_size
        assert size < 2 * n_weights + 400_000
