# SPDX-License-Identifier: GPL-3.0-or-later
"""Process of one node, forked from a server that has imported what nodes need.

Importing this module loads Scipion's domain with all of its protocols, which takes
longer than most nodes do: the server (`node_server`) imports it once, and every node
starts from there. TensorFlow is not among it; jobs are processes of their own.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path

import psutil
import pyworkflow
from pyworkflow.protocol import runProtocolMain
from pyworkflow.utils import LoggingConfigurator

import deepconsensus_plugin.protocols  # noqa: F401 - every node imports them
from deepconsensus_plugin.commands.processes import RECORD
from deepconsensus_plugin.core.io.atomic import write_text

pyworkflow.Config.getDomain().getProtocols()


def run_node(project: str, database: str, number: int, logs: tuple[str, str]) -> None:
    """Run a protocol as Scipion's ``pw_protocol_run.py`` does, in this process.

    Parameters
    ----------
    project : str
        Folder of the project.
    database : str
        The protocol's run.db, relative to the project.
    number : int
        Identifier of the protocol.
    logs : (str, str)
        Absolute paths of the logs of what is printed, and of errors.
    """
    for stream, log in zip((1, 2), logs, strict=True):
        # What libraries write past Python belongs to the log, too.
        with open(log, "ab") as file:
            os.dup2(file.fileno(), stream)
    mine = psutil.Process()
    with suppress(OSError):  # a full disk: then nobody waits for this process
        write_text(
            Path(project, database).with_name(RECORD),
            json.dumps({"pid": mine.pid, "born": mine.create_time()}),
            is_lasting=False,
        )
    LoggingConfigurator.setUpProtocolRunLogging(*logs)
    runProtocolMain(project, database, number)
    logging.shutdown()
