# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting ``ctf=FILE``: the CTFs of the micrographs, given to all that uses them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from deepconsensus_plugin.commands.fields import Node, RunTemplate
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.ctf_files import read_ctfs

IMPORT_CTFS = "ProtImportCtfs"

_IMPORT_MICROGRAPHS = "ProtImportMicrographs"
_USERS = (
    *("ProtDeepConsensusTrain", "ProtDeepConsensusScore"),
    "ProtDeepConsensusScreen",
)
"""Protocols that flip phases by CTFs, or write them with particles."""


def with_microscope(settings: RunSettings, template: RunTemplate) -> RunSettings:
    """Return the settings with voltage, aberration and contrast of the CTFs' file.

    What the user gives stays; if it differs, the import of the CTFs says so.

    Raises
    ------
    ValueError, OSError
        If the file of CTFs cannot be read.
    """
    if settings.ctf is None:
        return settings
    ctf = next(iter(read_ctfs(Path(settings.ctf)).values()))
    told = {
        "voltage": ctf.voltage_kV,
        "sphericalAberration": ctf.spherical_aberration_mm,
        "amplitudeContrast": ctf.amplitude_contrast,
    }
    known = {
        name: f"{value:.6g}" for name, value in told.items() if name in template.aliases
    }
    return dataclasses.replace(settings, values={**known, **settings.values})


def with_ctfs(nodes: list[Node], path: str | None) -> list[Node]:
    """Import the CTFs behind the micrographs, and give them to all that uses them.

    Raises
    ------
    ValueError
        If the template imports no micrographs, or nothing in it uses CTFs.
    """
    if path is None:
        return nodes
    classes = [node["object.className"] for node in nodes]
    if _IMPORT_MICROGRAPHS not in classes or not {*classes} & {*_USERS}:
        raise ValueError(
            "ctf: it has no effect on this template, which imports no micrographs or "
            "has nothing that uses CTFs; leave it out"
        )
    first = classes.index(_IMPORT_MICROGRAPHS)
    imported = {
        "object.className": IMPORT_CTFS,
        "object.id": "9003",
        "object.label": "CTFs",
        "inputMicrographs": f"{nodes[first]['object.id']}.outputMicrographs",
        "filesPath": path,
    }
    given = [
        {**node, "ctfRelations": "9003.outputCTF"}
        if node["object.className"] in _USERS
        else node
        for node in nodes
    ]
    return [*given[: first + 1], imported, *given[first + 1 :]]
