# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of *score particles* says of itself."""

from __future__ import annotations

from deepconsensus_plugin.core.calibration.report import CalibrationReport


def describeScores(nScored: int, nAccepted: int, threshold: float) -> str:
    """Return how many reach the suggested threshold, as one line."""
    share = f" ({nAccepted / nScored:.0%})" if nScored else ""
    return (
        f"{nScored} candidates scored and kept; {nAccepted}{share} reach the suggested "
        f"threshold of {threshold:.3g}. Choose another in the viewer."
    )


def describeCalibration(report: CalibrationReport, threshold: float) -> list[str]:
    """Return what is expected at a threshold, and of every picker, without truth."""
    precision, recall = report.expected_at(threshold)
    return [
        f"Expected there: precision {precision.describe()}, recall {recall.describe()} "
        f"of about {report.n_particles:.0f} particles among the candidates (95 % "
        "intervals).",
        *(verdict.describe() for verdict in report.pickers),
    ]


def describeLeftOut(nLeftOut: int) -> list[str]:
    """Return why candidates have no score, where some have none."""
    if not nLeftOut:
        return []
    return [
        f"{nLeftOut} candidates left out: their micrographs have no CTF, or are not "
        "among those to cut (see the log)."
    ]


def describeFusion(report: CalibrationReport) -> str:
    """Return how the scores became probabilities, as a sentence of a paper."""
    return (
        f"Its scores, the votes and the scores of the {len(report.pickers)} pickers "
        "were combined to the probability that each is a particle, by a latent trait "
        f"model fitted without labels; {report.n_particles:.0f} particles are expected "
        "among them."
    )
