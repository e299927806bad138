# SPDX-License-Identifier: GPL-3.0-or-later
"""Job of the fusion: files of the earlier stages to scores and their report."""

from __future__ import annotations

from dataclasses import replace

from deepconsensus_plugin.core.averages.table import read_amplitude
from deepconsensus_plugin.core.blas import one_blas_thread
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.arrays import read_array_file
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.pipeline.fuse import keep_fused
from deepconsensus_plugin.core.pipeline.fuse_request import FuseRequest, FuseResult
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.pipeline.witness_opinion import find_opinion
from deepconsensus_plugin.core.pipeline.witness_request import read_witness


def run(request: FuseRequest, progress: Progress) -> FuseResult:
    """Carry out a `FuseRequest`, with one thread for linear algebra.

    Products of several threads differ in their last digits, and these are too small
    for threads to gain anything.

    Raises
    ------
    ValueError
        If a file is of another number of candidates.
    """
    with one_blas_thread():
        candidates = _scored(request)
        log_odds = read_witness(request.witness, candidates)
        report = keep_fused(
            candidates,
            read_scores(request.scores).mean,
            find_opinion(log_odds, candidates, request.witness_peaks, request.null),
            read_amplitude(request.averages, len(candidates)),
            seed=request.seed,
            score=request.score,
            calibration=request.calibration,
            context=replace(
                FusionContext.of((), request.model, request.null, request.averages),
                shapes=request.shapes,
            ),
            progress=progress,
            feedback=request.feedback,
        )
    return FuseResult(len(candidates), report is not None, progress.timings)


def _scored(request: FuseRequest) -> Candidates:
    candidates = read_candidates(request.candidates)
    if request.rows is None:
        return candidates
    rows = read_array_file(request.rows, "rows of candidates", kinds="iu")
    # Rows ascend: as many as there are candidates are all of them.
    return candidates if len(rows) == len(candidates) else candidates.take(rows)
