# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison with the truth: figures that are known beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtEvaluatePicks
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.drawn_plots import drawn
from deepconsensus_plugin.tests.synthetic import BOX
from deepconsensus_plugin.viewers import DeepConsensusEvaluationViewer
from deepconsensus_plugin.viewers.frame_window import FrameView
from deepconsensus_plugin.viewers.viewer_evaluation import readComparisons

FALSE_PICK = (15.0, 14.0)
"""Farther than any match radius used here from every particle."""


class TestEvaluate(synthetic.SyntheticProject):
    """Per micrograph 20 of 25 particles are found, 3 px off, and one pick is false.

    The last micrograph was not picked.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        truth = {
            name: ScoredCoordinates.from_arrays(yx) for name, yx in cls.truth.items()
        }
        picks = {
            name: ScoredCoordinates.from_arrays(
                [*np.add(yx[:20], (0, 3)), FALSE_PICK], [0.9] * 20 + [0.1]
            )
            for name, yx in cls.truth.items()
        }
        del picks[cls.names[-1]]
        cls.expert = cls.importPicks("expert", truth)
        cls.picks = cls.importPicks("picker", picks)

    def _newProtocol(self, **options) -> ProtEvaluatePicks:
        return self.newProtocol(
            ProtEvaluatePicks,
            inputCoordinates=self.picks.outputCoordinates,
            inputTruth=self.expert.outputCoordinates,
            **options,
        )

    def test_figures(self):
        protocol = self._newProtocol()
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        protocol.setObjLabel("first look")
        self.launchProtocol(protocol)
        path = Path(protocol._getExtraPath("metrics.json"))
        figures = json.loads(path.read_text())
        expected = {
            "schema": 1,
            "radius_px": 0.25 * BOX,
            "n_micrographs": 3,
            "n_not_observed": 1,
            "n_truth": 75,
            "n_picks": 63,
            "n_matched": 60,
            "precision": 60 / 63,
            "recall": 0.8,
            "average_precision": 0.8,
            "best_f1": 120 / (60 + 75),
            "best_f1_threshold": 0.9,
            "roc_auc": 1.0,
            "centre_rmse_px": 3.0,
            "centre_shift_x_px": 3.0,
            "centre_shift_y_px": 0.0,
        }
        for name, value in expected.items():
            self.assertAlmostEqual(figures[name], value, msg=name)
        self.assertEqual(figures["intervals"]["recall"], [0.8, 0.8])
        self.assertLess(figures["blind_lattice"]["f1"], 0.5)
        self._check_curve(protocol)
        self._check_information(protocol)

    def _check_curve(self, protocol: ProtEvaluatePicks):
        curve = [[0.9, 1.0, 0.8], [0.1, 60 / 63, 0.8]]
        self.assertEqual(protocol.readCurve().tolist(), curve)
        viewer = DeepConsensusEvaluationViewer(project=self.proj, protocol=protocol)
        [view] = viewer._visualize(protocol)
        self.assertIsInstance(view, FrameView)
        figure = drawn(readComparisons([protocol]))
        precision, f1 = figure.axes
        curve_drawn = precision.lines[0].get_xydata().tolist()
        self.assertEqual(curve_drawn, [[0.8, 1], [0.8, 60 / 63]])
        self.assertEqual(precision.lines[1].get_xydata().tolist(), [[0.8, 60 / 63]])
        # Of 75 particles 60 are found, by the first 60 of 63 picks.
        best = f1.lines[0].get_xydata()[0]
        np.testing.assert_allclose(best, [0.8, 120 / (60 + 75)])
        self._check_legend(figure)
        self._check_all_runs(viewer, protocol)

    def _check_legend(self, figure):
        [legend] = figure.legends
        own, floor = (text.get_text() for text in legend.get_texts())
        self.assertIn(
            "F1 0.870, at best 0.889 at score 0.9, average precision 0.800", own
        )
        self.assertIn("blind lattice", floor)
        self.assertIn("75 particles on 3 micrographs", figure.get_suptitle())

    def _check_all_runs(self, viewer: DeepConsensusEvaluationViewer, protocol):
        """See that the same comparison, under another name, is drawn beside it."""
        before = viewer.comparisons(protocol)
        self.assertIs(before[0], protocol)
        again = self._newProtocol()
        again.setObjLabel("second look")
        self.launchProtocol(again)
        runs = viewer.comparisons(again)
        self.assertIs(runs[0], again)
        self.assertEqual(
            {run.getObjId() for run in runs[1:]}, {run.getObjId() for run in before}
        )
        both = [protocol, again]
        [legend] = drawn(readComparisons(both)).legends
        self.assertEqual(len(legend.get_texts()), 2 + 1)
        self.assertIn("Choose", readComparisons([]))

    def _check_information(self, protocol: ProtEvaluatePicks):
        summary = protocol.summary()
        self.assertIn("60 of 75 particles found by 63 picks on 3", summary[0])
        text = "\n".join(summary)
        self.assertIn(
            "Precision (lower bound) 0.952 (95 %: 0.952 to 0.952); blind", text
        )
        self.assertIn("Best F1 0.889 at score 0.9.", text)
        self.assertIn("mean shift x +3.0 px, y 0.0 px", text)
        self.assertIn("1 micrographs of the truth are left out", text)
        self.assertIn("63 picks were matched one to one", protocol._methods()[0])

    def test_a_narrow_radius_and_a_threshold(self):
        protocol = self._newProtocol(matchRadius=0.05, threshold=0.5)
        self.launchProtocol(protocol)
        figures = json.loads(Path(protocol._getExtraPath("metrics.json")).read_text())
        self.assertEqual(figures["n_accepted"], 60)
        self.assertEqual(figures["n_matched"], 0)
        self.assertEqual(figures["precision"], 0.0)
        self.assertIsNone(figures["centre_rmse_px"])
        self.assertIn(
            "found by 60 of 63 picks, with a score of 0.5 at least, on 3 micrographs",
            protocol.summary()[0],
        )

    def test_validation_names_the_field(self):
        protocol = self._newProtocol(matchRadius=0)
        self.assertEqual(
            protocol.validate(), ["Match radius: it must be above 0, received 0.0."]
        )
