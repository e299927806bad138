# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report is made from: a run whose files are all written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.scored import ScoredCandidates
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a report is about.

    Parameters
    ----------
    folder : Path
        Of the project, with the files that `summary` names.
    summary : mapping
        Content of ``summary.json``.
    protocols : sequence of Protocol
        All, in the order they ran.
    scored : ScoredCandidates
        What they came to.
    micrographs : sequence of Micrograph
        Those of the candidates, all of them.
    figures : mapping, optional
        Content of ``metrics.json``, where there is a truth.
    """

    folder: Path
    summary: Mapping[str, Any]
    protocols: Sequence[Protocol]
    scored: ScoredCandidates
    micrographs: Sequence[Micrograph]
    figures: Mapping[str, Any] | None = None

    def only(self, class_name: str) -> Protocol | None:
        """Return the protocol of a class; None where there is none."""
        named = (p for p in self.protocols if p.getClassName() == class_name)
        return next(named, None)

    @property
    def calibration(self) -> CalibrationReport | None:
        """What is expected without truth; None where scores are the network's own."""
        scores = self.only("ProtDeepConsensusScore")
        return None if scores is None else scores.readCalibration()
