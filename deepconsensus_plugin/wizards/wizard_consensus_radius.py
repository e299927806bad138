# SPDX-License-Identifier: GPL-3.0-or-later
"""Wizard of the consensus radius, which shows what pickers agree on at each radius."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.consensus.radius import RadiusStudy
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusPicks,
    ProtDeepConsensusScreen,
)
from deepconsensus_plugin.protocols.consensus.picks_input import pickedBox, readPicks
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.wizards.form_wizard import (
    FormWizard,
    describeMicrographs,
    inputMicrographsOf,
    shownMicrographs,
)
from deepconsensus_plugin.wizards.radius_frame import RadiusFrame
from deepconsensus_plugin.wizards.value_dialog import ValueDialog

_PARAM = "consensusRadius"


class DeepConsensusRadiusWizard(FormWizard):
    """Drags a line over curves of agreement, beside a micrograph with the picks."""

    _title = "Consensus radius"
    _targets = [
        (ProtDeepConsensusPicks, [_PARAM]),
        (ProtDeepConsensusScreen, [_PARAM]),
    ]

    def describeFault(self, protocol: Protocol) -> str:
        """Return what has to be filled in before."""
        pointers = list(protocol.inputCoordinates)
        sets = [picks for pointer in pointers if (picks := pointer.get()) is not None]
        if len(sets) < max(2, len(pointers)):
            return (
                "Choose the picks of at least two pickers first; the radius decides "
                "which of them agree."
            )
        if fault := describeMicrographs(protocol):
            return fault
        if any(picks.isEmpty() for picks in sets):
            return "A set of picks is empty; choose another one."
        boxes = [picks.getBoxSize() for picks in sets]
        if protocol.boxSize.get() is None and not all(boxes):
            return "A set of picks has no box size; give a box size first (Advanced)."
        if not protocol.mergeRadius.get() > 0:
            return "Merge radius: it must be above 0; the default is 0.3."
        return ""

    def openWindow(self, form) -> None:
        """Open the window."""
        protocol = form.protocol
        study = self.study(protocol)
        shown = shownOf(study, protocol)
        value = protocol.consensusRadius.get() or study.merge_radius
        ValueDialog(
            form.root,
            self._title,
            lambda parent: RadiusFrame(parent, study, shown, value=value),
            lambda chosen: form.setVar(_PARAM, chosen),
        )

    def study(self, protocol: Protocol) -> RadiusStudy:
        """Return the picks of a form, of some micrographs."""
        return RadiusStudy.of_some(
            readPicks(protocol),
            box_size=pickedBox(protocol),
            merge_radius=protocol.mergeRadius.get(),
        )


def shownOf(study: RadiusStudy, protocol: Protocol) -> ShownMicrographs:
    """Return the micrographs of a study, in its order."""
    every = shownMicrographs(
        protocol, inputMicrographsOf(protocol), boxSize=study.box_size
    )
    return every.only(study.micrographs)
