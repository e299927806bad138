# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of masks: outlines of what is in the way, and the coordinates on it."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import area_path, read_area
from deepconsensus_plugin.core.usable_area.permitting import (
    are_permitted,
    distance_of,
)
from deepconsensus_plugin.plots.colours import AREA, SKY
from deepconsensus_plugin.protocols.consensus.protocol_mask import (
    ProtDeepConsensusMask,
)
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.viewers.tabs.frame import TabsView
from deepconsensus_plugin.viewers.tabs.tab import (
    MarkedMicrographs,
    MicrographsTab,
    Picks,
)

_TITLE = "Masks"
_COLOURING = "what is kept"
_NOTHING_YET = "There are no masks yet; wait until the run has finished."


class DeepConsensusMaskViewer(Viewer):
    """Micrographs with the outlines of their masks."""

    _label = "masked micrographs"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusMask]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        if not obj.hasAttribute("outputMasks"):
            return [self.infoMessage(_NOTHING_YET, _TITLE)]
        tab = MicrographsTab("Micrographs", MasksShown(obj).marked)
        return [TabsView(f"{_TITLE}: {obj.getRunName()}", [tab], self.getParent())]


class MasksShown:
    """Content of the window of finished masks.

    Parameters
    ----------
    protocol : ProtDeepConsensusMask
        The run.
    """

    def __init__(self, protocol: ProtDeepConsensusMask):
        micrographs = protocol.getInputMicrographs()
        coordinates = protocol.inputCoordinates.get()
        folder = Path(protocol.getProject().getPath()).absolute()
        box_size = 0 if coordinates is None else coordinates.getBoxSize() or 0
        self._micrographs = ShownMicrographs.of_set(
            micrographs, folder=folder, box_size=box_size, masks=protocol.getMasks()
        )
        self._picks: dict[str, ScoredCoordinates] | None = None
        if coordinates is not None:
            self._picks = coordinates_from_set(coordinates, micrographs=micrographs)
        self._avoid = protocol.readChoice().avoid_contamination

    def marked(self) -> MarkedMicrographs:
        """Return the micrographs, with the coordinates that were cleaned, if any."""
        return MarkedMicrographs(self._micrographs, {_COLOURING: self.picks_on})

    def picks_on(self, name: str) -> Picks:
        """Return what is left and what was removed on a micrograph."""
        if self._picks is None:
            return {}
        here = self._picks.get(name, ScoredCoordinates.from_arrays([])).yx
        area = read_area(area_path(self._micrographs.masks, name))
        kept = are_permitted(distance_of(area, here), avoid_contamination=self._avoid)
        return {("kept", SKY): here[kept], ("removed", AREA): here[~kept]}
