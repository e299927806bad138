# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the wizards of forms."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pyworkflow.gui import dialog
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol
from pyworkflow.wizard import Wizard

from deepconsensus_plugin.convert import masks_of
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs


class FormWizard(Wizard):
    """Wizard that fills in a value of a form, or says what the form lacks."""

    _title = ""

    def show(self, form, *params) -> None:
        """Open the window of this wizard for a form of Scipion's."""
        if fault := self.describeFault(form.protocol):
            dialog.showWarning(self._title, fault, form.root)
        else:
            self.openWindow(form)

    def describeFault(self, protocol: Protocol) -> str:
        """Return what has to be filled in before; empty if nothing has to."""
        raise NotImplementedError

    def openWindow(self, form) -> None:
        """Open the window; what is chosen in it is written into the form."""
        raise NotImplementedError


def inputMicrographsOf(protocol: Protocol) -> SetOfMicrographs | None:
    """Return the micrographs that a form is about; None before they are chosen.

    Those of its labels, of the first of its sets of picks, or else of the form itself.
    """
    if not hasattr(protocol, "inputCoordinates"):
        return protocol.inputMicrographs.get()
    if isinstance(protocol.inputCoordinates, Pointer):
        return protocol.getInputMicrographs()
    first = next(iter(_chosenPicks(protocol)), None)
    if first is not None:
        return first.getMicrographs()
    given = getattr(protocol, "inputMicrographs", None)
    return None if given is None else given.get()


def masksOf(protocol: Protocol) -> Path | None:
    """Return the folder of masks that one of the chosen sets of picks knows of."""
    known = (masks_of(picks) for picks in _chosenPicks(protocol))
    return next((masks for masks in known if masks is not None), None)


def _chosenPicks(protocol: Protocol) -> list[SetOfCoordinates]:
    """Return the sets of picks that were chosen on a form."""
    chosen = getattr(protocol, "inputCoordinates", [])
    pointers = [chosen] if isinstance(chosen, Pointer) else chosen
    return [picks for each in pointers if (picks := each.get()) is not None]


def describeMicrographs(protocol: Protocol) -> str:
    """Return why there are no micrographs to show; empty if there are."""
    micrographs = inputMicrographsOf(protocol)
    if micrographs is None:
        return f"Choose {_whatHasMicrographs(protocol)} first, to measure on."
    if micrographs.isEmpty():
        return "The set of micrographs is empty; choose another one."
    return ""


def _whatHasMicrographs(protocol: Protocol) -> str:
    """Return what to choose on a form for it to have micrographs."""
    picks = protocol.getParam("inputCoordinates")
    if picks is None:
        return "the micrographs"
    if not picks.allowsNull:
        return "sets of picks, with their micrographs,"
    is_one = isinstance(protocol.inputCoordinates, Pointer)
    return "the micrographs" if is_one else "sets of picks, or the micrographs to pick,"


def shownMicrographs(
    protocol: Protocol, micrographs: SetOfMicrographs, *, boxSize: float = 0.0
) -> ShownMicrographs:
    """Return the micrographs of a set in the form's project."""
    folder = Path(protocol.getProject().getPath()).absolute()
    return ShownMicrographs.of_set(
        micrographs, folder=folder, box_size=boxSize, masks=masksOf(protocol)
    )
