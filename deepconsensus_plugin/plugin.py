# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugin class for Scipion, and the one way a protocol starts a job.

Heavy work runs as ``python -m deepconsensus_plugin.core.jobs JOB.json`` in a process
of its own, so that TensorFlow's memory and crashes stay out of Scipion, and a queue
can run it; in an environment of its own (`job_environment`), so that TensorFlow's
packages stay out of Scipion's.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pwem
import pyworkflow
from pyworkflow import VarTypes
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import VOID_GPU
from pyworkflow.utils import Environ

from deepconsensus_plugin.bootstrap import own_home
from deepconsensus_plugin.constants import (
    DEEPCONSENSUS_HOME,
    DEEPCONSENSUS_MODELS,
    DEEPCONSENSUS_PYTHON,
    DEEPCONSENSUS_SCHEDULER,
    URL,
)
from deepconsensus_plugin.job_environment import gpus, location, verdict
from deepconsensus_plugin.job_environment.installation import add_packages
from deepconsensus_plugin.job_environment.launcher import JOBS_MODULE

_DEFAULT_MODELS = own_home() / "models"
_LAUNCHER = Path(location.__file__).with_name("launcher.py")

# Every update of a network allocates and frees the same large arrays. By default the C
# library gives each back to the kernel, which then clears it page by page again: a
# third of the time of training (docs/performance.md).
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
}


VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"

_RESULT = ".result.json"
"""End of the name of a job's result (`core.jobs.result_path`)."""

_SECONDS_TO_SEE_FILES = 10
"""Longest time in which shared folders show what another computer wrote."""

_CARRIED = (
    *_KEEP_MEMORY,
    *("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", "PYTHONUNBUFFERED", "PYTHONPATH"),
    *("TF_FORCE_GPU_ALLOW_GROWTH", "CUDA_DEVICE_ORDER", "TF_ENABLE_ONEDNN_OPTS"),
)
"""Variables that a queue's job gets in its command: queues may not pass them on."""


class Plugin(pwem.Plugin):
    """Deep consensus as Scipion sees it."""

    # Scipion derives the plugin's name, folder and templates from this, and expects
    # it to be the package, not a module inside.
    __module__ = "deepconsensus_plugin"

    _processingField = ["SPA"]
    _url = URL
    _homeVar = DEEPCONSENSUS_HOME
    _supportedVersions = [location.ENVIRONMENT_VERSION]

    @classmethod
    def _defineVariables(cls) -> None:
        cls._defineEmVar(
            DEEPCONSENSUS_HOME,
            location.find_home(Path(pwem.Config.EM_ROOT)).name,
            description="Folder of the environment that runs the jobs (training, "
            "scoring), which *scipion3 installb deepconsensus* makes, with libraries "
            "for NVIDIA's GPUs *scipion3 installb deepconsensusGPU*.",
            var_type=VarTypes.FOLDER,
        )
        cls._defineVar(
            DEEPCONSENSUS_PYTHON,
            "",
            description="Python that runs the jobs, with TensorFlow or another "
            "backend of Keras. Empty: that of DEEPCONSENSUS_HOME; where that does not "
            "exist, the Python that runs Scipion.",
            var_type=VarTypes.PATH,
        )
        cls._defineVar(
            DEEPCONSENSUS_MODELS,
            str(_DEFAULT_MODELS),
            description="Your library of models: a folder with a folder for each. "
            "*Import model* and the command *models* look there.",
            var_type=VarTypes.FOLDER,
        )
        cls._defineVar(
            DEEPCONSENSUS_SCHEDULER,
            "",
            description="Where micrographs are worked on, unless a form says: the "
            "address of a dask.distributed scheduler, such as tcp://host:8786, "
            "*processes* or *threads*. Default: threads.",
            var_type=VarTypes.STRING,
        )

    @classmethod
    def getModelsFolder(cls) -> Path:
        """Return the user's own library of models; it may not be there."""
        default = os.environ.get(DEEPCONSENSUS_MODELS, _DEFAULT_MODELS)
        return Path(cls.getVar(DEEPCONSENSUS_MODELS, default)).expanduser()

    @classmethod
    def getEnviron(cls, gpus: Sequence[int] = ()) -> Environ:
        """Return the environment of a job that sees only `gpus` (default: none)."""
        environ = Environ(os.environ)
        environ[VISIBLE_DEVICES] = ",".join(str(gpu) for gpu in gpus)
        environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # the CPU wheel warns that CUDA is absent
        environ.setdefault("KERAS_BACKEND", "tensorflow")
        environ["PYTHONUNBUFFERED"] = "1"  # progress appears in the log as it happens
        environ.update(_KEEP_MEMORY)
        environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # others use it too
        environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # numbers of nvidia-smi
        return environ

    @classmethod
    def getJobsPython(cls) -> tuple[str, location.Origin]:
        """Return the Python that runs the jobs, and why that one."""
        chosen = cls.getVar(DEEPCONSENSUS_PYTHON, "")
        home = cls.getHome()
        return location.choose_python(chosen, Path(home) if home else None)

    @classmethod
    def validateInstallation(cls) -> list[str]:
        """Return what the jobs' environment lacks, one sentence; imports nothing."""
        python, origin = cls.getJobsPython()
        try:
            backend = verdict.backend_in(cls.getEnviron())
            fault = verdict.environment_fault(python, origin, backend)
        except (ValueError, PackageNotFoundError) as error:
            return [f"The environment of the jobs is not known: {error}"]
        return [fault] if fault else []

    @classmethod
    def describeUnusedGpu(cls) -> list[str]:
        """Return why a GPU of this machine would not be used, if that is plain."""
        if not (names := _driver().names) or cls.validateInstallation():
            return []
        python, _ = cls.getJobsPython()
        backend = verdict.backend_in(cls.getEnviron())
        sentence = verdict.libraries_warning(python, backend, names)
        return [sentence] if sentence else []

    @classmethod
    def defineBinaries(cls, env: object) -> None:
        """Define the environments of the jobs: for CPUs, and for NVIDIA's GPUs."""
        add_packages(env, conda=pyworkflow.Config.CONDA_ACTIVATION_CMD)

    @classmethod
    def runCoreJob(cls, protocol: Protocol, jobPath: str | Path) -> None:
        """Run the job in `jobPath` (JSON) and wait; its output goes to the log.

        The job sees the GPUs chosen in the protocol's form, or none. It runs in the
        project's folder, so relative paths in the request mean what they do in the
        protocol.

        A queue may run it on another computer, with the environment of that: what the
        job needs of ours is then a part of its command.

        Raises
        ------
        subprocess.CalledProcessError
            If the job fails; the reason is in the protocol's log.
        RuntimeError
            If the queue's job ends without a result.
        """
        chosen = _chosenGpus(protocol)
        python, _ = cls.getJobsPython()
        environ = cls.getEnviron(chosen)
        words = ["-m", JOBS_MODULE, str(jobPath)]
        if python != sys.executable:
            words = [str(_LAUNCHER), str(jobPath)]
            environ.pop("PYTHONPATH", None)  # of Scipion's Python
        if place := cls._schedulerOf(protocol):
            words += ["--scheduler", place]
        if protocol.useQueue():
            # The queue says which GPUs are ours; the form, how many of them.
            words += ["--gpus", ",".join(map(str, chosen))]
            environ[VISIBLE_DEVICES] = os.environ.get(VISIBLE_DEVICES, "")
        python = shlex.quote(python)
        if protocol.useQueueForSteps():
            carried = {k: environ[k] for k in _CARRIED if k in environ}
            python = " ".join(["env", *map(_assignment, carried.items()), python])
        protocol.runJob(
            python,
            shlex.join(words),
            env=environ,
            numberOfMpi=1,  # never through mpirun
        )
        if protocol.useQueueForSteps():
            _awaitResult(Path(jobPath), protocol.getSubmitDict())

    @classmethod
    def _schedulerOf(cls, protocol: Protocol) -> str:
        """Return where a protocol does its work: by its form, or our variable."""
        chosen = (protocol.getAttributeValue("scheduler", "") or "").strip()
        default = os.environ.get(DEEPCONSENSUS_SCHEDULER, "")
        return chosen or cls.getVar(DEEPCONSENSUS_SCHEDULER, default) or ""


def _awaitResult(job: Path, submitted: Mapping[str, Any]) -> None:
    """Wait until the result of a queue's job is seen here, shortly after its end.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    result = job.with_suffix(_RESULT)
    deadline = time.monotonic() + _SECONDS_TO_SEE_FILES
    while not result.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"{job}: the queue's job ended without a result. Why is in its log: "
                f"{submitted.get('JOB_LOGS', 'see the queue')}*"
            )
        time.sleep(0.2)


def _assignment(variable: tuple[str, str]) -> str:
    name, value = variable
    return f"{name}={shlex.quote(value)}"


@lru_cache(maxsize=4)
def _driver() -> gpus.DriverReport:
    """Return what NVIDIA's driver tells; asked once, since forms ask often."""
    return gpus.ask_driver()


def _chosenGpus(protocol: Protocol) -> list[int]:
    """Return the GPUs of the running step; empty when it runs on the CPU."""
    if not protocol.usesGpu():
        return []
    return [gpu for gpu in protocol.getExecutor().getGpuList() if gpu != VOID_GPU]
