# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of scores: what it takes from Scipion's sets, and what it launches."""

from __future__ import annotations

import argparse
import subprocess
import webbrowser
from pathlib import Path
from unittest import mock

import mrcfile
import numpy as np
import pytest
from pwem import Domain
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin.commands import report
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
    write_report,
)
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.shared.report_link import reportPath
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_scored,
)
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject
from deepconsensus_plugin.viewers import (
    DeepConsensusReportViewer,
    DeepConsensusScoresViewer,
)
from deepconsensus_plugin.viewers.opened_report import (
    ReportTask,
    open_report,
    plan_report,
)
from deepconsensus_plugin.viewers.scores.images import MicrographImages, StackImages
from deepconsensus_plugin.viewers.viewer_report import ReportView
from deepconsensus_plugin.viewers.viewer_scores import ScoresView

SCORES = (0.9, 0.1, 0.5, 0.49, 0.7, 0.5, 0.0, 1.0)


class TestScoresViewer(SyntheticProject):
    """Open on a scored set and on a selection from it, without a display."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scored = store_scored(cls, SCORES)

    def view(self, protocol) -> DeepConsensusScoresViewer:
        return DeepConsensusScoresViewer(project=self.proj, protocol=protocol)

    def select(self, scored, threshold: float) -> ProtDeepConsensusSelect:
        with launched_here():
            return self.view(scored).selectAtThreshold(threshold, wait=True)

    def expected(self, protocol):
        return self.view(protocol).reader()().expectation.at(0.6)

    def test_what_is_shown_is_what_the_set_holds(self):
        viewer = self.view(self.scored)
        (window,) = viewer._visualize(self.scored)
        self.assertIsInstance(window, ScoresView)
        overview = viewer.reader()()
        table = overview.table
        np.testing.assert_array_equal(table.score, SCORES)
        self.assertEqual(table.groupings["number of votes"].names, ("2 votes",))
        self.assertEqual(table.groupings["picker"].names, ("several pickers",))
        np.testing.assert_array_equal(table.yx[:2], [[80, 41], [80, 42]])
        self.assertEqual(table.micrographs.names, self.names)
        self.assertTrue(table.micrographs.paths[0].is_absolute())
        self.assertEqual(table.micrographs.sampling_rate, SAMPLING_RATE)
        self.assertEqual(table.micrographs.box_size, BOX)
        self.assertEqual(overview.picks_on(0).rows.tolist(), [*range(len(SCORES))])
        self.assertIsInstance(overview.images, StackImages)
        self.assertEqual(overview.images.read(3).shape, (BOX, BOX))
        self.assertIsNone(overview.expectation)  # the network's own scores
        self.assertEqual(overview.suggested_threshold, 0.5)

    def test_the_threshold_makes_new_sets(self):
        selection = self.select(self.scored, 0.6)
        self.assertIsInstance(selection, ProtDeepConsensusSelect)
        self.assertEqual(selection.outputParticles.getSize(), 3)
        self.assertEqual(selection.outputCoordinatesRejected.getSize(), 5)
        self.assertIn("0.6", selection.getObjLabel())
        viewer = self.view(selection)
        self.assertEqual(viewer.initialThreshold(), 0.6)
        # All that was selected from is there.
        self.assertEqual(len(viewer.reader()().ranking), len(SCORES))

    def test_coordinates_get_their_pictures_from_the_micrographs(self):
        scored = store_scored(type(self), SCORES[:4], particles=False)
        overview = self.view(scored).reader()()
        self.assertIsInstance(overview.images, MicrographImages)
        with mrcfile.open(overview.table.micrographs.paths[0]) as micrograph:
            expected = micrograph.data[80 - 20 : 80 + 20, 41 - 20 : 41 + 20]
            np.testing.assert_array_equal(overview.images.read(0), expected)
        selection = self.select(scored, 0.5)
        self.assertEqual(selection.outputCoordinates.getSize(), 2)

    def test_figures_are_those_of_the_run_that_gave_the_probabilities(self):
        scored = store_scored(type(self), SCORES, network_score=0.3)
        sure, unsure = EstimatedFigure(1, 1, 1), EstimatedFigure(0.5, 0.4, 0.6)
        report = CalibrationReport(
            seed=0,
            n_candidates=len(SCORES),
            n_particles=sum(SCORES),
            suggested_threshold=0.5,
            n_missed=unsure,
            pickers=[],
            thresholds=[0.0, 1.0],
            precision=[unsure, sure],
            recall=[sure, unsure],
        )
        write_report(Path(scored._getExtraPath("calibration.json")), report)
        self.assertTrue(self.expected(scored).has_intervals)
        selection = self.select(scored, 0.6)
        self.assertTrue(self.expected(selection).has_intervals)
        self.assertIn("(95 % intervals)", selection.summary()[1])
        # A selection of a selection is from a part of what the report speaks of.
        part = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(selection, "outputParticles"),
        )
        expected = self.expected(part)
        self.assertFalse(expected.has_intervals)
        self.assertAlmostEqual(expected.n_particles, 2.6)

    def test_the_report_is_that_of_the_last_selection(self):
        scored = store_scored(type(self), SCORES)
        self.assertIn("Create a particle set first", open_report(self.proj, scored))
        last = self.select(scored, 0.6)
        tasks = [plan_report(self.proj, run) for run in (scored, last)]
        self.assertEqual(tasks[0], tasks[1])
        self.assertEqual(tasks[0].selection, last.getObjId())
        self.assertEqual(tasks[0].path, reportPath(last).absolute())
        output_of = {run: run.outputParticles for run in (scored, last)}
        handled = [
            DeepConsensusReportViewer in Domain.findViewers(each, DESKTOP_TKINTER)
            for each in output_of.values()
        ]
        self.assertEqual(handled, [False, True])
        viewer = DeepConsensusReportViewer(project=self.proj, protocol=last)
        (view,) = viewer._visualize(output_of[last])
        self.assertIsInstance(view, ReportView)

    def test_before_the_run_it_says_so(self):
        for protocol in (
            self.newProtocol(ProtDeepConsensusScore),
            self.newProtocol(ProtDeepConsensusSelect),
        ):
            (message,) = self.view(protocol)._visualize(protocol)
            self.assertIn("no scores yet", message.getMessage())
        waiting = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(self.scored, "outputParticles"),
        )
        self.assertEqual(self.view(waiting).describeFault(), "")
        self.assertIsNone(self.view(waiting).initialThreshold())
        plain = store_coordinates(type(self), {self.names[0]: np.full((2, 2), BOX)})
        waiting = new_protocol(
            type(self), ProtDeepConsensusSelect, inputCoordinates=plain
        )
        self.assertIn("has no scores", self.view(waiting).describeFault())


def test_a_report_opens_when_it_is_written(tmp_path):
    task = ReportTask(tmp_path / "project", 7, tmp_path / "report.html")
    opened = []
    written = subprocess.CompletedProcess([], 0)
    with (
        mock.patch.object(subprocess, "run", return_value=written) as run,
        mock.patch.object(webbrowser, "open", lambda uri: not opened.append(uri)),
    ):
        _, last = task.write_and_open()
    assert last == f"Report: {task.path}"
    assert opened == [task.path.as_uri()]
    (command,), _ = run.call_args
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    arguments = parser.parse_args(command[command.index("report") + 1 :])
    assert (arguments.project, arguments.selection) == (task.project, "7")
    assert arguments.out == task.path
    failed = subprocess.CompletedProcess(
        [], 1, stderr="warning: x\nerror: no project\n"
    )
    with (
        mock.patch.object(subprocess, "run", return_value=failed),
        pytest.raises(RuntimeError, match="not written: error: no project"),
    ):
        [*task.write_and_open()]
