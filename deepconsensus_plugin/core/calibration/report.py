# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a fusion: expected figures of pickers and of the set, kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.calibration.figures import Estimate
from deepconsensus_plugin.core.calibration.fusion import Fusion
from deepconsensus_plugin.core.calibration.independent_votes import (
    IndependentVotes,
    describe_merged,
)
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import FloatArray


@dataclass(frozen=True)
class EstimatedFigure:
    """Estimate with its 95 % interval; NaN where not defined."""

    value: float
    low: float
    high: float

    def describe(self, *, decimals: int = 2) -> str:
        """Return ``0.94 (0.93 - 0.95)``, without the interval where there is none."""
        text = f"{self.value:.{decimals}f}"
        if np.isnan(self.low) or np.isnan(self.high):
            return text
        return f"{text} ({self.low:.{decimals}f} – {self.high:.{decimals}f})"


_FEWEST_FOR_MISSED = 3
"""Independent pickers that tell how many particles nobody found. The votes of two fill
three cells, from which recall cannot be told: it was 8743 where 2400 were missed."""

UNKNOWN = EstimatedFigure(np.nan, np.nan, np.nan)
"""Figure that is not told."""


@dataclass(frozen=True)
class PickerVerdict:
    """Expected figures of one picker, without truth.

    Parameters
    ----------
    name : str
        The picker.
    n_picks : int
        Candidates that it found.
    precision : EstimatedFigure
        Share of particles among them.
    recall : EstimatedFigure
        Share that it found of the particles among the candidates.
    found_alone : EstimatedFigure
        Particles that no other picker found.
    """

    name: str
    n_picks: int
    precision: EstimatedFigure
    recall: EstimatedFigure
    found_alone: EstimatedFigure

    def describe(self) -> str:
        """Return the verdict as one line."""
        return (
            f"{self.name}: {self.n_picks} picks, expected precision "
            f"{self.precision.describe()}, recall {self.recall.describe()}, "
            f"{self.found_alone.describe(decimals=0)} particles found by it alone"
        )


@dataclass(frozen=True)
class CalibrationReport:
    """Expected figures of the pickers and of the set, at t thresholds.

    Parameters
    ----------
    seed : int
        Seed of the bootstrap.
    n_candidates : int
        How many were fused.
    n_particles : float
        Expected number of particles among them; NaN if withheld.
    suggested_threshold : float
        The probability with the largest expected F1; infinity where none is expected.
    n_missed : EstimatedFigure
        Expected number of particles that no picker found (see `Fusion.n_missed`); NaN
        where it cannot be known.
    pickers : list of PickerVerdict
        In the order of the candidates' table.
    thresholds : list of float, t
        Probabilities, ascending.
    precision, recall : list of EstimatedFigure, t
        Expected, where the candidates at or above a threshold are accepted; recall is
        relative to the particles among the candidates. Empty if withheld.
    why_withheld : str, optional
        Why nothing is expected, as a sentence (`core.calibration.grounds`). Expected
        figures are then NaN, so that nobody shows them.
    remarks : list of str
        Sentences about votes that are not counted.
    """

    seed: int
    n_candidates: int
    n_particles: float
    suggested_threshold: float
    n_missed: EstimatedFigure
    pickers: list[PickerVerdict]
    thresholds: list[float]
    precision: list[EstimatedFigure]
    recall: list[EstimatedFigure]
    why_withheld: str | None = None
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        fusion: Fusion,
        candidates: Candidates,
        *,
        seed: int,
    ) -> CalibrationReport:
        """Return the report of the fusion of these candidates."""
        votes = IndependentVotes.of(candidates)
        n_picks = votes.found.sum(axis=0).tolist()
        columns = (fusion.picker_precision, fusion.picker_recall, fusion.found_alone)
        verdicts = zip(votes.names, n_picks, *map(_estimate_rows, columns), strict=True)
        return cls(
            seed=seed,
            n_candidates=len(fusion.probability),
            n_particles=float(fusion.probability.sum()),
            suggested_threshold=choose_threshold(fusion.probability, AUTOMATIC),
            n_missed=_missed(fusion, n_voters=len(votes.names)),
            pickers=[PickerVerdict(name, int(n), *rest) for name, n, *rest in verdicts],
            thresholds=fusion.thresholds.tolist(),
            precision=_estimate_rows(fusion.precision),
            recall=_estimate_rows(fusion.recall),
            remarks=describe_merged(candidates),
        )

    def withheld(self, why: str | None) -> CalibrationReport:
        """Return the report without its figures, if there is a reason; else itself."""
        if why is None:
            return self
        unknown = [UNKNOWN] * 3
        return replace(
            self,
            n_particles=float("nan"),
            n_missed=UNKNOWN,
            pickers=[PickerVerdict(p.name, p.n_picks, *unknown) for p in self.pickers],
            thresholds=[],
            precision=[],
            recall=[],
            why_withheld=why,
        )

    def describe_pickers(self) -> list[str]:
        """Return the verdicts, a line each; none if they are withheld."""
        if self.why_withheld is not None:
            return self.remarks
        return [*self.remarks, *(picker.describe() for picker in self.pickers)]

    def describe_missed(self) -> str:
        """Return how many particles nobody found, or that it is not known."""
        what = "number of particles that no picker found"
        if np.isnan(self.n_missed.value):
            return f"The {what} cannot be told from these picks."
        figure = self.n_missed.describe(decimals=0)
        return f"Expected {what}: {figure}; an extrapolation."


def _missed(fusion: Fusion, *, n_voters: int) -> EstimatedFigure:
    """Return how many particles nobody found, unknown for two pickers."""
    if n_voters < _FEWEST_FOR_MISSED:
        return UNKNOWN
    return _estimate_rows(fusion.n_missed)[0]


def _estimate_rows(estimate: Estimate) -> list[EstimatedFigure]:
    ends = (estimate.value, estimate.low, estimate.high)
    columns: list[FloatArray] = [np.atleast_1d(end) for end in ends]
    return [EstimatedFigure(*row) for row in np.column_stack(columns).tolist()]


def write_report(path: Path, report: CalibrationReport) -> None:
    """Write a report as JSON."""
    write_json(path, to_plain(report))


def read_report(path: Path) -> CalibrationReport:
    """Return what `write_report` wrote.

    Raises
    ------
    FileFormatError
        If the file is not such a report.
    """
    return from_plain(read_json(path), CalibrationReport, path=path)
