# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage of the chain that fuses votes and scores to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.pipeline.fuse_request import FuseRequest
from deepconsensus_plugin.core.pipeline.fusion import run
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob


def fuse_scored(
    folder: Path,
    *,
    seed: int | None,
    micrographs: Sequence[Micrograph] = (),
    model: Path | None = None,
    holds_scored_only: bool = False,
    feedback: FeedbackFile | None = None,
    run_job: RunJob | None = None,
) -> CalibrationReport | None:
    """Combine scores of networks, votes and scores of pickers to probabilities.

    Parameters
    ----------
    folder : Path
        Folder of the files of the earlier stages; the probabilities are written to it.
    seed : int, optional
        Random seed of the sample and of the bootstrap. None: nothing is combined.
    micrographs : sequence of Micrograph
        Micrographs that were picked.
    model : Path, optional
        Folder of the model that scored the candidates.
    holds_scored_only : bool
        Whether the table of candidates holds those that were scored, and no other.
    feedback : FeedbackFile, optional
        Labels that correct the probabilities.
    run_job : callable, optional
        Function that carries out the job, if there is a seed. None: a `KeptJobs`.

    Returns
    -------
    CalibrationReport or None
        None where the score is the network's own.
    """
    files = ChainFiles(folder)
    request = FuseRequest(
        candidates=files.candidates,
        rows=None if holds_scored_only else files.positions,
        scores=files.scores,
        shapes={each.name: each.shape for each in micrographs},
        seed=seed,
        score=files.score,
        calibration=files.calibration,
        model=model,
        witness=files.witness,
        witness_peaks=files.witness_peaks,
        null=files.null,
        averages=files.averages,
        feedback=feedback,
    )
    if seed is None:  # there is nothing to compute
        run(request, Progress())
    else:
        (run_job or KeptJobs(folder))(request)
    return files.read_calibration()
