# SPDX-License-Identifier: GPL-3.0-or-later
"""Command run, killed, failing, and without data."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.run_scene import (
    make_scene,
    run,
    run_command,
    run_here,
)
from deepconsensus_plugin.tests.small_network import small_networks

N_FIRST = 7

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


def test_a_killed_run_goes_on_and_takes_the_first_n(scene):
    changes = {
        "project": "killed",
        "thresholdMode": "first N",
        "numberOfParticles": N_FIRST,
    }
    command = run_command(scene, **changes)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as killed:
        assert any("network: started" in line for line in killed.stderr)
        time.sleep(2)
        killed.kill()
    again = run(scene, **changes)
    assert again.returncode == 0, again.stderr
    assert "network: waiting for process" in again.stderr
    assert "network: started" not in again.stderr
    summary = json.loads((scene / "killed" / "summary.json").read_text())
    assert summary["timings"]["network"]["seconds"] > 0
    assert summary["sets"]["particles.outputParticles"] == N_FIRST
    metrics = json.loads((scene / "killed" / "metrics.json").read_text())
    assert metrics["threshold"] == summary["threshold"]
    assert metrics["n_accepted"] == N_FIRST
    assert metrics["precision"] == metrics["n_matched"] / N_FIRST


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
    assert all(compared[name]["recall"] > 0.5 for name in pickers)
    assert "| accepted " in printed
    assert f"Picture: {tmp_path}/demo/picture.png" in printed


def test_what_is_wrong_with_the_input_is_said_before_anything_is_made(scene, capsys):
    broken = scene / "broken"
    broken.mkdir()
    (broken / "mic_0.mrc").write_bytes((scene / "mics/mic_0.mrc").read_bytes()[:5000])
    assert run_here(scene, micrographs=f"{broken}/*.mrc", project="failing") == 1
    assert "error: " in (said := capsys.readouterr().err)
    assert "mic_0.mrc: expected" in said
    assert not (scene / "failing").exists()


def test_a_failing_protocol_says_why_and_what_was_warned_of(scene, monkeypatch, capsys):
    monkeypatch.chdir(scene)
    binned = scene / "binned"
    shutil.copytree(scene / "alpha", binned)
    for path in binned.iterdir():
        rows = [line.split() for line in path.read_text().splitlines()]
        halves = ["\t".join(str(float(n) / 2) for n in row) for row in rows]
        path.write_text("\n".join(halves) + "\n")
    picks = f"{scene}/alpha,{binned}"
    assert run_here(scene, picks=picks, project="empty") == 1
    said = capsys.readouterr().err
    warning, error = said.index("\nconsensus: WARNING: "), said.index("\nerror: ")
    assert "scale=2" in said[warning:error]
    assert said[error:].startswith("\nerror: network: ")
    assert "Traceback" not in said
