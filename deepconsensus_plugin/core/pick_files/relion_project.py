# SPDX-License-Identifier: GPL-3.0-or-later
"""RELION's names of micrographs, and what its project knows of each.

RELION finds coordinates by the exact ``_rlnMicrographName`` of its micrographs STAR, a
path from the folder of the project. Names, optics groups and CTFs come from that file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError, NameMatchError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.pick_files.names import listed, match_names
from deepconsensus_plugin.core.pick_files.relion_star import (
    COORDINATE_COLUMNS,
    coordinate_rows,
)
from deepconsensus_plugin.core.pick_files.star_blocks import (
    Block,
    quoted,
    read_blocks,
    star_table,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_NAME, _GROUP, _RATE = "rlnMicrographName", "rlnOpticsGroup", "rlnMicrographPixelSize"
_CARRIED = (
    *(_GROUP, "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle", "rlnPhaseShift"),
    *("rlnCtfFigureOfMerit", "rlnCtfMaxResolution", "rlnCtfBfactor"),
    *("rlnCtfScalefactor", "rlnVoltage", "rlnSphericalAberration"),
    *("rlnAmplitudeContrast", "rlnMagnification", "rlnDetectorPixelSize"),
)
"""Columns of a micrograph that RELION's particles have too."""

_SAME_RATE = 0.01


@dataclass(frozen=True, eq=False)
class RelionMicrographs:
    """A micrographs STAR of RELION 2 - 5.

    Parameters
    ----------
    path : Path
        The file.
    table : Block
        One row a micrograph.
    optics : Block, optional
        Its optics groups; RELION 3.0 and earlier have none.
    """

    path: Path
    table: Block
    optics: Block | None

    @property
    def names(self) -> Sequence[str]:
        """Paths from the folder of the project."""
        return self.table.columns[_NAME]

    def names_of(
        self,
        own: Sequence[str],
        *,
        targets: Mapping[str, Path],
        needed: Sequence[str],
    ) -> dict[str, str]:
        """Return RELION's name of every micrograph that is in the file.

        Parameters
        ----------
        own : sequence of str
            Names of the micrographs here.
        targets : mapping of str to Path
            Their files, links followed, where they are known.
        needed : sequence of str
            Those that must be found.

        Raises
        ------
        NameMatchError
            If one that is needed is not in the file, or names are ambiguous.
        """
        matched = match_names(own, self.names, targets=targets)
        missing = [name for name in needed if name not in matched]
        if missing:
            raise NameMatchError(
                f"{self.path}: expected all micrographs with coordinates, received "
                f"none for {len(missing)} of {len(needed)}: {listed(missing)}"
            )
        return matched

    def check_sampling_rate(self, sampling_rate: float) -> None:
        """Refuse micrographs of another pixel size, Å/px, where both are known.

        Raises
        ------
        FileFormatError
            If they differ by more than 1 %.
        """
        if self.optics is None or _RATE not in self.optics:
            return
        rates = self.optics.numbers(_RATE)
        off = np.abs(rates / sampling_rate - 1) > _SAME_RATE
        if off.any():
            raise FileFormatError(
                self.path,
                expected=f"micrographs of {sampling_rate:g} Å/px, as the coordinates",
                received=f"{rates[off][0]:g} Å/px",
            )


def read_relion_micrographs(path: Path) -> RelionMicrographs:
    """Read a micrographs STAR.

    Raises
    ------
    FileFormatError
        If it names no micrographs.
    """
    blocks = read_blocks(path)
    tables = [block for block in blocks if _NAME in block and len(block)]
    if not tables:
        raise FileFormatError(
            path,
            expected=f"a micrographs STAR with the column _{_NAME}",
            received=f"blocks {', '.join(block.name for block in blocks) or 'none'}",
        )
    optics = [block for block in blocks if _GROUP in block and _NAME not in block]
    return RelionMicrographs(path, tables[0], optics[0] if optics else None)


def write_relion_particles(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    micrographs: RelionMicrographs,
) -> None:
    """Write a merged list with the optics groups and CTFs of the micrographs.

    Parameters
    ----------
    path : Path
        The file; replaced if it is there.
    coordinates : mapping of RELION's micrograph name to ScoredCoordinates
        Box centres, pixels.
    micrographs : RelionMicrographs
        Holds all of them.
    """
    table = micrographs.table
    carried = [column for column in _CARRIED if column in table]
    row_of = {name: row for row, name in enumerate(micrographs.names)}
    rows = []
    for name, picks in coordinates.items():
        more = [quoted(table.columns[each][row_of[name]]) for each in carried]
        rows += [[quoted(name), *fields, *more] for fields in coordinate_rows(picks)]
    columns = (_NAME, *COORDINATE_COLUMNS, *carried)
    text = star_table("particles", columns, rows)
    if micrographs.optics is not None:
        optics = micrographs.optics
        values = zip(*optics.columns.values(), strict=True)
        kept = [[quoted(value) for value in row] for row in values]
        text = star_table("optics", tuple(optics.columns), kept) + text
    write_text(path, text)
