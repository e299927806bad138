# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of Scipion's particles to stacks in place of micrographs, and of files.

Particles of one stack, micrograph and CTF are one of them, so that a training holds out
whole micrographs and phases are flipped particle by particle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pwem.objects import Coordinate, Particle, SetOfParticles

from deepconsensus_plugin.convert.ctfs import ctf_model
from deepconsensus_plugin.core.boxes import scaled_box
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.stacks import centres_of, read_stack_header
from deepconsensus_plugin.core.particle_files.reading import ParticleTable
from deepconsensus_plugin.core.types import (
    Ctf,
    IntArray,
    Micrograph,
    ParticleImages,
    ScoredCoordinates,
)
from deepconsensus_plugin.set_columns import read_columns

_DEFOCUS = tuple(f"_ctfModel._defocus{name}" for name in ("U", "V", "Angle"))
_PHASE = "_ctfModel._phaseShift"
_STEP_A = 100.0
"""Step of the defocus in which particles share a CTF; less than 0.04 of a period at
5 Å, and 300 kV, is lost."""


@dataclass(frozen=True, eq=False)
class ParticleStacks:
    """Particles of a set, n, as stacks in place of micrographs.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        The stacks, in the order of their names.
    coordinates : dict of str to ScoredCoordinates
        Centres of the images by the names of the stacks, in the same order.
    positions : array, shape (n,), int
        Which item each coordinate is, counted from 0 in the order of ids.
    """

    micrographs: tuple[Micrograph, ...]
    coordinates: dict[str, ScoredCoordinates]
    positions: IntArray


def stacks_from_set(
    particles: SetOfParticles, *, extent_A: float, are_dark: bool, is_dark_usual: bool
) -> ParticleStacks:
    """Return the particles of a set as stacks.

    Parameters
    ----------
    particles : SetOfParticles
        Images in MRC stacks, with their CTFs if they have any.
    extent_A : float
        Side of the boxes beside which they are used, Å. Larger images are cropped.
    are_dark : bool
        Whether the particles are darker than the background.
    is_dark_usual : bool
        Whether they are on the micrographs that a network sees beside them.

    Raises
    ------
    FileFormatError
        If a stack is none, or has fewer images than the set says.
    ValueError
        If particles have a CTF, and the set has no voltage.
    """
    rate = particles.getSamplingRate()
    stacks: list[Micrograph] = []
    coordinates, positions = {}, []
    sizes: dict[str, tuple[int, int]] = {}
    for name, exposure, path, ctf, items, index in _groups(particles):
        n_images, side = sizes.setdefault(path, read_stack_header(path)[:2])
        if index.max() >= n_images:
            raise FileFormatError(
                Path(path),
                expected=f"{index.max() + 1} images, as its particles say",
                received=f"{n_images}",
            )
        shown = min(side, scaled_box(round(extent_A / rate), 1))
        images = ParticleImages(
            side,
            shown,
            is_opposite=are_dark != is_dark_usual,
            is_flipped=particles.isPhaseFlipped(),
            exposure=exposure,
        )
        shape = (n_images * side, side)
        stacks.append(Micrograph(name, Path(path), shape, rate, ctf, images))
        yx = centres_of(index, side)
        coordinates[name] = ScoredCoordinates.from_arrays(yx)
        positions.append(items)
    return ParticleStacks(
        tuple(stacks), coordinates, np.concatenate([np.empty(0, np.intp), *positions])
    )


def _groups(
    particles: SetOfParticles,
) -> Iterator[tuple[str, str, str, Ctf | None, IntArray, IntArray]]:
    """Yield stacks by name: exposure, file, CTF, items there, their images from 0."""
    columns = read_columns(
        *(particles, "_filename", "_index", "_coordinate._micName", "_micId"),
        *(*_DEFOCUS, _PHASE),
    )
    files = columns.get("_filename", [])
    nothing: list[Any] = [None] * len(files)
    names = columns.get("_coordinate._micName", columns.get("_micId", nothing))
    ctfs = _ctfs(particles, columns, len(files))
    rows: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    numbers: dict[Ctf | None, int] = {}
    for row, (file, name, ctf) in enumerate(zip(files, names, ctfs, strict=True)):
        number = numbers.setdefault(ctf, len(numbers))
        label = f"{name or Path(file).name} in {file}, CTF {number}"
        rows[label, str(name or file), number, file].append(row)
    known = list(numbers)
    index = np.maximum(np.array(columns.get("_index", []), dtype=np.intp) - 1, 0)
    for (label, exposure, number, file), here in sorted(rows.items()):
        items = np.array(here, dtype=np.intp)
        yield label, exposure, file, known[number], items, index[items]


def _ctfs(
    particles: SetOfParticles, columns: dict[str, list[Any]], n: int
) -> Sequence[Ctf | None]:
    """Return the CTF of every particle, the defocus rounded; None where it has none."""
    if not particles.hasCTF() or not n or any(name not in columns for name in _DEFOCUS):
        return [None] * n
    acquisition = particles.getAcquisition()
    if acquisition is None or acquisition.getVoltage() is None:
        raise ValueError(
            f"{particles.getFileName()}: expected an acquisition with the voltage, "
            "received none; it is needed to use the CTFs"
        )
    phases = columns.get(_PHASE, [None] * n)
    microscope = (
        acquisition.getVoltage(),
        acquisition.getSphericalAberration(),
        acquisition.getAmplitudeContrast(),
    )
    return [
        Ctf(
            *(_STEP_A * round(each / _STEP_A) for each in (u, v)),
            *(float(round(angle)), *microscope, phase or 0.0),
        )
        for u, v, angle, phase in zip(
            *(columns[name] for name in _DEFOCUS), phases, strict=True
        )
    ]


def append_particles(
    particles: SetOfParticles, table: ParticleTable, limit: int | None = None
) -> None:
    """Append the particles of a file, or the first of them, to a set in their order."""
    has_plate = any(ctf.phase_shift_deg for ctf in table.ctfs or ())
    ids = {name: n for n, name in enumerate(dict.fromkeys(table.micrographs), start=1)}
    is_placed = np.isfinite(table.yx).all(axis=1)
    for row in range(len(table))[:limit]:
        item = Particle()
        item.setLocation(int(table.index[row]), str(table.stacks[table.stack[row]]))
        item.setAcquisition(particles.getAcquisition())
        if table.ctfs is not None:
            item.setCTF(ctf_model(table.ctfs[row], has_plate=has_plate))
        if (name := table.micrographs[row]) is not None:
            y, x = np.where(is_placed[row], table.yx[row], 0.0)
            coordinate = Coordinate(x=round(float(x)), y=round(float(y)))
            coordinate.setMicId(ids[name])
            coordinate.setMicName(Path(name).name)
            item.setMicId(ids[name])
            item.setCoordinate(coordinate)
        particles.append(item)
