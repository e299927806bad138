# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of micrographs and picks: found, read, picked, simulated and written."""

from __future__ import annotations

import glob
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)

_WORKERS = PickRequest.workers


def find_micrographs(
    pattern: Path | str, *, sampling_rate: float
) -> tuple[Micrograph, ...]:
    """Return the micrographs whose files fit a pattern, sorted by path.

    Parameters
    ----------
    pattern : Path or str
        Such as ``DIR/*.mrc``; of each file the header is read.
    sampling_rate : float
        Å/px.

    Raises
    ------
    FileNotFoundError
        If no file fits.
    ValueError
        If the sampling rate is not above 0.
    """
    if not 0 < sampling_rate < math.inf:
        raise ValueError(f"sampling_rate: it must be above 0, received {sampling_rate}")
    paths = [Path(found) for found in sorted(glob.glob(str(pattern)))]
    if not paths:
        raise FileNotFoundError(f"{pattern}: expected micrographs, received none")
    return tuple(
        Micrograph(path.name, path, read_shape(path), sampling_rate) for path in paths
    )


def read_picks(
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
        Folder of its files, or one file of all micrographs.
    micrographs : sequence of Micrograph
        Matched with the files by name.
    box_size : float, optional
        Pixels of the micrographs. None: as the files record it.
    picker : str, optional
        Name of the picker. None: of the folder or file.
    options : ReadOptions, optional
        Which files, and what is done with their positions.

    Raises
    ------
    FileNotFoundError, FileFormatError, NameMatchError, ValueError
        As `core.pick_files.folders.read_picks_folder` tells.
    """
    options = options or ReadOptions()
    if box_size is not None:
        options = replace(options, box_size=box_size)
    name = picker or Path(source).stem
    return read_picks_folder(source, micrographs, picker=name, options=options)


def write_picks(
    path: Path | str,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    box_size: int,
) -> None:
    """Write coordinates of all micrographs to one file, in the format it is named for.

    Parameters
    ----------
    path : Path or str
        ``.star`` (RELION), ``.csv`` or ``.txt`` (Topaz).
    coordinates : mapping of micrograph name to ScoredCoordinates
        Pixels.
    box_size : int
        Pixels; for formats that record it.

    Raises
    ------
    ValueError
        If the extension is of no format that holds several micrographs.
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
    """Return what a picker finds on micrographs.

    Parameters
    ----------
    micrographs : sequence of Micrograph, or one
        Of one sampling rate. The threshold is found in the scores of all, so that many
        are better than one.
    picker : PickParameters, Path or str
        What a classical picker looks for, or the folder of a trained model.
    folder : Path or str, optional
        Keeps what is found on each micrograph, so that an interrupted run goes on.
        None: nothing is kept.
    name : str, optional
        Of the picker. None: its method.
    threshold : float, optional
        Lowest score of a pick. None: found in the scores.
    box_size : int, optional
        Pixels. None: one and a half diameters, or the model's box.
    options : dataclass, optional
        Choices that a model's method offers (`core.methods.Method.options`).
    workers : int
        Threads.
    progress : Progress, optional
        Is told how far the run is.

    Returns
    -------
    PickerPicks
        Every micrograph is in it.
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


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """Simulated micrographs whose particles are known.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        With their CTFs.
    truth : dict of str to ScoredCoordinates
        Particles that should be found, by micrograph.
    box_size : int
        Pixels.
    diameter_A : float
        Of the largest molecule, Å.
    """

    micrographs: tuple[Micrograph, ...]
    truth: dict[str, ScoredCoordinates]
    box_size: int
    diameter_A: float


def simulate(
    n_micrographs: int,
    folder: Path | str,
    parameters: SimulationParameters | None = None,
    *,
    workers: int = _WORKERS,
    progress: Progress | None = None,
) -> SimulatedSet:
    """Return simulated micrographs, written to a folder, and where particles are.

    Parameters
    ----------
    n_micrographs : int
        How many, >= 1.
    folder : Path or str
        Keeps the micrographs: an interrupted run goes on, a finished one is read.
    parameters : SimulationParameters, optional
        What they look like.
    workers : int
        Threads.
    progress : Progress, optional
        Is told how far the run is.
    """
    folder, parameters = Path(folder), parameters or SimulationParameters()
    request = SimulateRequest(
        parameters, n_micrographs, folder, folder / "truth.h5", workers=workers
    )
    made = carry_out(request, progress or Progress())
    micrographs = tuple(
        Micrograph(
            each.path.name,
            each.path,
            parameters.shape,
            parameters.sampling_rate,
            each.ctf,
        )
        for each in made.micrographs
    )
    truth = read_coordinates(made.coordinates)
    return SimulatedSet(micrographs, truth, made.box_size, made.diameter_A)
