# SPDX-License-Identifier: GPL-3.0-or-later
"""Server of a run's nodes: one process that imports Scipion, from which nodes start.

Scipion starts a Python for every protocol, which takes two seconds to import what the
one before it had imported. Here each is forked from a server instead. It is still a
process of its own: it can be killed, watched and waited for, and what it leaves in logs
and databases is the same.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import ensure_running
from typing import Any

import psutil

_NODE = "deepconsensus_plugin.commands.node_process"


class NodeServer:
    """Server of the processes of nodes; it starts at once, and ends with the run."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_NODE])
        self._running: ForkServerProcess | None = None
        self._protocol: Any = None
        ensure_running()  # its imports take time, in which others go on

    @contextmanager
    def launching(self) -> Iterator[None]:
        """Let Scipion launch protocols through this server meanwhile."""
        import pyworkflow.protocol as scipion  # heavy

        before = scipion.launch  # Scipion has no other way to choose
        scipion.launch = self._launch_or(before)
        try:
            yield
        finally:
            scipion.launch = before

    def _launch_or(self, ordinary: Any) -> Any:
        def launch(protocol: Any, wait: bool = False, **streams: Any) -> None:
            if not wait or protocol.useQueueForProtocol():
                ordinary(protocol, wait, **streams)
            else:
                self._run(protocol)

        return launch

    def _run(self, protocol: Any) -> None:
        """Run a protocol to its end."""
        from deepconsensus_plugin.commands.node_process import run_node  # heavy

        protocol.cleanExecutionAttributes()
        logs = protocol.getStdoutLog(), protocol.getStderrLog()
        process = self._context.Process(
            target=run_node,
            args=(
                protocol.getProject().path,
                protocol.getDbPath(),
                protocol.getObjId(),
                tuple(map(os.path.abspath, logs)),
            ),
        )
        process.start()
        self._running, self._protocol = process, protocol
        try:
            process.join()
        finally:
            self._running = self._protocol = None

    def cancel_queued(self) -> None:
        """Take the jobs of the node that ran, and was stopped, from the queue."""
        from deepconsensus_plugin.commands.placing_work import cancel_jobs  # heavy

        if self._protocol is not None:
            cancel_jobs(self._protocol)

    def running(self) -> psutil.Process | None:
        """Return the process of the node that runs; None without one."""
        process = self._running
        if process is None or process.pid is None:
            return None
        try:
            return psutil.Process(process.pid)
        except psutil.NoSuchProcess:
            return None
