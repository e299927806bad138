# SPDX-License-Identifier: GPL-3.0-or-later
"""Refit of a run's scores with the marks of its window: tells what would change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.averages.table import read_amplitude
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.marks.log import MARKS_FILE, MarkLog
from deepconsensus_plugin.core.marks.matching import MATCH_RADIUS, match_marks
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.pipeline.refit import refit
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf

NO_REFIT = "Only candidates of *score particles* and *deep consensus* can be refitted."
_NO_MARKS = "There are no marks yet: choose a list at Look at, then press g or b."
_NOT_FUSED = (
    "The scores are the network's own, not combined with the pickers: there is nothing "
    "that marks could correct."
)


def marksOf(run: Protocol) -> Path:
    """Return the file of the marks of a run, from the folder of the project."""
    return Path(run._getExtraPath(MARKS_FILE))


def tellRefit(run: Protocol) -> str | Iterator[str]:
    """Return what the marks of a run change, told by another thread.

    Sets of Scipion are asked here, files are read there.
    """
    files, path = chainFilesOf(run), marksOf(run).absolute()
    files = ChainFiles(files.folder.absolute())
    if not MarkLog(path).standing():
        return _NO_MARKS
    if not files.calibration.exists():
        return _NOT_FUSED
    isOfJob = isinstance(run, ProtDeepConsensusScore)
    items = run.outputCoordinates if isOfJob else run.outputCoordinatesScored
    return _refit(files, path, float(items.getBoxSize()), has_all=isOfJob)


def _refit(
    files: ChainFiles, path: Path, box_size: float, *, has_all: bool
) -> Iterator[str]:
    """Yield that it is at work, and then what would change.

    `has_all` is whether the candidates of the file are those that were scored.
    """
    yield "Fitting the marks …"
    candidates = read_candidates(files.candidates)
    if not has_all:
        candidates = candidates.take(np.load(files.positions))
    matched = match_marks(
        MarkLog(path).standing(), candidates, radius_px=MATCH_RADIUS * box_size
    )
    found = refit(
        candidates,
        read_scores(files.scores).mean,
        files.find_opinion(candidates),
        read_amplitude(files.averages, len(candidates)),
        before=np.load(files.score),
        labels=matched.labels,
        seed=0,
        context=FusionContext(averages=files.averages),
    )
    yield (
        f"{' '.join(found.gain.sentences())} To keep this, continue the run with Marks "
        f"or selection = {path}"
    )
