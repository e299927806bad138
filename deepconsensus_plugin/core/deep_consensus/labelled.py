# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled boxes of a training set, from coordinates to one file of prepared boxes."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.deep_consensus.datasets import (
    ORIGIN,
    LabelledBoxes,
    LabelledCoordinates,
    join_coordinates,
    read_boxes,
    read_origin,
    write_boxes,
)
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    Role,
    TrainRequest,
)
from deepconsensus_plugin.core.deep_consensus.splits import limit_per_label
from deepconsensus_plugin.core.digests import digest, digest_micrographs
from deepconsensus_plugin.core.execution import Executor, Progress
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, prepare_boxes
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import (
    FloatArray,
    Micrograph,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_bad_micrographs

logger = logging.getLogger(__name__)

_FAR_APART_PX = 1e6
_SAME_PLACE_PX = 1.0

FEW_BOXES = 200
"""Number of boxes of a label below which a warning is logged."""


def collect_coordinates(
    request: TrainRequest, role: Role
) -> LabelledCoordinates | None:
    """Return the coordinates of all sources of a role; None if there are none.

    At most ``request.parameters.max_boxes`` of each label, drawn at random.
    """
    rng = np.random.default_rng([request.parameters.seed, 2**31, role is Role.TESTING])
    names = tuple(micrograph.name for micrograph in request.micrographs)
    parts = [
        _label(source, read_coordinates(source.coordinates), names)
        for source in request.sources
        if source.role is role
    ]
    if not parts:
        return None
    rows = _without_contradictions(join_coordinates(parts))
    rows = _without_bad_micrographs(rows, request)
    return limit_per_label(rows, request.parameters.max_boxes, rng)


def _without_bad_micrographs(
    rows: LabelledCoordinates, request: TrainRequest
) -> LabelledCoordinates:
    """Drop coordinates where there is nothing to learn, whatever set they come from."""
    bad = find_bad_micrographs(request.micrographs)
    on_good = ~np.isin(rows.micrographs, bad)[rows.micrograph]
    if not on_good.all():
        logger.warning(
            "%d coordinates on bad micrographs are left out (%s)",
            *((~on_good).sum(), ", ".join(bad)),
        )
    return rows.take(on_good)


def _without_contradictions(rows: LabelledCoordinates) -> LabelledCoordinates:
    """Drop particles that are also in a set of negatives, which was chosen on purpose.

    The worst agreed particles, which are used as negatives (section 2.3), are thus not
    used as particles at the same time.
    """
    place = np.column_stack([rows.micrograph * _FAR_APART_PX, rows.yx])
    negatives = cKDTree(place[~rows.is_particle])
    distance, _ = negatives.query(place, distance_upper_bound=_SAME_PLACE_PX)
    contradicted = rows.is_particle & np.isfinite(distance)
    if contradicted.any():
        logger.info("%d particles are taught as negatives only", contradicted.sum())
    return rows.take(~contradicted)


def _label(
    source: BoxSource,
    coordinates: Mapping[str, ScoredCoordinates],
    micrographs: Sequence[str],
) -> LabelledCoordinates:
    unknown = sorted(set(coordinates) - set(micrographs))
    if unknown:
        raise ValueError(
            f"{source.name}: coordinates on {len(unknown)} micrographs that are not "
            f"among the {len(micrographs)} given, e.g. {unknown[0]}"
        )
    counts = [len(coordinates.get(name, ())) for name in micrographs]
    n = sum(counts)
    positions = [coordinates[name].yx for name in micrographs if name in coordinates]
    return LabelledCoordinates(
        sources=(source.name,),
        micrographs=tuple(micrographs),
        is_particle=np.full(n, source.is_particle),
        weight=np.full(n, source.weight, dtype=np.float32),
        source=np.zeros(n, dtype=np.int64),
        micrograph=np.repeat(np.arange(len(micrographs)), counts),
        yx=np.concatenate([np.empty((0, 2)), *positions]),
    )


def check_labels(rows: LabelledCoordinates | None) -> LabelledCoordinates:
    """Return `rows` if both labels occur; warn if there are few boxes of one.

    Raises
    ------
    ValueError
        If there is no particle or no background.
    """
    counts = {"particles": 0, "background boxes": 0}
    if rows is not None:
        counts["particles"] = int(rows.is_particle.sum())
        counts["background boxes"] = len(rows) - counts["particles"]
    if rows is None or not all(counts.values()):
        received = " and ".join(f"{n} {label}" for label, n in counts.items())
        raise ValueError(
            f"expected particles and background to learn from, received {received}"
        )
    for label, n in counts.items():
        if n < 2:
            raise ValueError(f"expected at least 2 {label} to learn from, received {n}")
        if n < FEW_BOXES:
            logger.warning(
                "Only %d %s to learn from: scores will depend on the seed; look at "
                "their spread, and at the particles around the threshold",
                n,
                label,
            )
    return rows


def identify_boxes(rows: LabelledCoordinates, request: TrainRequest) -> str:
    """Return a digest of all inputs of the boxes of `rows`."""
    return digest(
        *(rows.is_particle, rows.weight, rows.micrograph, rows.yx),
        digest_micrographs(request.micrographs),
        [request.box_size, to_plain(request.preprocessing)],
    )


def store_boxes(
    rows: LabelledCoordinates, request: TrainRequest, path: Path, progress: Progress
) -> LabelledBoxes:
    """Cut the boxes of all rows, keep them in an HDF5 file, and return them.

    The file of an interrupted run is reused if it has the same boxes.
    """
    made_from = identify_boxes(rows, request)
    if path.is_file() and read_origin(path) == made_from:
        logger.info("%s: boxes of an earlier run", path)
        return read_boxes(path)
    with progress.stage("cut boxes", len(rows)) as advance:
        write_boxes(
            path,
            rows,
            _prepared(rows, request, progress.executor, advance),
            size=request.preprocessing.input_size,
            attributes={
                "box_size": request.box_size,
                "sampling_rate": request.micrographs[0].sampling_rate,
                "inverted": request.preprocessing.invert,
                "phase_flipped": request.preprocessing.phase_flip,
                "seed": request.parameters.seed,
                ORIGIN: made_from,
            },
        )
    return read_boxes(path)


def _prepared(
    rows: LabelledCoordinates,
    request: TrainRequest,
    work: Executor,
    advance: Callable[[int], None],
) -> Iterator[NDArray[np.float32]]:
    """Yield prepared boxes, one micrograph at a time."""
    used = np.unique(rows.micrograph).tolist()
    rows_on = rows_of_groups(rows.micrograph, len(request.micrographs))
    items = ((request.micrographs[i], rows.yx[rows_on[i]]) for i in used)
    cut = functools.partial(_cut_and_prepare, request.box_size, request.preprocessing)
    for boxes in work.map(cut, items, workers=request.workers):
        advance(len(boxes))
        yield boxes


def _cut_and_prepare(
    box_size: int, preprocessing: BoxPreprocessing, item: tuple[Micrograph, FloatArray]
) -> NDArray[np.float32]:
    """Return the prepared boxes of a micrograph at some centres."""
    parts = cut_boxes(*item, box_size, phase_flip=preprocessing.phase_flip)
    return np.concatenate([prepare_boxes(boxes, preprocessing) for boxes in parts])
