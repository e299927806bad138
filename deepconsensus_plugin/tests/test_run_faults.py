# SPDX-License-Identifier: GPL-3.0-or-later
"""Command run where a disk was full, inputs were exchanged or cannot be read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.commands.project import open_project, read_record
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.run_scene import make_scene, run_command
from deepconsensus_plugin.tests.small_network import small_networks

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    """Go back afterwards, and let networks be small."""
    monkeypatch.chdir(os.getcwd())
    with small_networks():
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Return a scene with a finished run in its folder ``project``."""
    scene, before = make_scene(tmp_path_factory.mktemp("scene")), os.getcwd()
    with small_networks():
        assert _run(scene) == 0
    os.chdir(before)
    return scene


@pytest.fixture
def scene(finished, tmp_path) -> Path:
    """Return a copy of the finished run, with input of its own in the same place."""
    shutil.copytree(finished, tmp_path / "kept", symlinks=True)
    yield finished
    for each in tmp_path.joinpath("kept").iterdir():
        shutil.rmtree(finished / each.name)
        shutil.copytree(each, finished / each.name, symlinks=True)


def _run(scene: Path, *options: str, **changes) -> int:
    _python, _m, _package, *words = run_command(scene, **changes)
    with launched_here():
        return main([*words, *options])


def _scores(scene: Path, project: str = "project") -> bytes:
    return (scene / project / "scores.csv").read_bytes()


def _fail(project: Path, label: str) -> Path:
    """Make a run one that failed; return its folder."""
    opened = open_project(project)
    for number in read_record(project)["protocols"].values():
        protocol = opened.getProtocol(number)
        if protocol.getObjLabel() == label:
            protocol.setStatus("failed")
            opened._storeProtocol(protocol)
            opened.mapper.commit()
            return project / protocol.getWorkingDir()
    raise KeyError(label)


@pytest.mark.parametrize("label", ["micrographs", "network"])
def test_a_run_whose_records_are_half_made_is_made_anew(scene, caplog, label):
    """As a full disk leaves it: ``no such table: Classes``, again and again."""
    before = _scores(scene)
    logs = _fail(scene / "project", label) / "logs"
    for name in ("steps.sqlite", "run.db"):
        (logs / name).unlink()
    with closing(sqlite3.connect(logs / "steps.sqlite")) as database:
        database.execute("CREATE TABLE Properties (key TEXT, value TEXT)")
    (logs / "run.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    assert _run(scene) == 0
    assert f"{label}: Runs/" in caplog.text
    assert "half made, as after a full disk" in caplog.text
    assert _scores(scene) == before


def test_exchanged_inputs_are_used_and_said(scene, caplog):
    """To the bit as in a new run, and once."""
    first, second = (scene / "mics" / f"mic_{i}.mrc" for i in (0, 1))
    picks = scene / "alpha" / "mic_1.box"
    shutil.copyfile(second, first)
    lines = picks.read_text().splitlines()
    status = picks.stat()
    picks.write_text("\n".join([*lines[5:], *lines[:5]]) + "\n")
    os.utime(picks, ns=(status.st_atime_ns, status.st_mtime_ns))
    before = _scores(scene)
    assert _run(scene) == 0
    assert f"micrographs: input has changed: {first} is another file" in caplog.text
    assert f"picks of alpha: input has changed: {picks} is another file" in caplog.text
    assert "done again: micrographs, truth, picks of alpha" in caplog.text
    assert "1 masks made, 2 were there" in caplog.text
    assert _scores(scene) != before
    assert _run(scene, project="fresh") == 0
    assert _scores(scene) == _scores(scene, "fresh")
    shutil.rmtree(scene / "fresh")
    caplog.clear()
    assert _run(scene) == 0
    assert "done again" not in caplog.text


def test_micrographs_that_cannot_be_read_are_left_out_where_allowed(scene, capfd):
    """A run that has begun goes on without them."""
    cut = scene / "mics" / "mic_1.mrc"
    cut.write_bytes(cut.read_bytes()[:5000])
    assert _run(scene) == 1
    said = capfd.readouterr().err
    assert f"error: {cut}: expected" in said
    assert "--skip-bad leaves such micrographs out" in said
    assert _run(scene, "--skip-bad") == 0
    told = capfd.readouterr()
    assert "WARNING: 1 micrograph is left out, which cannot be read: mic_1" in told.out
    summary = json.loads((scene / "project" / "summary.json").read_text())
    assert [*summary["left_out"]] == ["mic_1.mrc"]
    assert summary["sets"]["micrographs.outputMicrographs"] == 2
    names = read_scores_csv(scene / "project" / "scores.csv").micrograph
    assert {*names} == {"mic_0.mrc", "mic_2.mrc"}
    report = (scene / "project" / "report.html").read_text()
    assert "1 micrograph is left out, which cannot be read: mic_1.mrc" in report


def test_nothing_is_run_where_no_micrograph_can_be_read(scene, capfd):
    for path in (scene / "mics").iterdir():
        path.write_bytes(b"no image")
    assert _run(scene, "--skip-bad", project="none") == 1
    assert "error: no micrograph can be read, such as" in capfd.readouterr().err
    assert not (scene / "none").exists()
