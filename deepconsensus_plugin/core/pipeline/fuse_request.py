# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to fuse votes and scores of candidates, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.limits import Seed, Side
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile


@dataclass(frozen=True)
class FuseRequest:
    """Request for the probabilities of candidates, or else the network's own scores.

    Parameters
    ----------
    candidates : Path
        File of the table of candidates (`core.io.tables.write_candidates`).
    rows : Path, optional
        NumPy file of the rows of the table that were scored. None: all.
    scores : Path
        File of the scores of the networks, in the order of these rows.
    shapes : mapping of micrograph name to (rows, columns)
        Micrographs that were picked, pixels.
    seed : int, optional
        Random seed of the sample and of the bootstrap. None: nothing is combined.
    score : Path
        NumPy file to write: scores that a threshold applies to.
    calibration : Path
        JSON file of the `CalibrationReport` to write; removed where nothing is
        combined.
    witness, witness_peaks, null, averages : Path
        Files of a `WitnessRequest` and of an `AveragesRequest` on these rows, which
        need not be there.
    model : Path, optional
        Folder of the model that scored the candidates.
    feedback : FeedbackFile, optional
        Labels that correct the probabilities.
    """

    candidates: Path
    rows: Path | None
    scores: Path
    shapes: dict[str, tuple[Side, Side]]
    seed: Seed | None
    score: Path
    calibration: Path
    witness: Path
    witness_peaks: Path
    null: Path
    averages: Path
    model: Path | None = None
    feedback: FeedbackFile | None = None


@dataclass(frozen=True)
class FuseResult:
    """Result of a fusion.

    Parameters
    ----------
    n_candidates : int
        Candidates with a score.
    are_probabilities : bool
        Whether the scores are probabilities, not the network's own.
    timings : dict of StageCost
        Time and memory by stage.
    """

    n_candidates: int
    are_probabilities: bool
    timings: dict[str, StageCost] = field(default_factory=dict)
