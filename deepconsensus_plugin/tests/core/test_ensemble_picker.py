# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of networks for boxes slid over micrographs: uphill, and all that is there."""

from __future__ import annotations

import keras
import mrcfile
import numpy as np
import pytest
from scipy.special import expit

from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.network import PARTICLE, build_network
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.picking import (
    EnsemblePicker,
    hill_climb,
)
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.deep_consensus.store import save_model
from deepconsensus_plugin.core.methods import load_picker
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, prepare_boxes
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

BOX, RADIUS, SAMPLING_RATE, SHAPE = 32, 6, 2.0, (230, 300)


class TestClimb:
    @staticmethod
    def hill(yx):
        """Return heights of a hill whose top is at (10.3, 20.8)."""
        return -np.hypot(yx[:, 0] - 10.3, yx[:, 1] - 20.8)

    def test_it_reaches_what_its_steps_can_reach(self):
        reached = hill_climb(
            self.hill, np.array([[10.0, 17], [14, 21]]), step=4.0, rounds=4
        )
        # Within half of the last step, 0.5, of the top.
        assert (np.abs(reached[0] - [10.3, 20.8]) <= 0.5).all()
        assert (np.abs(reached[1] - [10.3, 20.8]) <= 0.5).all()

    def test_it_never_goes_down_nor_farther_than_its_steps(self):
        start = np.random.default_rng(0).uniform(0, 30, (50, 2))
        reached = hill_climb(self.hill, start, step=2.0, rounds=3)
        assert (self.hill(reached) >= self.hill(start)).all()
        assert (np.abs(reached - start).sum(axis=1) < 2 + 1 + 0.51).all()
        far = self.hill(start) < -5
        assert (self.hill(reached)[far] > self.hill(start)[far] + 1).all()

    def test_places_do_not_depend_on_each_other(self):
        start = np.random.default_rng(1).uniform(0, 30, (20, 2))
        together = hill_climb(self.hill, start, step=2.0, rounds=2)
        alone = [
            hill_climb(self.hill, each[None], step=2.0, rounds=2)[0] for each in start
        ]
        np.testing.assert_array_equal(together, alone)

    def test_from_the_top_and_from_nowhere(self):
        top = np.array([[10.3, 20.8]])
        np.testing.assert_array_equal(hill_climb(self.hill, top, step=3, rounds=2), top)
        assert hill_climb(self.hill, np.empty((0, 2)), step=3, rounds=2).shape == (0, 2)


def bright_in_the_middle(*, steepness=8.0, lowest=1.0):
    """Return a network whose log-odds grow with the mean of a box' middle."""
    boxes = keras.Input((BOX, BOX, 1))
    middle = keras.layers.Cropping2D((BOX - RADIUS) // 2)(boxes)
    mean = keras.layers.GlobalAveragePooling2D()(middle)
    outputs = keras.layers.Dense(2, activation="softmax")
    network = keras.Model(boxes, outputs(mean))
    kernel, bias = np.zeros((1, 2)), np.zeros(2)
    kernel[0, PARTICLE], bias[PARTICLE] = steepness, -steepness * lowest
    outputs.set_weights([kernel, bias])
    return network


@pytest.fixture
def discs(tmp_path):
    """Return a micrograph of dark discs in noise, and their centres."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.mgrid[24:210:34, 24:280:34], axis=-1).reshape(-1, 2)
    centres = grid + rng.integers(-5, 6, grid.shape)
    rows, columns = np.indices(SHAPE)
    image = rng.normal(0, 1, SHAPE).astype(np.float32)
    for y, x in centres:
        image[np.hypot(rows - y, columns - x) <= RADIUS] -= 2.5
    mrcfile.write(tmp_path / "discs.mrc", image)
    micrograph = Micrograph("discs.mrc", tmp_path / "discs.mrc", SHAPE, SAMPLING_RATE)
    return micrograph, {"discs.mrc": ScoredCoordinates.from_arrays(centres)}


def card_of(*, n_models, box_size=BOX, sampling_rate=SAMPLING_RATE, phase_flip=False):
    return EnsembleCard(
        n_models=n_models,
        box_size=box_size,
        sampling_rate=sampling_rate,
        preprocessing=BoxPreprocessing(input_size=BOX, phase_flip=phase_flip),
        training=TrainingParameters(),
        training_sets=[],
    )


def picker_of(*networks, **options):
    return EnsemblePicker(networks, card_of(n_models=len(networks), **options))


@pytest.mark.parametrize(("box", "rate"), [(BOX, SAMPLING_RATE), (2 * BOX, 1.0)])
def test_all_particles_are_found_in_their_middle(discs, box, rate):
    micrograph, truth = discs
    picker = picker_of(bright_in_the_middle(), box_size=box, sampling_rate=rate)
    found = picker.find(picker.prepare(micrograph))
    figures = evaluate_detections(
        {"discs.mrc": found.take(found.scores > 0)}, truth, radius_px=BOX / 4
    )
    assert figures.f1 > 0.95
    assert figures.centre_rmse_px < BOX / 10
    assert (np.diff(found.scores) <= 0).all()
    distances = np.hypot(*(found.yx[:, None] - found.yx).T)
    assert distances[~np.eye(len(found), dtype=bool)].min() > 0.4 * BOX


def test_scores_are_those_of_all_networks(discs):
    micrograph, _ = discs
    undecided = bright_in_the_middle(steepness=0.0)
    picker = picker_of(bright_in_the_middle(), undecided)
    found = picker.find(picker.prepare(micrograph))
    # Sure and undecided: ¾, odds of 3; never and undecided: ¼.
    assert found.scores.max() == pytest.approx(np.log(3), abs=0.01)
    assert found.scores.min() >= -np.log(3) - 1e-6


def test_nothing_is_found_where_nothing_is_promising(discs):
    micrograph, _ = discs
    picker = picker_of(bright_in_the_middle(lowest=100.0))
    assert len(picker.find(picker.prepare(micrograph))) == 0


def test_missing_ctf_is_named(discs):
    micrograph, _ = discs
    picker = picker_of(bright_in_the_middle(), phase_flip=True)
    with pytest.raises(ValueError, match=r"discs\.mrc: .*CTF is not known"):
        picker.find(picker.prepare(micrograph))


@pytest.mark.slow
def test_a_model_folder_is_a_picker(discs, tmp_path):
    micrograph, _ = discs
    networks = [build_network(input_size=BOX, l2_strength=1e-5) for _ in range(2)]
    save_model(tmp_path / "model", networks, card_of(n_models=2))
    picker = load_picker(tmp_path / "model")
    found = picker.find(picker.prepare(micrograph))
    assert len(found) > 10
    (boxes,) = cut_boxes(micrograph, found.yx, BOX, phase_flip=False)
    prepared = prepare_boxes(boxes, BoxPreprocessing(input_size=BOX))
    expected = predict(networks, prepared).mean(axis=1)
    np.testing.assert_allclose(expit(found.scores), expected, atol=1e-4)
