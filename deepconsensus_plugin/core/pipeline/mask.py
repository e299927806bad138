# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that makes the masks of micrographs, which tell where particles can be.

Each mask is a file that holds a digest of its inputs, so that a killed run resumes and
unchanged micrographs are not looked at again.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress, StageCost
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.bad_micrographs import is_mostly_unusable
from deepconsensus_plugin.core.usable_area.files import (
    area_path,
    read_area,
    read_origin,
    write_area,
)
from deepconsensus_plugin.core.usable_area.finding import find_area
from deepconsensus_plugin.core.usable_area.permitting import distance_of

logger = logging.getLogger(__name__)

_CODE_VERSION = 2
"""Raised when the same request gives other masks; older files are then replaced."""


@dataclass(frozen=True)
class MaskRequest(Declared):
    """Request to make the masks of micrographs.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs; names differ.
    folder : Path
        Folder of the masks (`core.usable_area.files.area_path`).
    diameter_A : float
        Diameter of the particle, Å.
    workers : int
        Number of threads.
    are_particles_dark : bool
        Whether particles are darker than their surroundings.
    """

    micrographs: tuple[Micrograph, ...]
    folder: Path
    diameter_A: float = field(
        metadata=declare(
            "Particle diameter",
            "Longest diameter of the particle. It sets the size of the windows in "
            "which areas are compared.",
            unit="Å",
            gt=0,
        )
    )
    workers: Count = 2
    are_particles_dark: bool = True

    def path_of(self, micrograph: Micrograph) -> Path:
        """Return the path of the mask of a micrograph."""
        return area_path(self.folder, micrograph.name)


@dataclass(frozen=True)
class MaskResult:
    """Result of making masks.

    Parameters
    ----------
    n_made : int
        Number of masks that were not there yet.
    share_unusable : dict of str to float
        Share of each micrograph that is unusable, 0 - 1, by name.
    bad_micrographs : list of str
        Names of those that are mostly unusable.
    timings : dict of StageCost
        Time and memory by stage.
    """

    n_made: int
    share_unusable: dict[str, float]
    bad_micrographs: list[str]
    timings: dict[str, StageCost] = field(default_factory=dict)


def run(request: MaskRequest, progress: Progress) -> MaskResult:
    """Carry out a `MaskRequest`.

    Raises
    ------
    FileFormatError
        If a file is no micrograph.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    make = functools.partial(_make, replace(request, micrographs=()))
    shares, bad, n_made = {}, [], 0
    with progress.stage("mask", len(request.micrographs)) as advance:
        work = progress.executor
        made = work.map(make, request.micrographs, workers=request.workers)
        for micrograph, (is_new, area) in zip(request.micrographs, made, strict=True):
            n_made += is_new
            shares[micrograph.name] = area.share_unusable
            if is_mostly_unusable(area):
                bad.append(micrograph.name)
            advance(1)
    logger.info("%d masks made, %d were there", n_made, len(shares) - n_made)
    return MaskResult(n_made, shares, sorted(bad), progress.timings)


def are_made(request: MaskRequest) -> bool:
    """Return whether all masks are there that a request asks for."""
    return all(
        read_origin(request.path_of(each)) == origin_of(request, each)
        for each in request.micrographs
    )


def origin_of(request: MaskRequest, micrograph: Micrograph) -> str:
    """Return a digest of what a mask is made from."""
    return digest(
        _CODE_VERSION,
        digest_file(micrograph.path),
        micrograph.sampling_rate,
        request.diameter_A,
        request.are_particles_dark,
    )


def _make(request: MaskRequest, micrograph: Micrograph) -> tuple[bool, UsableArea]:
    """Return whether the mask of a micrograph had to be made, and the mask."""
    path, origin = request.path_of(micrograph), origin_of(request, micrograph)
    if read_origin(path) == origin:
        return False, read_area(path)
    area = find_area(
        open_micrograph(micrograph.path),
        sampling_rate=micrograph.sampling_rate,
        diameter_A=request.diameter_A,
        particles_dark=request.are_particles_dark,
    )
    write_area(path, area, micrograph.sampling_rate, made_from=origin)
    return True, area


def place_in_areas(candidates: Candidates, masks: Path) -> Candidates:
    """Return candidates that know their distance to the unusable area.

    Parameters
    ----------
    candidates : Candidates
        In pixels of the micrographs that the masks are of.
    masks : Path
        Folder of the masks; where there is none, all is usable.
    """
    distance = np.full(len(candidates), np.inf)
    names = candidates.micrographs
    rows = rows_of_groups(candidates.micrograph_index, len(names))
    for name, here in zip(names, rows, strict=True):
        path = area_path(masks, name)
        if len(here) and path.is_file():
            distance[here] = distance_of(read_area(path), candidates.yx[here])
    return replace(candidates, area_distance_px=distance)


def find_bad_in(masks: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the micrographs that masks tell to be bad, sorted."""
    paths = {name: area_path(masks, name) for name in names}
    return tuple(
        sorted(
            name
            for name, path in paths.items()
            if path.is_file() and is_mostly_unusable(read_area(path))
        )
    )
