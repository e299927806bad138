# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking without training: positions, scores, box, and what validation refuses."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.constants import PICKER_SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import coordinates_from_set, read_observed
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtClassicalPick
from deepconsensus_plugin.set_columns import read_numbers
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE

DIAMETER = BOX / 2 * SAMPLING_RATE


class TestClassicalPick(synthetic.SyntheticProject):
    """Both methods on dark discs, and a form filled in wrongly."""

    def _pick(self, **options) -> ProtClassicalPick:
        protocol = self.newProtocol(
            ProtClassicalPick,
            inputMicrographs=self.micrographs,
            particleDiameter=DIAMETER,
            **options,
        )
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.launchProtocol(protocol)
        return protocol

    def _checkFound(self, protocol: ProtClassicalPick):
        output = protocol.outputCoordinates
        found = evaluate_detections(
            coordinates_from_set(output, micrographs=self.micrographs),
            {n: ScoredCoordinates.from_arrays(yx) for n, yx in self.truth.items()},
            radius_px=BOX / 8,
        )
        self.assertEqual(found.n_truth, 4 * 25)
        self.assertGreater(found.f1, 0.97)
        self.assertLess(found.centre_rmse_px, 1)
        self.assertEqual(
            set(read_observed(output).observed), set(self.names)
        )  # all of them

    @slow
    def test_difference_of_gaussians(self):
        protocol = self._pick()
        self._checkFound(protocol)
        output = protocol.outputCoordinates
        self.assertEqual(output.getBoxSize(), 30)  # 1.5 diameters of 20 px
        self.assertEqual(output.getMicrographs().getSamplingRate(), SAMPLING_RATE)
        scores = read_numbers(output, PICKER_SCORE_ATTRIBUTE)[:, 0]
        self.assertGreater(scores.min(), 0.5)  # noise units
        known = read_observed(output)
        self.assertEqual(known.pickers, ["difference of Gaussians"])
        self.assertIn(
            f"{output.getSize()} picks on 4 micrographs, box 30 px",
            protocol.summary()[0],
        )
        self.assertIn("Voss2009", protocol._methods()[0])
        self.assertEqual(protocol._citations(), ["Voss2009", "Ashman1994"])

    def test_correlation_with_a_threshold_of_ones_own(self):
        protocol = self._pick(method=1, threshold=0.4, boxSize=44)
        self._checkFound(protocol)
        output = protocol.outputCoordinates
        self.assertEqual(output.getBoxSize(), 44)
        scores = read_numbers(output, PICKER_SCORE_ATTRIBUTE)[:, 0]
        self.assertTrue(((scores >= 0.4) & (scores <= 1)).all())
        self.assertIn("with a score of 0.4 or better", protocol.summary()[0])
        self.assertEqual(protocol._citations(), ["Roseman2003"])
        best = np.argsort(-scores)[:5]
        self.assertGreater(scores[best].min(), 0.6)

    def test_validation_names_the_field(self):
        protocol = self.newProtocol(
            ProtClassicalPick, inputMicrographs=self.micrographs
        )
        self.assertEqual(protocol.validate(), [])  # it will be estimated
        protocol.particleDiameter.set(9000)
        self.assertIn("px is larger than the micrographs", protocol.validate()[0])
        protocol.particleDiameter.set(9)
        protocol.boxSize.set(0)
        protocol.threshold.set(3)
        protocol.upperThreshold.set(2)
        protocol.minDistance.set(0)
        errors = protocol.validate()
        self.assertIn("it is 3.6 px on these", errors[0])
        self.assertEqual(
            [error.split(":")[0] for error in errors],
            [
                "Particle diameter",
                "Minimum distance between picks",
                "Box size",
                "Maximum score",
            ],
        )
