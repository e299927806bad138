# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer of a training, on the files that a job leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.deep_consensus.held_out import (
    HeldOut,
    held_out_path,
    write_held_out,
)
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import TrainRequest, TrainResult
from deepconsensus_plugin.core.jobs import result_path, write_job
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.plots.training import draw_history
from deepconsensus_plugin.protocols import ProtDeepConsensusTrain
from deepconsensus_plugin.tests.drawn_plots import drawn
from deepconsensus_plugin.tests.stored_sets import store_outputs
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject
from deepconsensus_plugin.viewers import DeepConsensusTrainViewer
from deepconsensus_plugin.viewers.tabs.tab import PlotTab
from deepconsensus_plugin.viewers.training_tabs import history_tab

HISTORY = [
    Checkpoint(10, 1e-3, 0.7, 0.6, 0.7),  # of a version that kept no precision
    Checkpoint(20, 1e-3, 0.5, 0.4, 0.8, 0.9),
    Checkpoint(30, 1e-4, 0.3, 0.5, 0.75, 0.85),
]


class TestTrainViewer(SyntheticProject):
    """Two networks were trained; of six held-out boxes two are wrong."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.training = store_outputs(cls, ProtDeepConsensusTrain, lambda _: {})
        job = cls.training.getJob()
        model = job.with_name("model")
        request = TrainRequest(
            micrographs=micrographs_from_set(cls.micrographs),
            sources=(),
            box_size=BOX,
            preprocessing=BoxPreprocessing(),
            parameters=TrainingParameters(n_models=2),
            dataset=job.with_name("boxes.h5"),
            model=model,
        )
        write_job(job, request)
        write_held_out(held_out_path(model), cls._heldOut())
        result = TrainResult(model, 3, 3, [], None, [HISTORY, HISTORY[:2]])
        write_json(result_path(job), {"result": to_plain(result)})

    @classmethod
    def _heldOut(cls) -> HeldOut:
        rows = LabelledCoordinates(
            sources=("all",),
            micrographs=cls.names,
            is_particle=np.array([True, True, True, False, False, False]),
            weight=np.ones(6, np.float32),
            source=np.zeros(6, int),
            micrograph=np.zeros(6, int),
            yx=cls.truth[cls.names[0]][:6],
        )
        scores = np.array([0.9, 0.8, 0.1, 0.2, 0.7, 0.3])
        return HeldOut.of(rows, [(np.arange(6), scores), (np.arange(2, 6), scores[2:])])

    def tabs(self, protocol) -> dict[str, PlotTab]:
        viewer = DeepConsensusTrainViewer(project=self.proj, protocol=protocol)
        [view] = viewer._visualize(protocol)
        return view.tabs

    def draw(self, title: str) -> Figure:
        return drawn(self.tabs(self.training)[title].read())

    def test_history_of_all_networks(self):
        figure = self.draw("History")
        loss, accuracy, precision, rate = figure.axes
        self.assertEqual(loss.lines[0].get_ydata().tolist(), [0.6, 0.4, 0.5])
        best = loss.lines[2].get_xydata()
        self.assertEqual(best.tolist(), [[20, 0.4]])  # the lowest validation loss
        self.assertEqual(accuracy.lines[1].get_ydata().tolist(), [0.7, 0.8])
        self.assertEqual(
            precision.lines[0].get_xydata().tolist(), [[20, 0.9], [30, 0.85]]
        )
        self.assertEqual(rate.lines[0].get_ydata().tolist(), [1e-3, 1e-3, 1e-4])
        self.assertIn("2 networks", figure.get_suptitle())

    def test_validation_curves(self):
        roc, precision = self.draw("Validation").axes
        labels = [text.get_text() for text in roc.get_legend().get_texts()]
        few = "network 1: too few held-out boxes (3 + 3) to tell"
        self.assertEqual(labels[0], few)
        self.assertEqual(precision.lines[0].get_xydata()[0].tolist(), [1 / 3, 1])

    def test_worst_mistakes_are_shown_with_their_scores(self):
        figure = self.draw("Worst mistakes")
        captions = [t.get_text() for axes in figure.axes for t in axes.texts]
        self.assertEqual(captions, ["0.10", "0.70"])

    def test_before_the_run_it_says_so(self):
        tabs = self.tabs(self.newProtocol(ProtDeepConsensusTrain))
        for title in ("Validation", "Worst mistakes", "Model summary"):
            self.assertIn("the run has", tabs[title].read())
        plot = tabs["History"].read()
        self.assertTrue(plot.is_final)
        self.assertEqual(drawn(plot).get_suptitle(), "No validation yet")

    def test_a_run_without_what_was_held_out(self):
        path = held_out_path(self.training.getJob().with_name("model"))
        moved = path.rename(Path(f"{path}.away"))
        text = self.tabs(self.training)["Worst mistakes"].read()
        self.assertIn("earlier version", text)
        moved.rename(path)


def test_the_history_is_drawn_again_while_it_grows():
    grown = [([], True), ([HISTORY[:1]], True), ([HISTORY[:1]], True)]
    tab = history_tab("", lambda: grown.pop(0), draw_history)
    nothing, begun, same = tab.read(), tab.read(), tab.read()
    assert not begun.is_final
    assert nothing.content != begun.content == same.content
    figure = drawn(begun)
    assert "Running: network 1, 10 updates" in figure.get_suptitle()
    assert len(figure.axes) == 3  # no precision was kept
    grown.append(([HISTORY], False))
    end = tab.read()
    assert end.is_final
    end.draw(figure)  # in place of what was there
    assert "Running" not in figure.get_suptitle()
    assert len(figure.axes) == 4
