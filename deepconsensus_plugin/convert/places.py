# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of Scipion's items on their micrographs, as the rule of acceptance wants them.

A micrograph whose file is gone keeps its candidates: its shape is then not known.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles

from deepconsensus_plugin.constants import AREA_DISTANCE_ATTRIBUTE
from deepconsensus_plugin.convert.items import read_items
from deepconsensus_plugin.convert.provenance import read_area_distance
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.set_columns import read_columns, read_ids

logger = logging.getLogger(__name__)


def places_of_items(
    items: SetOfCoordinates | SetOfParticles,
    micrographs: SetOfMicrographs | None,
    *,
    box_size: float,
    folder: Path | None = None,
    bad_micrographs: Collection[str] = (),
) -> Places | None:
    """Return the places of the items of a set, in the order of their ids.

    Parameters
    ----------
    items : SetOfCoordinates or SetOfParticles
        n.
    micrographs : SetOfMicrographs, optional
        What they were picked on.
    box_size : float
        Pixels of the micrographs; 0 if it is not known.
    folder : Path, optional
        Folder of the project, where paths start; None for the working directory.
    bad_micrographs : collection of str
        Names of those on which nothing can be judged.

    Returns
    -------
    Places or None
        None where the items or `micrographs` do not tell.
    """
    table = read_items(items, AREA_DISTANCE_ATTRIBUTE)
    if micrographs is None or not any(number for _, number in table.places):
        return None
    rate = micrographs.getSamplingRate()
    are_particles = isinstance(items, SetOfParticles)
    scale = items.getSamplingRate() / rate if are_particles else 1.0
    names, paths = _names_and_paths(micrographs)
    # As everywhere (`MicrographMatch.name_of`): by the name, or else by the id.
    by_name = {name: number for number, name in enumerate(names)}
    by_id = {each: number for number, each in enumerate(read_ids(micrographs))}
    index = [
        by_name.get(name or "", by_id.get(each, -1) if each is not None else -1)
        for name, each in table.places
    ]
    micrograph = np.array(index, dtype=np.intp)[table.place]
    shapes = _shapes_of(paths, micrograph, folder or Path())
    return Places(
        *(table.yx * scale, micrograph, shapes, round(box_size), rate),
        is_bad=np.array([name in bad_micrographs for name in names], dtype=bool),
        area_distance_px=read_area_distance(table),
    )


def places_of_candidates(
    candidates: Candidates, micrographs: SetOfMicrographs, *, box_size: float
) -> Places:
    """Return the places of candidates that lie on the micrographs of a set."""
    path_of = dict(zip(*_names_and_paths(micrographs), strict=True))
    paths = [path_of[name] for name in candidates.micrographs]
    return Places(
        candidates.yx,
        candidates.micrograph_index,
        _shapes_of(paths, candidates.micrograph_index, Path()),
        round(box_size),
        micrographs.getSamplingRate(),
        np.isin(candidates.micrographs, candidates.bad_micrographs),
        candidates.area_distance_px,
    )


def shapes_by_name(micrographs: SetOfMicrographs) -> dict[str, tuple[int, int]]:
    """Return rows and columns of the micrographs whose files are there."""
    names, paths = _names_and_paths(micrographs)
    return {
        name: read_shape(path)
        for name, path in zip(names, paths, strict=True)
        if path.exists()
    }


def paths_by_name(micrographs: SetOfMicrographs) -> dict[str, Path]:
    """Return the files of the micrographs, links followed."""
    names, paths = _names_and_paths(micrographs)
    return {name: path.resolve() for name, path in zip(names, paths, strict=True)}


def _names_and_paths(micrographs: SetOfMicrographs) -> tuple[list[str], list[Path]]:
    """Return what `micrograph_name` and the file of each is, in the order of ids."""
    known = read_columns(micrographs, "_micName", "_filename")
    paths = [Path(each) for each in known["_filename"]]
    names = known.get("_micName", [None] * len(paths))
    return [name or path.name for name, path in zip(names, paths, strict=True)], paths


def _shapes_of(paths: Sequence[Path], wanted: IntArray, folder: Path) -> FloatArray:
    """Return rows and columns of the micrographs that are wanted, NaN for others."""
    shapes = np.full((len(paths), 2), np.nan)
    gone = []
    for number in np.unique(wanted[wanted >= 0]).tolist():
        path = folder / paths[number]
        if path.exists():
            shapes[number] = read_shape(path)
        else:
            gone.append(path)
    if gone:
        logger.warning(
            "%d micrographs are gone, such as %s: which boxes leave them is not known",
            len(gone),
            gone[0],
        )
    return shapes
