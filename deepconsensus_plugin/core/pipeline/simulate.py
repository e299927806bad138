# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that simulates micrographs, each with a table of its truth.

Several workers make the micrographs; their number does not change the result.
Micrographs that an interrupted run finished are kept.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress, StageCost
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.simulation.library import Library, load_library
from deepconsensus_plugin.core.simulation.micrograph import (
    SimulatedMicrograph,
    simulate_micrograph,
)
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.truth import (
    ObjectClass,
    read_truth,
    true_coordinates,
    write_truth,
)
from deepconsensus_plugin.core.types import BOX_PER_DIAMETER, Ctf

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SimulateRequest(Declared):
    """Request to simulate a set of micrographs.

    Parameters
    ----------
    parameters : SimulationParameters
        Parameters of the simulation.
    folder : Path
        Folder for ``simulated_0001.mrc`` and so on, each with a CSV table of its truth.
    coordinates : Path
        HDF5 file of the coordinates of the `accepted` objects.
    workers : int
        Number of threads.
    """

    parameters: SimulationParameters
    n_micrographs: int = field(
        metadata=declare("Number of micrographs", "How many are simulated.", ge=1)
    )
    folder: Path
    coordinates: Path
    accepted: tuple[ObjectClass, ...] = field(
        default=(ObjectClass.GOOD,),
        metadata=declare(
            "Truth contains",
            "Which simulated particles are written as true coordinates.\n"
            "*good*: complete particles, with at least half their width inside the "
            "micrograph and no neighbour closer than the mean of both widths.\n"
            "*good or overlapping*: also those with closer neighbours.\n"
            "*all*: also broken particles and those cut off by the edge.\n"
            "The tables in the extra folder list everything, with its class.",
        ),
    )
    pixel_type: PixelType = field(
        default=PixelType.FLOAT32,
        metadata=declare(
            "Pixel type",
            "Data type of the MRC files. *int8* has 25 grey levels per standard "
            "deviation.",
            is_expert=True,
        ),
    )
    workers: Count = 2


@dataclass(frozen=True)
class MicrographRecord:
    """One micrograph that was written.

    Parameters
    ----------
    path, truth : Path
        MRC file, and CSV table of `core.simulation.truth.write_truth`.
    ctf : Ctf
        CTF of the micrograph.
    dose_e_per_A2, snr, ice_thickness_A : float
        As in `SimulatedMicrograph`; an SNR that is not defined is NaN.
    has_carbon : bool
        Whether it shows the edge of the carbon film.
    counts : dict of str to int
        Number of objects by class.
    """

    path: Path
    truth: Path
    ctf: Ctf
    dose_e_per_A2: float
    snr: float
    ice_thickness_A: float
    has_carbon: bool
    counts: dict[str, int]


@dataclass(frozen=True)
class SimulateResult:
    """Result of a simulation.

    Parameters
    ----------
    micrographs : tuple of MicrographRecord
        One per micrograph, in order.
    coordinates : Path
        File of `core.io.tables.write_coordinates`; micrographs are named by file.
    diameter_A : float
        Diameter of the largest wanted molecule.
    box_size : int
        Side of the box, pixels: one and a half diameters, even.
    timings : dict of StageCost
        Time and memory by stage.
    """

    micrographs: tuple[MicrographRecord, ...]
    coordinates: Path
    diameter_A: float
    box_size: int
    timings: dict[str, StageCost] = field(default_factory=dict)


def run(request: SimulateRequest, progress: Progress) -> SimulateResult:
    """Carry out a `SimulateRequest`.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If the file of a structure does not exist, or is not one.
    ValueError
        If a structure is too large for the resolution, or an SNR cannot be reached.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    with progress.stage("structures", 1) as advance:
        library = load_library(request.parameters)
        advance(1)
    make = functools.partial(_keep_or_make, request, _origin(request))
    records = []
    with progress.stage("simulate", request.n_micrographs) as advance:
        indices = range(request.n_micrographs)
        for record in progress.executor.map(make, indices, workers=request.workers):
            records.append(record)
            advance(1)
    _write_accepted(request, records)
    return SimulateResult(
        tuple(records),
        request.coordinates,
        library.diameter_A,
        _box_size(library, request.parameters.sampling_rate),
        progress.timings,
    )


def _origin(request: SimulateRequest) -> str:
    """Return a digest of everything that a micrograph depends on, but its number."""
    parameters = request.parameters
    second = parameters.contamination.second_protein
    structures = [*parameters.structures, *([second] if second else [])]
    files = [digest_file(each.path) for each in structures if each.path]
    return digest(to_plain(parameters), request.pixel_type.value, files)


def _keep_or_make(
    request: SimulateRequest, origin: str, index: int
) -> MicrographRecord:
    """Return the record of a micrograph, which is simulated unless it was before."""
    return _kept(request, index, origin) or _make(request, index, origin)


def _kept(request: SimulateRequest, index: int, origin: str) -> MicrographRecord | None:
    """Return the record of a micrograph that an earlier run finished."""
    path = _record_path(request, index)
    if not path.exists():
        return None
    content = read_json(path)
    if content.get("origin") != origin:
        return None
    record = from_plain(content["record"], MicrographRecord, path=path)
    complete = record.path.exists() and record.truth.exists()
    return record if complete else None


def _make(request: SimulateRequest, index: int, origin: str) -> MicrographRecord:
    """Simulate one micrograph and write its files; the record comes last."""
    simulated = simulate_micrograph(request.parameters, index)
    record_path = _record_path(request, index)
    path, truth = record_path.with_suffix(".mrc"), record_path.with_suffix(".csv")
    record_path.unlink(missing_ok=True)
    write_micrograph(
        path,
        simulated.image,
        request.pixel_type,
        sampling_rate=request.parameters.sampling_rate,
    )
    write_truth(truth, simulated.objects, simulated.ctf)
    record = _record(simulated, path, truth)
    write_json(record_path, {"origin": origin, "record": to_plain(record)})
    logger.debug("%s: %s", path.name, record.counts)
    return record


def _record(
    simulated: SimulatedMicrograph, path: Path, truth: Path
) -> MicrographRecord:
    counts = Counter(each.object_class.value for each in simulated.objects)
    return MicrographRecord(
        path,
        truth,
        simulated.ctf,
        simulated.dose_e_per_A2,
        simulated.snr,
        simulated.ice_thickness_A,
        simulated.has_carbon,
        {each.value: counts[each.value] for each in ObjectClass},
    )


def _write_accepted(request: SimulateRequest, records: list[MicrographRecord]) -> None:
    coordinates = {
        record.path.name: true_coordinates(read_truth(record.truth), request.accepted)
        for record in records
    }
    write_coordinates(request.coordinates, coordinates)


def _record_path(request: SimulateRequest, index: int) -> Path:
    return request.folder / f"simulated_{index + 1:04d}.json"


def _box_size(library: Library, sampling_rate: float) -> int:
    return 2 * int(np.ceil(BOX_PER_DIAMETER * library.diameter_A / sampling_rate / 2))
