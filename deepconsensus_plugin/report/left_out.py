# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that a run left out since their files cannot be read, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.serialisation import read_json, write_json
from deepconsensus_plugin.protocols.shared.skipped_micrographs import leftOutBy

IMPORT_MICROGRAPHS = "ProtImportMicrographs"
_LIST, _REASONS = "left_out.txt", "left_out.json"


def leave_out(folder: Path, protocol: Protocol, left_out: Mapping[Path, str]) -> None:
    """Let Scipion's import of micrographs leave some out, and keep the reasons.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    protocol : Protocol
        The import.
    left_out : mapping of Path to str
        Why each of them cannot be read.
    """
    reasons = {str(path): reason for path, reason in left_out.items()}
    write_json(folder / _REASONS, {"micrographs": reasons})
    # Scipion reads lines as regular expressions; a plain name fits parts of others too.
    lines = [re.escape(path).replace("\n", ".") + "$\n" for path in reasons]
    write_text(folder / _LIST, "".join(lines))
    protocol.blacklistFile.set(str(folder / _LIST))
    protocol.useRegexps.set(True)


def read_left_out(protocols: Sequence[Protocol]) -> dict[str, str]:
    """Return why micrographs were left out, by name; empty where none were.

    By the command *run* before their import, and by protocols whose form asks for it.
    """
    found: dict[str, str] = {}
    for protocol in protocols:
        found |= read_not_imported(protocol) | leftOutBy(protocol)
    return found


def read_not_imported(protocol: Protocol) -> dict[str, str]:
    """Return why an import left micrographs out, by name; empty where it did not."""
    if protocol.getClassName() != IMPORT_MICROGRAPHS:
        return {}
    listed = Path(protocol.blacklistFile.get() or "")
    if listed.name != _LIST or not (reasons := listed.with_name(_REASONS)).is_file():
        return {}
    known = read_json(reasons)["micrographs"]
    return {Path(path).name: str(reason) for path, reason in known.items()}
