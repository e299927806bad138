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

import pwem
from pyworkflow.protocol.constants import VOID_GPU
from pyworkflow.utils import Environ
from pyworkflow.utils.process import runJob

from deepconsensus_plugin import Plugin, plugin
from deepconsensus_plugin.constants import (
    DEEPCONSENSUS_HOME,
    DEEPCONSENSUS_PYTHON,
    DEEPCONSENSUS_SCHEDULER,
)
from deepconsensus_plugin.job_environment import location, verdict
from deepconsensus_plugin.job_environment.gpus import DriverReport
from deepconsensus_plugin.job_environment.versions import Versions
from deepconsensus_plugin.protocols import ProtDeepConsensusTrain


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
        self.assertEqual(received, [str(plugin._LAUNCHER), str(job)])

    def test_job_of_another_python_is_not_led_into_this_one(self):
        self.use_python(f"echo \"[$PYTHONPATH]\" > '{self.seen}'")
        with mock.patch.dict("os.environ", {"PYTHONPATH": "/of/scipion"}):
            Plugin.runCoreJob(FakeProtocol(), "job.json")

        self.assertEqual(self.seen.read_text().strip(), "[]")

    def test_job_of_this_python_is_a_module(self):
        ran = []
        protocol = FakeProtocol()
        protocol.runJob = lambda program, words, **options: ran.append(words)
        with mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: sys.executable}):
            Plugin.runCoreJob(protocol, "job.json")

        self.assertEqual(ran, [f"-m {plugin.JOBS_MODULE} job.json"])

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
        job = self.folder / "job.json"
        Plugin.runCoreJob(protocol, job)
        words = self.seen.read_text().splitlines()
        return words[words.index(str(job)) + 1 :]

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
        bare = Versions(sys.executable, "3.11.7", {"h5py": "3.14.0", "numpy": "1.26.1"})
        with (
            mock.patch.object(verdict, "versions_of", lambda python: bare),
            mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: ""}),
        ):
            (sentence,) = Plugin.validateInstallation()

        self.assertIn("tensorflow (missing)", sentence)
        self.assertIn("scipion3 installb deepconsensus", sentence)
        self.assertNotIn("h5py", sentence)

    def test_python_that_is_not_there_is_named(self):
        with mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_PYTHON: "/no/python"}):
            (sentence,) = Plugin.validateInstallation()

        self.assertIn("/no/python", sentence)
        self.assertIn(DEEPCONSENSUS_PYTHON, sentence)

    def test_environment_that_scipion_made_runs_the_jobs(self):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            values = {DEEPCONSENSUS_PYTHON: "", DEEPCONSENSUS_HOME: folder}
            with mock.patch.dict(Plugin._vars, values):
                before = Plugin.getJobsPython()
                (home / location.MARKER).write_text("{}")
                after = Plugin.getJobsPython()

        self.assertEqual(before, (sys.executable, location.Origin.OWN))
        made = str(home / "env" / "bin" / "python")
        self.assertEqual(after, (made, location.Origin.MADE))

    def test_version_of_the_environment_is_that_of_its_folder(self):
        pwem.Domain.getPlugins()  # defines the variables

        self.assertEqual(Plugin.getActiveVersion(), location.ENVIRONMENT_VERSION)


class TestDeepConsensusGpuWarning(unittest.TestCase):
    def warnings_of(self, *, useGpu: bool, gpus: tuple[str, ...]) -> list[str]:
        """Return what a form warns of on a machine with these GPUs."""
        protocol = ProtDeepConsensusTrain(useGpu=useGpu)
        working = Versions(sys.executable, "3.11.7", {"tensorflow": "2.21.0"})
        with (
            mock.patch.object(plugin, "_driver", lambda: DriverReport(gpus)),
            mock.patch.object(Plugin, "validateInstallation", list),
            mock.patch.object(verdict, "versions_of", lambda python: working),
        ):
            return [each for each in protocol.warnings() if "GPU" in each]

    def test_gpu_that_would_not_be_used_is_told_where_it_is_wanted(self):
        (warning,) = self.warnings_of(useGpu=True, gpus=("NVIDIA H200",))

        self.assertIn("NVIDIA H200", warning)
        self.assertIn("scipion3 installb deepconsensusGPU", warning)
        self.assertEqual(self.warnings_of(useGpu=False, gpus=("NVIDIA H200",)), [])
        self.assertEqual(self.warnings_of(useGpu=True, gpus=()), [])


class ScipionsPackages:
    """Stand-in for scipion-app's list of packages."""

    def __init__(self):
        self.packages = {}

    def addPackage(self, name, **options):
        self.packages[name] = options


class TestDeepConsensusBinaries(unittest.TestCase):
    def defined(self, program: str | None) -> dict[str, dict]:
        """Return what is offered where nvidia-smi is `program`, without conda."""
        found = {"nvidia-smi": program}
        env = ScipionsPackages()
        with mock.patch("shutil.which", found.get):
            Plugin.defineBinaries(env)
        return env.packages

    def test_environment_fits_the_machine(self):
        for program, gpu in ((None, False), ("/usr/bin/nvidia-smi", True)):
            packages = self.defined(program)
            with self.subTest(program):
                self.assertIs(packages["deepconsensusGPU"]["default"], gpu)
                self.assertIs(packages["deepconsensus"]["default"], not gpu)

    def test_environment_is_made_by_this_python_and_marked(self):
        for name, extra in (("deepconsensusGPU", "gpu"), ("deepconsensus", "learning")):
            ((command, target),) = self.defined(None)[name]["commands"]
            self.assertEqual(target, location.MARKER)
            self.assertIn(f"job_environment.create . --extra {extra}", command)
            self.assertTrue(command.startswith(sys.executable))

    def test_nothing_is_downloaded_by_scipion(self):
        for options in self.defined(None).values():
            self.assertTrue(options["url"].startswith("file:"))
