# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated, in numbers; docs/simulation.md gives the source of each default.

The defaults are a usual session at 300 kV: β-galactosidase-like particles, a counting
detector behind an energy filter, and a little of everything that misleads pickers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Phantom(Enum):
    """Built-in structures, named after what they look like; see `phantoms`."""

    TETRAMER = "tetramer"
    SHELL = "shell"
    BARREL = "barrel"
    TWO_LOBES = "two lobes"
    WISHBONE = "wishbone"
    GLOBULE = "globule"


class Detector(Enum):
    """How electrons become pixels; figures in `detector`."""

    COUNTING = "counting"
    INTEGRATING = "integrating"
    PERFECT = "perfect"


@dataclass(frozen=True)
class Structure:
    """One kind of molecule.

    Parameters
    ----------
    phantom : Phantom, optional
        A built-in one; exactly one of this and `path` is given.
    path : Path, optional
        PDB or mmCIF file (its first biological assembly) or MRC map, gzipped or not.
    voxel_size_A : float, optional
        Of an MRC map whose header has none.
    share : float
        How many there are, in proportion to the other structures; > 0.

    Raises
    ------
    ValueError
        If neither or both of phantom and path are given, or the share is not positive.
    """

    phantom: Phantom | None = None
    path: Path | None = None
    voxel_size_A: float | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        """Check that it names one structure."""
        if (self.phantom is None) == (self.path is None):
            raise ValueError(
                "expected a phantom or the path of a structure, received "
                f"{self.phantom} and {self.path}"
            )
        if not self.share > 0:
            raise ValueError(f"share must be > 0, received {self.share}")

    @property
    def name(self) -> str:
        """How the truth calls it: the phantom, or the file up to its first dot."""
        if self.phantom is not None:
            return self.phantom.value
        return str(self.path.name.split(".")[0]) if self.path else ""


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


@dataclass(frozen=True)
class Ice:
    """The layer that holds the particles.

    Parameters
    ----------
    thickness_A : tuple of float
        Least and most mean thickness, drawn once per micrograph.
    gradient : float
        Thickness at one border minus that at the opposite one, as a part of the mean.
    roughness : float
        Standard deviation of its slow undulation, as a part of the mean.
    interface_protein_mg_per_m2 : float
        Unfolded protein at the surfaces of the ice: a mottled background.
    """

    thickness_A: tuple[float, float] = (250.0, 600.0)
    gradient: float = 0.3
    roughness: float = 0.05
    interface_protein_mg_per_m2: float = 0.2


@dataclass(frozen=True)
class Crowd:
    """How many particles there are, and how they lie.

    Parameters
    ----------
    particles_per_micrograph : int
        Centres in the area of one micrograph, aggregates not counted; fewer where
        there is no room.
    spacing : float
        Least distance of neighbours, in widths of a particle (`library.Species`).
    overlapping_fraction : float
        Share of particles put closer to another than that.
    broken_fraction : float
        Share of particles of which only a part is left.
    aggregates : float
        Clumps of particles per micrograph, on average.
    tilt_spread_deg : float, optional
        How far the symmetry axis leans from the preferred views (along the beam, or
        across it in a third of the particles); None: no view is preferred.
    """

    particles_per_micrograph: int = 80
    spacing: float = 1.1
    overlapping_fraction: float = 0.1
    broken_fraction: float = 0.1
    aggregates: float = 0.3
    tilt_spread_deg: float | None = None


@dataclass(frozen=True)
class Contamination:
    """What misleads pickers; numbers are means per micrograph (Poisson).

    Parameters
    ----------
    second_protein : Structure, optional
        Molecules that are not wanted.
    second_protein_per_particle : float
        How many of them.
    carbon_probability : float
        Share of micrographs that show the carbon film around the hole.
    ice_crystals, ethane_blobs, gold_beads : float
        Means per micrograph.
    """

    second_protein: Structure | None = Structure(Phantom.GLOBULE)
    second_protein_per_particle: float = 0.1
    carbon_probability: float = 0.25
    ice_crystals: float = 1.0
    ethane_blobs: float = 0.5
    gold_beads: float = 0.3


@dataclass(frozen=True)
class SimulationParameters:
    """Everything that decides how micrographs look.

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
        As their classes tell.
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
        at_least = {
            "rows and columns": (min(self.shape), 64),
            "particles_per_micrograph": (self.crowd.particles_per_micrograph, 0),
            "binning": (self.exposure.binning, 1),
            "least defocus_A": (self.optics.defocus_A[0], 0),
            "least thickness_A": (self.ice.thickness_A[0], 0),
            "spacing": (self.crowd.spacing, 0.5),
            "b_factor_A2": (self.optics.b_factor_A2, 0),
            "seed": (self.seed, 0),
        }
        for name, (value, least) in at_least.items():
            if not value >= least:
                raise ValueError(f"{name} must be >= {least}, received {value}")
        snr = self.exposure.snr
        positive = {
            "sampling_rate": self.sampling_rate,
            "resolution_A": self.resolution_A,
            "dose_e_per_A2": self.exposure.dose_e_per_A2,
            "snr": 1.0 if snr is None else snr,
        }
        for name, value in positive.items():
            if not value > 0:
                raise ValueError(f"{name} must be > 0, received {value}")
        parts = {
            "overlapping_fraction": self.crowd.overlapping_fraction,
            "broken_fraction": self.crowd.broken_fraction,
            "carbon_probability": self.contamination.carbon_probability,
            "amplitude_contrast": self.optics.amplitude_contrast,
        }
        for name, value in parts.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be from 0 to 1, received {value}")
        ranges = {
            "defocus_A": self.optics.defocus_A,
            "thickness_A": self.ice.thickness_A,
            "phase_shift_deg": self.optics.phase_shift_deg,
        }
        for name, (low, high) in ranges.items():
            if low > high:
                raise ValueError(
                    f"{name}: expected (least, most), received {low, high}"
                )

    @property
    def drawn_resolution_A(self) -> float:
        """Resolution that the structures are drawn to, Å."""
        return max(self.resolution_A, 2 * self.sampling_rate)
