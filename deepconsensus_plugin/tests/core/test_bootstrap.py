# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deepconsensus_plugin.bootstrap import prepare_environment


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Leave Scipion out of the environment; what a test sets is undone."""
    changed = {k: v for k, v in os.environ.items() if not k.startswith("SCIPION_")}
    changed["XDG_DATA_HOME"] = str(tmp_path / "data")
    del changed["VIRTUAL_ENV"]
    monkeypatch.setattr(os, "environ", changed)
    monkeypatch.delitem(sys.modules, "pyworkflow", raising=False)
    return changed


def test_everything_scipion_needs_is_set(bare, tmp_path):
    home = prepare_environment()

    assert home == tmp_path / "data" / "deepconsensus"
    assert bare["SCIPION_HOME"] == str(home)
    assert bare["SCIPION_USER_DATA"] == str(home / "user-data")
    assert bare["SCIPION_DOMAIN"] == "pwem"
    assert bare["SCIPION_PYTHON"] == sys.executable
    assert bare["SCIPION_NOTIFY"] == "False"
    assert bare["VIRTUAL_ENV"] == sys.prefix
    assert "[localhost]" in Path(bare["SCIPION_HOSTS"]).read_text()


def test_folder_can_be_chosen(bare, tmp_path):
    assert prepare_environment(tmp_path / "here") == tmp_path / "here"
    assert bare["SCIPION_HOSTS"] == str(tmp_path / "here" / "config" / "hosts.conf")


def test_second_call_changes_nothing(bare):
    prepare_environment()
    before = dict(bare)
    prepare_environment("elsewhere")

    assert bare == before
    assert not Path("elsewhere").exists()


def test_hosts_of_the_user_are_kept(bare, tmp_path):
    hosts = tmp_path / "home" / "config" / "hosts.conf"
    hosts.parent.mkdir(parents=True)
    hosts.write_text("[mine]\n")

    prepare_environment(tmp_path / "home")

    assert bare["SCIPION_HOSTS"] == str(hosts)
    assert hosts.read_text() == "[mine]\n"


def test_installed_scipion_is_kept_and_its_folder_not_written_to(bare, tmp_path):
    scipion = tmp_path / "scipion"
    scipion.mkdir()
    bare.update(SCIPION_HOME=str(scipion), SCIPION_NOTIFY="True", SCIPION_PYTHON="py")

    assert prepare_environment() == scipion

    assert (bare["SCIPION_NOTIFY"], bare["SCIPION_PYTHON"]) == ("True", "py")
    assert list(scipion.iterdir()) == []
    assert Path(bare["SCIPION_HOSTS"]).is_relative_to(tmp_path / "data")


def test_hosts_that_are_named_are_left_alone(bare, tmp_path):
    bare["SCIPION_HOSTS"] = "/site/hosts.conf"

    prepare_environment()

    assert bare["SCIPION_HOSTS"] == "/site/hosts.conf"
    assert not (tmp_path / "data").exists()


def test_too_late_is_refused(bare, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyworkflow", sys)

    with pytest.raises(RuntimeError, match="before pyworkflow is imported"):
        prepare_environment()
