# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that draws negatives: hard ones, off-centre ones, and random ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.execution import Progress, StageCost
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.tables import read_candidates, write_coordinates
from deepconsensus_plugin.core.limits import Count, NotNegativeInt, Side
from deepconsensus_plugin.core.negatives import draw_random_negatives
from deepconsensus_plugin.core.negatives.displaced import draw_displaced
from deepconsensus_plugin.core.negatives.drawing import ArePermitted
from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pipeline.centres import Centres
from deepconsensus_plugin.core.pipeline.mining import (
    MINED_KINDS,
    MiningRules,
    mine_hard_negatives,
)
from deepconsensus_plugin.core.pipeline.negative_micrographs import (
    check_room,
    find_occupied,
    fully_observed,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import area_path, read_area
from deepconsensus_plugin.core.usable_area.permitting import are_recorded

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NegativesRequest(NegativesParameters):
    """Request to draw negatives on the micrographs that all pickers observed.

    Bad micrographs give none.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs of the candidates.
    candidates : Path
        File of `core.io.tables.write_candidates`.
    box_size : int
        Side of the box, pixels.
    min_pickers : int
        Number of pickers that must agree on a positive.
    result : Path
        HDF5 file of coordinates to write; scores are values of `NegativeKind`.
    avoid : Path, optional
        File of `core.io.tables.write_coordinates`: further places that random and
        off-centre negatives stay away from.
    n_positives : int, optional
        Number of positives, which sets the number of negatives. None: as many as
        `min_pickers` agree on.
    masks : Path, optional
        Folder of the masks of the micrographs. Where there is one, nothing is drawn at
        random in padding or where there is no signal.
    workers : int
        Number of threads that read micrographs.
    """

    micrographs: tuple[Micrograph, ...]
    candidates: Path
    box_size: Side
    min_pickers: Count
    result: Path
    n_positives: NotNegativeInt | None = None
    masks: Path | None = None
    workers: Count = 2
    avoid: Path | None = None

    def mask_of(self, micrograph: Micrograph) -> Path | None:
        """Return the path of the mask of a micrograph; None without masks."""
        return None if self.masks is None else area_path(self.masks, micrograph.name)


@dataclass(frozen=True)
class NegativesResult:
    """Result of drawing negatives.

    Parameters
    ----------
    coordinates : Path
        File of `core.io.tables.write_coordinates`; scores are `NegativeKind` values.
    n_requested : int
        Number of negatives asked for.
    counts : dict of str to int
        Number of negatives drawn, by name of `NegativeKind`.
    n_micrographs : int
        Number of micrographs that all pickers observed.
    timings : dict of StageCost
        Time and memory by stage.
    """

    coordinates: Path
    n_requested: int
    counts: dict[str, int]
    n_micrographs: int
    timings: dict[str, StageCost] = field(default_factory=dict)


def run(request: NegativesRequest, progress: Progress) -> NegativesResult:
    """Carry out a `NegativesRequest`.

    Raises
    ------
    ValueError
        If no micrograph was observed by all pickers, if one of those is not among the
        micrographs of the request, or if all are smaller than the box.
    """
    candidates = read_candidates(request.candidates)
    micrographs = fully_observed(request.micrographs, candidates)
    check_room(micrographs, request.box_size)
    n_negatives = _n_negatives(request, candidates)
    occupied = find_occupied(candidates, request.avoid)
    rng = np.random.default_rng(request.seed)
    parts = []
    if request.mine_hard_negatives or request.sort_out_agreed:
        rules = _mining_rules(request, n_negatives)
        mined = mine_hard_negatives(
            micrographs,
            candidates,
            rules,
            rng=rng,
            workers=request.workers,
            progress=progress,
        )
        parts.append(mined)
    n_easy = n_negatives - sum(map(len, parts))
    parts.append(_displaced(request, micrographs, candidates, occupied, n_easy, rng))
    n_random = n_negatives - sum(map(len, parts))
    parts.append(_random(request, micrographs, occupied, n_random, rng))
    negatives = Centres.joined(parts)
    _write(request.result, negatives, micrographs)
    counts = {k.name: int((negatives.kind == k.value).sum()) for k in NegativeKind}
    _log_counts(n_negatives, counts)
    return NegativesResult(
        request.result, n_negatives, counts, len(micrographs), progress.timings
    )


def _mining_rules(request: NegativesRequest, n_negatives: int) -> MiningRules:
    share = request.hard_per_random / (1 + request.hard_per_random)
    kinds = frozenset(
        ([NegativeKind.SORTED_OUT] if request.sort_out_agreed else [])
        + ([*MINED_KINDS] if request.mine_hard_negatives else [])
    )
    return MiningRules(
        kinds=kinds,
        box_size=request.box_size,
        exclusion_radius_px=request.exclusion_radius * request.box_size,
        min_pickers=request.min_pickers,
        n_most=int(n_negatives * share),
    )


def _log_counts(n_negatives: int, counts: dict[str, int]) -> None:
    logger.info("Negatives: %s", counts)
    n_found = sum(counts.values())
    if n_found < n_negatives:
        logger.warning(
            "There was room for only %d of %d negatives, since the micrographs are "
            "crowded; a smaller exclusion radius leaves more room",
            n_found,
            n_negatives,
        )


def _n_negatives(request: NegativesRequest, candidates: Candidates) -> int:
    n_positives = request.n_positives
    if n_positives is None:
        agreed = candidates.agreed(request.min_pickers)
        n_positives = sum(len(picks) for picks in agreed.values())
    n_wanted = round(n_positives * request.negatives_per_positive)
    return min(n_wanted, request.max_negatives)


def _displaced(
    request: NegativesRequest,
    micrographs: Sequence[Micrograph],
    candidates: Candidates,
    occupied: Mapping[str, ScoredCoordinates],
    n_easy: int,
    rng: np.random.Generator,
) -> Centres:
    drawn = draw_displaced(
        micrographs,
        candidates.agreed(request.min_pickers),
        occupied,
        round(n_easy * request.displaced_fraction),
        box_size=request.box_size,
        rng=rng,
    )
    return Centres.of(drawn, micrographs, NegativeKind.DISPLACED)


def _random(
    request: NegativesRequest,
    micrographs: Sequence[Micrograph],
    occupied: Mapping[str, ScoredCoordinates],
    n_random: int,
    rng: np.random.Generator,
) -> Centres:
    drawn = draw_random_negatives(
        micrographs,
        occupied,
        n_random,
        box_size=request.box_size,
        exclusion_radius_px=request.exclusion_radius * request.box_size,
        rng=rng,
        are_recorded=_recorded_places(request, micrographs),
    )
    return Centres.of(drawn, micrographs, NegativeKind.RANDOM)


def _recorded_places(
    request: NegativesRequest, micrographs: Sequence[Micrograph]
) -> dict[str, ArePermitted]:
    """Return what tells of positions whether anything was recorded, by micrograph."""
    return {
        micrograph.name: partial(are_recorded, read_area(path))
        for micrograph in micrographs
        if (path := request.mask_of(micrograph)) is not None and path.is_file()
    }


def _write(path: Path, negatives: Centres, micrographs: Sequence[Micrograph]) -> None:
    coordinates = {}
    rows = rows_of_groups(negatives.micrograph, len(micrographs))
    for micrograph, chosen in zip(micrographs, rows, strict=True):
        here = negatives.take(chosen)
        coordinates[micrograph.name] = ScoredCoordinates.from_arrays(here.yx, here.kind)
    write_coordinates(path, coordinates)
