# SPDX-License-Identifier: GPL-3.0-or-later
"""Particle diameter of a picking run: the given one, or an estimate that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.pickers.diameter.estimate import (
    DiameterEstimate,
    estimate_diameter,
)
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.plots.diameter import draw_diameter

AUTO = "estimated from the micrographs, if they tell one"
"""How an empty line of a diameter is filled in."""


def diameterOf(
    protocol: Protocol, micrographs: Sequence[Micrograph], *, areDark: bool
) -> float:
    """Return the diameter of a run, Å, and keep an estimate of it beside its files.

    Parameters
    ----------
    protocol : Protocol
        Its form has *particleDiameter*, which may be empty.
    micrographs : sequence of Micrograph
        Micrographs that are picked.
    areDark : bool
        Whether particles are darker than their surroundings.

    Raises
    ------
    ValueError
        If none was given, and none can be estimated.
    """
    estimate = estimate_diameter(
        micrographs, particles_dark=areDark, workers=protocol.numberOfThreads.get()
    )
    given = protocol.particleDiameter.get()
    _keep(protocol, estimate, given)
    protocol.info(estimate.describe())
    if given is not None:
        return given
    if estimate.diameter_A is None:
        raise ValueError(
            f"Particle diameter: none was given. {estimate.describe()} Give "
            "particleDiameter in Å."
        )
    return estimate.diameter_A


def chosenDiameter(protocol: Protocol) -> float | None:
    """Return the given diameter, or the estimate of a run; None before it ran."""
    given = protocol.particleDiameter.get()
    if given is not None:
        return given
    estimate = readEstimate(protocol)
    return None if estimate is None else estimate.diameter_A


def readEstimate(protocol: Protocol) -> DiameterEstimate | None:
    """Return the estimate of a run; None where there is none."""
    path = _path(protocol)
    return DiameterEstimate.read(path) if path.is_file() else None


def describeDiameter(protocol: Protocol) -> list[str]:
    """Return what diameter was estimated, or that the given one looks wrong."""
    estimate, given = readEstimate(protocol), protocol.particleDiameter.get()
    if estimate is None:
        return []
    if given is None:
        return [f"{estimate.describe()} Picture: {_path(protocol, '.png')}."]
    disagreement = estimate.describe_disagreement(given)
    return [] if disagreement is None else [disagreement]


def _keep(protocol: Protocol, estimate: DiameterEstimate, given: float | None) -> None:
    estimate.write(_path(protocol))
    figure = Figure(figsize=(6, 3.5))
    draw_diameter(figure, estimate, given_A=given)
    figure.savefig(_path(protocol, ".png"), dpi=120)


def _path(protocol: Protocol, suffix: str = ".json") -> Path:
    return Path(protocol._getExtraPath(f"diameter{suffix}"))
