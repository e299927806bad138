# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of micrographs and picks: found, read, picked and written."""

from __future__ import annotations

import glob
import logging
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import carry_out
from deepconsensus_plugin.core.methods import find_method, load_card
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_unreadable

logger = logging.getLogger(__name__)

_WORKERS = PickRequest.workers


def find_micrographs(
    pattern: Path | str, *, sampling_rate: float, skip_bad: bool = False
) -> tuple[Micrograph, ...]:
    """Return the micrographs whose files match a pattern, sorted by path.

    Parameters
    ----------
    pattern : Path or str
        Pattern such as ``DIR/*.mrc``; only the headers of files are read.
    sampling_rate : float
        Pixel size, Å/px.
    skip_bad : bool
        Leave out files that cannot be read, and log their names. Compressed ones are
        read whole.

    Raises
    ------
    FileNotFoundError
        If no file matches, or all are left out.
    FileFormatError
        If a file is no micrograph, or cut off.
    ValueError
        If the sampling rate is not above 0.
    """
    if not 0 < sampling_rate < math.inf:
        raise ValueError(f"sampling_rate: it must be above 0, received {sampling_rate}")
    paths = [Path(found) for found in sorted(glob.glob(str(pattern)))]
    bad = find_unreadable(paths) if skip_bad else {}
    for path, reason in bad.items():
        logger.warning("%s: left out, since it cannot be read: %s", path, reason)
    paths = [path for path in paths if path not in bad]
    if not paths:
        raise FileNotFoundError(f"{pattern}: expected micrographs, received none")
    return tuple(
        Micrograph(path.name, path, read_shape(path), sampling_rate) for path in paths
    )


def load_picks(
    source: Path | str,
    micrographs: Sequence[Micrograph],
    *,
    box_size: float | None = None,
    picker: str | None = None,
    options: ReadOptions | None = None,
) -> PickerPicks:
    """Return the picks of one picker, from files in any known format.

    Parameters
    ----------
    source : Path or str
        Folder of the files of the picker, or one file of all micrographs.
    micrographs : sequence of Micrograph
        Micrographs, which are matched with the files by name.
    box_size : float, optional
        Side of the box, pixels of the micrographs. None: as recorded in the files.
    picker : str, optional
        Name of the picker. None: that of the folder or file.
    options : ReadOptions, optional
        Which files are read, and how their positions are converted.

    Raises
    ------
    FileNotFoundError, FileFormatError, NameMatchError, ValueError
        As raised by `core.pick_files.folders.read_picks_folder`.
    """
    options = options or ReadOptions()
    if box_size is not None:
        options = replace(options, box_size=box_size)
    name = picker or Path(source).stem
    return read_picks_folder(source, micrographs, picker=name, options=options)


def save_picks(
    path: Path | str,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    box_size: int,
) -> None:
    """Write the coordinates of all micrographs to one file, by its extension.

    Parameters
    ----------
    path : Path or str
        ``.star`` (RELION), ``.csv`` or ``.txt`` (Topaz).
    coordinates : mapping of micrograph name to ScoredCoordinates
        Centres, pixels.
    box_size : int
        Side of the box, pixels, for formats that record it.

    Raises
    ------
    ValueError
        If no format with this extension holds several micrographs.
    """
    kinds = {kind.extension: kind for kind in PickFormat if kind.codec.write_merged}
    kind = kinds.get(Path(path).suffix)
    if kind is None:
        raise ValueError(f"{path}: expected an extension of {', '.join(kinds)}")
    write_merged_picks(path, coordinates, box_size=box_size, pick_format=kind)


def pick(
    micrographs: Sequence[Micrograph] | Micrograph,
    picker: PickParameters | Path | str,
    folder: Path | str | None = None,
    *,
    name: str | None = None,
    threshold: float | None = None,
    box_size: int | None = None,
    options: Any = None,
    workers: int = _WORKERS,
    progress: Progress | None = None,
) -> PickerPicks:
    """Return the picks of a picker on micrographs.

    Parameters
    ----------
    micrographs : sequence of Micrograph, or one
        Micrographs of one sampling rate. The threshold comes from the scores of all, so
        it is better with more of them.
    picker : PickParameters, Path or str
        Parameters of a classical picker, or folder of a trained model.
    folder : Path or str, optional
        Folder of the results of each micrograph, so that an interrupted run resumes.
        None: a temporary one.
    name : str, optional
        Name of the picker. None: that of its method.
    threshold : float, optional
        Lowest score of a pick. None: from the distribution of scores.
    box_size : int, optional
        Side of the box, pixels. None: one and a half diameters, or as in the model.
    options : dataclass, optional
        Options of the method of the model (`core.methods.Method.options`).
    workers : int
        Number of threads.
    progress : Progress, optional
        Receives the progress of the run.

    Returns
    -------
    PickerPicks
        Picks on every micrograph, of which there may be none.
    """
    if isinstance(micrographs, Micrograph):
        micrographs = (micrographs,)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(folder or temporary)
        place.mkdir(parents=True, exist_ok=True)
        request: PickRequest | NetworkPickRequest
        if isinstance(picker, PickParameters):
            request = PickRequest(
                tuple(micrographs), picker, place / "peaks", place / "picks.h5"
            )
        else:
            request = NetworkPickRequest(
                tuple(micrographs),
                Path(picker),
                place / "found",
                place / "picks.h5",
                options=options,
            )
        request = replace(request, threshold=threshold, workers=workers)
        carry_out(request, progress or Progress())
        found = read_coordinates(request.result)
    own_name, extent_A = _describe(picker)
    if box_size is None:
        box_size = 2 * math.ceil(extent_A / micrographs[0].sampling_rate / 2)
    return PickerPicks(name or own_name, box_size, found)


def _describe(picker: PickParameters | Path | str) -> tuple[str, float]:
    """Return the name of a picker, and the side of its box in Å."""
    if isinstance(picker, PickParameters):
        return picker.method.value, BOX_PER_DIAMETER * picker.diameter_A
    card = load_card(Path(picker))
    return find_method(card.kind).label, card.box_extent_A
