# SPDX-License-Identifier: GPL-3.0-or-later
"""Types that every module uses: micrographs, their CTF, and coordinates.

Arrays are row-major: positions are ``yx`` of shape ``(n, 2)``, float64, pixels of
the micrograph they are named with, measured from the centre of its top left pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.errors import OutOfRangeError
from deepconsensus_plugin.core.limits import (
    FARTHEST_PX,
    Finite,
    PixelSize,
    Positive,
    Side,
)

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]


BOX_PER_DIAMETER, DIAMETER_PER_BOX = 3 / 2, 2 / 3
"""Side of a box per longest diameter of its particle, and the reverse, where only one
of them is known."""


@dataclass(frozen=True)
class OutputBox(Declared):
    """Box of the coordinates that something makes."""

    box_size: int | None = field(
        default=None,
        metadata=declare(
            "Box size",
            "Side of the box of the picks, in pixels of the micrographs.",
            unit="px",
            auto="as wide as the boxes that the model was trained on",
            is_expert=True,
            ge=1,
        ),
    )


@dataclass(frozen=True)
class Ctf:
    """Contrast transfer function of one micrograph.

    Defocus is positive for underfocus; `defocus_angle_deg` is the angle between the
    x axis and the direction of `defocus_u_A`, as in RELION and Scipion.
    """

    defocus_u_A: Finite
    defocus_v_A: Finite
    defocus_angle_deg: Finite
    voltage_kV: Positive
    spherical_aberration_mm: Finite
    amplitude_contrast: Finite
    phase_shift_deg: Finite = 0.0


@dataclass(frozen=True)
class ParticleImages:
    """Images of particles in a stack that takes the place of a micrograph.

    They lie one below the other: image i, from 0, has its centre in row
    ``i * side + side // 2`` and column ``side // 2``.

    Parameters
    ----------
    side : int
        Side of an image, pixels.
    shown : int
        Side of the middle that shows as much as the boxes beside which it is used.
    is_opposite : bool
        Whether the contrast is the opposite of that of the micrographs, as extraction
        leaves it.
    is_flipped : bool
        Whether the phases of the CTF are flipped already.
    exposure : str, optional
        What they were cut from: the name of a micrograph, or of the stack where no
        micrograph is known. Stacks of one exposure differ in their CTFs.
    """

    side: int
    shown: int
    is_opposite: bool = True
    is_flipped: bool = False
    exposure: str | None = None


@dataclass(frozen=True)
class Micrograph:
    """One image of the microscope, on disk, or a stack of particles cut from it.

    Parameters
    ----------
    name : str
        File name with extension; the key that coordinates refer to.
    path : Path
        Where it is.
    shape : tuple of int
        Rows and columns, pixels.
    sampling_rate : float
        Å/px.
    ctf : Ctf, optional
        Its contrast transfer function, where it was estimated.
    images : ParticleImages, optional
        What a stack of particles holds; None for a micrograph.
    """

    name: str
    path: Path
    shape: tuple[Side, Side]
    sampling_rate: PixelSize
    ctf: Ctf | None = None
    images: ParticleImages | None = None


@dataclass(frozen=True, eq=False)
class ScoredCoordinates:
    """Box centres of one micrograph, each with the score its picker gave.

    Parameters
    ----------
    yx : array, shape (n, 2), float64
        Box centres, pixels.
    scores : array, shape (n,), float64
        Any scale, higher is better; NaN where the picker gave none.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    OutOfRangeError
        If a position is not finite, or farther away than `FARTHEST_PX`.
    """

    yx: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        """Check the shapes once, at the door."""
        if self.yx.ndim != 2 or self.yx.shape[1] != 2:
            raise ValueError(f"yx: expected shape (n, 2), received {self.yx.shape}")
        if self.scores.shape != self.yx.shape[:1]:
            raise ValueError(
                f"scores: expected shape {self.yx.shape[:1]}, "
                f"received {self.scores.shape}"
            )
        is_near = np.abs(self.yx) <= FARTHEST_PX  # False for NaN
        if not is_near.all():
            raise OutOfRangeError(
                "yx",
                expected=f"finite positions, of {FARTHEST_PX:g} px at most",
                received=f"{self.yx[~is_near][0]:g}",
            )

    @classmethod
    def from_arrays(
        cls, yx: ArrayLike, scores: ArrayLike | None = None
    ) -> ScoredCoordinates:
        """Return coordinates from anything array-like; no scores means NaN for all."""
        positions = np.asarray(yx, dtype=np.float64).reshape(-1, 2)
        if scores is None:
            scores = np.full(len(positions), np.nan)
        return cls(positions, np.asarray(scores, dtype=np.float64))

    def __len__(self) -> int:
        """Return the number of coordinates."""
        return len(self.yx)

    def take(self, selection: ArrayLike) -> ScoredCoordinates:
        """Return the coordinates at `selection` (indices or a boolean mask)."""
        chosen = np.asarray(selection)
        if chosen.size == 0:
            chosen = chosen.astype(np.intp)
        return ScoredCoordinates(self.yx[chosen], self.scores[chosen])


@dataclass(frozen=True, eq=False)
class PickerPicks:
    """All picks of one picker.

    Parameters
    ----------
    picker : str
        Its name, unique among the pickers of one run.
    box_size : float
        Box it was run with, pixels of the micrographs.
    coordinates : mapping of micrograph name to ScoredCoordinates
        A micrograph that is absent was *not observed* (the picker was not run there);
        one with no coordinates was observed, and nothing was found.
    trained_on : tuple of str
        Names of the pickers whose picks it was trained on; its votes are no evidence
        beside theirs.
    """

    picker: str
    box_size: float
    coordinates: Mapping[str, ScoredCoordinates]
    trained_on: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of picks on all micrographs."""
        return sum(len(picks) for picks in self.coordinates.values())
