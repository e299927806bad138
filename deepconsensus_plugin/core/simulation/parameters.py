# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a simulation; docs/simulation.md gives the source of each default.

The defaults are what is usual at 300 kV: β-galactosidase-like particles, a counting
detector behind an energy filter, and a little of everything that misleads pickers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from deepconsensus_plugin.core.simulation.ranges import (
    require_at_least,
    require_parts,
    require_positive,
    require_range,
)
from deepconsensus_plugin.core.simulation.sample import Contamination, Crowd, Ice
from deepconsensus_plugin.core.simulation.structures import Phantom, Structure


class Detector(Enum):
    """Kind of detector; its figures are in `detector`."""

    COUNTING = "counting"
    INTEGRATING = "integrating"
    PERFECT = "perfect"


@dataclass(frozen=True)
class Optics:
    """The microscope; ranges are drawn from uniformly, once per micrograph.

    Parameters
    ----------
    voltage_kV : float
        Of the electrons.
    spherical_aberration_mm : float
        C_s.
    amplitude_contrast : float
        Q, the part of the contrast that does not need defocus.
    defocus_A : tuple of float
        Least and most mean underfocus.
    astigmatism_A : float
        The most by which the two defoci differ; drawn from 0 up to it.
    phase_shift_deg : tuple of float
        Least and most shift of a phase plate; 0 without one.
    b_factor_A2 : float
        Of the envelope ``exp(-B s² / 4)``: motion, damage and coherence together.
    """

    voltage_kV: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07
    defocus_A: tuple[float, float] = (10_000.0, 25_000.0)
    astigmatism_A: float = 300.0
    phase_shift_deg: tuple[float, float] = (0.0, 0.0)
    b_factor_A2: float = 100.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive({"voltage_kV": self.voltage_kV})
        require_at_least(
            0,
            {
                "least defocus_A": self.defocus_A[0],
                "astigmatism_A": self.astigmatism_A,
                "b_factor_A2": self.b_factor_A2,
            },
        )
        require_parts({"amplitude_contrast": self.amplitude_contrast})
        require_range("defocus_A", *self.defocus_A)
        require_range("phase_shift_deg", *self.phase_shift_deg)


@dataclass(frozen=True)
class Exposure:
    """The electrons, and what records them.

    Parameters
    ----------
    dose_e_per_A2 : float
        Electrons on each Å² of the specimen; not used where `snr` is given.
    snr : float, optional
        Variance of the particles' signal over that of the noise, within the particles
        (`exposure.signal_to_noise`): the dose is chosen to reach it.
    detector : Detector
        What records.
    binning : int
        Pixels of the detector along a side of one of the micrograph's.
    energy_filter : bool
        Whether electrons that lost energy are taken out.
    illumination_gradient : float
        How much brighter the bright side is than the dark side, as a part of the mean.
    """

    dose_e_per_A2: float = 40.0
    snr: float | None = None
    detector: Detector = Detector.COUNTING
    binning: int = 2
    energy_filter: bool = True
    illumination_gradient: float = 0.05

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive({"dose_e_per_A2": self.dose_e_per_A2})
        if self.snr is not None:
            require_positive({"snr": self.snr})
        require_at_least(1, {"binning": self.binning})


@dataclass(frozen=True)
class SimulationParameters:
    """Parameters that decide how micrographs look.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns, pixels.
    sampling_rate : float
        Å/px.
    structures : tuple of Structure
        The wanted particles.
    resolution_A : float
        To which the structures are drawn; never finer than two pixels.
    optics, exposure, ice, crowd, contamination
        See their classes.
    seed : int
        Same seed, same micrographs, whatever the number of workers; >= 0.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    shape: tuple[int, int] = (1024, 1024)
    sampling_rate: float = 2.5
    structures: tuple[Structure, ...] = (Structure(Phantom.TETRAMER),)
    resolution_A: float = 5.0
    optics: Optics = field(default_factory=Optics)
    exposure: Exposure = field(default_factory=Exposure)
    ice: Ice = field(default_factory=Ice)
    crowd: Crowd = field(default_factory=Crowd)
    contamination: Contamination = field(default_factory=Contamination)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges once, at the door."""
        if not self.structures:
            raise ValueError("structures: expected at least one, received none")
        require_at_least(64, {"rows and columns": min(self.shape)})
        require_at_least(0, {"seed": self.seed})
        require_positive(
            {"sampling_rate": self.sampling_rate, "resolution_A": self.resolution_A}
        )

    @property
    def drawn_resolution_A(self) -> float:
        """Resolution that the structures are drawn to, Å."""
        return max(self.resolution_A, 2 * self.sampling_rate)
