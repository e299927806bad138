# SPDX-License-Identifier: GPL-3.0-or-later
"""The project of a run: new, ended while it was made, or not usable."""

from __future__ import annotations

import os

import pytest
from pwem.protocols import ProtImportMicrographs
from pyworkflow.project import Project

from deepconsensus_plugin.commands.project import (
    RunFailedError,
    load_protocols,
    open_run,
    project_folder,
)
from deepconsensus_plugin.commands.settings import PicksFolder, RunSettings
from deepconsensus_plugin.core.errors import FolderInUseError
from deepconsensus_plugin.core.io.atomic import PARTIAL
from deepconsensus_plugin.core.io.locks import LOCK_FILE
from deepconsensus_plugin.core.serialisation import read_json, write_json

SETTINGS = RunSettings("deep_consensus", {"seed": "1"})
NODES = [
    {
        "object.className": ProtImportMicrographs.__name__,
        "object.id": "1",
        "object.label": "micrographs",
        "filesPath": "/nowhere/*.mrc",
    }
]


@pytest.fixture(autouse=True)
def _working_directory(monkeypatch):
    """Go back afterwards: a project becomes the working directory."""
    monkeypatch.chdir(os.getcwd())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def _make(folder, settings=SETTINGS):
    project = open_run(folder, settings)
    protocols = load_protocols(project, settings, NODES)
    return project, {key: protocol.getObjId() for key, protocol in protocols.items()}


def test_a_run_is_opened_again_with_the_protocols_it_had(folder):
    _, first = _make(folder)
    project, again = _make(folder)
    assert again == first
    assert len(project.getRuns()) == 1
    with pytest.raises(ValueError, match=r"seed was 1, now 2\. Use a new"):
        _make(folder, RunSettings("deep_consensus", {"seed": "2"}))


def test_a_run_that_was_ended_before_it_had_protocols_starts_anew(folder):
    _make(folder)
    record = folder / "run.json"
    write_json(record, {**read_json(record), "protocols": None})
    project, _ = _make(folder)
    assert len(project.getRuns()) == 1
    assert read_json(record)["protocols"] is not None


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match="expected a new folder"):
        open_run(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda folder: (folder / "project.sqlite").write_text("x" * 999),
            "DatabaseError",
        ),
        (lambda folder: (folder / "project.sqlite").unlink(), "OperationalError"),
    ],
)
def test_a_damaged_project_is_named(folder, damage, reason):
    _make(folder)
    damage(folder)
    with pytest.raises(RunFailedError, match=f"{folder}: Scipion cannot .*{reason}"):
        _make(folder)


def test_what_was_set_otherwise_is_named(folder):
    picks = (PicksFolder("/p/a"), PicksFolder("/p/b"))
    _make(folder, RunSettings("t", {"boxSize": "90"}, picks, stacks=True))
    changed = RunSettings("t", {"boxSize": "100"}, picks[:1], "/truth", stacks=False)
    with pytest.raises(ValueError, match="Use a new --project") as caught:
        _make(folder, changed)
    said = str(caught.value)
    for part in (
        "boxSize was 90, now 100",
        "picks was /p/a,/p/b, now /p/a",
        "truth was not given, now /truth",
        "stacks was yes, now no",
    ):
        assert part in said
    assert "template" not in said


# -------------------------- the folder --------------------------
@pytest.mark.parametrize(
    "name", ["$(touch ran)", "`touch ran`", 'a"b', "a\\b", "$HOME"]
)
def test_a_path_that_a_shell_would_run_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="which Scipion cannot start processes with"):
        project_folder(tmp_path / name).__enter__()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["with blank", "it's", "a;b&c", "%s", "né", "(1)"])
def test_other_paths_are_made(tmp_path, name):
    with project_folder(tmp_path / name):
        assert (tmp_path / name).is_dir()


def test_a_folder_of_something_else_gets_no_lock(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match="expected a new folder"):
        project_folder(tmp_path).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_second_run_in_a_project_is_told_of_the_first(folder):
    with project_folder(folder):
        with pytest.raises(FolderInUseError, match=f"{folder}: process .* is at work"):
            project_folder(folder).__enter__()
        _make(folder)


def test_a_kill_before_the_first_file_leaves_a_folder_that_can_be_used(folder):
    folder.mkdir()
    for name in (LOCK_FILE, f"{PARTIAL}123.run.json"):
        (folder / name).touch()
    with project_folder(folder):
        _make(folder)


def test_nobody_is_advised_to_delete(folder):
    _make(folder)
    (folder / "project.sqlite").write_text("x" * 999)
    with pytest.raises(RunFailedError) as caught:
        _make(folder)
    assert "delete" not in str(caught.value)


def test_a_full_disk_is_said_while_the_project_is_made(folder, monkeypatch):
    def fail(*_):
        raise Exception("Error creating SqliteMapper\n error: database or disk is full")

    monkeypatch.setattr(Project, "create", fail)
    with pytest.raises(RunFailedError, match=r"disk is full\). Make room") as caught:
        _make(folder)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    _make(folder)
