# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols and their jobs in the process of the test.

A process for each costs seconds; TensorFlow is loaded once here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import (
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    redirect_stderr,
)
from pathlib import Path
from unittest.mock import patch

import pyworkflow.protocol
from pwem.protocols import EMProtocol
from pyworkflow.protocol import getProtocolFromDb
from pyworkflow.protocol.executor import StepExecutor
from pyworkflow.tests import BaseTest

from deepconsensus_plugin.commands import node_server
from deepconsensus_plugin.core.jobs import run_job
from deepconsensus_plugin.plugin import Plugin

Job = Callable[[Path], object]


@contextmanager
def launched_here() -> Iterator[None]:
    """Let Scipion launch protocols in this process instead of processes of their own.

    All else is as in a launch: the steps are those of another object, which is read
    from the database of the run, and what they make is read from there afterwards.
    """
    with (
        patch.object(pyworkflow.protocol, "launch", _run_from_database),
        patch.object(node_server, "NodeServer", _NoServer),
    ):
        yield


class _NoServer:
    """Stand-in for the server of nodes, which are launched here."""

    launching = staticmethod(nullcontext)

    def running(self) -> None:
        """Return None: nodes have no process of their own."""

    def cancel_queued(self) -> None:
        """Do nothing: no node uses a queue."""


def _run_from_database(launched: EMProtocol, wait: bool = False) -> None:
    project = launched.getProject()
    protocol = getProtocolFromDb(
        project.path, launched.getDbPath(), launched.getObjId()
    )
    try:
        with _logs_of(protocol):
            _run_steps(protocol, run_job)
    finally:
        protocol.getProject().closeMapper()
        protocol.closeMappers()


@contextmanager
def _logs_of(protocol: EMProtocol) -> Iterator[None]:
    """Write what is said meanwhile to the logs of the run, as its process does."""
    root = logging.getLogger()
    with ExitStack() as stack:
        for path, level in (
            (protocol.getStdoutLog(), logging.INFO),
            (protocol.getStderrLog(), logging.ERROR),
        ):
            handler = stack.enter_context(closing(logging.FileHandler(path)))
            handler.setLevel(level)
            root.addHandler(handler)
            stack.callback(root.removeHandler, handler)
        stack.enter_context(redirect_stderr(handler.stream))
        yield


def _run_steps(protocol: EMProtocol, job: Job) -> None:
    protocol.setStepsExecutor(
        StepExecutor(protocol.getHostConfig(), gpuList=protocol.getGpuList())
    )
    with jobs_here(job):
        protocol.run()


@contextmanager
def jobs_here(job: Job = run_job) -> Iterator[None]:
    """Carry out the jobs of protocols in this process."""
    with patch.object(Plugin, "runCoreJob", lambda _, path: job(Path(path))):
        yield


def run_here(
    test: type[BaseTest],
    protocol: EMProtocol,
    *,
    job: Job = run_job,
    wait: Callable[[], None] | None = None,
) -> EMProtocol:
    """Run all steps of this very object, or continue with those that are left.

    Parameters
    ----------
    test : type of BaseTest
        Its project is the working directory.
    protocol : EMProtocol
        New, or stopped before.
    job : callable
        Carries out a job file.
    wait : callable, optional
        Called instead of sleeping while there is nothing new in an open input.
    """
    if not protocol.hasObjId():
        test.proj.saveProtocol(protocol)
    protocol.makePathsAndClean()
    protocol._steps = []
    if wait is None:
        _run_steps(protocol, job)
    else:
        with patch.object(protocol, "_streamingSleepOnWait", wait):
            _run_steps(protocol, job)
    return protocol
