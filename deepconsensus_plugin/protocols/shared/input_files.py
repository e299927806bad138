# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a run reads: those of its form, and the micrographs of its sets."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from pwem.objects import EMSet, SetOfMicrographs
from pyworkflow.object import Object, Pointer, PointerList
from pyworkflow.protocol import Protocol, ProtStreamingBase
from pyworkflow.protocol.params import PathParam

from deepconsensus_plugin.core.digests import digest, digest_content


def digestInputFiles(protocol: Protocol, *, without: Container[str] = ()) -> str | None:
    """Return a digest of the files that a run reads; another one if they are exchanged.

    None while its inputs may grow, and if there are no files. Files that lines in
    `without` name are left out.
    """
    if isinstance(protocol, ProtStreamingBase):
        return None
    paths = dict.fromkeys(_inputFiles(protocol, without))
    found = [[str(path), digest_content(path)] for path in paths if path.is_file()]
    return digest(found) if found else None


def _inputFiles(protocol: Protocol, without: Container[str]) -> Iterator[Path]:
    for name, param in protocol.getDefinition().iterParams():
        if name in without:
            continue
        attribute = getattr(protocol, name)
        if isinstance(param, PathParam):
            yield from _filesAt(attribute.get())
        elif isinstance(attribute, PointerList | Pointer):
            for pointer in [attribute] if isinstance(attribute, Pointer) else attribute:
                yield from _micrographFiles(pointer.get())


def _filesAt(text: str | None) -> Iterator[Path]:
    path = Path(text or "")
    if text and path.is_dir():
        yield from sorted(path.rglob("*"))
    elif text:
        yield path


def _micrographFiles(items: Object | None) -> Iterator[Path]:
    """Yield the files of the micrographs that a set is of."""
    if not isinstance(items, EMSet):
        return
    micrographs = items
    if not isinstance(items, SetOfMicrographs):
        micrographs = getattr(items, "getMicrographs", lambda: None)()
    if micrographs is not None:
        for micrograph in micrographs.iterItems():
            yield Path(micrograph.getFileName())
