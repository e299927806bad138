# SPDX-License-Identifier: GPL-3.0-or-later
"""Table ``scores.csv`` of scored candidates, with what became of each."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.acceptance.accept import Acceptance
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.types import FloatArray


def write_accepted(
    path: Path | str,
    candidates: Candidates,
    networks: EnsembleScores,
    acceptance: Acceptance,
    general_model: FloatArray | None = None,
    likeness: Likeness | None = None,
) -> None:
    """Write a row for each of n candidates; see `write_scores_csv`."""
    write_scores_csv(
        path,
        candidates,
        score=acceptance.score,
        network_score=networks.mean,
        spread=networks.spread,
        reason=acceptance.reason,
        general_model=general_model,
        likeness=likeness,
    )
