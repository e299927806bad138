# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of Topaz as jobs: from labels to a model, and from a model to picks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.jobs import read_result, run_job, write_job
from deepconsensus_plugin.core.methods import load_card, load_card_of
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.networks.history import read_histories, states_folder
from deepconsensus_plugin.core.networks.weights import read_weights
from deepconsensus_plugin.core.pickers.topaz import train as train_topaz
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.trained.data import collect
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.requests import (
    LearningInput,
    PickerTrainResult,
)
from deepconsensus_plugin.core.pickers.trained.training import PickerTrainer
from deepconsensus_plugin.core.pipeline import network_finding, network_pick
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

pytestmark = pytest.mark.slow

SHAPE, DIAMETER, SAMPLING_RATE, PIXEL_SIZE = (260, 340), 16, 2.5, 5.0
BOX = 24
N_PARTICLES = 56
"""Of each micrograph; every other one is labelled."""

PARAMETERS = TopazParameters(
    n_units=4,
    radius_px=2.0,
    autoencoder=0.0,
    n_epochs=2,
    n_updates=60,
    batch_size=64,
    labelled_fraction=0.25,
    learning_rate=5e-3,
)


QUICK = replace(PARAMETERS, n_updates=3, batch_size=16)
"""Learns next to nothing."""

NO_PICKS = ScoredCoordinates.from_arrays([])


@dataclass(frozen=True)
class Learnt:
    """A training that was carried out, with the truth of its micrographs."""

    request: TopazTrainRequest
    result: PickerTrainResult
    truth: dict[str, ScoredCoordinates]

    @property
    def card(self) -> TopazCard:
        return load_card_of(self.request.model, TopazCard)


def simulate(rng):
    """Return a micrograph with dark discs on a loose lattice, and their centres."""
    grid = np.stack(np.mgrid[22:245:36, 22:325:40], axis=-1).reshape(-1, 2)
    centres = grid + rng.integers(-6, 7, grid.shape)
    image = rng.normal(0, 1, SHAPE)
    axis = np.arange(-10, 11)
    disc = np.hypot(axis[:, None], axis) <= DIAMETER / 2
    for y, x in centres:
        image[y - 10 : y + 11, x - 10 : x + 11] -= 1.5 * disc
    return 100 + 20 * image.astype(np.float32), centres


def write_set(folder, n_micrographs=4):
    """Write micrographs and a request to learn from half of their particles."""
    rng = np.random.default_rng(1)
    micrographs, truth = [], {}
    for name in (f"m{i}.mrc" for i in range(n_micrographs)):
        image, centres = simulate(rng)
        mrcfile.write(folder / name, image)
        micrographs.append(Micrograph(name, folder / name, SHAPE, SAMPLING_RATE))
        truth[name] = ScoredCoordinates.from_arrays(centres)
    write_coordinates(folder / "labels.h5", some_of(truth, step=2))
    learnt = LearningInput(
        micrographs=tuple(micrographs),
        labels=folder / "labels.h5",
        set_name="marked",
        box_size=BOX,
        particle_diameter_A=DIAMETER * SAMPLING_RATE,
        pixel_size_A=PIXEL_SIZE,
        n_particles=N_PARTICLES,
    )
    return TopazTrainRequest(learnt, PARAMETERS, folder / "model"), truth


def some_of(truth, *, step):
    """Return every `step`-th particle."""
    return {
        name: each.take(np.arange(0, len(each), step)) for name, each in truth.items()
    }


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    request, truth = write_set(tmp_path_factory.mktemp("learnt"))
    result = train_topaz.run(request, Progress())
    return Learnt(request, result, truth)


@pytest.fixture
def picking(learnt, tmp_path):
    return NetworkPickRequest(
        learnt.request.learnt.micrographs,
        learnt.request.model,
        tmp_path / "found",
        tmp_path / "picks.h5",
    )


def figures(path, truth):
    return evaluate_detections(read_coordinates(path), truth, radius_px=BOX / 4)


def quick_request(folder, **options):
    """Return a request that takes a second, and the truth."""
    folder.mkdir(exist_ok=True)
    request, truth = write_set(folder)
    return replace(request, parameters=replace(QUICK, **options)), truth


def weights_of(request):
    (weights,) = read_weights(request.model, load_card(request.model))
    return weights


def assert_same(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


class TestTraining:
    def test_particles_are_found_from_half_of_the_labels(self, learnt, picking):
        validation = learnt.result.validation
        assert validation.n_micrographs == 1
        assert validation.n_labels == N_PARTICLES / 2
        assert validation.n_particles == N_PARTICLES
        assert validation.average_precision > 0.9
        network_pick.run(
            replace(picking, threshold=validation.best_threshold), Progress()
        )
        found = figures(picking.result, learnt.truth)
        assert found.f1 > 0.9
        assert found.centre_rmse_px < PIXEL_SIZE / SAMPLING_RATE
        assert abs(found.centre_shift_y_px) < 1
        assert abs(found.centre_shift_x_px) < 1

    def test_card_tells_what_was_learnt(self, learnt):
        result, card = learnt.result, learnt.card
        assert (result.n_micrographs, result.n_labels) == (3, 3 * N_PARTICLES / 2)
        assert len(result.history[0]) == PARAMETERS.n_epochs
        assert card.validation == result.validation
        assert card.training == PARAMETERS
        assert card.n_particles == N_PARTICLES
        (learnt_set,) = card.training_sets
        assert (learnt_set.name, learnt_set.is_particle) == ("marked", True)
        assert learnt_set.n_boxes == result.n_labels
        # Discs of radius 2 have 13 pixels; micrographs have half the rows and columns.
        assert card.prior == pytest.approx(13 * N_PARTICLES / (130 * 170), rel=0.02)
        assert not states_folder(learnt.request.model).exists()

    def test_micrographs_held_out_are_not_learnt_from(self, tmp_path, eagerly):
        request, _ = quick_request(tmp_path, n_epochs=1)
        train_topaz.run(request, Progress())
        before = weights_of(request)
        held_out = collect(request.learnt, Progress()).held_out
        names = [each.name for each in request.learnt.micrographs]
        assert len(held_out) == 1

        def spoil(name):
            path = tmp_path / name
            mrcfile.write(path, mrcfile.read(path)[::-1, ::-1], overwrite=True)
            train_topaz.run(request, Progress())

        spoil(*held_out)
        assert_same(weights_of(request), before)
        spoil(next(name for name in names if name not in held_out))
        assert any((weights_of(request)[0] != before[0]).ravel())

    def test_killed_training_ends_as_one_never_interrupted(
        self, tmp_path, monkeypatch, eagerly
    ):
        request, _ = quick_request(tmp_path)
        train_topaz.run(request, Progress())
        uninterrupted = weights_of(request)
        advance = PickerTrainer.advance

        def killed_in_the_second_epoch(training, count):
            advance(training, count)
            if len(training.history) == 2:
                raise OSError("killed")

        again = replace(request, model=tmp_path / "again")
        with monkeypatch.context() as patch:
            patch.setattr(PickerTrainer, "advance", killed_in_the_second_epoch)
            with pytest.raises(OSError, match="killed"):
                train_topaz.run(again, Progress())
        assert [len(history) for history in read_histories(again.model)] == [1]
        trained = []

        def counted(training, count):
            trained.append(len(training.history) + 1)
            advance(training, count)

        monkeypatch.setattr(PickerTrainer, "advance", counted)
        train_topaz.run(again, Progress())
        assert trained == [2]
        assert_same(weights_of(again), uninterrupted)

    def test_few_labels_are_all_learnt_from_and_run_as_a_job(self, tmp_path, eagerly):
        request, truth = quick_request(tmp_path, autoencoder=None)
        write_coordinates(request.learnt.labels, some_of(truth, step=20))
        write_job(tmp_path / "job.json", request)
        run_job(tmp_path / "job.json")
        result = read_result(tmp_path / "job.json", PickerTrainResult)
        assert (result.n_micrographs, result.n_labels) == (4, 12)
        assert result.validation is None
        assert load_card_of(request.model, TopazCard).validation is None
        # The decoder that helps with few labels is no part of the picker.
        assert weights_of(request)[-1].shape == (1,)

    def test_known_negatives_and_a_common_scale_of_grey(self, tmp_path, eagerly):
        request, truth = quick_request(tmp_path)
        corners = {name: ScoredCoordinates.from_arrays([[4, 4]]) for name in truth}
        write_coordinates(tmp_path / "negatives.h5", corners)
        learnt = replace(
            request.learnt,
            negatives=tmp_path / "negatives.h5",
            normalisation=Normalisation.COMMON_MIXTURE,
        )
        train_topaz.run(replace(request, learnt=learnt), Progress())
        card = load_card_of(request.model, TopazCard)
        negatives = card.training_sets[1]
        assert (negatives.is_particle, negatives.n_boxes) == (False, 3)
        expected = collect(learnt, Progress()).preprocessing
        assert expected.mixture is not None
        assert card.preprocessing == expected

    def test_number_of_particles_is_told_without_labels(self, tmp_path):
        request, _ = write_set(tmp_path)
        data = collect(replace(request.learnt, n_particles=None), Progress())
        assert data.are_particles_dark()
        assert data.count_particles(Progress()) == pytest.approx(N_PARTICLES, rel=0.1)
        fewer_than_labelled = replace(data, asked=replace(data.asked, n_particles=3))
        assert fewer_than_labelled.count_particles(Progress()) == N_PARTICLES / 2

    def test_refusals_say_what_to_change(self, tmp_path):
        request, truth = quick_request(tmp_path, radius_px=15)
        with pytest.raises(ValueError, match="give a smaller radius, smaller pixels"):
            train_topaz.run(request, Progress())
        fine = replace(request, learnt=replace(request.learnt, pixel_size_A=1.0))
        with pytest.raises(IncompatibleModelError, match=r"m0\.mrc.* 2\.5 Å"):
            train_topaz.run(fine, Progress())
        labels = some_of(truth, step=2) | {"m2.mrc": NO_PICKS}
        write_coordinates(request.learnt.labels, labels)
        (tmp_path / "m2.mrc").write_bytes(b"not looked at: it has no labels")
        (tmp_path / "m3.mrc").write_bytes(b"no image")
        with pytest.raises(ValueError, match=r"m3\.mrc"):
            train_topaz.run(request, Progress())
        write_coordinates(request.learnt.labels, {})
        with pytest.raises(ValueError, match="labels on the 4 micrographs"):
            train_topaz.run(request, Progress())


class FakePicker:
    """Picker that finds a place of log-odds 1 and one of -1; fails once."""

    def __init__(self, fails_at=None):
        self.looked_at, self.fails_at = [], fails_at

    def prepare(self, micrograph):
        return micrograph.name

    def find(self, name):
        self.looked_at.append(name)
        if name == self.fails_at:
            self.fails_at = None
            raise OSError("killed")
        return ScoredCoordinates.from_arrays([[30, 40], [80, 90]], [1, -1])


@pytest.fixture
def fake(monkeypatch):
    picker = FakePicker()
    monkeypatch.setattr(network_finding, "load_picker", lambda *_: picker)
    monkeypatch.setattr(network_finding, "pick_null", lambda *_: NO_PICKS)
    return picker


class TestPicking:
    def test_what_was_found_is_kept_and_another_threshold_looks_at_nothing(
        self, picking, fake
    ):
        fake.fails_at = "m2.mrc"
        with pytest.raises(OSError, match="killed"):
            network_pick.run(picking, Progress())
        first = network_pick.run(replace(picking, threshold=0.0), Progress())
        assert fake.looked_at == ["m0.mrc", "m1.mrc", "m2.mrc", "m2.mrc", "m3.mrc"]
        lower = network_pick.run(replace(picking, threshold=-1.0), Progress())
        assert len(fake.looked_at) == 5
        assert (first.n_found, first.n_picks) == (8, 4)
        assert (lower.n_found, lower.n_picks) == (8, 8)

    def test_changed_micrographs_are_looked_at_again(self, picking, fake, tmp_path):
        path = tmp_path / "m0.mrc"
        path.write_bytes(picking.micrographs[0].path.read_bytes())
        one = replace(
            picking, micrographs=(replace(picking.micrographs[0], path=path),)
        )
        for _ in range(2):
            network_pick.run(one, Progress())
        assert len(fake.looked_at) == 1
        path.write_bytes(path.read_bytes() + b" ")
        network_pick.run(one, Progress())
        assert len(fake.looked_at) == 2

    def test_picks_away_from_known_coordinates_are_those_missed(
        self, learnt, picking, tmp_path
    ):
        rng = np.random.default_rng(2)
        known = {
            name: ScoredCoordinates.from_arrays(
                each.yx[5:] + rng.uniform(-1, 1, each.yx[5:].shape)
            )
            for name, each in learnt.truth.items()
        }
        write_coordinates(tmp_path / "known.h5", known)
        request = replace(
            picking,
            threshold=learnt.result.validation.best_threshold,
            known=tmp_path / "known.h5",
            missed=tmp_path / "missed.h5",
            known_radius_px=0.3 * BOX,
        )
        result = network_pick.run(request, Progress())
        picks, missed = (
            read_coordinates(path) for path in (request.result, request.missed)
        )
        assert result.n_missed == sum(map(len, missed.values()))
        assert 0 < result.expected_missed_precision <= 1
        unknown = {name: each.take(range(5)) for name, each in learnt.truth.items()}
        found = figures(request.missed, unknown)
        assert found.f1 > 0.9
        for name, here in missed.items():
            near = np.hypot(*(here.yx[:, None] - known[name].yx).T) <= 0.3 * BOX
            assert not near.any()
            assert {tuple(yx) for yx in here.yx} <= {tuple(yx) for yx in picks[name].yx}

    def test_nothing_known_on_a_micrograph_makes_all_its_picks_missed(
        self, picking, fake, tmp_path
    ):
        known = {
            "m1.mrc": ScoredCoordinates.from_arrays([[31, 41]]),
            "m2.mrc": NO_PICKS,
        }
        write_coordinates(tmp_path / "known.h5", known)
        request = replace(
            picking,
            threshold=-5,
            known=tmp_path / "known.h5",
            missed=tmp_path / "missed.h5",
            known_radius_px=2,
        )
        assert network_pick.run(request, Progress()).n_missed == 7
        missed = read_coordinates(request.missed)
        assert [len(each) for each in missed.values()] == [2, 1, 2, 2]

    def test_expected_precision_is_that_of_the_picks(self, learnt, picking):
        for threshold in (-1e3, 0.0, learnt.result.validation.best_threshold):
            result = network_pick.run(replace(picking, threshold=threshold), Progress())
            found = figures(picking.result, learnt.truth)
            assert result.expected_precision == pytest.approx(found.precision, abs=0.1)

    def test_threshold_is_found_in_the_scores(self, learnt, picking, tmp_path):
        write_job(tmp_path / "job.json", picking)
        run_job(tmp_path / "job.json")
        result = read_result(tmp_path / "job.json", NetworkPickResult)
        scores = [each.scores for each in read_coordinates(picking.result).values()]
        assert result.n_picks == len(np.concatenate(scores)) < result.n_found
        assert min(each.min() for each in scores) >= result.threshold
        assert figures(picking.result, learnt.truth).f1 > 0.9

    def test_finer_pixels_are_no_matter(self, learnt, picking, tmp_path):
        coarse = picking.micrographs[0]
        pixels = np.kron(mrcfile.read(coarse.path), np.ones((2, 2), np.float32))
        mrcfile.write(tmp_path / "fine.mrc", pixels)
        fine = Micrograph("fine.mrc", tmp_path / "fine.mrc", pixels.shape, 1.25)
        threshold = learnt.result.validation.best_threshold
        for each in (coarse, fine):
            network_pick.run(
                replace(
                    picking,
                    micrographs=(each,),
                    threshold=threshold,
                    result=tmp_path / f"{each.name}.h5",
                ),
                Progress(),
            )
        (expected,) = read_coordinates(tmp_path / "m0.mrc.h5").values()
        (found,) = read_coordinates(tmp_path / "fine.mrc.h5").values()
        truth = {"fine.mrc": ScoredCoordinates.from_arrays(expected.yx * 2 + 0.5)}
        same = evaluate_detections({"fine.mrc": found}, truth, radius_px=4)
        assert same.f1 > 0.95

    def test_refusals_name_the_micrograph(self, picking, tmp_path):
        with pytest.raises(ValueError, match="received none"):
            network_pick.run(replace(picking, micrographs=()), Progress())
        first, *others = picking.micrographs
        (tmp_path / "half.mrc").write_bytes(first.path.read_bytes()[:5000])
        for wrong in (
            replace(first, name="half.mrc", path=tmp_path / "half.mrc"),
            replace(first, name="coarse.mrc", sampling_rate=6.0),
        ):
            request = replace(picking, micrographs=(wrong, *others))
            with pytest.raises(ValueError, match=wrong.name):
                network_pick.run(request, Progress())
