# SPDX-License-Identifier: GPL-3.0-or-later
"""Open sets of a Scipion project, filled as a microscope and two pickers fill them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pwem.objects import Micrograph as ScipionMicrograph
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pwem.protocols import EMProtocol, ProtImportMicrographs
from pyworkflow.object import Pointer, Set
from pyworkflow.project import Project

from deepconsensus_plugin.convert import append_coordinates
from deepconsensus_plugin.core.types import Micrograph, PickerPicks
from deepconsensus_plugin.protocols import ProtImportPicks

LAG = 3
"""So many micrographs later than the first picker comes the second."""


class Feed:
    """An open set of micrographs, and the open sets of their pickers.

    Parameters
    ----------
    project : Project
        Loaded; its folder is the working directory.
    micrographs : sequence of Micrograph
        In the order in which they come.
    pickers : sequence of PickerPicks
        What is found on them.
    """

    def __init__(
        self,
        project: Project,
        micrographs: Sequence[Micrograph],
        pickers: Sequence[PickerPicks],
    ):
        self._project = project
        self._micrographs, self._pickers = list(micrographs), list(pickers)
        self._n_seen = 0
        source = self._store(ProtImportMicrographs, "microscope", self._no_micrographs)
        self._source = Pointer(source, extended="outputMicrographs")
        self._picking = [
            self._store(
                ProtImportPicks,
                picks.picker,
                partial(self._no_picks, box=round(picks.box_size)),
            )
            for picks in self._pickers
        ]

    @property
    def n_seen(self) -> int:
        """Micrographs that have come."""
        return min(self._n_seen, len(self._micrographs))

    def pointers(self) -> list[Pointer]:
        """Return pointers to the sets of the pickers."""
        return [Pointer(run, extended="outputCoordinates") for run in self._picking]

    def advance(self) -> bool:
        """Add one more micrograph and its picks; return whether any is left."""
        if self._n_seen < len(self._micrographs):
            self._append_micrograph(self._micrographs[self._n_seen])
        self._n_seen += 1
        for number in range(len(self._pickers)):
            if 0 <= (index := self._n_seen - 1 - LAG * number) < len(self._micrographs):
                self._append_picks(number, self._micrographs[index].name)
        return self._n_seen < len(self._micrographs) + LAG * (len(self._pickers) - 1)

    def close(self) -> None:
        """Close all sets."""
        for items in self._sets():
            _write(items, Set.STREAM_CLOSED)

    def _sets(self) -> list[Set]:
        return [self._source.get(), *(run.outputCoordinates for run in self._picking)]

    def _store(self, kind, label, make) -> EMProtocol:
        """Return a run with open outputs that no process makes."""
        run = self._project.newProtocol(kind)
        run.setObjLabel(label)
        self._project.saveProtocol(run)
        run.makePathsAndClean()
        run._defineOutputs(**make(run))
        run.setFinished()  # closes them
        for _, items in run.iterOutputAttributes():
            _write(items, Set.STREAM_OPEN)
        self._project._storeProtocol(run)
        return run

    def _no_micrographs(self, run: EMProtocol) -> dict[str, SetOfMicrographs]:
        micrographs = run._createSetOfMicrographs()
        micrographs.setSamplingRate(self._micrographs[0].sampling_rate)
        micrographs.getAcquisition().setVoltage(300)
        return {"outputMicrographs": micrographs}

    def _no_picks(self, run: EMProtocol, box: int) -> dict[str, SetOfCoordinates]:
        coordinates = run._createSetOfCoordinates(self._source)
        coordinates.setBoxSize(box)
        return {"outputCoordinates": coordinates}

    def _append_micrograph(self, micrograph: Micrograph) -> None:
        item = ScipionMicrograph(location=str(micrograph.path))
        item.setMicName(micrograph.name)
        item.setSamplingRate(micrograph.sampling_rate)
        items = self._source.get()
        items.enableAppend()
        items.append(item)
        _write(items, Set.STREAM_OPEN)

    def _append_picks(self, number: int, name: str) -> None:
        items = self._picking[number].outputCoordinates
        items.enableAppend()
        append_coordinates(
            items,
            self._source.get(),
            {name: self._pickers[number].coordinates[name]},
        )
        self._source.get().close()
        _write(items, Set.STREAM_OPEN)


def _write(items: Set, state: int) -> None:
    items.setStreamState(state)
    items.write()
    items.close()
