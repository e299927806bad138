# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a simulation; docs/simulation.md gives the source of each default.

The defaults are what is usual at 300 kV: β-galactosidase-like particles, a counting
detector behind an energy filter, and a little of everything that misleads pickers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from pydantic import Field

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.limits import Finite, NotNegative, describe_reversed
from deepconsensus_plugin.core.simulation.sample import Contamination, Crowd, Ice
from deepconsensus_plugin.core.simulation.structures import Phantom, Structure


class Detector(Enum):
    """Kind of detector; its figures are in `detector`."""

    COUNTING = "counting"
    INTEGRATING = "integrating"
    PERFECT = "perfect"


_Side = Annotated[int, Field(ge=64)]
"""Rows or columns of a micrograph, pixels."""


@dataclass(frozen=True)
class Optics(Declared):
    """The microscope; ranges are drawn from uniformly, once per micrograph."""

    voltage_kV: float = field(
        default=300.0,
        metadata=declare(
            "Voltage",
            "Acceleration voltage of the microscope.",
            unit="kV",
            is_expert=True,
            gt=0,
        ),
    )
    spherical_aberration_mm: float = field(
        default=2.7,
        metadata=declare(
            "Spherical aberration",
            "Spherical aberration (Cs) of the objective lens.",
            unit="mm",
            is_expert=True,
        ),
    )
    amplitude_contrast: float = field(
        default=0.07,
        metadata=declare(
            "Amplitude contrast",
            "Fraction of the contrast that does not depend on defocus.",
            is_expert=True,
            ge=0,
            le=1,
        ),
    )
    defocus_A: tuple[NotNegative, NotNegative] = field(
        default=(10_000.0, 25_000.0),
        metadata=declare(
            "Defocus",
            "Range of the underfocus, which is drawn at random for each micrograph.",
            unit="Å",
        ),
    )
    astigmatism_A: float = field(
        default=300.0,
        metadata=declare(
            "Maximum astigmatism",
            "Largest difference between the two defocus values; it is drawn at "
            "random from 0 to this value for each micrograph.",
            unit="Å",
            is_expert=True,
            ge=0,
        ),
    )
    phase_shift_deg: tuple[Finite, Finite] = field(
        default=(0.0, 0.0),
        metadata=declare(
            "Phase shift",
            "Range of the phase shift of a phase plate, which is drawn at random "
            "for each micrograph. 0 to 0 means no phase plate.",
            unit="°",
            is_expert=True,
        ),
    )
    b_factor_A2: float = field(
        default=100.0,
        metadata=declare(
            "B-factor",
            "B-factor of the envelope exp(-B s² / 4), for motion, radiation damage "
            "and coherence together.",
            unit="Å²",
            is_expert=True,
            ge=0,
        ),
    )

    def conflicts(self) -> list[str]:
        """Return which ranges are upside down."""
        return [
            *describe_reversed("Defocus", self.defocus_A),
            *describe_reversed("Phase shift", self.phase_shift_deg),
        ]


@dataclass(frozen=True)
class Exposure(Declared):
    """The electrons, and what records them."""

    dose_e_per_A2: float = field(
        default=40.0,
        metadata=declare("Dose", "Total exposure of a micrograph.", unit="e/Å²", gt=0),
    )
    snr: float | None = field(
        default=None,
        metadata=declare(
            "Signal-to-noise ratio",
            "Variance of the signal divided by that of the noise, within "
            "particles. If given, it sets the dose of each micrograph.",
            gt=0,
            if_none="the dose is used",
        ),
    )
    detector: Detector = field(
        default=Detector.COUNTING,
        metadata=declare(
            "Detector",
            "*counting*: like K2 and K3.\n"
            "*integrating*: like Falcon II.\n"
            "*perfect*: without noise or blur of its own.",
            is_expert=True,
        ),
    )
    binning: int = field(
        default=2,
        metadata=declare(
            "Binning",
            "Number of detector pixels along one pixel of the micrographs.",
            is_expert=True,
            ge=1,
        ),
    )
    energy_filter: bool = field(
        default=True,
        metadata=declare(
            "Energy filter",
            "*Yes*: inelastically scattered electrons are removed.",
            is_expert=True,
        ),
    )
    illumination_gradient: float = field(
        default=0.05,
        metadata=declare(
            help="How much brighter the bright side is than the dark side, as a part "
            "of the mean.",
            ge=0,
            le=1,
        ),
    )


@dataclass(frozen=True)
class SimulationParameters(Declared):
    """Parameters that decide how simulated micrographs look.

    Parameters
    ----------
    structures : tuple of Structure
        The wanted particles.
    optics, exposure, ice, crowd, contamination
        As their classes tell.
    """

    shape: tuple[_Side, _Side] = (1024, 1024)
    sampling_rate: float = field(
        default=2.5,
        metadata=declare(
            "Pixel size", "Pixel size of the micrographs.", unit="Å/px", gt=0
        ),
    )
    structures: tuple[Structure, ...] = (Structure(Phantom.TETRAMER),)
    resolution_A: float = field(
        default=5.0,
        metadata=declare(
            "Resolution of structures",
            "Resolution to which the structures are drawn, never finer than two "
            "pixels. Choose a coarser one for large viruses, to save memory.",
            unit="Å",
            is_expert=True,
            gt=0,
        ),
    )
    optics: Optics = field(default_factory=Optics)
    exposure: Exposure = field(default_factory=Exposure)
    ice: Ice = field(default_factory=Ice)
    crowd: Crowd = field(default_factory=Crowd)
    contamination: Contamination = field(default_factory=Contamination)
    seed: int = field(
        default=0,
        metadata=declare(
            "Random seed",
            "Random seed. The same seed and form give the same micrographs, "
            "whatever the number of threads.",
            ge=0,
        ),
    )

    def conflicts(self) -> list[str]:
        """Return that there is nothing to simulate."""
        if self.structures:
            return []
        return ["structures: expected at least one, received none"]

    @property
    def drawn_resolution_A(self) -> float:
        """Resolution that the structures are drawn to, Å."""
        return max(self.resolution_A, 2 * self.sampling_rate)
