# SPDX-License-Identifier: GPL-3.0-or-later
"""Structures to simulate: a built-in shape, a file, or a made-up molecule."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.limits import (
    Count,
    Fraction,
    NotNegative,
    Positive,
    Seed,
)


class Phantom(Enum):
    """Built-in structures, named after what they look like; see `phantoms`."""

    TETRAMER = "tetramer"
    SHELL = "shell"
    BARREL = "barrel"
    TWO_LOBES = "two lobes"
    WISHBONE = "wishbone"
    GLOBULE = "globule"
    CYLINDER = "cylinder"


@dataclass(frozen=True)
class Assembly(Declared):
    """A molecule made up from a seed: domains in an envelope, set out by symmetry.

    Parameters
    ----------
    seed : int
        Same seed, same molecule; >= 0.
    semi_axes_A : tuple of float
        Semi-axes of the ellipsoid that holds all domains, along x, y, z, Å. The axis of
        symmetry is z; x and y are alike where it has more than two folds.
    group : str
        Point group in Schoenflies' notation: Cn, Dn, T, O or I.
    n_domains : int
        Number of domains of one subunit.
    hollow : float
        Part of the envelope that stays empty: around the axis for Cn and Dn, around
        the centre for T, O and I; 0 to 1.
    nucleic_fraction : float
        Share of nucleic acid.
    detergent_A : float
        By how much a belt of detergent about the middle reaches beyond the protein;
        0 without one.
    """

    seed: Seed
    semi_axes_A: tuple[Positive, Positive, Positive]
    group: str = "C1"
    n_domains: Count = 3
    hollow: Fraction = 0.0
    nucleic_fraction: Fraction = 0.0
    detergent_A: NotNegative = 0.0


@dataclass(frozen=True)
class Structure(Declared):
    """One kind of molecule.

    Parameters
    ----------
    phantom : Phantom, optional
        A built-in one; exactly one of this, `path` and `assembly` is given.
    path : Path, optional
        PDB or mmCIF file (its first biological assembly) or MRC map, gzipped or not.
    voxel_size_A : float, optional
        Voxel size of an MRC map whose header has none; 0 stands for the header's, too.
    share : float
        How many there are, in proportion to the other structures; > 0.
    assembly : Assembly, optional
        One that is made up.

    Raises
    ------
    ValueError
        If not exactly one molecule is given, or the share is not positive.
    """

    phantom: Phantom | None = None
    path: Path | None = None
    voxel_size_A: float | None = field(
        default=None,
        metadata=declare(
            "Voxel size of maps",
            "Voxel size of MRC maps.",
            unit="Å",
            auto="from the header of each map",
            is_expert=True,
            ge=0,
        ),
    )
    share: Positive = 1.0
    assembly: Assembly | None = None

    def conflicts(self) -> list[str]:
        """Return that it does not name exactly one structure."""
        given = (self.phantom, self.path, self.assembly)
        if sum(each is not None for each in given) == 1:
            return []
        return [
            "expected a phantom or the path of a structure or an assembly, "
            f"received {self.phantom}, {self.path} and {self.assembly}"
        ]

    @property
    def name(self) -> str:
        """Name in the truth: the shape, or the file up to its first dot."""
        if self.phantom is not None:
            return self.phantom.value
        if self.assembly is not None:
            return f"assembly {self.assembly.seed}"
        return str(self.path.name.split(".")[0]) if self.path else ""
