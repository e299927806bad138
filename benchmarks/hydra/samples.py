# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of the corpus: the molecules and contaminants of each set.

Sizes of particles, 7 to 78 pixels, are those of the thesis' Tables 4.1 and 4.2, and its
targets have their like here. A target is never trained on, nor anything made in its
likeness: neither among the particles of sources nor among their contaminants. The same
holds for β-galactosidase and apoferritin, which the real sets show; no source has
apoferritin's group of symmetry either.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import numpy as np

from benchmarks.hydra.drawn_acquisitions import find_acquisition
from deepconsensus_plugin.core.simulation import (
    Assembly,
    Contamination,
    Crowd,
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.simulation.library import load_library

STRUCTURES = "DEEPCONSENSUS_STRUCTURES"
"""Environment variable: the folder with the files of molecules."""

VOXEL_SIZES_A = {"ribosome70S_aspire_65.mrc.gz": 5.0}
"""Of maps whose header has none: a ribosome is 250 Å wide."""

HELD_OUT_FILES = ("betagal_5a1a.pdb.gz", "apoferritin_6z6u.pdb.gz")
HELD_OUT_PHANTOMS = (
    Phantom.TETRAMER,
    Phantom.SHELL,
    Phantom.GLOBULE,
    Phantom.TWO_LOBES,
)
"""Made in the likeness of β-galactosidase, apoferritin, haemoglobin and a ribosome."""

_DETECTOR_PIXEL_A = 1.05
_MOST_PARTICLES = 450
_NOMINAL_RESOLUTION_A = 8.0


class Role(Enum):
    """Role of a set: to train on, or to test on."""

    SOURCE = "source"
    """To train the general model on."""
    TARGET = "target"
    """Never seen by the general model; for picking without training, and with few."""


@dataclass(frozen=True)
class Sample:
    """One set of the corpus, in words and numbers.

    Parameters
    ----------
    name : str
        A folder's name.
    role : Role
        Whether it may be trained on.
    molecule : Assembly, Phantom or str
        The particle; a file's name in the folder of structures.
    size_px : float
        Its diameter, pixels of the micrographs; the pixel size follows.
    coverage : float
        Area of the particles' circles over that of the micrograph, about: sparse 0.05,
        crowded 0.35; never more than 450 on a field of 1024².
    acquisition : str
        As `find_acquisition` names it.
    crowd : Crowd
        How particles lie; their number follows.
    """

    name: str
    role: Role
    molecule: Assembly | Phantom | str
    size_px: float
    coverage: float
    acquisition: str
    crowd: Crowd = field(
        default_factory=lambda: Crowd(overlapping_fraction=0.08, broken_fraction=0.05)
    )

    @property
    def structure(self) -> Structure:
        """The particle's structure.

        Raises
        ------
        FileNotFoundError
            If it is a file, and the environment names no folder that has it.
        """
        if isinstance(self.molecule, Assembly):
            return Structure(assembly=self.molecule)
        if isinstance(self.molecule, Phantom):
            return Structure(self.molecule)
        folder = os.environ.get(STRUCTURES)
        path = Path(folder or "", self.molecule)
        if folder is None or not path.is_file():
            raise FileNotFoundError(
                f"{self.name}: expected {self.molecule} in the folder that "
                f"{STRUCTURES} names, received {folder}"
            )
        return Structure(
            path=path.resolve(), voxel_size_A=VOXEL_SIZES_A.get(self.molecule)
        )

    def nominal_diameter_A(self) -> float:
        """Return the particle's diameter, drawn to 8 Å."""
        finest = SimulationParameters(
            structures=(self.structure,),
            sampling_rate=_NOMINAL_RESOLUTION_A / 2,
            crowd=Crowd(broken_fraction=0, aggregates=0),
            contamination=Contamination(None),
        )
        return load_library(finest).diameter_A

    def parameters(self, side: int) -> SimulationParameters:
        """Return what its micrographs of `side` by `side` pixels are made from.

        Raises
        ------
        FileNotFoundError
            As for `structure`.
        """
        acquisition = find_acquisition(self.acquisition)
        rate = round(self.nominal_diameter_A() / self.size_px, 2)
        n_particles = self.coverage * side**2 / (np.pi / 4 * self.size_px**2)
        most = _MOST_PARTICLES * (side / 1024) ** 2
        binning = max(1, round(rate / _DETECTOR_PIXEL_A))
        return SimulationParameters(
            shape=(side, side),
            sampling_rate=rate,
            structures=(self.structure,),
            optics=acquisition.optics,
            exposure=replace(acquisition.exposure, binning=binning),
            ice=acquisition.ice,
            crowd=replace(
                self.crowd, particles_per_micrograph=round(min(n_particles, most))
            ),
            contamination=acquisition.contamination,
            seed=zlib.crc32(self.name.encode()),
        )


SOURCE, TARGET = Role.SOURCE, Role.TARGET

_RIBONUCLEOPROTEIN = Assembly(15, (110, 95, 80), "C1", 9, nucleic_fraction=0.5)
_NUCLEOSOME = Assembly(16, (55, 55, 30), "C2", 4, nucleic_fraction=0.4)
_PROTEASOME = Assembly(23, (58, 58, 80), "D7", 2, hollow=0.3)
_RING = Assembly(25, (75, 75, 30), "C7", 2, hollow=0.4)
_WIDE_RING = Assembly(26, (95, 95, 45), "D6", 2, hollow=0.45)
_HAEMOCYANIN = Assembly(27, (160, 160, 70), "D5", 4, hollow=0.35)
_CHANNEL = Assembly(31, (50, 50, 60), "C4", detergent_A=12)
_RECEPTOR = Assembly(32, (50, 50, 75), "C5", hollow=0.2, detergent_A=12)
_TRANSPORTER = Assembly(33, (48, 36, 55), "C1", 4, detergent_A=14)
_PUMP = Assembly(34, (60, 55, 85), "C1", 6, detergent_A=14)
_SMALL_CAPSID = Assembly(35, (145, 145, 145), "I", 2, hollow=0.65)
_LARGE_CAPSID = Assembly(36, (310, 310, 310), "I", 4, hollow=0.8)
_SHELL = Assembly(38, (78, 78, 78), "I", hollow=0.6)
_DENSE_SHELL = Assembly(39, (120, 120, 120), "I", hollow=0.75)
_THIN_SHELL = Assembly(40, (200, 200, 200), "I", 2, hollow=0.85)
_PACKED_SHELL = Assembly(51, (95, 95, 95), "I", hollow=0.7)
_PACKED_CAGE = Assembly(52, (72, 72, 72), "T", 2, hollow=0.7)
_PACKED_CAPSID = Assembly(53, (130, 130, 130), "I", 2, hollow=0.75)
_PACKED_RING = Assembly(54, (70, 70, 38), "C6", 2, hollow=0.45)
_PACKED_BARREL = Assembly(55, (72, 72, 75), "D7", 2, hollow=0.35)
_SURVEILLANCE = Assembly(43, (90, 45, 40), "C1", 8, nucleic_fraction=0.15)
_SUPERCOMPLEX = Assembly(42, (150, 85, 45), "C2", 7, detergent_A=10)

_SIDE_VIEWS = Crowd(
    overlapping_fraction=0.08, broken_fraction=0.05, tilt_spread_deg=25.0
)
_CLUMPED = Crowd(overlapping_fraction=0.2, broken_fraction=0.1, aggregates=1.0)
_DENSE = Crowd(overlapping_fraction=0.15, broken_fraction=0.1)
_PACKED = Crowd(spacing=0.92, overlapping_fraction=0.12, broken_fraction=0.08)
"""Most particles touch another, as in good ice at high concentration."""

_CLEAN = Crowd(overlapping_fraction=0.03, broken_fraction=0.0, aggregates=0.0)


SAMPLES = (
    # Read from files, and built in.
    Sample("groel", SOURCE, "groel_1oel.pdb.gz", 40, 0.2, "usual", _SIDE_VIEWS),
    Sample("groel-groes", SOURCE, "groel_groes_1aon.pdb.gz", 26, 0.12, "close"),
    Sample("polymerase", SOURCE, "polII_1WCM.pdb.gz", 23, 0.1, "far"),
    Sample("barrel", SOURCE, Phantom.BARREL, 56, 0.28, "old", _SIDE_VIEWS),
    Sample("antibody", SOURCE, Phantom.WISHBONE, 21, 0.06, "far"),
    # Compact.
    Sample("dimer", SOURCE, Assembly(11, (45, 34, 30), "C2"), 11, 0.05, "plate"),
    Sample("tetramer", SOURCE, Assembly(12, (42, 38, 34), "D2", 2), 8, 0.03, "far"),
    Sample("trimer", SOURCE, Assembly(13, (60, 60, 50), "C3"), 18, 0.08, "usual"),
    Sample("lobed", SOURCE, Assembly(14, (85, 70, 60), "C1", 6), 32, 0.15, "dirty"),
    Sample("ribonucleoprotein", SOURCE, _RIBONUCLEOPROTEIN, 44, 0.2, "thick"),
    Sample("nucleosome", SOURCE, _NUCLEOSOME, 14, 0.1, "plate"),
    # As above, without the noise of counting.
    Sample("ball", SOURCE, Assembly(17, (75, 75, 65), "D3"), 36, 0.25, "smooth"),
    Sample("pear", SOURCE, Assembly(18, (90, 60, 50), "C1", 5), 48, 0.3, "smooth"),
    Sample(
        "bean", SOURCE, Assembly(19, (85, 50, 45), "C2", 4), 30, 0.2, "smooth", _CLUMPED
    ),
    # Long.
    Sample("rod", SOURCE, Assembly(21, (34, 34, 75), "C1", 5), 24, 0.08, "usual"),
    Sample("filament", SOURCE, Assembly(22, (190, 45, 40), "C1", 10), 52, 0.1, "far"),
    Sample("spindle", SOURCE, Assembly(24, (105, 40, 35), "C2", 5), 34, 0.12, "old"),
    # Rings and discs.
    Sample("proteasome", SOURCE, _PROTEASOME, 20, 0.2, "plate", _SIDE_VIEWS),
    Sample("ring", SOURCE, _RING, 28, 0.15, "far"),
    Sample("wide-ring", SOURCE, _WIDE_RING, 60, 0.3, "usual"),
    Sample("haemocyanin", SOURCE, _HAEMOCYANIN, 64, 0.25, "dirty", _CLUMPED),
    # In detergent.
    Sample("channel", SOURCE, _CHANNEL, 15, 0.1, "close"),
    Sample("receptor", SOURCE, _RECEPTOR, 22, 0.15, "thick"),
    Sample("transporter", SOURCE, _TRANSPORTER, 13, 0.06, "plate"),
    Sample("pump", SOURCE, _PUMP, 68, 0.2, "old"),
    # Shells, and the largest.
    Sample("small-capsid", SOURCE, _SMALL_CAPSID, 31, 0.2, "usual", _CLEAN),
    Sample("large-capsid", SOURCE, _LARGE_CAPSID, 72, 0.3, "far", _CLEAN),
    Sample("shell", SOURCE, _SHELL, 30, 0.35, "far", _DENSE),
    Sample("dense-shell", SOURCE, _DENSE_SHELL, 36, 0.35, "old", _DENSE),
    Sample("thin-shell", SOURCE, _THIN_SHELL, 42, 0.3, "thick"),
    Sample("antenna", SOURCE, Assembly(37, (260, 150, 70), "C2", 9), 78, 0.25, "dirty"),
    # As many as there is room for.
    Sample("packed-shell", SOURCE, _PACKED_SHELL, 40, 0.5, "usual", _PACKED),
    Sample("packed-cage", SOURCE, _PACKED_CAGE, 38, 0.5, "old", _PACKED),
    Sample("packed-capsid", SOURCE, _PACKED_CAPSID, 46, 0.5, "smooth", _PACKED),
    Sample("packed-ring", SOURCE, _PACKED_RING, 38, 0.45, "close", _PACKED),
    Sample("packed-barrel", SOURCE, _PACKED_BARREL, 42, 0.5, "thick", _PACKED),
    Sample(
        "packed-trimer",
        SOURCE,
        Assembly(56, (70, 70, 55), "C3", 3),
        40,
        0.5,
        "dirty",
        _PACKED,
    ),
    Sample(
        "packed-dimer",
        SOURCE,
        Assembly(57, (60, 45, 40), "C2", 3),
        38,
        0.45,
        "far",
        _PACKED,
    ),
    Sample(
        "packed-ball",
        SOURCE,
        Assembly(58, (60, 58, 52), "D2", 2),
        44,
        0.5,
        "smooth",
        _PACKED,
    ),
    # Targets.
    Sample("haemoglobin", TARGET, "hemoglobin_4hhb.pdb.gz", 7, 0.03, "far", _CLEAN),
    Sample("aldolase", TARGET, Assembly(41, (52, 46, 36), "D2"), 10, 0.05, "usual"),
    Sample("spike", TARGET, "spike_waving_91p.mrc.gz", 18, 0.08, "usual"),
    Sample("surveillance", TARGET, _SURVEILLANCE, 17, 0.1, "old"),
    Sample("ribosome", TARGET, "ribosome70S_aspire_65.mrc.gz", 24, 0.15, "dirty"),
    Sample("supercomplex", TARGET, _SUPERCOMPLEX, 37, 0.2, "close", _CLUMPED),
    Sample("capsid", TARGET, "3J6R.pdb.gz", 54, 0.3, "thick"),
)
"""Sources first."""
