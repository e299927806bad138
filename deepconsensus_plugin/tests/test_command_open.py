# SPDX-License-Identifier: GPL-3.0-or-later
"""Command open: what it refuses, and the window that it shows."""

from __future__ import annotations

import subprocess
import sys
import tkinter as tk
from types import SimpleNamespace

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.commands import open as command


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "project.sqlite").touch()
    monkeypatch.setenv("DISPLAY", ":99")
    return tmp_path


def test_the_window_runs_optimised_in_a_process_of_its_own(project, monkeypatch):
    commands, statuses = [], [3, 0]

    def run(words, **_):
        commands.append(words)
        return SimpleNamespace(returncode=statuses.pop())

    monkeypatch.setattr(subprocess, "run", run)
    assert [main(["open", str(project)]) for _ in range(2)] == [0, 1]
    (python, optimised, *module, folder) = commands[0]
    assert (python, optimised, folder) == (sys.executable, "-O", str(project))
    assert module == ["-m", "deepconsensus_plugin.commands.project_window"]


def test_what_is_no_project_is_refused(tmp_path, capsys):
    assert main(["open", str(tmp_path)]) == 1
    assert f"{tmp_path}: not a Scipion project" in capsys.readouterr().err


def test_without_a_display_it_says_so(project, monkeypatch, capsys):
    monkeypatch.delenv("DISPLAY")
    assert main(["open", str(project)]) == 1
    assert "ssh -X" in capsys.readouterr().err
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert main(["open", str(project)]) == 1
    assert "python3-tk" in capsys.readouterr().err


def test_a_display_that_does_not_answer_is_named(monkeypatch, capsys):
    from deepconsensus_plugin.commands import project_window

    def refuse(project):
        raise tk.TclError('couldn\'t connect to display ":99"')

    monkeypatch.setattr(project_window, "ProjectWindow", refuse)
    assert project_window.main("/p") == 1
    assert 'error: couldn\'t connect to display ":99"' in capsys.readouterr().err
