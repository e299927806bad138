# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *score particles*."""

from __future__ import annotations

from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport


def describeScores(
    accepted: AcceptanceSummary, nLeftOut: int, report: CalibrationReport | None
) -> list[str]:
    """Return what came out, and what is expected of it and of the pickers.

    Parameters
    ----------
    accepted : AcceptanceSummary
        What is accepted of the candidates that have a score.
    nLeftOut : int
        Candidates without one.
    report : CalibrationReport, optional
        None where the score is the network's own.
    """
    lines = accepted.sentences()
    if report is None:
        lines.append("The score is the network's own, not a probability.")
    else:
        lines += [verdict.describe() for verdict in report.pickers]
    if nLeftOut:
        lines.append(
            f"{nLeftOut} candidates left out: their micrographs have no CTF, or are "
            "not among those to cut (see the log)."
        )
    return lines


def describeFusion(report: CalibrationReport) -> str:
    """Return how the scores became probabilities, as a sentence of a paper."""
    return (
        f"Its scores, the votes and the scores of the {len(report.pickers)} pickers "
        "were combined to the probability that each is a particle, by a latent trait "
        f"model fitted without labels; {report.n_particles:.0f} particles are expected "
        "among them."
    )
