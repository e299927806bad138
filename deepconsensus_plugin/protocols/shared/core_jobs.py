# SPDX-License-Identifier: GPL-3.0-or-later
"""Runner of the jobs of `core.workflow` that gives each a process of its own."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.jobs import job_kind, write_job
from deepconsensus_plugin.core.workflow.running import RunJob
from deepconsensus_plugin.plugin import Plugin


def jobsIn(folder: Path, protocol: Protocol) -> RunJob:
    """Return what runs a request as a job of `protocol`, whose file is in `folder`."""

    def run(request: object) -> None:
        job = folder / f"{job_kind(request)}.json"
        write_job(job, request)
        Plugin.runCoreJob(protocol, job)

    return run
