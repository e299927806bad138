# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of a consensus: what it draws of three pickers that are known."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtDeepConsensusPicks
from deepconsensus_plugin.tests.synthetic import SyntheticProject, pick
from deepconsensus_plugin.viewers import DeepConsensusPicksViewer

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

    def view(self, protocol) -> DeepConsensusPicksViewer:
        viewer = DeepConsensusPicksViewer(project=self.proj, protocol=protocol)
        viewer.setProtocol(protocol)
        return viewer

    def draw(self, viewer: DeepConsensusPicksViewer, name: str) -> Figure:
        [plotter] = viewer._getVisualizeDict()[name](name)
        figure = plotter.getFigure()
        figure.canvas.draw()
        return figure

    def test_agreement_and_combinations(self):
        viewer = self.view(self.consensus)
        self.assertEqual(viewer.validate(), [])
        axes = self.draw(viewer, "showAgreement").axes[0]
        cells = [text.get_text() for text in axes.texts]
        self.assertEqual(cells[0], "75")  # of the first picker
        self.assertEqual(cells[1], "100%\n75")  # and the second found them too
        bars = self.draw(viewer, "showCombinations").axes[0]
        heights = [bar.get_height() for bar in bars.patches]
        self.assertEqual(sum(heights), len(viewer.candidates))
        self.assertEqual(heights, sorted(heights, reverse=True))

    def test_offsets_tell_the_shift(self):
        figure = self.draw(self.view(self.consensus), "showOffsets")
        titles = "\n".join(axes.get_title(loc="left") for axes in figure.axes)
        self.assertRegex(titles, r"(?s)shifted.*(9|10)\.\d px\s+below")

    def test_reliability_of_every_picker(self):
        figure = self.draw(self.view(self.consensus), "showReliability")
        names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        self.assertEqual(names, ["good", "odd", "shifted"])

    def test_micrographs_one_after_the_other(self):
        viewer = self.view(self.consensus)
        browser = self.draw(viewer, "showMicrographs").browser
        self.assertEqual(self._n_circles(browser), self._n_on(viewer, 0))
        browser.step(-1)
        self.assertEqual(browser.micrographs[browser.index].name, self.names[-1])
        viewer.overlayPicker.set(1 + viewer._pickers().index("shifted"))
        browser.step(0)
        texts = browser._picture.axes[0].get_legend().get_texts()
        labels = [text.get_text() for text in texts]
        n_last = self._n_on(viewer, 2)
        self.assertEqual(
            labels,
            [
                "shifted and others (0)",
                "shifted alone (0)",
                f"others only ({n_last})",
            ],
        )

    def _n_on(self, viewer: DeepConsensusPicksViewer, index: int) -> int:
        return int((viewer.candidates.micrograph_index == index).sum())

    def _n_circles(self, browser) -> int:
        collections = browser._picture.axes[0].collections
        circles = [c for c in collections if isinstance(c, EllipseCollection)]
        return sum(len(each.get_offsets()) for each in circles)

    def test_before_the_run_it_says_so(self):
        viewer = self.view(self.newProtocol(ProtDeepConsensusPicks))
        self.assertIn("no candidates yet", viewer.validate()[0])

    def test_one_picker_has_nothing_to_compare(self):
        viewer = self.view(self.consensus)
        only = viewer.candidates.take(viewer.candidates.votes < 0)
        viewer.__dict__["candidates"] = only
        [message] = viewer._showReliability()
        self.assertIn("single picker", message.getMessage())
