# SPDX-License-Identifier: GPL-3.0-or-later
"""Start of a job by a protocol: its Python, its GPUs, its arguments."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from pathlib import Path
from subprocess import CalledProcessError
from types import SimpleNamespace
from unittest import mock

from pyworkflow.protocol.constants import VOID_GPU
from pyworkflow.utils import Environ
from pyworkflow.utils.process import runJob

from deepconsensus_plugin import Plugin, plugin
from deepconsensus_plugin.constants import DEEPCONSENSUS_PYTHON, DEEPCONSENSUS_SCHEDULER


class FakeProtocol:
    """Stand-in for a protocol, as a job sees it; it runs steps as Scipion does.

    `gpus` are those of the running step; `scheduler` is what the form holds.
    """

    def __init__(self, *, useGpu=True, gpus=(), scheduler="", queue=False):
        self.useGpu, self.queue = useGpu, queue
        self.gpus = list(gpus)
        self.scheduler = scheduler

    def getAttributeValue(self, name, default):
        return getattr(self, name, default)

    def useQueue(self):
        return self.queue

    def useQueueForSteps(self):
        return self.queue

    def getSubmitDict(self):
        return {"JOB_LOGS": "logs/7"}

    def usesGpu(self):
        return self.useGpu

    def getExecutor(self):
        return SimpleNamespace(getGpuList=lambda: self.gpus)

    def runJob(self, program, arguments, **options):
        runJob(None, program, arguments, **options)


class TestDeepConsensusJobs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deep consensus $HOME ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.seen = self.folder / "seen"

    def use_python(self, script: str) -> None:
        """Make a shell script the Python that runs the jobs."""
        python = self.folder / "python"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        patch = mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: str(python)})
        patch.start()
        self.addCleanup(patch.stop)

    def gpus_seen(self, protocol: FakeProtocol) -> str:
        self.use_python(f"echo \"$CUDA_VISIBLE_DEVICES\" > '{self.seen}'")
        Plugin.runCoreJob(protocol, "job.json")
        return self.seen.read_text().strip()

    def test_job_gets_its_path_whole(self):
        self.use_python(f"printf '%s\\n' \"$@\" > '{self.seen}'")
        job = self.folder / "a $PATH 'b'.json"

        Plugin.runCoreJob(FakeProtocol(), job)

        received = self.seen.read_text().splitlines()
        self.assertEqual(received, ["-m", plugin.JOBS_MODULE, str(job)])

    def test_failed_job_is_an_error(self):
        self.use_python("exit 3")

        with self.assertRaises(CalledProcessError):
            Plugin.runCoreJob(FakeProtocol(), "job.json")

    def test_job_of_a_cpu_run_sees_no_gpu(self):
        self.assertEqual(self.gpus_seen(FakeProtocol(useGpu=False, gpus=[0])), "")

    def test_job_sees_the_gpus_of_its_step(self):
        self.assertEqual(self.gpus_seen(FakeProtocol(gpus=[1, 3])), "1,3")

    def test_step_without_a_gpu_sees_none(self):
        self.assertEqual(self.gpus_seen(FakeProtocol(gpus=[])), "")

    def words_seen(self, protocol: FakeProtocol) -> list[str]:
        """Return the words of the job's command after its path."""
        self.use_python(f"printf '%s\\n' \"$@\" > '{self.seen}'")
        Plugin.runCoreJob(protocol, self.folder / "job.json")
        return self.seen.read_text().splitlines()[3:]

    def test_job_is_told_where_micrographs_are_worked_on(self):
        self.assertEqual(self.words_seen(FakeProtocol()), [])
        with mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_SCHEDULER: "tcp://a:1"}):
            for form, place in (("", "tcp://a:1"), (" processes ", "processes")):
                words = self.words_seen(FakeProtocol(scheduler=form))
                self.assertEqual(words, ["--scheduler", place])

    def test_job_of_a_queue_gets_its_environment_and_gpus_in_its_command(self):
        job = self.folder / "job.json"
        job.with_suffix(".result.json").touch()
        self.assertEqual(
            self.words_seen(FakeProtocol(queue=True, gpus=[0, 1])), ["--gpus", "0,1"]
        )
        self.use_python(f"echo \"$KERAS_BACKEND $MALLOC_TOP_PAD_\" > '{self.seen}'")
        protocol = FakeProtocol(queue=True)
        run, bare = protocol.runJob, {"PATH": os.environ["PATH"]}
        protocol.runJob = lambda *words, env, **others: run(
            *words, env=Environ(bare), **others
        )
        Plugin.runCoreJob(protocol, job)
        self.assertEqual(
            self.seen.read_text().split(), ["tensorflow", str(256 * 2**20)]
        )

    def test_job_of_a_queue_that_leaves_no_result_is_an_error(self):
        self.use_python("exit 3")
        protocol = FakeProtocol(queue=True)
        protocol.runJob = lambda *words, **others: None  # a queue tells no status
        with (
            mock.patch.object(plugin, "_SECONDS_TO_SEE_FILES", 0),
            self.assertRaisesRegex(RuntimeError, r"without a result.*logs/7"),
        ):
            Plugin.runCoreJob(protocol, self.folder / "job.json")

    def test_void_gpu_is_no_gpu(self):
        self.assertEqual(self.gpus_seen(FakeProtocol(gpus=[2, VOID_GPU])), "2")


class TestDeepConsensusPlugin(unittest.TestCase):
    def test_environment_is_scipions(self):
        environ = Plugin.getEnviron()

        self.assertIsInstance(environ, Environ)
        self.assertEqual(environ["CUDA_VISIBLE_DEVICES"], "")
        self.assertEqual(environ["TF_CPP_MIN_LOG_LEVEL"], "2")

    def test_missing_modules_are_named(self):
        with (
            mock.patch.object(plugin, "find_spec", lambda name: None),
            mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: sys.executable}),
        ):
            (sentence,) = Plugin.validateInstallation()

        self.assertIn("tensorflow", sentence)
        self.assertIn("pip install", sentence)

    def test_python_that_is_not_there_is_named(self):
        with mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: "/no/python"}):
            (sentence,) = Plugin.validateInstallation()

        self.assertIn("/no/python", sentence)
