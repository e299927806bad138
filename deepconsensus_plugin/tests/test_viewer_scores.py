# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of scores: what is drawn, counted, and launched."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_scored,
)
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject
from deepconsensus_plugin.viewers import DeepConsensusScoresViewer
from deepconsensus_plugin.viewers.score_histogram import (
    describe_selection,
    draw_score_histogram,
)

SCORES = (0.9, 0.1, 0.5, 0.49, 0.7, 0.5, 0.0, 1.0)


class TestScoresViewer(SyntheticProject):
    """Open on a scored set and on a selection from it, without a display."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scored = store_scored(cls, SCORES)

    def view(self, protocol) -> DeepConsensusScoresViewer:
        viewer = DeepConsensusScoresViewer(project=self.proj, protocol=protocol)
        viewer.setProtocol(protocol)
        return viewer

    def test_the_threshold_is_moved_and_selected_with(self):
        viewer = self.view(self.scored)
        self.assertEqual(viewer.threshold.get(), 0.5)
        self.assertEqual(viewer.validate(), [])
        handlers = viewer._getVisualizeDict()
        viewer.threshold.set(0.6)
        (message,) = handlers["showCounts"]("showCounts")
        self.assertEqual(message.getMessage(), "3 of 8 (38%) kept at score ≥ 0.6")
        (plotter,) = handlers["showHistogram"]("showHistogram")
        axes = plotter.getFigure().axes[0]
        self.assertEqual(axes.get_title(), message.getMessage())
        plotter.close()

        selection = viewer.selectAtThreshold(wait=True)
        self.assertIsInstance(selection, ProtDeepConsensusSelect)
        self.assertEqual(selection.outputParticles.getSize(), 3)
        self.assertEqual(selection.outputCoordinatesRejected.getSize(), 5)
        self.assertIn("0.6", selection.getObjLabel())
        self._check_viewer_of(selection)

    def _check_viewer_of(self, selection: ProtDeepConsensusSelect):
        """All that was selected from is there, at the threshold that was used."""
        viewer = self.view(selection)
        self.assertEqual(viewer.threshold.get(), 0.6)
        (message,) = viewer._showCounts()
        self.assertEqual(message.getMessage(), "3 of 8 (38%) kept at score ≥ 0.6")

    def test_coordinates_alone_are_enough(self):
        scored = store_scored(type(self), SCORES[:4], particles=False)
        viewer = self.view(scored)
        self.assertIn("2 of 4", viewer._showCounts()[0].getMessage())

    def test_before_the_run_it_says_so(self):
        for protocol in (
            self.newProtocol(ProtDeepConsensusScore),
            self.newProtocol(ProtDeepConsensusSelect),
        ):
            self.assertIn("no scores yet", self.view(protocol).validate()[0])
        waiting = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(self.scored, "outputParticles"),
        )
        self.assertEqual(self.view(waiting).validate(), [])
        plain = store_coordinates(type(self), {self.names[0]: np.full((2, 2), BOX)})
        waiting = new_protocol(
            type(self), ProtDeepConsensusSelect, inputCoordinates=plain
        )
        self.assertIn("never scored", self.view(waiting).validate()[0])


def drawn(scores: np.ndarray, threshold: float) -> list[Axes]:
    figure = Figure()
    draw_score_histogram(figure, scores, threshold=threshold)
    figure.canvas.draw()
    return figure.axes


def heights(axes: Axes) -> list[float]:
    """Return the sum of the bars of each colour."""
    return [sum(bar.get_height() for bar in bars) for bars in axes.containers]


def test_bars_are_split_exactly_at_the_threshold():
    scores = np.array([0.301, 0.305, 0.309, 0.9])  # three in one bar
    axes, right = drawn(scores, 0.305)
    assert heights(axes) == [1, 3]
    (curve,) = right.get_lines()
    at, n_kept = curve.get_data()
    for threshold in (0.0, 0.302, 0.5, 1.0):
        nearest = np.abs(at - threshold).argmin()
        assert n_kept[nearest] == (scores >= at[nearest]).sum()


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (np.empty(0), [0, 0]),
        (np.array([np.nan]), [0, 0]),
        (np.array([0.5]), [0, 1]),
        (np.array([-3.0, 0.0, 1.0, 7.5]), [2, 2]),  # not of a network: nothing is cut
    ],
)
def test_any_scores_can_be_drawn(scores, expected):
    axes, _ = drawn(scores, 0.5)
    assert heights(axes) == expected


def test_counts_include_what_has_no_score():
    scores = np.array([0.5, 0.4, np.nan])
    assert describe_selection(scores, 0.5) == "1 of 3 (33%) kept at score ≥ 0.5"
    assert describe_selection(np.empty(0), 0.5) == "0 of 0 kept at score ≥ 0.5"
