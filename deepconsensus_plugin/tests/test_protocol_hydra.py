# SPDX-License-Identifier: GPL-3.0-or-later
"""HydraPicker in Scipion: trained on discs, then tuned, it finds those of all."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    HydraArchitecture,
    HydraParameters,
)
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtHydraTrain, ProtNetworkPick
from deepconsensus_plugin.protocols.pickers import protocol_hydra_train
from deepconsensus_plugin.protocols.pickers.hydra_form import (
    FROM_GENERAL,
    FROM_MODEL,
    NEW,
    hydraParameters,
)
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE

DIAMETER = BOX / 2 * SAMPLING_RATE
TINY = HydraArchitecture(
    body_channels=8, head_channels=(12, 16), n_residual=0, n_groups=2, dropout=0.0
)


def tinyParameters(protocol: ProtHydraTrain) -> HydraParameters:
    """Return what the form asks for, of a tiny network."""
    return replace(hydraParameters(protocol), architecture=TINY)


class TestHydra(synthetic.SyntheticProject):
    """Training, tuning and picking on dark discs, and a form filled in wrongly."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.labels = [
            cls.importPicks(f"labels{seed}", synthetic.pick(cls.truth, seed=seed))
            for seed in (1, 2)
        ]

    def _trainer(self, **options) -> ProtHydraTrain:
        chosen = {
            "inputCoordinates": [each.outputCoordinates for each in self.labels],
            "particleDiameters": str(DIAMETER),
            "startFrom": NEW,
            "nEpochs": 1,
            "nHeadEpochs": 1,
            "updatesPerEpoch": 25,
            "learningRate": 5e-3,
        }
        return self.newProtocol(ProtHydraTrain, **{**chosen, **options})

    @slow
    @patch.object(protocol_hydra_train, "hydraParameters", tinyParameters)
    def test_trained_and_tuned_picker_finds_the_particles(self):
        training = self._trainer(particleDiameters=f"{DIAMETER}, {DIAMETER}")
        self.assertEqual(training.validate(), [])
        self.assertEqual(training.summary(), ["Not run yet."])
        run_here(type(self), training)
        card = training.outputModel.getCard()
        self.assertEqual((card.kind, len(card.heads)), ("hydra", 3))
        self.assertIn("heads: 3", training.summary()[0])
        self.assertIn("particles of any size", training.summary()[1])
        self.assertIn("MasoumzadehTork2019", training._methods()[0])

        tuning = self._trainer(
            inputCoordinates=[self.labels[0].outputCoordinates],
            startFrom=FROM_MODEL,
            inputModel=training.outputModel,
            updatesPerEpoch=5,
        )
        self.assertEqual(tuning.validate(), [])
        run_here(type(self), tuning)

        for model, options in (
            (training.outputModel, {"head": "general", "particleDiameter": DIAMETER}),
            (tuning.outputModel, {}),
        ):
            picking = self.newProtocol(
                ProtNetworkPick,
                inputMicrographs=self.micrographs,
                inputModel=model,
                thresholdMode=1,
                **options,
            )
            self.assertEqual(picking.validate(), [])
            run_here(type(self), picking)
            found = evaluate_detections(
                coordinates_from_set(
                    picking.outputCoordinates, micrographs=self.micrographs
                ),
                {n: ScoredCoordinates.from_arrays(yx) for n, yx in self.truth.items()},
                radius_px=BOX / 4,
            )
            self.assertGreater(found.f1, 0.8)
            self.assertEqual(picking._citations(), ["MasoumzadehTork2019"])

        blind = self.newProtocol(
            ProtNetworkPick,
            inputMicrographs=self.micrographs,
            inputModel=training.outputModel,
        )
        # The diameter is then estimated.
        self.assertEqual(blind.validate(), [])

    def test_heads_alone_are_trained_for_less_long(self):
        epochs = {
            start: hydraParameters(
                self._trainer(startFrom=start, nEpochs=None)
            ).n_epochs
            for start in (FROM_GENERAL, FROM_MODEL, NEW)
        }
        self.assertEqual(epochs, {FROM_GENERAL: 6, FROM_MODEL: 6, NEW: 20})

    def test_validation_names_the_field(self):
        for options, field in (
            ({"particleDiameters": "100"}, "Particle diameters"),
            ({"startFrom": FROM_MODEL}, "Model"),
            ({"nEpochs": 0}, "Number of epochs"),
            ({"learningRate": -1.0}, "Learning rate"),
            ({"validationFraction": 0.9}, "Validation fraction"),
        ):
            chosen = {"particleDiameters": "", **options}
            with self.subTest(field):
                errors = self._trainer(**chosen).validate()
                self.assertEqual([e.split(":")[0] for e in errors], [field])
