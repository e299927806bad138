# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *score particles*."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport


def describeScores(
    accepted: AcceptanceSummary,
    nLeftOut: int,
    nWithoutParticle: int,
    report: CalibrationReport | None,
) -> list[str]:
    """Return what came out, and what is expected of it and of the pickers.

    Parameters
    ----------
    accepted : AcceptanceSummary
        What is accepted of the candidates that have a score.
    nLeftOut, nWithoutParticle : int
        Candidates without one, and those with one that have no particle.
    report : CalibrationReport, optional
        None where the score is the network's own.
    """
    lines = [
        f"{accepted.n_candidates} candidates scored; all of them are in the outputs.",
        *accepted.sentences(),
    ]
    if report is None:
        lines.append("The score is that of the network, not a probability.")
    else:
        lines += report.describe_pickers()
    if nWithoutParticle:
        lines.append(
            f"{nWithoutParticle} candidates have coordinates but no particle, since "
            "their box leaves the micrograph."
        )
    if nLeftOut:
        lines.append(
            f"{nLeftOut} candidates left out, since their micrographs have no CTF, or "
            "are not among the *Other micrographs* (see the log)."
        )
    return lines


def describeFusion(report: CalibrationReport) -> str:
    """Return how the scores became probabilities, as a sentence of a paper."""
    combined = (
        f"Its scores, the votes and the scores of the {len(report.pickers)} pickers "
        "were combined to the probability that each is a particle, by a latent trait "
        "model fitted without labels"
    )
    if report.why_withheld is not None:
        return f"{combined}; precision and recall were not estimated."
    return f"{combined}; {report.n_particles:.0f} particles are expected among them."


def countWithoutParticle(protocol: Protocol, suffix: str = "") -> int:
    """Return how many scored coordinates have no particle, where any were written."""
    particles = getattr(protocol, f"outputParticles{suffix}", None)
    coordinates = getattr(protocol, f"outputCoordinates{suffix}", None)
    if particles is None or coordinates is None:
        return 0
    return coordinates.getSize() - len(particles)
