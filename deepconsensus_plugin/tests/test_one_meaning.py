# SPDX-License-Identifier: GPL-3.0-or-later
"""One meaning of "accepted": whoever is asked, the same candidates are kept."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
    write_report,
)
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.protocols import ProtDeepConsensusSelect, ProtEvaluatePicks
from deepconsensus_plugin.protocols.deep_consensus.acceptance import readAcceptance
from deepconsensus_plugin.protocols.shared.report_link import reportPath
from deepconsensus_plugin.report.methods_text import write_methods
from deepconsensus_plugin.report.reported_run import collect_run
from deepconsensus_plugin.report.selection_report import write_selection_report
from deepconsensus_plugin.report.selections import find_related
from deepconsensus_plugin.set_columns import read_ids
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_scored,
)
from deepconsensus_plugin.tests.synthetic import SAMPLING_RATE, SHAPE, SyntheticProject
from deepconsensus_plugin.viewers import DeepConsensusScoresViewer

N = 120
T = 0.345
"""Threshold that the user moves the line to."""


def a_report(probability: np.ndarray) -> CalibrationReport:
    """Return a report of these candidates, with intervals."""
    sure, unsure = EstimatedFigure(1, 0.97, 1), EstimatedFigure(0.6, 0.5, 0.7)
    return CalibrationReport(
        seed=0,
        n_candidates=len(probability),
        n_particles=float(probability.sum()),
        suggested_threshold=0.5,
        n_missed=unsure,
        pickers=[],
        thresholds=[0.0, 1.0],
        precision=[unsure, sure],
        recall=[sure, unsure],
    )


class TestOneMeaning(SyntheticProject):
    """A selection, another one that the window makes of it, and all that tell of it."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rng = np.random.default_rng(1)
        yx = rng.integers((5, 5), np.subtract(SHAPE, 5), (N, 2))
        probability = rng.beta(0.6, 0.6, N)
        cls.scored = store_scored(cls, probability, network_score=0.3, yx=yx)
        calibration = Path(cls.scored._getExtraPath("calibration.json"))
        write_report(calibration, a_report(probability))
        cls.first = new_protocol(
            cls,
            ProtDeepConsensusSelect,
            inputParticles=output(cls.scored, "outputParticles"),
            thresholdMode=2,
            neighbourDistance=25 * SAMPLING_RATE,
            borderDistance=22 * SAMPLING_RATE,
        )
        cls.launchProtocol(cls.first)
        with launched_here():
            cls.moved = cls.view(cls.first).selectAtThreshold(T, wait=True)
        cls.told = readAcceptance(cls.moved)

    @classmethod
    def view(cls, protocol) -> DeepConsensusScoresViewer:
        return DeepConsensusScoresViewer(project=cls.proj, protocol=protocol)

    def export(self, *options: str) -> dict[tuple[float, float], float]:
        """Return the scores that the command writes, by place."""
        out = self.data / "exported"
        arguments = ["--format", "csv", "--out", str(out), *options]
        self.assertEqual(main(["export", self.proj.getPath(), *arguments]), 0)
        (found,) = read_picks(out / "coordinates.csv").values()
        return dict(zip(map(tuple, found.yx.tolist()), found.scores, strict=True))

    def kept(self, protocol) -> dict[tuple[float, float], float]:
        """Return the scores of what a selection keeps, by place."""
        overview = self.view(protocol).reader()()
        rows = np.isin(
            read_ids(self.scored.outputCoordinates),
            read_ids(protocol.outputCoordinates),
        )
        places = map(tuple, overview.table.yx[rows].tolist())
        return dict(zip(places, overview.table.score[rows], strict=True))

    def test_the_sets_have_every_candidate_once(self):
        told = self.told
        self.assertEqual(told.n_candidates, N)
        self.assertTrue(all(told.n_for(each) for each in (*Reason,)[2:5]))
        self.assertEqual(len(self.moved.outputCoordinates), told.n_accepted)
        self.assertEqual(len(self.moved.outputParticles), told.n_accepted)
        self.assertEqual(len(self.moved.outputCoordinatesRejected), N - told.n_accepted)
        self.assertTrue(told.expected.has_intervals)

    def test_the_window_counts_what_the_sets_hold(self):
        for protocol in (self.first, self.moved):
            viewer, told = self.view(protocol), readAcceptance(protocol)
            overview, threshold = viewer.reader()(), viewer.initialThreshold()
            text = overview.describe_kept(threshold)
            self.assertIn(f"{told.n_accepted} of {N} (", text)
            for reason in (Reason.BORDER, Reason.NEIGHBOUR):
                self.assertIn(f"{told.n_for(reason)} {reason.phrase}", text)
            expected = " ".join(overview.describe_expected(threshold).split())
            self.assertEqual(expected, told.expected.describe())
        # The window of the first one, with its line moved, promised the second one.
        promised = self.view(self.first).reader()().placed.n_kept(T)
        self.assertEqual(promised, self.told.n_accepted)

    def test_the_command_writes_what_the_sets_hold(self):
        moved = self.kept(self.moved)
        self.assertEqual(len(moved), self.told.n_accepted)
        self.assertEqual(self.export(), moved)  # the newest
        self.assertEqual(self.export("--selection", self.moved.getRunName()), moved)
        first = self.export("--selection", self.first.strId())
        self.assertEqual(first, self.kept(self.first))
        by_command = ("--selection", self.first.strId(), "--threshold", str(T))
        self.assertEqual(self.export(*by_command), moved)
        self.assertEqual(len(self.export("--all")), N)

    def test_a_selection_that_is_not_there(self):
        arguments = ["--format", "csv", "--out", str(self.data), "--selection", "none"]
        self.assertEqual(main(["export", self.proj.getPath(), *arguments]), 1)

    def test_the_summary_the_report_and_the_methods_say_the_same(self):
        sentence, expected = self.told.sentences()
        self.assertEqual(self.moved.summary()[:2], [sentence, expected])
        protocols = find_related(self.proj, self.moved)
        self.assertIn(sentence, write_methods(protocols).text)
        self.assertIn("less than 62.5 Å from another", write_methods(protocols).text)
        run = collect_run("run", protocols, {})
        self.assertEqual(run.scored.told, self.told)
        self.assertEqual(run.summary["acceptance"]["counts"], self.told.counts)
        path = self.data / "report.html"
        write_selection_report(self.proj, self.moved, path)
        page = html.unescape(re.sub(r"<[^>]+>", "\n", path.read_text()))
        for text in (sentence, expected):
            self.assertIn(text, page)
        for number in (
            str(self.told.n_accepted),
            self.told.expected.precision.describe(),
            self.told.expected.recall.describe(),
        ):
            self.assertIn(f"\n{number}\n", page)

    def test_figures_against_a_truth_are_of_what_is_kept(self):
        truth = {self.names[0]: self.view(self.first).reader()().table.yx[::3]}
        evaluated = new_protocol(
            self,
            ProtEvaluatePicks,
            inputCoordinates=output(self.scored, "outputCoordinates"),
            inputAccepted=output(self.moved, "outputCoordinates"),
            inputTruth=store_coordinates(self, truth),
        )
        self.assertEqual(evaluated.validate(), [])
        with launched_here():
            self.launchProtocol(evaluated)
        own = evaluated.readFigures()
        found = f"found by the {self.told.n_accepted} accepted of {N} picks"
        self.assertIn(found, evaluated.summary()[0])
        run = collect_run("run", find_related(self.proj, self.moved), {})
        differing = {name for name in own if own[name] != run.figures[name]}
        self.assertLessEqual(differing, {"threshold"})  # of the scores, or the rule
        # The same comparison tells of another selection what that one kept.
        other = find_related(self.proj, self.first)
        self.assertIn(evaluated.getObjId(), [each.getObjId() for each in other])
        self.assertNotIn(self.moved.getObjId(), [each.getObjId() for each in other])
        kept = readAcceptance(self.first).n_accepted
        self.assertEqual(collect_run("run", other, {}).figures["n_accepted"], kept)

        evaluated.threshold.set(T)
        [refused] = evaluated.validate()
        self.assertTrue(refused.startswith("Minimum score: it has no effect together"))

    def test_a_summary_has_paths_instead_of_links(self):
        path = reportPath(self.first).absolute()
        path.write_text("<!DOCTYPE html>")
        self.assertIn(f"Report: [[{path}][report.html]]", self.first.summary())
        run = collect_run("run", find_related(self.proj, self.first), {})
        told = run.summary["protocols"][self.first.getObjLabel()]
        self.assertIn(f"Report: {path}", told)
        path.unlink()

    def test_the_table_has_the_reasons_of_the_sets(self):
        from deepconsensus_plugin.commands.summary import _write_scores

        run = collect_run("run", find_related(self.proj, self.moved), {})
        _write_scores(self.data / "scores.csv", run.scored)
        table = read_scores_csv(self.data / "scores.csv")
        words = in_words(table.reason)
        counts = {word or "accepted": words.count(word) for word in set(words)}
        self.assertEqual(counts, {k: n for k, n in self.told.counts.items() if n})
        kept = self.kept(self.moved)
        np.testing.assert_array_equal(
            table.accepted, [tuple(yx) in kept for yx in table.yx]
        )
