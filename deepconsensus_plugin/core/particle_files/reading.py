# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles in RELION's STAR with their stacks, or in one stack alone.

``_rlnImageName`` is ``NUMBER@STACK``, the path from the folder of RELION's project. The
stack is looked for there, beside the STAR and in the folders above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.ctf_files import (
    DEFOCUS_COLUMNS,
    of_row_or_group,
    read_rows,
)
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.stacks import read_stack_header
from deepconsensus_plugin.core.io.text import is_missing
from deepconsensus_plugin.core.limits import COARSEST_A
from deepconsensus_plugin.core.particle_files.named_images import (
    IMAGE_COLUMN,
    check_stacks,
    named_images,
)
from deepconsensus_plugin.core.pick_files.star_blocks import Block, read_blocks
from deepconsensus_plugin.core.types import Ctf, FloatArray, IntArray

_NAME, _GROUP = "rlnMicrographName", "rlnOpticsGroup"
_POSITION = ("rlnCoordinateY", "rlnCoordinateX")
_RATE, _DETECTOR, _MAGNIFICATION = (
    *("rlnImagePixelSize", "rlnDetectorPixelSize"),
    "rlnMagnification",
)
_FLIPPED = "rlnCtfDataArePhaseFlipped"
_PREMULTIPLIED = "rlnCtfDataAreCtfPremultiplied"
_TOMOGRAM, _DIMENSIONS = "rlnTomoName", "rlnImageDimensionality"
_STACKS = (".mrcs", ".mrc")
_UM_TO_A = 1e4
_SAME_RATE = 0.001


@dataclass(frozen=True, eq=False)
class ParticleTable:
    """Particles of a file, n, in its order.

    Parameters
    ----------
    path : Path
        The file.
    stacks : tuple of Path
        Files of the images.
    stack : array, shape (n,), int
        Stack of each.
    index : array, shape (n,), int
        Its number in the stack, from 1.
    side : int
        Side of an image, pixels.
    sampling_rate : float, optional
        Å/px of the images; None where neither the file nor the first stack tells it.
    micrographs : tuple of str or None
        Name of each particle's micrograph.
    yx : array, shape (n, 2)
        Centres in pixels of the micrographs; NaN where the file does not tell.
    ctfs : tuple of Ctf, optional
        One a particle.
    is_flipped : bool
        Whether the phases of the CTF are flipped already.
    lines : sequence of int
        Line of each in the STAR, from 1; empty for a stack alone.
    """

    path: Path
    stacks: tuple[Path, ...]
    stack: IntArray
    index: IntArray
    side: int
    sampling_rate: float | None
    micrographs: tuple[str | None, ...]
    yx: FloatArray
    ctfs: tuple[Ctf, ...] | None = None
    is_flipped: bool = False
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self.index)


def read_particles(path: Path | str) -> ParticleTable:
    """Return the particles of a STAR, or all images of a stack.

    Parameters
    ----------
    path : Path or str
        A particles STAR of RELION 2 - 5, or an MRC stack.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    FileFormatError
        If it is of another kind, a stack is missing or too short, images are not all of
        one size, or are of a tomogram or multiplied by their CTF.
    """
    path = Path(path)
    return _read_star(path) if _is_text(path) else _read_stack(path)


def holds_images(path: Path) -> bool:
    """Return whether a path is a file of particles: their STAR, or a stack."""
    if not path.is_file():
        return False
    if not _is_text(path):
        return path.suffix.lower() in _STACKS
    with path.open(encoding="utf-8", errors="replace") as file:
        return any(
            line.split()[:1] == [f"_{IMAGE_COLUMN}"] for line in islice(file, 200)
        )


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" not in file.read(512)


def _read_stack(path: Path) -> ParticleTable:
    n_images, side, rate = read_stack_header(path)
    return ParticleTable(
        *(path, (path,), np.zeros(n_images, dtype=np.intp), np.arange(n_images) + 1),
        *(side, rate, (None,) * n_images, np.full((n_images, 2), np.nan)),
    )


def _read_star(path: Path) -> ParticleTable:
    blocks = read_blocks(path)
    tables = [block for block in blocks if IMAGE_COLUMN in block and len(block)]
    if len(tables) != 1:
        raise FileFormatError(
            path,
            expected=f"one block of particles, with the column _{IMAGE_COLUMN}",
            received=f"{len(tables)} of the blocks "
            f"{', '.join(block.name or 'data_' for block in blocks) or 'none'}",
        )
    table = tables[0]
    optics = next((b for b in blocks if _GROUP in b and b is not table), None)
    _refuse_others(table, optics)
    stacks, stack, index = named_images(table)
    side, rate = check_stacks(table, stacks, stack, index)
    yx = np.full((len(table), 2), np.nan)
    if table.has(*_POSITION):
        yx = np.column_stack([table.numbers(column) for column in _POSITION])
    return ParticleTable(
        *(path, stacks, stack, index, side, _sampling_rate(table, optics) or rate),
        *(tuple(table.columns.get(_NAME, (None,) * len(table))), yx),
        ctfs=tuple(read_rows(table, optics)) if table.has(*DEFOCUS_COLUMNS) else None,
        is_flipped=_is_set(table, optics, _FLIPPED),
        lines=table.lines,
    )


def _refuse_others(table: Block, optics: Block | None) -> None:
    """Refuse images that cannot be scored like boxes of micrographs."""
    is_3d = optics is not None and "3" in optics.columns.get(_DIMENSIONS, ())
    received = None
    if _TOMOGRAM in table or is_3d:
        received = "particles of a tomogram"
    elif _is_set(table, optics, _PREMULTIPLIED):
        received = "images multiplied by their CTF; extract them without"
    if received is not None:
        raise FileFormatError(
            table.path, expected="2-D images of particles", received=received
        )


def _is_set(table: Block, optics: Block | None, flag: str) -> bool:
    """Return whether a flag is set for all rows.

    Raises
    ------
    FileFormatError
        If it is set for some only.
    """
    holder = next((b for b in (table, optics) if b is not None and flag in b), None)
    values = [] if holder is None else [*holder.columns[flag]]
    is_on = {not is_missing(value) and float(value) != 0 for value in values}
    if len(is_on) > 1:
        raise FileFormatError(
            table.path,
            expected=f"one value of _{flag} for all particles",
            received="both; split the file by optics group",
        )
    return True in is_on


def _sampling_rate(table: Block, optics: Block | None) -> float | None:
    """Return Å/px of the images; None where the file does not tell.

    Raises
    ------
    FileFormatError
        If there are several.
    """
    if _RATE in table or (optics is not None and _RATE in optics):
        rates = of_row_or_group(table, optics, _RATE)
    elif table.has(_DETECTOR, _MAGNIFICATION):
        with np.errstate(all="ignore"):  # what follows is looked at
            rates = table.numbers(_DETECTOR) / table.numbers(_MAGNIFICATION) * _UM_TO_A
    else:
        return None
    if not ((rates > 0) & (rates <= COARSEST_A)).all():
        raise FileFormatError(
            table.path,
            expected=f"pixel sizes above 0, up to {COARSEST_A:g} Å/px",
            received=f"{rates.min():g} to {rates.max():g} Å/px",
        )
    if np.ptp(rates) > _SAME_RATE * rates.min():
        raise FileFormatError(
            table.path,
            expected="images of one pixel size",
            received=f"{rates.min():g} to {rates.max():g} Å/px; split the file by "
            "optics group",
        )
    return float(rates[0])
