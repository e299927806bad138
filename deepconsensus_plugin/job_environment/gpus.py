# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs that the driver shows, and why a backend does not see them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from deepconsensus_plugin.job_environment.versions import BACKENDS, last_line

_TIMEOUT_S = 30
_QUERY = ("--query-gpu=name,driver_version", "--format=csv,noheader")
_LOADER_WORDS = re.compile(r"cuda|cudnn|nvidia|gpu|dlopen|cuInit", re.IGNORECASE)

GPU_REMEDY = (
    "in Scipion: scipion3 installb deepconsensusGPU; without it: make env "
    "EXTRAS=dev,gpu"
)
"""The one line that brings NVIDIA's libraries."""


@dataclass(frozen=True)
class DriverReport:
    """GPUs as NVIDIA's driver tells.

    Parameters
    ----------
    names : tuple of str
        Names of the GPUs.
    driver : str
        Version of the driver; empty if it does not answer.
    cuda : tuple of int
        Newest CUDA, major and minor, that the driver supports; empty if not known.
    fault : str
        Reason why the driver does not answer; empty if it does or there is none.
    """

    names: tuple[str, ...] = ()
    driver: str = ""
    cuda: tuple[int, ...] = ()
    fault: str = ""


def ask_driver() -> DriverReport:
    """Return what nvidia-smi tells; nothing where it is not installed."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return DriverReport()
    try:
        answers = [
            subprocess.run(
                [program, *words],
                capture_output=True,
                text=True,
                check=True,
                timeout=_TIMEOUT_S,
            ).stdout
            for words in (_QUERY, ())
        ]
    except subprocess.CalledProcessError as error:
        return DriverReport(fault=last_line(error.stdout + error.stderr) or str(error))
    except (OSError, subprocess.TimeoutExpired) as error:
        return DriverReport(fault=str(error))
    return read_driver(*answers)


def read_driver(listed: str, table: str) -> DriverReport:
    """Return the report of two outputs of nvidia-smi: its list, and its table."""
    rows = [line.rsplit(",", 1) for line in listed.splitlines() if "," in line]
    cuda = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", table)
    return DriverReport(
        names=tuple(name.strip() for name, _ in rows),
        driver=rows[0][1].strip() if rows else "",
        cuda=tuple(map(int, cuda.groups())) if cuda else (),
    )


@dataclass(frozen=True)
class SeenDevices:
    """Devices that a backend sees, and how it was built.

    Parameters
    ----------
    backend : str
        ``tensorflow``, ``jax`` or ``torch``.
    names : tuple of str
        ``CPU``, or ``GPU`` with its name.
    for_cuda : str
        CUDA that it was built for, ``12.5``; empty if for CPUs only or not known.
    fault : str
        Reason why it could not be asked.
    log : str
        Its messages.
    """

    backend: str
    names: tuple[str, ...] = ()
    for_cuda: str = ""
    fault: str = ""
    log: str = ""

    @property
    def has_gpu(self) -> bool:
        """Whether one of them is a GPU."""
        return any(name.startswith("GPU") for name in self.names)


def why_no_gpu(
    seen: SeenDevices,
    driver: DriverReport,
    *,
    has_libraries: bool,
    environ: Mapping[str, str],
) -> str | None:
    """Return why the GPUs of this machine are not seen.

    None where they are, and where the machine has none.

    Parameters
    ----------
    seen : SeenDevices
        Answer of the backend.
    driver : DriverReport
        Answer of the driver.
    has_libraries : bool
        Whether NVIDIA's libraries are installed beside the backend.
    environ : mapping
        Environment variables that the backend was asked with.
    """
    if driver.fault:
        return f"NVIDIA's driver does not answer: {driver.fault}"
    if not driver.names or seen.has_gpu:
        return None
    title = BACKENDS[seen.backend]
    hidden = environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and not re.match(r"\s*(\d|GPU-|MIG-)", hidden):
        return f"CUDA_VISIBLE_DEVICES={hidden!r} hides them"
    if not has_libraries:
        return f"{title} has no CUDA libraries; {GPU_REMEDY}"
    if not seen.for_cuda:
        return f"this {title} was built for CPUs only; {GPU_REMEDY}"
    needed = tuple(map(int, re.findall(r"\d+", seen.for_cuda)))[:2]
    if driver.cuda and driver.cuda[:1] < needed[:1]:
        supported = ".".join(map(str, driver.cuda))
        return (
            f"driver {driver.driver} supports CUDA {supported}, {title} needs "
            f"{seen.for_cuda}: update the driver"
        )
    told = [line for line in seen.log.splitlines() if _LOADER_WORDS.search(line)]
    reason = told[-1].strip() if told else "it gives no reason"
    return f"{title} does not open them: {reason}"
