# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM in Scipion: trained on labelled discs, it finds those of all micrographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtDeepEMTrain, ProtNetworkPick
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE


class TestDeepEM(synthetic.SyntheticProject):
    """Training and picking on dark discs, and a form filled in wrongly."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        imported = cls.importPicks("labels", synthetic.pick(cls.truth, seed=1))
        cls.labels = imported.outputCoordinates

    def _trainer(self, **options) -> ProtDeepEMTrain:
        return self.newProtocol(
            ProtDeepEMTrain, inputCoordinates=self.labels, **options
        )

    @slow
    def test_trained_picker_finds_the_particles(self):
        training = self._trainer(
            nRounds=2, nEpochs=2, updatesPerEpoch=20, pixelSize=BOX / 24 * SAMPLING_RATE
        )
        self.assertEqual(training.validate(), [])
        self.assertEqual(training.summary(), ["Not run yet."])
        self.launchProtocol(training)

        card = training.outputModel.getCard()
        self.assertEqual(card.kind, "deepem")
        self.assertEqual(card.training.input_size, 24)
        self.assertEqual(len(card.rounds), 2)
        self.assertTrue(training.summary()[-1].startswith("Round 2: "))
        self.assertIn("Zhu2017", training._methods()[0])

        picking = self.newProtocol(
            ProtNetworkPick,
            inputMicrographs=self.micrographs,
            inputModel=training.outputModel,
            thresholdMode=3,
        )
        self.assertEqual(picking.validate(), [])
        self.launchProtocol(picking)
        found = evaluate_detections(
            coordinates_from_set(
                picking.outputCoordinates, micrographs=self.micrographs
            ),
            {n: ScoredCoordinates.from_arrays(yx) for n, yx in self.truth.items()},
            radius_px=BOX / 4,
        )
        self.assertGreater(found.f1, 0.8)
        self._checkBoxFiles(picking)
        self.assertEqual(picking._citations(), ["Zhu2017"])
        self.assertEqual(picking.outputCoordinates.getBoxSize(), BOX)

    def _checkBoxFiles(self, picking: ProtNetworkPick):
        """Check that EMAN2's files hold the picks, one for each micrograph."""
        folder = Path(picking._getExtraPath("eman2"))
        picks = coordinates_from_set(
            picking.outputCoordinates, micrographs=self.micrographs
        )
        self.assertEqual(
            sorted(path.name for path in folder.iterdir()),
            sorted(f"{Path(name).stem}.box" for name in self.truth),
        )
        for name, expected in picks.items():
            written = read_picks(folder / f"{Path(name).stem}.box")[None]
            self.assertEqual(len(written), len(expected))
            distance = written.yx - expected.yx
            self.assertLess(np.abs(distance).max(), 1)  # Scipion's are whole pixels

    def test_validation_names_the_field(self):
        for options, field in (
            ({"nRounds": 0}, "Number of rounds"),
            ({"wantedAccuracy": 0.4}, "Stop round at accuracy"),
            ({"learningRate": -1.0}, "Learning rate"),
            ({"pixelSize": 10.0}, "Pixel size for the network"),
        ):
            with self.subTest(field):
                errors = self._trainer(**options).validate()
                self.assertEqual([e.split(":")[0] for e in errors], [field])
