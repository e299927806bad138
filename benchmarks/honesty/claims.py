# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims of a run about a case, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.honesty.case import Case
from deepconsensus_plugin.core.calibration.report import EstimatedFigure
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.workflow.chain import run_deep_consensus
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions

TOLERANCE = 0.05
"""Largest difference between a claimed precision and the true one."""

OPTIONS = DeepConsensusOptions(training=TrainingParameters(n_models=1))
AMPLE_OPTIONS = DeepConsensusOptions()
"""Three networks, so that together they hold out enough boxes."""


@dataclass(frozen=True)
class Claim:
    """Claim about the accepted candidates, and the truth about them.

    Parameters
    ----------
    n_accepted : int
        How many are accepted.
    precision : EstimatedFigure, optional
        Expected precision; None where it is withheld.
    why : str
        Why it is withheld, or why there is no result; empty where it is told.
    true_precision : float
        Share of the accepted that match a whole molecule; NaN where none is accepted.
    """

    n_accepted: int
    precision: EstimatedFigure | None
    why: str
    true_precision: float

    def verdict(self, *, is_ample: bool) -> str:
        """Return whether the claim is honest, in words."""
        if self.precision is None:
            return "withheld, evidence is ample" if is_ample else "right"
        gap = self.precision.value - self.true_precision
        if self.n_accepted == 0 or abs(gap) <= TOLERANCE:
            return "right"
        return f"wrong by {gap:+.2f}"


def claim_of(case: Case, folder: Path) -> Claim:
    """Return the claim of the whole chain, run in `folder` with its defaults."""
    options = AMPLE_OPTIONS if case.is_ample else OPTIONS
    try:
        found = run_deep_consensus(case.micrographs, case.pickers, options, folder)
    except ValueError as error:
        return Claim(0, None, f"refused: {error}", float("nan"))
    summary = found.summary
    true_precision = _precision(case, found.coordinates)
    if summary.expected is None:
        return Claim(
            summary.n_accepted,
            None,
            summary.why or "",
            true_precision,
        )
    return Claim(summary.n_accepted, summary.expected.precision, "", true_precision)


def _precision(case: Case, accepted: dict[str, ScoredCoordinates]) -> float:
    nothing = ScoredCoordinates.from_arrays([])
    truth = {name: case.truth.get(name, nothing) for name in accepted}
    matched = match_picks(accepted, truth, radius_px=case.match_radius_px)
    return summarise_matches(matched).precision
