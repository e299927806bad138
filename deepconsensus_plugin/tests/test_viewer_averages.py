# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of averages: what it takes from a run, and what marks are made into."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from deepconsensus_plugin.convert import candidates_from_set
from deepconsensus_plugin.core.averages.marks import (
    Mark,
    Marks,
    marks_path,
    write_marks,
)
from deepconsensus_plugin.core.averages.table import AveragesTable, write_averages
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
    ProtDeepConsensusSelectAverages,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.protocols.shared.run_averages import readRunAverages
from deepconsensus_plugin.report.averages import write_averages_section
from deepconsensus_plugin.set_columns import read_ids
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.stored_sets import new_protocol, output, store_scored
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject
from deepconsensus_plugin.viewers import (
    DeepConsensusAveragesViewer,
    DeepConsensusScoresViewer,
)
from deepconsensus_plugin.viewers.frame_window import FrameView
from deepconsensus_plugin.viewers.viewer_averages import NO_AVERAGES

SCORES = np.linspace(0.99, 0.01, 24)
AVERAGE = np.repeat([0, 1, 2, -1], (10, 7, 6, 1))
"""Of items in the order of their ids."""
ORDER = np.random.default_rng(0).permutation(24)
"""The item of each candidate in the files of a run."""
YX = np.stack([100 + 8 * np.arange(24), 60 + 14 * np.arange(24)], axis=1)


def store_averages(protocol: ProtDeepConsensusScore) -> None:
    """Write averages as a run would do, its candidates in another order than items."""
    rng = np.random.default_rng(1)
    files, n = chainFilesOf(protocol), len(SCORES)
    table = AveragesTable(
        average=AVERAGE[ORDER],
        angle_deg=rng.uniform(0, 360, n),
        offset_yx=rng.uniform(-2, 2, (n, 2)),
        amplitude=rng.random(n),
        correlation=rng.random(n),
        images=rng.normal(size=(3, 40, 40)).astype(np.float32),
        resolution_A=np.array([18.0, 25.0, np.inf]),
        pixel_size_A=BOX * SAMPLING_RATE / 40,
        diameter_A=70.0,
    )
    write_averages(files.averages, table)
    np.save(files.positions, ORDER)


class TestAveragesViewer(SyntheticProject):
    """Averages of a scored run, whose files have another order than its items."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scored = store_scored(cls, SCORES, yx=YX, network_score=0.5)
        cls.scored.inputCoordinates.copy(output(cls.scored, "outputCoordinates"))
        cls.proj._storeProtocol(cls.scored)
        store_averages(cls.scored)

    def scores(self, protocol) -> DeepConsensusScoresViewer:
        return DeepConsensusScoresViewer(project=self.proj, protocol=protocol)

    def select(self, **options) -> ProtDeepConsensusSelectAverages:
        protocol = new_protocol(type(self), ProtDeepConsensusSelectAverages, **options)
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def test_averages_are_those_of_the_items(self):
        shown = self.scores(self.scored).averages(0.6).reader()()
        np.testing.assert_array_equal(shown.table.average, AVERAGE)
        np.testing.assert_array_equal(shown.yx, YX)
        self.assertEqual(shown.pickers, ("one", "two"))
        self.assertTrue(shown.found.all())
        self.assertEqual(shown.members.n_accepted.tolist(), [10, 0, 0])
        self.assertEqual(shown.micrographs.names, self.names)

    def test_items_that_were_left_out_belong_to_no_average(self):
        ids = chainFilesOf(self.scored).folder / "ids.npy"
        np.save(ids, ORDER + 2)  # the first item was not averaged, the last is unknown
        self.addCleanup(ids.unlink)
        table = readRunAverages(self.scored).table
        np.testing.assert_array_equal(table.average, [-1, *AVERAGE[:-1]])

    def test_marks_select_the_coordinates(self):
        averages = self.scores(self.scored).averages(0.5)
        with launched_here():
            selection = averages.select(Marks((0,), (2,)), wait=True)
        self.assertTrue(selection.isFinished(), selection.getErrorMessage())
        items = {
            suffix: {*read_ids(getattr(selection, f"outputCoordinates{suffix}"))}
            for suffix in ("", "Good", "Bad")
        }
        ids = np.arange(1, 25)
        self.assertEqual(items["Good"], {*ids[AVERAGE == 0].tolist()})
        self.assertEqual(items["Bad"], {*ids[AVERAGE == 2].tolist()})
        self.assertEqual(items[""], {*ids[AVERAGE != 2].tolist()})
        self.assertEqual(selection.outputCoordinatesGood.getBoxSize(), BOX)
        self.assertEqual(selection.summary()[0], "18 kept of 24 candidates.")
        viewer = DeepConsensusAveragesViewer(project=self.proj, protocol=selection)
        (view,) = viewer._visualize(selection)
        self.assertIsInstance(view, FrameView)

    def test_a_selection_by_score_is_selected_by_its_averages(self):
        with launched_here():
            by_score = self.scores(self.scored).selectAtThreshold(0.5, wait=True)
        self.assertIsInstance(by_score, ProtDeepConsensusSelect)
        coordinates = output(by_score, "outputCoordinates")
        kept = self.select(inputCoordinates=coordinates, badAverages="1")
        expected = np.flatnonzero((SCORES >= 0.5) & (AVERAGE != 0)) + 1
        self.assertEqual(read_ids(kept.outputCoordinates), expected.tolist())
        averages = self.scores(by_score).averages(0.5)
        self.assertEqual(averages.reader()().members.n_members.tolist(), [10, 7, 6])

    def test_wrong_numbers_are_told(self):
        def errors(good: str, bad: str) -> str:
            protocol = new_protocol(
                type(self),
                ProtDeepConsensusSelectAverages,
                inputCoordinates=output(self.scored, "outputCoordinates"),
                goodAverages=good,
                badAverages=bad,
            )
            return "\n".join(protocol.validate())

        self.assertIn("Good averages: expected numbers", errors("one", ""))
        self.assertIn("3 cannot be good and bad", errors("1-3", "3"))
        self.assertIn("Bad averages: there are 3 averages, received 7", errors("", "7"))
        self.assertEqual(errors("1", "2"), "")

    def test_without_averages_it_says_so(self):
        plain = store_scored(type(self), SCORES[:3])
        self.assertIsNone(self.scores(plain).averages(0.5))
        self.assertEqual(self.scores(plain)._show_averages(0.5), NO_AVERAGES)
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusSelectAverages,
            inputCoordinates=output(plain, "outputCoordinates"),
        )
        self.assertIn("has made no averages", "\n".join(protocol.validate()))

    def test_the_report_has_a_section_with_both_galleries(self):
        coordinates = self.scored.outputCoordinates
        candidates = candidates_from_set(coordinates)
        # The first average has five accepted and five rejected members.
        accepted = np.isin(np.arange(24), [*range(5), *range(17, 23)])
        run = SimpleNamespace(
            only=lambda *_: self.scored,
            scored=SimpleNamespace(candidates=candidates, accepted=accepted),
        )
        shown = self.scores(self.scored).averages(0.5).reader()()
        write_marks(shown.path, shown.marks.set(1, Mark.GOOD))
        self.addCleanup(marks_path(shown.path).unlink)
        page = "\n".join(write_averages_section(run))
        self.assertEqual(page.count("<img "), 2)
        self.assertIn("23 candidates were aligned", page)
        self.assertIn(
            "halves agree on 2 of them, with 74% of the candidates; ",
            page,
        )
        self.assertIn("Marked as good: 2.", page)
        self.assertEqual(page.count("src="), page.count('src="data:image/png;base64'))
        run.only = lambda *_: None
        self.assertEqual([*write_averages_section(run)], [])
