# SPDX-License-Identifier: GPL-3.0-or-later
"""Request for averages of candidates, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.averages.parameters import SIZE, AveragesParameters
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class AveragesRequest(Declared):
    """Request for averages of candidates.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs of the candidates, or stacks of particles, of one sampling rate;
        phases are flipped on those whose CTF is known.
    coordinates : Path
        File of `core.io.tables.write_coordinates`: candidates, in their pixels.
    box_size : int
        Side of the box, pixels. Images of stacks show as much.
    are_particles_dark : bool
        Whether particles are darker than the background.
    averages : Path
        HDF5 file to write (`core.averages.table`), in the order of the coordinates; the
        images lie beside it.
    left_out : tuple of str
        Names of micrographs whose candidates are not looked at.
    parameters : AveragesParameters
        Number of averages, resolution and seed.
    workers : int
        Threads that read micrographs.
    particles : Path, optional
        MRC stack to write of the reduced boxes that are looked at, in the order of the
        coordinates. None: they are not kept.
    """

    micrographs: tuple[Micrograph, ...]
    coordinates: Path
    box_size: int = field(
        metadata=declare(
            "Box size",
            "Side of the boxes to average, in pixels of the micrographs, or of the "
            "particles where their own images are averaged: half as much again as the "
            "longest diameter of the particle, or more.",
            unit="px",
            is_expert=True,
            ge=1,
        )
    )
    are_particles_dark: bool = field(
        metadata=declare(
            "Particle contrast",
            "Contrast of the particles in the micrographs; in averages they are "
            "light.\n"
            "*dark on light (raw)*: as recorded by the microscope.\n"
            "*light on dark*: the micrographs were inverted before.",
        )
    )
    averages: Path
    left_out: tuple[str, ...] = ()
    parameters: AveragesParameters = field(default_factory=AveragesParameters)
    workers: Count = 2
    particles: Path | None = None

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of reduced boxes, Å."""
        even = self.box_size + self.box_size % 2
        return even * self.micrographs[0].sampling_rate / SIZE


@dataclass(frozen=True)
class AveragesResult:
    """Result of averaging.

    Parameters
    ----------
    averages : Path
        The file.
    n_averages, n_candidates : int
        Averages, and candidates that were sorted into them.
    timings : dict of StageCost
        Time and memory by stage.
    """

    averages: Path
    n_averages: int
    n_candidates: int
    timings: dict[str, StageCost] = field(default_factory=dict)
