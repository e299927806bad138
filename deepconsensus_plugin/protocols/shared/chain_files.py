# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the chain of Deep Consensus in the folder of a run."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.project.project import PROJECT_TMP
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.workflow.files import ChainFiles


def chainFilesOf(protocol: Protocol) -> ChainFiles:
    """Return the names of the files that the stages of a run write."""
    return ChainFiles(Path(protocol._getExtraPath()))


def seenByGeneralModel() -> Path:
    """Return the folder that runs of a project share for what the general model saw.

    Negatives and scores ask about the same candidates: the second one reads it.
    """
    return Path(PROJECT_TMP) / "general_model"
