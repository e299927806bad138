# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the files that the stages of the chain share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    read_report,
)
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.arrays import read_array_file
from deepconsensus_plugin.core.io.scores import EnsembleScores, read_scores
from deepconsensus_plugin.core.serialisation import from_plain, read_json
from deepconsensus_plugin.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class ChainFiles:
    """Names of the files of the chain in their folder."""

    folder: Path

    @property
    def candidates(self) -> Path:
        """HDF5 file of all candidates."""
        return self.folder / "candidates.h5"

    @property
    def report(self) -> Path:
        """JSON file of the `ConsensusReport`."""
        return self.folder / "consensus.json"

    @property
    def masks(self) -> Path:
        """Folder of the masks of the micrographs that were picked."""
        return self.folder / "masks"

    @property
    def negatives(self) -> Path:
        """HDF5 file of the negatives, in pixels of the candidates."""
        return self.folder / "negatives.h5"

    @property
    def model(self) -> Path:
        """Folder of the model that is trained."""
        return self.folder / "model"

    @property
    def positions(self) -> Path:
        """NumPy file of the rows of the candidates that were scored."""
        return self.folder / "positions.npy"

    @property
    def scores(self) -> Path:
        """HDF5 file of the scores of the networks."""
        return self.folder / "scores.h5"

    @property
    def asked(self) -> Path:
        """HDF5 file of the candidates that the general model is asked about."""
        return self.folder / "witness_candidates.h5"

    @property
    def witness(self) -> Path:
        """HDF5 file of the candidates that the general model looked at: log-odds."""
        return self.folder / "witness.h5"

    @property
    def witness_peaks(self) -> Path:
        """HDF5 file of all maxima of the general model on the same micrographs."""
        return self.folder / "witness_peaks.h5"

    @property
    def compared(self) -> Path:
        """HDF5 file of the candidates that are averaged, in pixels of their images."""
        return self.folder / "averages_candidates.h5"

    @property
    def averages(self) -> Path:
        """HDF5 file of the `AveragesTable` of the scored candidates."""
        return self.folder / "averages.h5"

    @property
    def score(self) -> Path:
        """NumPy file of the scores that the threshold applies to."""
        return self.folder / "score.npy"

    @property
    def calibration(self) -> Path:
        """JSON file of the `CalibrationReport`, where scores are probabilities."""
        return self.folder / "calibration.json"

    @property
    def table(self) -> Path:
        """CSV table of all scored candidates."""
        return self.folder / "scores.csv"

    @property
    def null(self) -> Path:
        """JSON file of the `NullComparison` of the general model."""
        return self.folder / "null.json"

    def forget_witness(self) -> None:
        """Remove what an earlier run knew from the general model."""
        for path in (self.witness, self.witness_peaks, self.null):
            path.unlink(missing_ok=True)

    def read_consensus(self) -> ConsensusReport:
        """Return the report on the agreement of the pickers."""
        return from_plain(read_json(self.report), ConsensusReport, path=self.report)

    def read_positions(self) -> IntArray:
        """Return the rows of scored candidates.

        Raises
        ------
        FileFormatError
            If the file holds something else.
        """
        expected = "rows of candidates, each once"
        rows = read_array_file(self.positions, expected, kinds="iu")
        if (rows < 0).any() or len(np.unique(rows)) != len(rows):
            received = "negative numbers, or the same row twice"
            raise FileFormatError(self.positions, expected=expected, received=received)
        return rows

    def read_scores(self) -> tuple[IntArray, EnsembleScores]:
        """Return the rows of scored candidates, and the scores of the networks."""
        return self.read_positions(), read_scores(self.scores)

    def read_score(self) -> tuple[FloatArray, CalibrationReport | None]:
        """Return the scores that count, and the calibration report if there is one."""
        score = read_array_file(self.score, "scores", kinds="f")
        return score, self.read_calibration()

    def read_calibration(self) -> CalibrationReport | None:
        """Return the calibration report; None where nothing was combined (yet)."""
        return read_report(self.calibration) if self.calibration.exists() else None


def made_folder(folder: Path | str) -> Path:
    """Return a folder, made if it does not exist.

    Raises
    ------
    FileExistsError
        If it is a file.
    """
    folder = Path(folder)
    if folder.is_file():
        raise FileExistsError(f"{folder}: expected a folder, received a file")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
