# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in Scipion's queue, with one that runs submit files in the background."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from pwem import Domain
from pyworkflow.protocol import HostConfig
from pyworkflow.protocol.executor import QueueStepExecutor

from deepconsensus_plugin import Plugin, protocols
from deepconsensus_plugin.commands import placing_work
from deepconsensus_plugin.commands.placing_work import cancel_jobs, place_work
from deepconsensus_plugin.commands.settings import RunSettings, parse_settings
from deepconsensus_plugin.tests.run_scene import make_scene
from deepconsensus_plugin.tests.synthetic import SAMPLING_RATE

_SUBMIT = """#!/bin/bash
id=$(( $(ls {folder}/jobs | wc -l) + 1000 ))
touch {folder}/jobs/$id
( env -i HOME=$HOME PATH=/usr/bin:/bin CUDA_VISIBLE_DEVICES=5,6 bash "$1" \\
    > {folder}/$id.log 2>&1; rm {folder}/jobs/$id.runs ) &
touch {folder}/jobs/$id.runs
echo job $id
"""
_HOSTS = """[localhost]
PARALLEL_COMMAND = mpirun -np %_(JOB_NODES)d %_(COMMAND)s
NAME = FAKE
MANDATORY = 0
SUBMIT_COMMAND = {submit} %_(JOB_SCRIPT)s
CANCEL_COMMAND = touch {folder}/cancelled_%_(JOB_ID)s
CHECK_COMMAND = ls {folder}/jobs | grep '^%_(JOB_ID)s.runs' || true
QUEUES = {{"gpu": [["JOB_HOURS", "8", "Hours", "Longest time"]], "cpu": []}}
SUBMIT_TEMPLATE = #!/bin/bash
    ## queue %_(JOB_QUEUE)s, %_(JOB_THREADS)d threads, %_(GPU_COUNT)d GPUs
    %_(JOB_COMMAND)s
"""
WITH_JOBS = [
    name
    for name in protocols.__all__
    if placing_work._has_jobs(getattr(protocols, name)())
]


@pytest.fixture
def hosts(tmp_path) -> Path:
    """Return a hosts.conf with a queue whose jobs see two GPUs."""
    (tmp_path / "jobs").mkdir()
    submit, conf = tmp_path / "submit", tmp_path / "hosts.conf"
    submit.write_text(_SUBMIT.format(folder=tmp_path))
    submit.chmod(0o755)
    conf.write_text(_HOSTS.format(folder=tmp_path, submit=submit))
    return conf


def _host(hosts: Path) -> HostConfig:
    return HostConfig.load(str(hosts))["localhost"]


def _placed(name: str, host: HostConfig, word: str, folder: Path):
    """Return a protocol that a run with ``queue=word`` places."""
    protocol = Domain.getProtocols()[name](workingDir=str(folder))
    protocol.setHostConfig(host)
    project = SimpleNamespace(
        getHostConfig=lambda _: host,
        _storeProtocol=lambda _: None,
        mapper=SimpleNamespace(commit=lambda: None),
    )
    place_work(project, {"1": protocol}, RunSettings("any", queue=word))
    return protocol


def test_there_are_nodes_with_jobs_of_each_kind():
    assert {"ProtDeepConsensusTrain", "ProtTopazTrain", "ProtClassicalPick"} < {
        *WITH_JOBS
    }
    assert "ProtEvaluatePicks" not in WITH_JOBS


class _Step(threading.Thread):
    """Thread of a step, as Scipion's executor for queues expects it."""

    thId = 3

    def needsGPU(self) -> bool:
        return True


@pytest.mark.parametrize("name", WITH_JOBS)
def test_the_submit_file_of_every_node(name, hosts, tmp_path, monkeypatch):
    """The command is whole, with its environment, its GPUs and the queue's settings."""
    (tmp_path / "logs").mkdir()
    host = _host(hosts)
    host.queueSystem.setSubmitCommand("echo 7")
    protocol = _placed(name, host, "yes", tmp_path)
    assert protocol.useQueueForSteps()
    assert not protocol.useQueueForProtocol()
    gpus = [0, 1] if hasattr(protocol, "gpuList") else []
    if gpus:
        protocol.gpuList.set("2,3")
        protocol.useGpu.set(True)
    executor = QueueStepExecutor(
        host, protocol.getSubmitDict(), 1, gpuList=protocol.getGpuList()
    )
    executor.setProtocol(protocol)
    protocol.setStepsExecutor(executor)
    monkeypatch.setattr(type(protocol), "_store", lambda *_: None)
    job = tmp_path / "job.json"
    job.with_suffix(".result.json").touch()
    step = _Step(target=Plugin.runCoreJob, args=(protocol, job))
    step.start()
    step.join()
    (script,) = (tmp_path / "logs").glob("*.job")
    _, told, command = script.read_text().split("\n", 2)
    assert told.startswith("# queue gpu, ")
    assert f" {len(gpus)} GPUs" in told
    words = command.split()
    assert words[0] == "env"
    assert "KERAS_BACKEND=tensorflow" in words
    assert words[words.index(str(job)) + 1 :] == ["--gpus", "0,1" if gpus else "''"]


def test_queue_no_takes_a_node_out_again(hosts, tmp_path):
    host = _host(hosts)
    assert _placed("ProtClassicalPick", host, "cpu", tmp_path).useQueue()
    assert not _placed("ProtClassicalPick", host, "no", tmp_path).useQueue()
    with pytest.raises(ValueError, match="one of gpu, cpu"):
        _placed("ProtClassicalPick", host, "long", tmp_path)


def test_a_host_without_a_queue_is_refused(tmp_path):
    hosts = tmp_path / "hosts.conf"
    HostConfig.writeBasic(str(hosts))
    with pytest.raises(ValueError, match=r"expected a queue in .*received none"):
        _placed("ProtClassicalPick", _host(hosts), "yes", tmp_path)


def test_jobs_of_a_stopped_run_are_cancelled(hosts, tmp_path, monkeypatch):
    host = _host(hosts)
    protocol = _placed("ProtClassicalPick", host, "yes", tmp_path)
    protocol.setProject(SimpleNamespace(path=str(tmp_path), getShortName=lambda: "p"))
    running = SimpleNamespace(getHostConfig=lambda: host, getJobIds=lambda: [1001])
    monkeypatch.setattr(placing_work, "getProtocolFromDb", lambda *_: running)
    cancel_jobs(protocol)
    assert (tmp_path / "cancelled_1001").exists()


def test_where_a_run_computes_is_no_setting_of_its_project():
    words = ["micrographs=/m/*.mrc", "queue=yes", "scheduler=tcp://a:1"]
    settings = parse_settings("deep_consensus", words)
    assert (settings.queue, settings.scheduler) == ("yes", "tcp://a:1")
    plain = parse_settings("deep_consensus", words[:1])
    assert settings.to_plain() == plain.to_plain()


@pytest.mark.slow
def test_a_run_through_the_queue(hosts, tmp_path):
    scene = make_scene(tmp_path / "scene")
    command = [sys.executable, "-m", "deepconsensus_plugin", "run"]
    command += ["pick_without_training", f"micrographs={scene}/mics/*.mrc"]
    command += [f"samplingRate={SAMPLING_RATE}", "particleDiameter=80"]
    command += ["queue=yes", "scheduler=processes"]
    done = subprocess.run(
        [*command, "--project", str(tmp_path / "project")],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SCIPION_HOSTS": str(hosts)},
    )
    assert done.returncode == 0, done.stderr
    assert len([*(tmp_path / "jobs").iterdir()]) >= 1
    log = (tmp_path / "1000.log").read_text()
    assert "INFO" in log
    record = json.loads((tmp_path / "project" / "run.json").read_text())
    assert record["settings"]["values"].keys().isdisjoint({"queue", "scheduler"})
