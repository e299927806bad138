# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion project of a run: created, or opened again with the same settings."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from pwem import Domain
from pyworkflow.constants import PROJECT_DBNAME
from pyworkflow.project import Manager, Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.fields import Node
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.io.atomic import PARTIAL
from deepconsensus_plugin.core.io.locks import LOCK_FILE, only_worker_in
from deepconsensus_plugin.core.serialisation import read_json, write_json
from deepconsensus_plugin.report.left_out import (
    IMPORT_MICROGRAPHS,
    leave_out,
    read_left_out,
)
from deepconsensus_plugin.report.run_parameters import picks_word

_RECORD = "run.json"
_FULL = "disk is full"
"""What SQLite says then."""

Protocols = dict[str, Protocol]
"""Protocols of a run by their id in the template."""


class RunFailedError(RuntimeError):
    """A protocol of the run failed; the message holds the end of its log."""


@contextmanager
def project_folder(folder: Path) -> Iterator[None]:
    """Work in a project's folder as the only run; it is made if it is not there.

    Raises
    ------
    ValueError
        If the folder holds something else, or a shell would run a part of its path.
    FolderInUseError
        If another run is at work in it.
    """
    # Scipion puts the path between double quotes, and has a shell start its processes.
    if held := [mark for mark in '"$`\\\n' if mark in str(folder)]:
        raise ValueError(
            f"{folder}: expected a path that a shell takes as it is, received one with "
            f"{held[0]!r}, which Scipion cannot start processes with. Take another "
            "--project"
        )
    _check_ours(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with only_worker_in(folder):
        yield


def open_run(folder: Path, settings: RunSettings) -> Project:
    """Return the project in `folder`, an absolute path, new or of an earlier run.

    Scipion makes it the working directory. A project keeps the settings it was made
    with, and what it finished stays.

    Raises
    ------
    ValueError
        If the folder holds a run with other settings, or something else.
    """
    _check_ours(folder)
    known = read_record(folder)
    project = Project(Domain, str(folder))
    if known.get("protocols"):
        _check_same(folder, known.get("settings"), settings)
        with explained(folder):
            _check_database(folder / PROJECT_DBNAME)
            project.load()
        return project
    # Without protocols, an earlier run was ended while it made the project.
    _write_record(folder, settings, None)
    with explained(folder):
        project.create()
    listed = Path(Manager().getProjectPath(folder.name))
    if not os.path.lexists(listed):
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.symlink_to(folder)
    return project


def _check_ours(folder: Path) -> None:
    """Refuse a folder with files that no run has made."""
    if folder.exists() and not read_record(folder):
        names = [path.name for path in folder.iterdir()]
        if any(n != LOCK_FILE and not n.startswith(PARTIAL) for n in names):
            raise ValueError(
                f"{folder}: expected a new folder, or one of an earlier run"
            )


def open_project(folder: Path) -> Project:
    """Return any project, not only one of `run`; its folder is the working directory.

    Raises
    ------
    ValueError
        If the folder holds none.
    """
    if not (folder / PROJECT_DBNAME).is_file():
        raise ValueError(
            f"{folder}: not a Scipion project (it has no {PROJECT_DBNAME})"
        )
    project = Project(Domain, str(folder))
    project.load()
    return project


def _check_database(path: Path) -> None:
    """Fail as SQLite does; Scipion would hide which kind of failure it is."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.execute("SELECT count(*) FROM sqlite_master")


def read_record(folder: Path) -> dict[str, Any]:
    """Return settings and protocols of the run in a folder; empty if there is none."""
    record = folder / _RECORD
    return read_json(record) if record.exists() else {}


def _write_record(
    folder: Path, settings: RunSettings, ids: dict[str, int] | None
) -> None:
    content = {"settings": settings.to_plain(), "protocols": ids}
    write_json(folder / _RECORD, content)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raise an error that names the project where Scipion fails on its files."""
    with ExitStack() as stack:
        stack.push(lambda kind, error, trace: _explain(folder, error))
        yield


def _explain(folder: Path, error: BaseException | None) -> None:
    # Scipion wraps errors of SQLite into ones that have no kind.
    is_scipions = isinstance(error, sqlite3.Error | KeyError)
    if not (is_scipions or type(error) is Exception):
        return
    said = " ".join(str(error).split())
    advice = (
        "Make room on the disk, then give the same command again"
        if _FULL in said
        else "Take another --project"
    )
    raise RunFailedError(
        f"{folder}: Scipion cannot use this project "
        f"({type(error).__name__}: {said}). {advice}"
    ) from error


def _check_same(folder: Path, received: object, settings: RunSettings) -> None:
    wanted = json.loads(json.dumps(settings.to_plain()))
    if received == wanted or not isinstance(received, dict):
        return
    before, now = _by_name(received), _by_name(wanted)
    changes = [
        f"{name} was {before.get(name, 'not given')}, now {now.get(name, 'not given')}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    raise ValueError(f"{folder}: {'; '.join(changes)}. Use a new --project")


def _by_name(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings in words, as the command line names them."""
    found = {name: str(value) for name, value in settings.get("values", {}).items()}
    for name, value in settings.items():
        if name == "picks" and value:
            found[name] = ",".join(map(picks_word, value))
        elif name != "values" and value not in (None, []):
            yes_no = {True: "yes", False: "no"}
            found[name] = yes_no[value] if isinstance(value, bool) else str(value)
    return found


def load_protocols(
    project: Project,
    settings: RunSettings,
    nodes: list[Node],
    left_out: Mapping[Path, str] | None = None,
) -> Protocols:
    """Return the protocols of the run, made from `nodes` in a new project.

    Micrographs that are `left_out`, with why, are not imported.
    """
    protocols = _load_protocols(project, settings, nodes)
    for protocol in protocols.values():
        if protocol.getClassName() == IMPORT_MICROGRAPHS:
            if left_out or read_left_out([protocol]):
                leave_out(Path(project.getPath()), protocol, left_out or {})
                # Scipion saves no form that others depend on.
                project._storeProtocol(protocol)
                project.mapper.commit()
    return protocols


def _load_protocols(
    project: Project, settings: RunSettings, nodes: list[Node]
) -> Protocols:
    folder = Path(project.getPath())
    ids = read_record(folder).get("protocols")
    with explained(folder):
        if ids:
            return _find_protocols(project, ids)
        loaded = project.loadProtocols(jsonStr=json.dumps(nodes))
        for node in nodes:
            protocol = loaded[node["object.id"]]
            protocol.setObjLabel(node["object.label"])
            project.saveProtocol(protocol)
    ids = {key: protocol.getObjId() for key, protocol in loaded.items()}
    _write_record(folder, settings, ids)
    return dict(loaded)


def _find_protocols(project: Project, ids: dict[str, int]) -> Protocols:
    for key, number in ids.items():
        if not project.doesProtocolExists(number):
            raise KeyError(f"protocol {key} is not in it any more")
    return {key: project.getProtocol(number) for key, number in ids.items()}
