# SPDX-License-Identifier: GPL-3.0-or-later
"""Wizard of the threshold of a selection, set in the window of scores."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import SPACING
from deepconsensus_plugin.viewers.scores.frame import Action
from deepconsensus_plugin.viewers.viewer_scores import (
    DeepConsensusScoresViewer,
    ScoreWindow,
)
from deepconsensus_plugin.wizards.form_wizard import FormWizard

_PARAM = "threshold"


class DeepConsensusThresholdWizard(FormWizard):
    """Drags a line over the histogram of scores."""

    _title = "Score cutoff"
    _targets = [
        (ProtDeepConsensusSelect, [_PARAM]),
        (ProtDeepConsensusScreen, [_PARAM]),
    ]

    def describeFault(self, protocol: Protocol) -> str:
        """Return what has to be filled in, or run, before."""
        isSelection = isinstance(protocol, ProtDeepConsensusSelect)
        scored = protocol.scoredItems().get() if isSelection else None
        if isSelection and (scored is None or scored.isEmpty()):
            return (
                "Choose scored particles or coordinates first: the output of *score "
                "particles*, which must not be empty."
            )
        return _viewerOf(protocol).describeFault()

    def openWindow(self, form) -> None:
        """Open the window of scores; its button writes the threshold into the form."""

        def use(threshold: float) -> str:
            form.setVar(_PARAM, round(threshold, 4))
            window.root.after_idle(window.close)
            return f"The form now has the score cutoff {threshold:.4g}."

        window = ScoreWindow(
            _viewerOf(form.protocol).reader(SPACING.read(form.protocol)),
            title=f"{self._title}: {form.protocol.getRunName()}",
            masterWindow=form,
            actions=[Action("Use this cutoff", use)],
            threshold=form.protocol.threshold.get(),
        )
        window.show(center=False)


def _viewerOf(protocol: Protocol) -> DeepConsensusScoresViewer:
    return DeepConsensusScoresViewer(project=protocol.getProject(), protocol=protocol)
