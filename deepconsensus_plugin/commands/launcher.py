# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the protocols of a project one after another, with progress, and resumes."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pwem import Domain
from pyworkflow.project import Manager, Project
from pyworkflow.protocol import MODE_RESUME, Protocol
from tqdm import tqdm

from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.commands.workflow import Node
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.serialisation import read_json, write_json

logger = logging.getLogger(__name__)

_RECORD = "run.json"
_SECONDS_BETWEEN_LOOKS = 0.5
_LOG_LINES = 5
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

Protocols = dict[str, Protocol]
"""Protocols of a run by their id in the template."""


class RunFailedError(RuntimeError):
    """A protocol of the run failed; the message holds the end of its log."""


def open_run(folder: Path, settings: RunSettings) -> Project:
    """Return the project in `folder`, an absolute path, new or of an earlier run.

    Scipion makes it the working directory. A project keeps the settings it was made
    with, and what it finished stays.

    Raises
    ------
    ValueError
        If the folder holds a run with other settings, or something else.
    """
    record = folder / _RECORD
    project = Project(Domain, str(folder))
    if record.exists():
        _check_same(folder, read_json(record)["settings"], settings)
        project.load()
        return project
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: expected a new folder, or one of an earlier run")
    project.create()
    listed = Path(Manager().getProjectPath(folder.name))
    if not os.path.lexists(listed):
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.symlink_to(folder)
    return project


def _check_same(folder: Path, received: object, settings: RunSettings) -> None:
    wanted = json.loads(json.dumps(settings.to_plain()))
    if received == wanted or not isinstance(received, dict):
        return
    changed = [name for name in wanted if wanted[name] != received.get(name)]
    raise ValueError(
        f"{folder}: holds a run with other settings ({', '.join(changed)}). Take "
        "another --project, or delete it"
    )


def load_protocols(
    project: Project, settings: RunSettings, nodes: list[Node]
) -> Protocols:
    """Return the protocols of the run, made from `nodes` in a new project."""
    record = Path(project.getPath()) / _RECORD
    if record.exists():
        ids = read_json(record)["protocols"]
        return {key: project.getProtocol(number) for key, number in ids.items()}
    loaded = project.loadProtocols(jsonStr=json.dumps(nodes))
    for node in nodes:
        protocol = loaded[node["object.id"]]
        protocol.setObjLabel(node["object.label"])
        project.saveProtocol(protocol)
    ids = {key: protocol.getObjId() for key, protocol in loaded.items()}
    write_json(record, {"settings": settings.to_plain(), "protocols": ids})
    return dict(loaded)


def run_protocols(project: Project, protocols: Protocols) -> dict[str, StageCost]:
    """Run what is not finished, in order; return what each protocol took.

    Raises
    ------
    RunFailedError
        If one fails; those after it are not started.
    """
    costs = {}
    with tqdm(total=len(protocols), desc="protocols", disable=None) as bar:
        for protocol in protocols.values():
            label = protocol.getObjLabel()
            bar.set_postfix_str(label)
            costs[label] = _run(project, protocol)
            bar.update()
    return costs


def _run(project: Project, protocol: Protocol) -> StageCost:
    """Run one protocol unless it is finished, and keep what it took."""
    kept = Path(project.getPath(protocol.getWorkingDir() or "")) / "cost.json"
    if protocol.isFinished() and kept.exists():
        return StageCost(**read_json(kept))
    label = protocol.getObjLabel()
    logger.info("%s: started", label)
    if protocol.getStatus() not in ("saved", "new"):
        protocol.runMode.set(MODE_RESUME)
    started = time.monotonic()
    with _watched(project, protocol) as peak_mb:
        project.launchProtocol(protocol, wait=True, force=True)
    protocol = project.getProtocol(protocol.getObjId())
    if not protocol.isFinished():
        raise RunFailedError(_describe_failure(project, protocol))
    cost = StageCost(time.monotonic() - started, peak_mb[0])
    write_json(
        Path(project.getPath(protocol.getWorkingDir())) / "cost.json",
        {"seconds": cost.seconds, "peak_memory_mb": cost.peak_memory_mb},
    )
    logger.info(
        "%s: finished in %.0f s, %.0f MB", label, cost.seconds, cost.peak_memory_mb
    )
    return cost


@contextmanager
def _watched(project: Project, protocol: Protocol) -> Iterator[list[float]]:
    """Watch a running protocol: gives its peak memory, MiB, and shows its progress."""
    peak_mb, finished = [0.0], threading.Event()

    def watch() -> None:
        with tqdm(disable=None, leave=False) as bar:
            while not finished.wait(_SECONDS_BETWEEN_LOOKS):
                peak_mb[0] = max(peak_mb[0], _memory_of_children_mb())
                _show_progress(Path(project.getPath(protocol.getWorkingDir())), bar)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak_mb
    finally:
        finished.set()
        watcher.join()


def _memory_of_children_mb() -> float:
    """Resident memory of all processes started from here, MiB."""
    total = 0
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def _show_progress(working_dir: Path, bar: tqdm) -> None:
    """Set the bar to what the newest job of a protocol tells."""
    reports = sorted(
        working_dir.glob("extra/*.progress.json"), key=lambda p: p.stat().st_mtime
    )
    if not reports:
        return
    report = json.loads(reports[-1].read_text())
    bar.set_description(report["stage"])
    bar.total, bar.n = report["total"], report["done"]
    bar.refresh()


def _describe_failure(project: Project, protocol: Protocol) -> str:
    """Say what failed and why; a job's own words are in the log."""
    log = Path(project.getPath(protocol.getStderrLog()))
    text = _ESCAPES.sub("", log.read_text(errors="replace")) if log.exists() else ""
    own_words = [line for line in text.splitlines() if line.startswith("ERROR ")]
    reason = _ESCAPES.sub("", protocol.getErrorMessage() or "stopped")
    lines = [f"{protocol.getObjLabel()}: {reason}", *own_words[-_LOG_LINES:]]
    return "\n".join([*lines, f"(the whole log: {log})"])
