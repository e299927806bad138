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
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path

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

    @classmethod
    def getModelsFolder(cls) -> Path:
        """Return the user's own library of models; it may not be there."""
        default = os.environ.get(DEEPCONSENSUS_MODELS, _DEFAULT_MODELS)
        return Path(cls.getVar(DEEPCONSENSUS_MODELS, default)).expanduser()

    @classmethod
    def getEnviron(cls, gpus: Sequence[int] = ()) -> Environ:
        """Return the environment of a job that sees only `gpus` (default: none)."""
        environ = Environ(os.environ)
        environ["CUDA_VISIBLE_DEVICES"] = ",".join(str(gpu) for gpu in gpus)
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

        Raises
        ------
        subprocess.CalledProcessError
            If the job fails; the reason is in the protocol's log.
        """
        python, _ = cls.getJobsPython()
        environ = cls.getEnviron(_chosenGpus(protocol))
        start = ["-m", JOBS_MODULE]
        if python != sys.executable:
            start = [str(_LAUNCHER)]
            environ.pop("PYTHONPATH", None)  # of Scipion's Python
        protocol.runJob(
            shlex.quote(python),
            shlex.join([*start, str(jobPath)]),
            env=environ,
            numberOfMpi=1,  # never through mpirun
        )


@lru_cache(maxsize=4)
def _driver() -> gpus.DriverReport:
    """Return what NVIDIA's driver tells; asked once, since forms ask often."""
    return gpus.ask_driver()


def _chosenGpus(protocol: Protocol) -> list[int]:
    """Return the GPUs of the running step; empty when it runs on the CPU."""
    if not protocol.usesGpu():
        return []
    return [gpu for gpu in protocol.getExecutor().getGpuList() if gpu != VOID_GPU]
