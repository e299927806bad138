# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a comparison with the truth."""

from __future__ import annotations

from pyworkflow.gui.plotter import Plotter
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.protocols.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.viewers.precision_recall import draw_precision_recall


class DeepConsensusEvaluationViewer(Viewer):
    """Precision-recall curve of the picks, beside a blind lattice."""

    _label = "precision and recall"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtEvaluatePicks]

    def _visualize(self, obj: ProtEvaluatePicks, **kwargs) -> list[View]:
        figures = obj.readFigures()
        if figures is None:
            message = "There are no figures yet: wait until the run has finished."
            return [self.infoMessage(message, "Precision and recall")]
        plotter = Plotter(figsize=(7, 5), windowTitle="Precision and recall")
        plotter.tightLayoutOn = False  # the figure arranges itself
        draw_precision_recall(plotter.getFigure(), obj.readCurve(), figures)
        return [plotter]
