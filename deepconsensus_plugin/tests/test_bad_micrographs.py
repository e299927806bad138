# SPDX-License-Identifier: GPL-3.0-or-later
"""A micrograph without signal in a project: what stages, window, table and report say.

The networks have random weights, so that nothing is trained.
"""

from __future__ import annotations

import mrcfile
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.constants import REASON_ATTRIBUTE
from deepconsensus_plugin.convert import candidates_from_set
from deepconsensus_plugin.core.acceptance.expectation import describe_withheld
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusNegatives,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtEvaluatePicks,
)
from deepconsensus_plugin.protocols.consensus.picks_input import readPicks
from deepconsensus_plugin.protocols.deep_consensus.acceptance import readAcceptance
from deepconsensus_plugin.protocols.screen.screen_following import ScreenFollower
from deepconsensus_plugin.protocols.screen.screen_scores import judgeForm
from deepconsensus_plugin.protocols.screen.screen_stages import ScreenStages
from deepconsensus_plugin.report.reported_run import collect_run
from deepconsensus_plugin.report.selections import find_related
from deepconsensus_plugin.set_columns import read_scores
from deepconsensus_plugin.tests.in_process import jobs_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject, pick
from deepconsensus_plugin.viewers import DeepConsensusScoresViewer
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.scores.micrograph import MicrographPlot

BAD = "mic_2.mrc"
SEED = 7


def read_reasons(items) -> dict[str, set[str]]:
    """Return the reasons of the items of each micrograph."""
    found: dict[str, set[str]] = {}
    for item in items.iterItems():
        words = found.setdefault(item.getMicName(), set())
        words.add(getattr(item, REASON_ATTRIBUTE).get())
    return found


@slow
class TestBadMicrograph(SyntheticProject):
    """Two pickers that agree everywhere, above all on a micrograph of NaN."""

    names = ("mic_1.mrc", BAD, "mic_3.mrc", "mic_4.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with mrcfile.mmap(cls.data / "micrographs" / BAD, "r+") as file:
            file.data[:] = np.nan
        found = [
            pick(cls.truth, seed=seed, recall=0.8, jitter_px=1, n_false=6)
            for seed in (1, 2)
        ]
        for picks in found:
            picks[BAD] = ScoredCoordinates.from_arrays(cls.truth[BAD])
        cls.picks = [
            store_coordinates(cls, {name: here.yx for name, here in picks.items()})
            for picks in found
        ]
        cls.model = store_model(cls, write_untrained_model(cls.data / "model"))
        cls.consensus = new_protocol(cls, ProtDeepConsensusPicks)
        cls.consensus.inputCoordinates.set(cls.picks)
        cls.launchProtocol(cls.consensus)
        cls.scored = cls.score(output(cls.consensus, "outputCoordinatesOR"))
        cls.selected = new_protocol(
            cls,
            ProtDeepConsensusSelect,
            inputParticles=output(cls.scored, "outputParticles"),
            thresholdMode=2,
        )
        cls.launchProtocol(cls.selected)
        cls.n_bad = len(cls.truth[BAD])

    @classmethod
    def score(cls, candidates) -> ProtDeepConsensusScore:
        protocol = new_protocol(
            cls,
            ProtDeepConsensusScore,
            inputCoordinates=candidates,
            inputModel=cls.model,
            writeStacks=True,
            seed=SEED,
        )
        cls.launchProtocol(protocol)
        return protocol

    def test_nothing_on_it_is_agreed_or_a_negative(self):
        self.assertIn(f"WARNING: {BAD}: ", self.consensus.summary()[0])
        agreed = candidates_from_set(self.consensus.outputCoordinatesAND)
        self.assertFalse(agreed.are_on({BAD}).any())
        negatives = new_protocol(
            type(self),
            ProtDeepConsensusNegatives,
            inputCoordinates=output(self.consensus, "outputCoordinatesOR"),
        )
        self.launchProtocol(negatives)
        where = {i.getMicName() for i in negatives.outputCoordinatesNEG.iterItems()}
        self.assertEqual(where, {*self.names} - {BAD})

    def test_nothing_on_it_is_selected(self):
        self.assertGreater(len(self.selected.outputCoordinates), 0)
        kept = read_reasons(self.selected.outputCoordinates)
        self.assertNotIn(BAD, kept)
        rejected = read_reasons(self.selected.outputCoordinatesRejected)
        self.assertEqual(rejected[BAD], {Reason.MICROGRAPH.word})
        others = set().union(*(rejected[name] for name in rejected if name != BAD))
        self.assertNotIn(Reason.MICROGRAPH.word, others)
        for protocol in (self.scored, self.selected):
            told = readAcceptance(protocol)
            self.assertEqual(told.n_for(Reason.MICROGRAPH), self.n_bad)
            text = "\n".join(protocol.summary())
            self.assertIn(f"; {self.n_bad} on bad micrographs.", text)
        table = read_scores_csv(self.scored._getExtraPath("scores.csv"))
        self.assertEqual(in_words(table.reason).count("micrograph"), self.n_bad)

    def test_the_window_shows_it(self):
        viewer = DeepConsensusScoresViewer(project=self.proj, protocol=self.selected)
        overview, threshold = viewer.reader()(), viewer.initialThreshold()
        told = readAcceptance(self.selected)
        self.assertEqual(overview.placed.n_kept(threshold), told.n_accepted)
        self.assertEqual(overview.placed.n_kept(0.0), len(read_known(self.scored)))
        text = overview.describe_kept(threshold)
        self.assertIn(f"less {self.n_bad} on bad micrographs", text)
        expected = " ".join(overview.describe_expected(threshold).split())
        self.assertEqual(expected, describe_withheld(told.why))
        micrographs = overview.table.micrographs
        canvas = FigureCanvasAgg(Figure(figsize=(5, 5)))
        plot = MicrographPlot(canvas.figure, box_size=BOX)
        for name in (BAD, self.names[0], BAD):
            number = micrographs.names.index(name)
            path, rate = micrographs.paths[number], micrographs.sampling_rate
            picture = MicrographPicture.read(name, path, rate)
            plot.show(picture, overview.picks_on(number), threshold)
            canvas.draw()
            last = canvas.figure.axes[0].get_legend().get_texts()[-1].get_text()
            told = f"bad micrograph ({self.n_bad})" if name == BAD else "low score ("
            self.assertTrue(last.startswith(told), last)

    def test_the_command_writes_nothing_on_it(self):
        for options in ((), ("--threshold", "0")):
            out = self.data / "exported"
            arguments = ["--format", "csv", "--out", str(out), *options]
            self.assertEqual(main(["export", self.proj.getPath(), *arguments]), 0)
            found = read_picks(out / "coordinates.csv")
            self.assertEqual(len(found.get(BAD, ())), 0)
            self.assertGreater(len(found[self.names[0]]), 0)

    def test_the_report_says_so(self):
        run = collect_run("run", find_related(self.proj, self.selected), {})
        self.assertTrue(run.masks.is_dir())
        self.assertEqual(run.scored.told, readAcceptance(self.selected))
        self.assertEqual(run.summary["acceptance"]["counts"]["micrograph"], self.n_bad)
        bad = run.scored.candidates.are_on({BAD})
        self.assertTrue((run.scored.reason[bad] == Reason.MICROGRAPH).all())
        self.assertFalse((run.scored.reason[~bad] == Reason.MICROGRAPH).any())

    def test_it_is_compared_with_a_truth(self):
        truth = store_coordinates(type(self), self.truth)
        comparison = new_protocol(
            type(self),
            ProtEvaluatePicks,
            inputCoordinates=output(self.scored, "outputCoordinates"),
            inputTruth=truth,
        )
        self.assertEqual(comparison.validate(), [])
        self.launchProtocol(comparison)
        self.assertIn("F1", "\n".join(comparison.summary()))

    def test_candidates_of_any_set_are_judged_where_they_are_cut(self):
        scored = self.score(self.picks[0])  # it does not know who looked where
        told = readAcceptance(scored)
        self.assertEqual(told.n_for(Reason.MICROGRAPH), self.n_bad)
        known = candidates_from_set(scored.outputCoordinates)
        self.assertEqual(known.bad_micrographs, (BAD,))

    def new_screen(self) -> ProtDeepConsensusScreen:
        screen = new_protocol(
            type(self),
            ProtDeepConsensusScreen,
            seed=SEED,
            **{"modelInitialization": 1, "initialModel": self.model},
            skipTraining=True,
            thresholdMode=2,
        )
        screen.inputCoordinates.set(self.picks)
        self.assertEqual(screen.validate(), [])
        return screen

    def test_while_inputs_grow_it_is_known_too(self):
        screen = self.new_screen()
        follower = ScreenFollower(screen, self.data / "preliminary", "form")
        follower._pickers = readPicks(screen)
        for names, bad in ((self.names, (BAD,)), (self.names[2:], ())):
            stages = ScreenStages(screen, self.data / "preliminary")
            with jobs_here():
                candidates = follower._candidatesOn(names, stages)
            self.assertEqual(candidates.bad_micrographs, bad)
            accepted, _ = judgeForm(screen, candidates, np.ones(len(candidates)))
            on_bad = accepted.reason == Reason.MICROGRAPH
            np.testing.assert_array_equal(on_bad, candidates.are_on({BAD}))

    def test_one_form_says_what_the_stages_say(self):
        screen = self.new_screen()
        self.launchProtocol(screen)
        mine, theirs = readAcceptance(screen), readAcceptance(self.selected)
        self.assertEqual(mine.counts, theirs.counts)
        self.assertEqual(mine.expected, theirs.expected)
        reasons = read_reasons(screen.outputCoordinatesScored)
        self.assertEqual(reasons[BAD], {Reason.MICROGRAPH.word})
        self.assertIn(f"WARNING: {BAD}: ", "\n".join(screen.summary()))


def read_known(scored: ProtDeepConsensusScore) -> np.ndarray:
    """Return the scores of the candidates that have one."""
    scores = read_scores(scored.outputCoordinates)
    return scores[np.isfinite(scores)]
