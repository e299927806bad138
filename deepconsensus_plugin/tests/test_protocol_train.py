# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: what the model says it was made from, and what the form refuses."""

from __future__ import annotations

import unittest
from pathlib import Path

import numpy as np
from pyworkflow.object import Pointer

from deepconsensus_plugin.core.deep_consensus.datasets import read_boxes
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.networks.card import WEIGHTS_FILE
from deepconsensus_plugin.core.types import FloatArray, Micrograph
from deepconsensus_plugin.protocols import ProtDeepConsensusTrain
from deepconsensus_plugin.protocols.deep_consensus.training_sets import (
    describeBadWeights,
    joinMicrographs,
    parseWeights,
)
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    store_coordinates,
    store_ctfs,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SHAPE,
    SyntheticProject,
)

N_PER_MICROGRAPH = 8


class TestTrain(SyntheticProject):
    """One training from nothing, one from a model with everything on the form."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.positives = {n: yx[:N_PER_MICROGRAPH] for n, yx in cls.truth.items()}
        cls.negatives = {n: far_from(yx) for n, yx in cls.truth.items()}
        cls.inputs = {
            "inputPositives": store_coordinates(cls, cls.positives),
            "inputNegatives": store_coordinates(cls, cls.negatives),
        }

    def protocol(self, **options) -> ProtDeepConsensusTrain:
        return new_protocol(
            type(self),
            ProtDeepConsensusTrain,
            **{"nEpochs": 1, "nModels": 1, "batchSize": 8, **self.inputs, **options},
        )

    def test_model_knows_what_it_was_made_from(self):
        protocol = self.protocol(seed=7, l2RegStrength=1e-4)
        self.assertEqual(protocol.validate(), [])
        self.assertIn(
            "Positives: there are only 24 coordinates", protocol._warnings()[0]
        )
        self.assertEqual(len(protocol._warnings()), 2)  # nothing is tested on
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.launchProtocol(protocol)
        self.assertFalse(Path(protocol._getExtraPath("boxes.h5")).exists())

        card = protocol.outputModel.getCard()
        self.assertEqual((card.box_size, card.sampling_rate), (BOX, SAMPLING_RATE))
        self.assertTrue(card.preprocessing.invert)
        self.assertEqual(card.preprocessing.input_size, 64)  # the box has 40 px
        self.assertFalse(card.preprocessing.phase_flip)
        self.assertEqual((card.training.seed, card.training.n_epochs), (7, 1))
        self.assertEqual(card.training.l2_strength, 1e-4)
        made_from = [(s.is_particle, s.n_boxes, s.weight) for s in card.training_sets]
        self.assertEqual(made_from, [(True, 24, 1.0), (False, 24, 1.0)])
        self.assertEqual(len(card.validation), 1)
        # One of three micrographs is too much to hold out: a tenth of the boxes is.
        held_out = card.validation[0]
        self.assertEqual((held_out.n_positives, held_out.n_negatives), (2, 2))
        self.assertTrue(
            (Path(protocol.outputModel.getFolder()) / WEIGHTS_FILE).is_file()
        )
        summary = "\n".join(protocol.summary())
        self.assertIn("box 40 px at 2.5 Å/px = 100 Å", summary)
        too_few = "too few held-out boxes (2 + 2) to tell."
        self.assertIn(f"Network 1 on held-out micrographs: {too_few}", summary)
        self.assertIn(
            "24 boxes of particles and 24 of background", protocol.methods()[0]
        )

    def test_extra_and_testing_sets_ctfs_and_a_model_to_start_from(self):
        folder = write_untrained_model(
            self.data / "model", phase_flip=True, invert=False
        )
        first, second, third = self.names
        protocol = self.protocol(
            inputPositives=self.store(self.positives, first, second),
            inputNegatives=self.store(self.negatives, first, second),
            extraNegativesWeights="0.5",
            testPositives=self.store(self.positives, first),
            testNegatives=self.store(self.negatives, first),
            modelInitialization=1,
            initialModel=store_model(type(self), folder),
            ctfRelations=store_ctfs(type(self), [first, second]),
            skipInvert=True,
            keepBoxes=True,
        )
        protocol.extraNegatives.append(self.store(self.negatives, first, third))
        self.assertEqual(protocol.validate(), [])
        warning = protocol._warnings()[-1]
        self.assertIn(
            "1 of their 1 micrographs are used for training too (mic_1", warning
        )
        self.launchProtocol(protocol)

        boxes = read_boxes(Path(protocol._getExtraPath("boxes.h5")))
        self.assertEqual(len(boxes), 16 + 16 + 8)
        card = protocol.outputModel.getCard()
        self.assertFalse(card.preprocessing.invert)
        self.assertTrue(card.preprocessing.phase_flip)
        made_from = [(s.is_particle, s.n_boxes, s.weight) for s in card.training_sets]
        # The third micrograph has no CTF: its coordinates are left out.
        expected = [(True, 16, 1.0), (False, 16, 1.0), (False, 8, 0.5)]
        self.assertEqual(made_from, expected)
        tested = [(s.is_particle, s.n_boxes) for s in card.testing_sets]
        self.assertEqual(tested, [(True, 8), (False, 8)])
        self.assertEqual((card.testing.n_positives, card.testing.n_negatives), (8, 8))
        given = read_coordinates(protocol._getExtraPath("coordinates_positives.h5"))
        np.testing.assert_allclose(given[first].yx, self.positives[first])
        self.assertIn("Ensemble on the test sets", "\n".join(protocol.summary()))

    def store(self, positions: dict[str, FloatArray], *names: str) -> Pointer:
        return store_coordinates(type(self), {name: positions[name] for name in names})

    def test_validation_says_what_to_do(self):
        flipped = write_untrained_model(self.data / "flipped", phase_flip=True)
        other = write_untrained_model(self.data / "other", sampling_rate=5.0)
        plain = write_untrained_model(self.data / "plain")
        empty = store_coordinates(type(self), {})
        for options, reason in (
            ({"nEpochs": -1}, "Number of epochs: it must be 1 or more, or 0"),
            ({"seed": -1}, "Random seed: it must be 0 or more, received -1."),
            ({"learningRate": 0.0}, "Learning rate"),
            (
                {"inputSize": 100},
                "Network input size: it must be a multiple of 16, 16 or more",
            ),
            ({"testPositives": empty}, "choose both or none"),
            (
                {"extraPositivesWeights": "1, 2"},
                "Weights of extra positives: *Extra positives* is empty; leave it at 1",
            ),
            ({"inputNegatives": empty}, "the set is empty"),
            ({"modelInitialization": 1}, "Initial model: choose one"),
            (from_model(type(self), flipped), "needs CTFs"),
            (from_model(type(self), other), "Use a box of about 80 px"),
            (
                {**from_model(type(self), plain), "skipInvert": True},
                "particles are dark on light (raw). Use such",
            ),
        ):
            with self.subTest(reason=reason):
                self.assertIn(reason, self.protocol(**options).validate()[0])
        nothing = self.newProtocol(ProtDeepConsensusTrain)
        self.assertEqual(nothing._validate(), [])  # Scipion tells
        self.assertIn("cannot be EMPTY", nothing.validate()[0])


def far_from(yx: FloatArray) -> FloatArray:
    """Return background positions, away from all particles, boxes inside."""
    grid = np.stack(
        np.meshgrid(*(np.arange(BOX, s - BOX, 10) for s in SHAPE), indexing="ij"), -1
    ).reshape(-1, 2)
    distance = np.linalg.norm(grid[:, None] - yx[None], axis=-1).min(axis=1)
    return grid[np.argsort(-distance, kind="stable")[:N_PER_MICROGRAPH]].astype(float)


def from_model(test: type[SyntheticProject], folder: Path) -> dict[str, object]:
    return {"modelInitialization": 1, "initialModel": store_model(test, folder)}


class TestTrainForm(unittest.TestCase):
    """Fields of the form that need no input."""

    def test_weights_of_no_sets_are_hidden_or_refused(self):
        for key in ("extraPositives", "extraNegatives"):
            protocol = ProtDeepConsensusTrain()
            with self.subTest(key):
                self.assertFalse(protocol.evalParamCondition(f"{key}Weights"))
                self.assertEqual(describeBadWeights(protocol, key), [])
                protocol.setAttributeValue(f"{key}Weights", "2")
                # It is in sight, so that it can be changed.
                self.assertTrue(protocol.evalParamCondition(f"{key}Weights"))
                (error,) = describeBadWeights(protocol, key)
                self.assertTrue(error.endswith("is empty; leave it at 1."))
                getattr(protocol, key).append(Pointer())
                self.assertTrue(protocol.evalParamCondition(f"{key}Weights"))
                self.assertEqual(describeBadWeights(protocol, key), [])

    def test_weights_are_one_for_all_or_one_for_each(self):
        for text, n, weights in (
            ("", 2, [1.0, 1.0]),
            (None, 1, [1.0]),
            ("0.5", 3, [0.5, 0.5, 0.5]),
            ("1, 2.5", 2, [1.0, 2.5]),
            ("1", 0, []),
        ):
            with self.subTest(text):
                self.assertEqual(parseWeights(text, n), weights)

    def test_bad_weights_are_refused_by_name(self):
        for text in ("1 2 3", "-1", "heavy", "0", "nan"):
            with self.subTest(text):
                with self.assertRaisesRegex(ValueError, f"received '{text}'"):
                    parseWeights(text, 2)

    def test_one_name_for_two_files_is_refused(self):
        here = Micrograph("m.mrc", Path("a/m.mrc"), (10, 10), 1.0)
        there = Micrograph("m.mrc", Path("b/m.mrc"), (10, 10), 1.0)
        self.assertEqual(joinMicrographs([[here], [here]]), (here,))
        with self.assertRaisesRegex(ValueError, r"received a/m\.mrc and b/m\.mrc"):
            joinMicrographs([[here], [there]])
