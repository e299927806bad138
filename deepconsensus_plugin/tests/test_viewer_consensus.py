# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of a consensus: what it draws of three pickers that are known."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from deepconsensus_plugin.core.calibration import reliability
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtDeepConsensusPicks
from deepconsensus_plugin.tests.drawn_plots import drawn
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject, pick
from deepconsensus_plugin.viewers import DeepConsensusPicksViewer
from deepconsensus_plugin.viewers.tabs.micrographs_pane import PicksView
from deepconsensus_plugin.viewers.viewer_consensus import ConsensusShown

N_PER_MICROGRAPH = 25


class TestPicksViewer(SyntheticProject):
    """All pickers find all particles; the third is 10 px off, and was run once less."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        picks = {
            name: pick(cls.truth, seed=seed, jitter_px=1, n_false=n_false)
            for seed, (name, n_false) in enumerate({"good": 0, "odd": 5}.items())
        }
        picks["shifted"] = {
            name: ScoredCoordinates(here.yx + np.array([10, 0]), here.scores)
            for name, here in pick(cls.truth, seed=9, jitter_px=1).items()
            if name != cls.names[-1]
        }
        imported = [cls.importPicks(name, found) for name, found in picks.items()]
        cls.consensus = cls.newProtocol(ProtDeepConsensusPicks)
        outputs = [each.outputCoordinates for each in imported]
        cls.consensus.inputCoordinates.set(outputs)
        cls.launchProtocol(cls.consensus)

    def view(self, protocol):
        viewer = DeepConsensusPicksViewer(project=self.proj, protocol=protocol)
        [view] = viewer._visualize(protocol)
        return view

    def draw(self, title: str) -> Figure:
        plot = self.view(self.consensus).tabs[title].read()
        return drawn(plot)

    def test_agreement_and_combinations(self):
        axes = self.draw("Agreement").axes[0]
        cells = [text.get_text() for text in axes.texts]
        self.assertEqual(cells[0], "75")  # of the first picker
        self.assertEqual(cells[1], "100%\n75")  # and the second found them too
        bars = self.draw("Combinations").axes[0]
        heights = [bar.get_height() for bar in bars.patches]
        self.assertEqual(sum(heights), len(self.consensus.readCandidates()))
        self.assertEqual(heights, sorted(heights, reverse=True))

    def test_offsets_tell_the_shift(self):
        figure = self.draw("Offsets")
        titles = "\n".join(axes.get_title(loc="left") for axes in figure.axes)
        self.assertRegex(titles, r"(?s)shifted.*(9|10)\.\d px\s+below")

    def test_the_radius_that_was_used_and_the_plateau(self):
        axes = self.draw("Radius").axes[0]
        labels = [line.get_label() for line in axes.lines]
        self.assertEqual(
            labels[:3], ["all 3 pickers", "2 or more of 3 pickers", "used: 0.1"]
        )
        plateau = self.consensus.readReport().curve.plateau
        self.assertEqual(labels[3], f"plateau: {plateau:g}")
        self.assertGreater(plateau, 0.1)  # the third picker is 0.25 of the box off

    def test_reliability_of_every_picker(self):
        with patch.object(reliability, "find_objection", return_value=None):
            figure = self.draw("Reliability")
        names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        self.assertEqual(names, ["good", "odd", "shifted"])

    def test_where_nothing_tells_the_reliability_the_reason_stands(self):
        told = ConsensusShown(self.consensus).reliability()
        self.assertIn("precision and recall are not estimated. Pickers agree on", told)

    def test_micrographs_are_coloured_by_votes_or_by_a_picker(self):
        marked = self.view(self.consensus).tabs["Micrographs"].read()
        self.assertEqual(marked.micrographs.names, self.names)
        self.assertTrue(marked.micrographs.paths[0].is_absolute())
        self.assertEqual(
            [*marked.colourings], ["number of pickers", "good", "odd", "shifted"]
        )
        candidates = self.consensus.readCandidates()
        here = marked.colourings["number of pickers"](self.names[0])
        n_first = int((candidates.micrograph_index == 0).sum())
        self.assertEqual(sum(map(len, here.values())), n_first)
        view = self.drawn_on(here)
        self.assertEqual(self._n_circles(view), n_first)
        last = marked.colourings["shifted"](self.names[-1])
        n_last = int((candidates.micrograph_index == 2).sum())
        view.show_picks(last)  # instead of the others
        self.assertEqual(self._n_circles(view), n_last)
        labels = [text.get_text() for text in view.axes.get_legend().get_texts()]
        self.assertEqual(
            labels,
            [
                "shifted and others (0)",
                "shifted alone (0)",
                f"others only ({n_last})",
            ],
        )

    def drawn_on(self, picks) -> PicksView:
        canvas = FigureCanvasAgg(Figure((5, 4)))
        view = PicksView(canvas.figure, box_size=BOX)
        view.show_picks(picks)
        canvas.draw()
        return view

    def _n_circles(self, view: PicksView) -> int:
        circles = [c for c in view.axes.collections if isinstance(c, EllipseCollection)]
        return sum(len(each.get_offsets()) for each in circles)

    def test_before_the_run_it_says_so(self):
        message = self.view(self.newProtocol(ProtDeepConsensusPicks))
        self.assertIn("no candidates yet", message.getMessage())

    def test_one_picker_has_nothing_to_compare(self):
        shown = ConsensusShown(self.consensus)
        shown.candidates = shown.candidates.take(shown.candidates.votes < 0)
        self.assertIn("single picker", shown.reliability())
