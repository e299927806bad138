# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *score particles*."""

from __future__ import annotations

from deepconsensus_plugin.core.calibration.report import CalibrationReport


def describeScores(
    nScored: int,
    nAccepted: int,
    nLeftOut: int,
    threshold: float,
    report: CalibrationReport | None,
) -> list[str]:
    """Return what came out, and what is expected of it and of the pickers.

    Parameters
    ----------
    nScored, nAccepted, nLeftOut : int
        Candidates with a score, with one that reaches the threshold, and without one.
    threshold : float
        Suggested threshold.
    report : CalibrationReport, optional
        None where the score is the network's own.
    """
    share = f" ({nAccepted / nScored:.0%})" if nScored else ""
    lines = [
        f"{nScored} candidates scored and kept; {nAccepted}{share} reach the suggested "
        f"threshold of {threshold:.3g}. Choose another one in the viewer."
    ]
    if report is None:
        lines.append("The score is that of the network, not a probability.")
    else:
        lines += _describeExpected(report, threshold)
    if nLeftOut:
        lines.append(
            f"{nLeftOut} candidates left out, since their micrographs have no CTF, or "
            "are not among the *Other micrographs* (see the log)."
        )
    return lines


def _describeExpected(report: CalibrationReport, threshold: float) -> list[str]:
    precision, recall = report.expected_at(threshold)
    return [
        f"Expected: precision {precision.describe()}, recall {recall.describe()} "
        f"of about {report.n_particles:.0f} particles among the candidates (95 % "
        "intervals).",
        *(verdict.describe() for verdict in report.pickers),
    ]


def describeFusion(report: CalibrationReport) -> str:
    """Return how the scores became probabilities, as a sentence of a paper."""
    return (
        f"Its scores, the votes and the scores of the {len(report.pickers)} pickers "
        "were combined to the probability that each is a particle, by a latent trait "
        f"model fitted without labels; {report.n_particles:.0f} particles are expected "
        "among them."
    )
