# SPDX-License-Identifier: GPL-3.0-or-later
"""Which molecule: one of the built-in shapes, or a file."""

from __future__ import annotations

from dataclasses import dataclass
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
