# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that a run leaves out since their files cannot be read.

What was found is kept in a file of the run, with size and time of every micrograph:
compressed ones, which have to be read whole, are read once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyworkflow.protocol.params as params
from pwem.objects import SetOfMicrographs
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import micrograph_names
from deepconsensus_plugin.core.serialisation import read_json, write_json
from deepconsensus_plugin.core.usable_area.bad_micrographs import (
    describe_left_out,
    find_unreadable,
)
from deepconsensus_plugin.core.usable_area.parameters import UnreadableChoice
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm

SKIPPING = ParameterForm(UnreadableChoice)
_FILE, _KNOWN = "unreadable.json", "micrographs"


def defineSkipParam(form: params.Form) -> None:
    """Add the choice of what becomes of micrographs that cannot be read."""
    SKIPPING.define(form)


def leftOutOf(protocol: Protocol, micrographs: SetOfMicrographs) -> dict[str, str]:
    """Return why micrographs of a set are left out, by name.

    Empty where the form does not ask for it, or does not have the choice.

    Raises
    ------
    ValueError
        If none can be read.
    """
    name = SKIPPING.name_of("skip_bad")
    if not hasattr(protocol, name) or not SKIPPING.read(protocol).skip_bad:
        return {}
    known, found = _read(protocol), {}
    names = micrograph_names(micrographs)
    paths = [item.getFileName() for item in micrographs.iterItems()]
    # A set that is being filled has more by now.
    for own, path in zip(names, paths, strict=False):
        seen = known.get(path, {})
        if seen.get("state") != (state := _state(Path(path))):
            reason = next(iter(find_unreadable([Path(path)]).values()), "")
            seen = {"name": own, "state": state, "reason": reason}
        found[path] = seen
    left_out = {each["name"]: each["reason"] for each in found.values()}
    left_out = {own: reason for own, reason in left_out.items() if reason}
    if found and len(left_out) == len(found):
        own, reason = next(iter(left_out.items()))
        raise ValueError(f"no micrograph can be read, such as {own}: {reason}")
    if known | found != known:
        write_json(_path(protocol), {_KNOWN: known | found})
    return left_out


def leftOutBy(protocol: Protocol) -> dict[str, str]:
    """Return why micrographs were left out by a run, by name."""
    known = _read(protocol).values()
    return {each["name"]: each["reason"] for each in known if each["reason"]}


def describeLeftOut(protocol: Protocol) -> list[str]:
    """Return a warning that counts and names what a run left out; none without any."""
    return describe_left_out(leftOutBy(protocol))


def _path(protocol: Protocol) -> Path:
    return Path(protocol._getExtraPath(_FILE))


def _read(protocol: Protocol) -> dict[str, Any]:
    path = _path(protocol)
    return dict(read_json(path)[_KNOWN]) if path.is_file() else {}


def _state(path: Path) -> list[int]:
    """Return size and time of a file; nothing where it is gone."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
