# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from deepconsensus_plugin import __version__
from deepconsensus_plugin.__main__ import COMMANDS, main
from deepconsensus_plugin.commands import check
from deepconsensus_plugin.commands.check import Finding
from deepconsensus_plugin.plugin import Plugin


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert end.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["no-such-command"]])
def test_wrong_use_is_a_nonzero_status(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.fixture
def without_tensorflow(monkeypatch):
    """Answer for TensorFlow at once; starting it takes seconds."""
    answer = Finding("their devices", "CPU")
    monkeypatch.setattr(check, "check_devices", lambda *asked: [answer])


def test_check_reports_versions(without_tensorflow, capsys):
    status = main(["check"])

    shown = capsys.readouterr().out
    assert "scipion-pyworkflow" in shown
    assert "CPU" in shown
    assert status == int("!!" in shown)


def test_check_names_what_is_missing(without_tensorflow, monkeypatch, capsys):
    missing = Finding("keras", "not installed", "pip install it")
    monkeypatch.setattr(check, "check_requirements", lambda: [missing])

    assert main(["check"]) == 1
    assert "keras: pip install it" in capsys.readouterr().out


def test_check_tells_when_the_package_itself_is_not_installed(monkeypatch):
    def not_found(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(check.metadata, "requires", not_found)

    (finding,) = check.check_requirements()
    assert finding.found == "not installed"
    assert "pip install" in finding.remedy


@pytest.mark.parametrize(
    ("versions", "fits"),
    [(">=1,<2", True), (">=1.26", True), ("<1.20", False), ("", True), (">=2", False)],
)
def test_versions_out_of_range_are_named(versions, fits, monkeypatch):
    monkeypatch.setattr(check.metadata, "version", lambda name: "1.26.1")

    finding = check.check_requirement("numpy", versions)

    assert finding.found == "1.26.1"
    assert (finding.remedy is None) == fits


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 9), False), ((3, 10), True), ((3, 12), True), ((3, 13), False)],
)
def test_python_versions(version, fits):
    assert (check.check_python(version).remedy is None) == fits


def test_scipion_home_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIPION_HOME", str(tmp_path))
    assert check.check_scipion().remedy is None
    monkeypatch.setenv("SCIPION_HOME", str(tmp_path / "gone"))
    assert "no such folder" in check.check_scipion().remedy


def test_what_is_not_required_is_told_but_is_no_failure(monkeypatch, capsys):
    gpu = Finding("GPU", "H200: not used", "update the driver", required=False)
    monkeypatch.setattr(check, "check_jobs", lambda: [gpu])

    status = main(["check"])

    shown = capsys.readouterr().out
    assert "??  GPU" in shown
    assert "GPU: update the driver" in shown
    assert status == int("!!" in shown)


def test_jobs_python_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPCONSENSUS_PYTHON", str(tmp_path / "gone"))

    place, environment = check.check_jobs()

    assert place.found == f"{tmp_path / 'gone'}, chosen by DEEPCONSENSUS_PYTHON"
    assert "No such file" in environment.remedy


def test_a_backend_that_is_not_known_is_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "theano")

    _, environment = check.check_jobs()

    assert "expected one of tensorflow, jax, torch, received theano" in (
        environment.remedy
    )


@pytest.mark.slow
def test_module_can_be_run():
    run = subprocess.run(
        [sys.executable, "-m", "deepconsensus_plugin", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.strip() == __version__


def test_without_a_scipion_the_command_line_is_meant(monkeypatch):
    monkeypatch.delenv("SCIPION_HOME")
    finding = check.check_scipion()
    assert finding.found == "not installed (command line only)"
    assert finding.remedy is None


def test_models_lists_what_ships_where_its_user_has_none(monkeypatch, tmp_path, capsys):
    library = tmp_path / "models"
    monkeypatch.setattr(Plugin, "getModelsFolder", lambda: library)
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Built-in:\ngeneral\n  HydraPicker")
    assert "You have no models of your own yet. Add one: copy extra/model" in said
    assert f"to {library}/NAME" in said
    (library / "broken").mkdir(parents=True)
    (library / "broken" / "card.json").write_text("{")
    assert main(["models"]) == 1
    said = capsys.readouterr().out
    assert f"Your own, in {library}:\nbroken\n  CANNOT BE USED" in said
    assert "general" in said


def test_a_wrong_template_is_told_before_what_else_is_missing(capsys):
    assert main(["run", "deep_consensu"]) == 1
    assert "Did you mean deep_consensus?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["run", "deep_consensus"])
    assert end.value.code == 2
    assert "--project DIR is needed" in capsys.readouterr().err


def test_help_of_a_template_says_which_numbers_stand_for_automatic(capsys):
    assert main(["run", "deep_consensus", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Minimum pickers agreeing [default: 0 (auto)]" in said
    assert "Number of epochs [default: 0 (auto)]" in said
    assert "Number of networks [default: 3]" in said
