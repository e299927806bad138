# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprint of a form and its files: *Continue* reruns every step after a change.

Scipion compares every step with the one at the same place of the previous run, by its
name and arguments alone. A step that is equal is not run, even where one before it
was. So every step of every protocol gets a fingerprint as argument.
"""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path

from pyworkflow.object import Object, Pointer, PointerList
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import GPU_LIST, USE_GPU

from deepconsensus_plugin.protocols.shared.input_files import digestInputFiles

_FILES = "files"
"""Beside the parameters: digest of the files that the run reads."""

WITHOUT_EFFECT = frozenset(
    {
        *("runName", "runMode", "hostName", USE_GPU, GPU_LIST),
        *("numberOfThreads", "numberOfMpi", "binThreads", "scheduler"),
        *("doPreliminarPredictions", "extractingBatch", "preliminaryPositives"),
        "streamingSleepOnWait",
    }
)
"""Parameters that say how a run is carried out, not what comes out."""


def fingerprint(protocol: Protocol, *, without: Container[str] = ()) -> str:
    """Return all that changes results: choices on the form, and input files, as JSON.

    Sets are identified by the run that made them and the name of the output; an empty
    choice is ``null``. Equal forms and files give equal strings in every process. Lines
    in `without`, with their files, are left out, for steps that they do not change.
    """
    names = (name for name, _ in protocol.getDefinition().iterParams())
    chosen = {
        name: _plain(getattr(protocol, name))
        for name in names
        if name not in WITHOUT_EFFECT and name not in without
    }
    if (files := digestInputFiles(protocol, without=without)) is not None:
        chosen[_FILES] = files
    return json.dumps(chosen, sort_keys=True)


def _plain(attribute: Object) -> object:
    if isinstance(attribute, PointerList):
        return [_plain(pointer) for pointer in attribute]
    if isinstance(attribute, Pointer):
        return attribute.getUniqueId() if attribute.hasValue() else None
    return attribute.get()


def emptyStaleOutputs(protocol: Protocol, made: Container[str]) -> None:
    """Empty the outputs of a previous run that the present one does not make.

    A run cannot take them away: the project keeps every output that it knows.

    Parameters
    ----------
    protocol : Protocol
        In its last step; its outputs are sets.
    made : container of str
        Names of the outputs that it makes; these are left alone.
    """
    for name, output in list(protocol.iterOutputAttributes()):
        if name not in made:
            output.close()
            Path(output.getFileName()).unlink(missing_ok=True)
            output.load()
            output.write()
            protocol._store(output)
