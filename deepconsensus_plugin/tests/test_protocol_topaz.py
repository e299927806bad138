# SPDX-License-Identifier: GPL-3.0-or-later
"""A Topaz picker in Scipion: trained from labels, used, taken over, or refused."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pwem import Domain
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Pointer
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin import bibtex
from deepconsensus_plugin.constants import PICKER_SCORE_ATTRIBUTE, SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import coordinates_from_set, read_observed
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepEMTrain,
    ProtImportModel,
    ProtNetworkPick,
    ProtTopazTrain,
)
from deepconsensus_plugin.set_columns import read_numbers
from deepconsensus_plugin.tests.drawn_plots import drawn
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
)
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject
from deepconsensus_plugin.viewers import DeepConsensusPickerViewer

N_LABELS, N_PARTICLES, N_KNOWN = 15, 25, 20
"""Of each micrograph: labelled, true, and found by other pickers."""

QUICK = {
    "nEpochs": 2,
    "updatesPerEpoch": 60,
    "batchSize": 64,
    "learningRate": 5e-3,
    "nUnits": 4,
    "radius": 2,
    "pixelSize": 5,
    "autoencoder": 0,
    "expectedParticles": N_PARTICLES,
}


def citedKeys() -> set[str]:
    """Return the keys that the plugin has references for."""
    return set(re.findall(r"@\w+\{(\w+)", bibtex.__doc__ or ""))


@slow
class TestTopaz(SyntheticProject):
    """Dark discs, some of them labelled; a picker that finds all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.labels = cls._storeFirst(N_LABELS)
        cls.train = new_protocol(
            cls, ProtTopazTrain, inputCoordinates=cls.labels, **QUICK
        )
        cls.before = cls.train.validate(), cls.train.summary(), cls.train._methods()
        run_here(cls, cls.train)
        cls.train.setFinished()
        cls.proj._storeProtocol(cls.train)
        cls.model = output(cls.train, "outputModel")

    @classmethod
    def _storeFirst(cls, n: int) -> Pointer:
        return store_coordinates(cls, {name: yx[:n] for name, yx in cls.truth.items()})

    def _newPick(self, **options) -> ProtNetworkPick:
        return new_protocol(
            type(self),
            ProtNetworkPick,
            inputMicrographs=self._micrographsPointer(),
            inputModel=self.model,
            **options,
        )

    def _micrographsPointer(self) -> Pointer:
        imported = self.proj.getProtocol(self.micrographs.getObjParentId())
        return output(imported, "outputMicrographs")

    def _pick(self, **options) -> ProtNetworkPick:
        protocol = self._newPick(**options)
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.assertEqual(protocol._methods(), [])
        return run_here(type(self), protocol)

    def _evaluate(self, coordinates, *, first: int = 0):
        truth = {
            name: ScoredCoordinates.from_arrays(yx[first:])
            for name, yx in self.truth.items()
        }
        found = coordinates_from_set(coordinates, micrographs=self.micrographs)
        return evaluate_detections(found, truth, radius_px=BOX / 4)

    # -------------------------- training --------------------------
    def test_model_tells_what_it_learnt(self):
        self.assertEqual(self.before, ([], ["Not run yet."], []))
        card = self.train.outputModel.getCard(TopazCard)
        self.assertEqual((card.box_size, card.sampling_rate), (BOX, SAMPLING_RATE))
        self.assertAlmostEqual(card.particle_diameter_A, BOX * SAMPLING_RATE * 2 / 3)
        self.assertEqual(card.preprocessing.pixel_size_A, 5)
        self.assertEqual(card.training_sets[0].n_boxes, 3 * N_LABELS)
        self.assertEqual(card.validation.n_labels, N_LABELS)
        summary = "\n".join(self.train.summary())
        self.assertIn("Topaz picker for particles of 67 Å", summary)
        self.assertIn(f"Trained on {3 * N_LABELS} particles", summary)
        self.assertIn(f"{N_LABELS} of about {N_PARTICLES} particles labelled", summary)
        self.assertIn(f"on {3 * N_LABELS} labelled", self.train._methods()[0])
        self.assertLessEqual(set(self.train._citations()), citedKeys())
        self.assertEqual(self.train._warnings(), [])

    def test_wrong_choices_are_named(self):
        protocol = new_protocol(
            type(self), ProtTopazTrain, inputCoordinates=self.labels
        )
        self.assertEqual(protocol.validate(), [])
        for name, wrong, label in (
            ("particleDiameter", 0, "Particle diameter"),
            ("pixelSize", -1, "Pixel size for the network"),
            ("expectedParticles", 0, "Expected particles per micrograph"),
            ("validationFraction", 0.7, "Validation fraction"),
            ("maxMicrographs", 0, "Maximum micrographs"),
            ("nEpochs", 0, "Number of epochs"),
            ("updatesPerEpoch", 0, "Batches per epoch"),
            ("nUnits", 0, "Units of the first layer"),
            ("nLayers", 2, "Number of layers"),
            ("batchSize", 3, "Batch size"),
            ("radius", 0, "Label radius"),
            ("learningRate", 0, "Learning rate"),
            ("strength", 0, "Criterion weight (λ)"),
            ("prior", 1, "Fraction of positive pixels"),
            ("autoencoder", -1, "Autoencoder weight"),
            ("seed", -1, "Random seed"),
        ):
            right = getattr(protocol, name).get()
            getattr(protocol, name).set(wrong)
            with self.subTest(name):
                (error,) = protocol.validate()
                self.assertEqual(error.split(":")[0], label)
            getattr(protocol, name).set(right)

    def test_a_criterion_that_an_objective_has_not_is_named(self):
        protocol = new_protocol(
            type(self), ProtTopazTrain, inputCoordinates=self._storeFirst(2)
        )
        protocol.strength.set(2)
        self.assertEqual(protocol.validate(), [])  # GE-KL
        protocol.objective.set(3)  # PN
        (error,) = protocol.validate()
        self.assertIn("NNPU and PN have none", error)

    def test_few_labels_are_warned_of(self):
        few = self._storeFirst(2)
        protocol = new_protocol(type(self), ProtTopazTrain, inputCoordinates=few)
        self.assertIn("only 8 labels", protocol._warnings()[0])

    # -------------------------- its window --------------------------
    def test_every_training_of_a_picker_has_the_window(self):
        for kind in (ProtTopazTrain, ProtDeepEMTrain):
            found = Domain.findViewers(kind(), DESKTOP_TKINTER)
            self.assertIn(DeepConsensusPickerViewer, found)

    def _tabs(self, protocol):
        viewer = DeepConsensusPickerViewer(project=self.proj, protocol=protocol)
        [view] = viewer._visualize(protocol)
        return view.tabs

    def test_window_shows_history_validation_and_card(self):
        tabs = self._tabs(self.train)
        loss, precision = drawn(tabs["History"].read()).axes
        self.assertEqual(loss.lines[0].get_xdata().tolist(), [60, 120])
        self.assertLessEqual(precision.lines[0].get_ydata().max(), 1)
        self.assertTrue(drawn(tabs["Precision and recall"].read()).axes)
        text = tabs["Model summary"].read()
        self.assertIn("Topaz picker for particles of 67 Å", text)
        self.assertIn("Trained on: CPU.", text)
        self.assertIn("Made with deepconsensus_plugin", text)

    def test_before_the_run_the_window_says_so(self):
        new = new_protocol(type(self), ProtTopazTrain, inputCoordinates=self.labels)
        for title in ("Precision and recall", "Model summary"):
            self.assertIn("until the run has", self._tabs(new)[title].read())

    # -------------------------- picking --------------------------
    def test_picks_have_box_and_scores(self):
        protocol = self._pick(thresholdMode=1)
        coordinates = protocol.outputCoordinates
        found = self._evaluate(coordinates)
        self.assertEqual(found.n_truth, 4 * N_PARTICLES)
        self.assertGreater(found.f1, 0.9)
        self.assertEqual(coordinates.getBoxSize(), BOX)
        self.assertEqual(coordinates.getMicrographs().getSamplingRate(), SAMPLING_RATE)
        observed = read_observed(coordinates)
        self.assertEqual(observed.pickers, ["Topaz picker"])
        self.assertEqual(set(observed.observed), set(self.names))
        logOdds, probability = read_numbers(
            coordinates, PICKER_SCORE_ATTRIBUTE, SCORE_ATTRIBUTE
        ).T
        self.assertTrue((np.diff(probability[np.argsort(logOdds)]) >= 0).all())
        # Validation's probability, not what the network believes.
        self.assertAlmostEqual(probability.mean(), found.precision, delta=0.2)
        self.assertGreater(abs(probability - 1 / (1 + np.exp(-logOdds))).max(), 0.01)
        best = self.train.outputModel.getCard().validation.best_threshold
        self.assertGreaterEqual(logOdds.min(), best)
        line, null, device, of_files = protocol.summary()
        self.assertTrue(null.startswith("Evidence for particles"))
        self.assertIn(
            f"{coordinates.getSize()} picks on 4 micrographs by a Topaz picker", line
        )
        self.assertIn(f"log-odds of {best:.2f} or more; expected precision", line)
        self.assertEqual(device, "Picked on: CPU.")
        self.assertIn(".box files", of_files)
        self.assertIn("Bepler2019", protocol._methods()[0])
        self.assertLessEqual(set(protocol._citations()), citedKeys())

    def test_precision_asked_for_is_reached_and_lower_finds_more(self):
        precise = self._pick(wantedPrecision=0.9)
        self.assertGreater(self._evaluate(precise.outputCoordinates).precision, 0.8)
        loose = self._pick(wantedPrecision=0.3)
        self.assertGreaterEqual(
            loose.outputCoordinates.getSize(), precise.outputCoordinates.getSize()
        )

    def test_given_threshold_and_box(self):
        protocol = self._pick(thresholdMode=2, threshold=-1e3, boxSize=52)
        coordinates = protocol.outputCoordinates
        self.assertEqual(coordinates.getBoxSize(), 52)
        self.assertEqual(self._evaluate(coordinates).recall, 1)
        line = protocol.summary()[0]
        self.assertIn(f"the peaks, of {coordinates.getSize()}, with", line)

    def test_as_many_as_expected(self):
        coordinates = self._pick(thresholdMode=4).outputCoordinates
        expected = self.train.outputModel.getCard().n_particles
        self.assertEqual(coordinates.getSize(), round(4 * expected))

    def test_what_was_not_known_is_a_set_of_its_own(self):
        known = self._storeFirst(N_KNOWN)
        protocol = self._pick(thresholdMode=1, knownCoordinates=known)
        missed = protocol.outputCoordinatesMissed
        found = self._evaluate(missed, first=N_KNOWN)
        self.assertEqual(found.n_truth, 4 * (N_PARTICLES - N_KNOWN))
        self.assertGreater(found.f1, 0.85)
        self.assertEqual(missed.getBoxSize(), BOX)
        self.assertGreater(self._evaluate(protocol.outputCoordinates).f1, 0.9)
        self.assertIn(
            f"{missed.getSize()} of them are new; expected precision",
            protocol.summary()[2],
        )

    def test_wrong_choices_of_picking_are_named(self):
        for name, wrong, label in (
            ("boxSize", 0, "Box size"),
            ("wantedPrecision", 0, "Target precision"),
            ("wantedPrecision", 1.5, "Target precision"),
        ):
            (error,) = self._newPick(**{name: wrong}).validate()
            self.assertEqual(error.split(":")[0], label)
        with patch.object(SetOfMicrographs, "getSamplingRate", return_value=6.0):
            (error,) = self._newPick().validate()
        self.assertIn("pixel size of 6 Å/px is coarser than the 5 Å/px", error)

    def test_coordinates_that_lost_their_micrographs_are_refused(self):
        lost = SetOfCoordinates(filename=str(Path(self.data) / "lost.sqlite"))
        train = new_protocol(type(self), ProtTopazTrain, inputCoordinates=self.labels)
        train.inputNegatives.set(lost)
        pick = self._newPick()
        pick.knownCoordinates.set(lost)
        for protocol, label in (
            (train, "Negatives"),
            (pick, "Known coordinates"),
        ):
            (error,) = protocol.validate()
            self.assertIn(f"{label}: the set has lost its micrographs", error)

    # -------------------------- other nodes --------------------------
    def test_scoring_candidates_needs_another_kind_of_model(self):
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=self.labels,
            inputModel=self.model,
        )
        (error,) = protocol.validate()
        self.assertIn(
            "expected a Deep Consensus network, received a Topaz picker", error
        )

    def test_it_is_imported_into_other_projects(self):
        folder = Path(self.train.outputModel.getFolder()).resolve()
        protocol = self.newProtocol(ProtImportModel, modelPath=str(folder))
        self.assertEqual(protocol.validate(), [])
        run_here(type(self), protocol)
        self.assertEqual(
            protocol.outputModel.getCard(), self.train.outputModel.getCard()
        )
        self.assertIn("Topaz picker for particles", "\n".join(protocol.summary()))
        self.assertIn("Bepler2019", protocol._methods()[0])
        self.assertEqual(protocol._citations(), ["Bepler2019"])
