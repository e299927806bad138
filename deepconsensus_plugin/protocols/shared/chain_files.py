# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the chain of Deep Consensus in the folder of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyworkflow.project.project import PROJECT_TMP
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import AveragedItems, BoxFrame
from deepconsensus_plugin.core.workflow.files import ChainFiles


def chainFilesOf(protocol: Protocol) -> ChainFiles:
    """Return the names of the files that the stages of a run write."""
    return ChainFiles(Path(protocol._getExtraPath()))


def readAveraged(
    files: ChainFiles, nCandidates: int, frame: BoxFrame
) -> AveragedItems | None:
    """Return what averages tell of the scored candidates, by row; None without any.

    Parameters
    ----------
    files : ChainFiles
        Files of the chain.
    nCandidates : int
        Number of candidates with a score.
    frame : BoxFrame
        What was cut.
    """
    return AveragedItems.read(
        files.averages,
        files.compared,
        np.arange(nCandidates),
        pixel_size_A=frame.micrographs.getSamplingRate(),
        picked_pixel_A=frame.coordinates.getMicrographs().getSamplingRate(),
    )


def seenByGeneralModel() -> Path:
    """Return the folder that runs of a project share for what the general model saw.

    Negatives and scores ask about the same candidates: the second one reads it.
    """
    return Path(PROJECT_TMP) / "general_model"
