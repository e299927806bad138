# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that a run left out since their files cannot be read, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.serialisation import read_json, write_json

IMPORT_MICROGRAPHS = "ProtImportMicrographs"
_LIST, _REASONS = "left_out.txt", "left_out.json"
_NAMED_AT_MOST = 5


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
    """Return why micrographs were left out, by name; empty where none were."""
    for protocol in protocols:
        if protocol.getClassName() == IMPORT_MICROGRAPHS:
            listed = Path(protocol.blacklistFile.get() or "")
            reasons = listed.with_name(_REASONS) if listed.name == _LIST else None
            if reasons is not None and reasons.is_file():
                known = read_json(reasons)["micrographs"]
                return {Path(path).name: str(reason) for path, reason in known.items()}
    return {}


def describe_left_out(left_out: Mapping[str, str]) -> list[str]:
    """Return a warning that counts and names what was left out; none without any."""
    if not left_out:
        return []
    n = len(left_out)
    named = [f"{name} ({reason})" for name, reason in left_out.items()]
    more = [f"{n - _NAMED_AT_MOST} more"] if n > _NAMED_AT_MOST else []
    listed = "; ".join([*named[:_NAMED_AT_MOST], *more])
    which = "1 micrograph is" if n == 1 else f"{n} micrographs are"
    return [f"WARNING: {which} left out, which cannot be read: {listed}."]
