# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols and their jobs in the process of the test.

A process for each costs seconds; TensorFlow is loaded once here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from pwem.protocols import EMProtocol
from pyworkflow.protocol.executor import StepExecutor

from deepconsensus_plugin.core.jobs import run_job
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.tests.synthetic import SyntheticProject


def run_here(
    test: type[SyntheticProject],
    protocol: EMProtocol,
    *,
    job: Callable[[Path], object] = run_job,
    wait: Callable[[], None] | None = None,
) -> EMProtocol:
    """Run all steps of a protocol, or continue with those that are left.

    Parameters
    ----------
    test : type of SyntheticProject
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
    protocol.setStepsExecutor(StepExecutor(protocol.getHostConfig()))
    with patch.object(Plugin, "runCoreJob", lambda _, path: job(Path(path))):
        if wait is None:
            protocol.run()
        else:
            with patch.object(protocol, "_streamingSleepOnWait", wait):
                protocol.run()
    return protocol
