# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the training viewers: the entries they share, and the model's summary."""

from __future__ import annotations

import textwrap

from pyworkflow.protocol.params import LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer, View

from deepconsensus_plugin.protocols.shared.model_summary import describeModel

TITLE = "Training"
_WIDTH = 80
"""Letters in a line of a message; Scipion makes room for as many lines as it gets."""

_CARD = ("showCard", "The model in words", "What it was made from, and its figures.")


class TrainingWindow(ProtocolViewer):
    """A window of entries, each of which opens something; the last one is the card.

    Subclasses name theirs, with the method ``_show…`` of the same name.
    """

    _environments = [DESKTOP_TKINTER]
    _entries: tuple[tuple[str, str, str], ...] = ()
    """Name of the form's parameter, label, help."""

    def _defineParams(self, form):
        form.addSection(label=TITLE)
        for name, label, help_ in self._allEntries():
            form.addParam(name, LabelParam, label=label, help=help_)

    def _getVisualizeDict(self):
        return {name: getattr(self, f"_{name}") for name, _, _ in self._allEntries()}

    def _allEntries(self) -> tuple[tuple[str, str, str], ...]:
        return (*self._entries, _CARD)

    def _showCard(self, paramName=None) -> list[View]:
        if not self.protocol.hasAttribute("outputModel"):
            return self._say("There is no model yet: wait until the run has finished.")
        card = self.protocol.outputModel.getCard()
        versions = ", ".join(f"{name} {v}" for name, v in card.versions.items())
        lines = [*describeModel(card), f"Made with {versions}."]
        return self._say("\n".join(textwrap.fill(line, _WIDTH) for line in lines))

    def _say(self, message: str) -> list[View]:
        return [self.infoMessage(message, TITLE)]
