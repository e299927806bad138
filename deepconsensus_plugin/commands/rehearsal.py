# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsal of a run: all that can be known to be wrong, before the first stage.

The protocols of the run are asked what is wrong with their forms, as Scipion does when
each starts. They see inputs as far as these are known: the micrographs' headers, the
files of picks, the models.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pwem import Domain
from pwem.objects import (
    Coordinate,
    SetOfCoordinates,
    SetOfCTF,
    SetOfMicrographs,
    SetOfParticles,
)
from pwem.objects import Micrograph as ScipionMicrograph
from pyworkflow.object import Pointer, PointerList
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.fields import Node, matching_files
from deepconsensus_plugin.core.alignment import describe_confinement
from deepconsensus_plugin.core.io.micrographs import MicrographHeader, read_header
from deepconsensus_plugin.core.pick_files.folders import read_with_remarks
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.bad_micrographs import (
    describe_bad_micrographs,
    find_bad_micrographs,
)
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.protocols import (
    ProtImportCtfs,
    ProtImportModel,
    ProtImportParticleStacks,
    ProtImportPicks,
)
from deepconsensus_plugin.protocols.consensus.protocol_import_picks import READING
from deepconsensus_plugin.protocols.shared.input_checks import describeLargeBox

IMPORT_MICROGRAPHS = "ProtImportMicrographs"
CONSENSUS = "ProtDeepConsensusPicks"
TRAIN = "ProtDeepConsensusTrain"
_PACKAGE = "deepconsensus_plugin"
_IN_MEMORY = ":memory:"


def check_run(nodes: Sequence[Node], left_out: Collection[Path] = ()) -> list[str]:
    """Refuse a run that would fail later; return what is to be said of its picks.

    Parameters
    ----------
    nodes : sequence of dict
        All protocols, in their order, with their values.
    left_out : collection of Path
        Micrographs that are not used.

    Raises
    ------
    ValueError
        If something is wrong; names all of it, each with the protocol.
    """
    rehearsal = _Rehearsal(left_out)
    with _warnings_only():
        for node in nodes:
            rehearsal.add(node)
    faults = [*_describe_few_pickers(nodes), *rehearsal.faults]
    if len(faults) == 1:
        raise ValueError(faults[0])
    if faults:
        listed = "\n".join(f"  {fault}" for fault in dict.fromkeys(faults))
        raise ValueError(f"the run cannot start:\n{listed}")
    return rehearsal.remarks


@contextmanager
def _warnings_only() -> Iterator[None]:
    """Keep what readers of picks log to what is worth a warning."""
    log = logging.getLogger(f"{_PACKAGE}.core")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def _describe_few_pickers(nodes: Sequence[Node]) -> list[str]:
    """Return a sentence if there are too few pickers to train on what they agree on."""
    kinds = {node["object.className"] for node in nodes}
    found = [
        len(node["inputCoordinates"])
        for node in nodes
        if node["object.className"] == CONSENSUS
    ]
    if TRAIN not in kinds or not found or min(found) >= 2:
        return []
    return [
        "picks: at least two pickers are needed, since the network is trained on what "
        f"they agree on; received {min(found)}. To score one picker's picks with a "
        "model that was trained before, take the template deep_consensus_reuse"
    ]


@dataclass(eq=False)
class _Rehearsal:
    """Protocols of a run that are not run, with what is known of their outputs."""

    left_out: Collection[Path] = ()
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _protocols: dict[str, Protocol] = field(default_factory=dict)
    _micrographs: list[Micrograph] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Ask a protocol what is wrong with its form, and note its outputs."""
        kind = Domain.getProtocols()[node["object.className"]]
        protocol = kind()
        self._protocols[node["object.id"]] = protocol
        for name, value in node.items():
            if protocol.hasAttribute(name):
                self._set(protocol, name, value)
        if node["object.className"] == IMPORT_MICROGRAPHS:
            self._note_micrographs(protocol, node)
        if not kind.__module__.startswith(_PACKAGE):
            return
        faults = list(protocol._validate())
        if not faults and isinstance(protocol, ProtImportModel):
            model = protocol._chosenModel().folder
            protocol.outputModel = ParticleClassifier(str(model))
        if not faults and isinstance(protocol, ProtImportPicks):
            faults += self._note_picks(protocol)
        if not faults and isinstance(protocol, ProtImportCtfs):
            faults += self._note_ctfs(protocol)
        if not faults and isinstance(protocol, ProtImportParticleStacks):
            self._note_particles(protocol)
        label = node["object.label"]
        self.faults += [f"{label}: {fault}" for fault in faults]

    def _set(self, protocol: Protocol, name: str, value: object) -> None:
        attribute = getattr(protocol, name)
        if isinstance(attribute, PointerList):
            for each in value:
                attribute.append(self._pointer(each))
        elif isinstance(attribute, Pointer):
            if value:
                attribute.copy(self._pointer(value), copyId=False)
        else:
            attribute.set(value)

    def _pointer(self, text: str) -> Pointer:
        """Return the pointer that ``2.outputCoordinates`` means."""
        number, _, output = text.partition(".")
        return Pointer(self._protocols[number], extended=output)

    def _note_micrographs(self, protocol: Protocol, node: Node) -> None:
        """Read all headers; the smallest micrograph stands for the set."""
        headers = read_headers(node["filesPath"], self.left_out)
        rate = protocol.samplingRate.get()
        if not headers or not rate > 0:
            return  # told by who reads the settings
        self._micrographs = [
            Micrograph(path.name.replace(" ", ""), path, header.shape, rate)
            for path, header in headers.items()
        ]
        bad = find_bad_micrographs(self._micrographs)
        self.remarks += describe_bad_micrographs(bad)
        smallest = min(self._micrographs, key=lambda each: min(each.shape))
        item = ScipionMicrograph(location=str(smallest.path))
        item.setMicName(smallest.name)
        micrographs = SetOfMicrographs(filename=_IN_MEMORY)
        micrographs.setSamplingRate(rate)
        micrographs.append(item)
        protocol.outputMicrographs = micrographs

    def _note_ctfs(self, protocol: ProtImportCtfs) -> list[str]:
        """Match the CTFs with the micrographs; return why they cannot be used."""
        names = [micrograph.name for micrograph in self._micrographs]
        try:
            n_found = len(protocol.readMatched(names)) if names else 0
        except (ValueError, OSError) as error:
            return [str(error)]
        if n_found < len(names):
            self.remarks.append(
                f"WARNING: CTFs of {n_found} of {len(names)} micrographs; the others "
                "are not used."
            )
        protocol.outputCTF = SetOfCTF(filename=_IN_MEMORY)
        return []

    def _note_particles(self, protocol: ProtImportParticleStacks) -> None:
        """Note the first particle; it stands for the set."""
        particles = SetOfParticles(filename=_IN_MEMORY)
        protocol.fillParticles(particles, limit=1)
        protocol.outputParticles = particles
        n_given = len(protocol.readTable())
        self.remarks.append(f"{protocol.getPath().name}: {n_given} particles.")

    def _note_picks(self, protocol: ProtImportPicks) -> list[str]:
        """Read the files of picks; return why they cannot be used."""
        names = [micrograph.name for micrograph in self._micrographs]
        if not names or len({*names}) < len(names):
            return []  # Scipion will give micrographs of one name other ones
        try:
            found = read_with_remarks(
                protocol._folder(),
                self._micrographs,
                picker=protocol.getPickerName(),
                options=READING.read(protocol),
            )
        except (ValueError, OSError) as error:
            return [str(error)]
        picks = found.picks
        micrographs = protocol.inputMicrographs.get()
        coordinates = SetOfCoordinates(filename=_IN_MEMORY)
        coordinates.setMicrographs(protocol.inputMicrographs)
        coordinates.setBoxSize(round(picks.box_size))
        if len(picks):
            coordinates.append(Coordinate(x=0, y=0))  # not empty: one stands for all
        protocol.outputCoordinates = coordinates
        recorded = "" if protocol.boxSize.get() else ", as the files record it"
        self.remarks.append(
            f"{picks.picker}: {len(picks)} picks on {len(picks.coordinates)} of "
            f"{len(names)} micrographs; box {picks.box_size:g} px{recorded}."
        )
        self.remarks += found.remarks
        shapes = {each.name: each.shape for each in self._micrographs}
        if (said := describe_confinement(picks, shapes)) is not None:
            self.remarks.append(f"WARNING: {said}")
        if not len(picks):
            return [f"{protocol._folder()}: there are no picks on these micrographs"]
        return describeLargeBox("Box size", picks.box_size, micrographs)


def read_headers(
    pattern: str, left_out: Collection[Path] = ()
) -> Mapping[Path, MicrographHeader]:
    """Return the header of every micrograph that a path with wildcards stands for.

    Raises
    ------
    ValueError
        If files are no micrographs; names the first of them.
    """
    headers, faults = {}, []
    for path in map(Path, matching_files(pattern)):
        if path in left_out:
            continue
        try:
            headers[path] = read_header(path)
        except (ValueError, OSError) as error:
            faults.append(str(error))
    if faults:
        others = f", nor {len(faults) - 1} others" if faults[1:] else ""
        raise ValueError(
            f"{faults[0]}. It cannot be used{others}; --skip-bad leaves such "
            "micrographs out"
        )
    return headers
