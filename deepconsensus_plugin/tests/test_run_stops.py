# SPDX-License-Identifier: GPL-3.0-or-later
"""Command run, failing, and without data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.run_scene import make_scene, run_here
from deepconsensus_plugin.tests.small_network import small_networks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


@small_networks()
def test_the_demonstration_needs_no_data(tmp_path, monkeypatch, capsys):
    small = {
        "numberOfMicrographs": 3,
        "size": 384,
        "samplingRate": 5,
        "particlesPerMicrograph": 30,
        "contamination": 0,
        "nEpochs": 1,
        "nModels": 1,
        "maxBoxes": 64,
    }
    command = ["run", "deep_consensus_demo", *(f"{k}={v}" for k, v in small.items())]
    monkeypatch.chdir(tmp_path)
    with launched_here():
        assert main([*command, "--project", str(tmp_path / "demo")]) == 0
    printed = capsys.readouterr().out
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    compared = {row["picks"]: row for row in summary["comparison"]["rows"]}
    pickers = ("difference of Gaussians", "rotational correlation")
    assert [*compared][:2] == [*pickers]
    assert summary["comparison"]["n_micrographs"] == 3
    assert "phases flipped" in summary["protocols"]["network"][0]  # by its own CTFs
    assert all(compared[name]["recall"] > 0.5 for name in pickers)
    assert "| accepted " in printed
    assert f"Picture: {tmp_path}/demo/picture.png" in printed


def test_what_is_wrong_with_the_input_is_said_before_anything_is_made(scene, capfd):
    broken = scene / "broken"
    broken.mkdir()
    (broken / "mic_0.mrc").write_bytes((scene / "mics/mic_0.mrc").read_bytes()[:5000])
    assert run_here(scene, micrographs=f"{broken}/*.mrc", project="failing") == 1
    assert "error: " in (said := capfd.readouterr().err)
    assert "mic_0.mrc: expected" in said
    assert not (scene / "failing").exists()


def test_a_failing_protocol_says_why_and_what_was_warned_of(scene, monkeypatch, capfd):
    monkeypatch.chdir(scene)
    binned = scene / "binned"
    shutil.copytree(scene / "alpha", binned)
    for path in binned.iterdir():
        rows = [line.split() for line in path.read_text().splitlines()]
        halves = ["\t".join(str(float(n) / 2) for n in row) for row in rows]
        path.write_text("\n".join(halves) + "\n")
    picks = f"{scene}/alpha,{binned}"
    assert run_here(scene, picks=picks, project="empty") == 1
    said = capfd.readouterr().err
    warning, error = said.index("\nconsensus: WARNING: "), said.index("\nerror: ")
    assert "scale=2" in said[warning:error]
    assert said[error:].startswith("\nerror: network: ")
    assert "Traceback" not in said
