# SPDX-License-Identifier: GPL-3.0-or-later
"""Record of which pickers were run on which micrographs, kept beside a set.

Not run is not "found nothing", but a micrograph without coordinates looks the same
either way. So a set carries the path of a JSON file among its properties:
``{"schema": 1, "pickers": [...], "observed": {"mic.mrc": ["picker", ...]}}``.
Beside it are the names of bad micrographs, on which nothing can be judged, and the
folder of the masks of the usable area.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from pwem.objects import SetOfCoordinates
from pyworkflow.object import String

from deepconsensus_plugin.constants import OBSERVED_FILE_ATTRIBUTE
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import PickerPicks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PickerCoverage:
    """Record of the pickers that were run on each micrograph.

    Parameters
    ----------
    pickers : list of str
        All pickers, also those that observed nothing.
    observed : mapping of micrograph name to list of str
        The pickers that were run there; no picker was run on other micrographs.
    bad_micrographs : list of str
        Names of those on which nothing can be judged; empty from early versions.
    masks : str, optional
        Folder of the masks of the micrographs (`core.usable_area.files`), from the
        folder of the project; None where none were made.
    vote_of : mapping of str to str
        Pickers whose votes are counted with those of another, and that one.
    """

    pickers: list[str]
    observed: Mapping[str, list[str]]
    bad_micrographs: list[str] = field(default_factory=list)
    masks: str | None = None
    vote_of: Mapping[str, str] = field(default_factory=dict)


def observed_by_all(pickers: Sequence[PickerPicks]) -> PickerCoverage:
    """Return the coverage of one or more pickers, from their picks."""
    observed: dict[str, list[str]] = {}
    for picks in pickers:
        for micrograph in picks.coordinates:
            observed.setdefault(micrograph, []).append(picks.picker)
    return PickerCoverage([picks.picker for picks in pickers], observed)


def observed_in(candidates: Candidates, *, masks: Path | None = None) -> PickerCoverage:
    """Return who looked where, from a table of candidates; `masks` is a folder."""
    names = candidates.pickers
    return PickerCoverage(
        list(names),
        {
            micrograph: list(compress(names, row))
            for micrograph, row in zip(
                candidates.micrographs, candidates.observed.tolist(), strict=True
            )
        },
        list(candidates.bad_micrographs),
        None if masks is None else str(masks),
        {
            name: other
            for name, other in zip(names, candidates.vote_of, strict=False)
            if name != other
        },
    )


def write_observed(
    coordinates: SetOfCoordinates, path: Path | str, observed: PickerCoverage
) -> None:
    """Write the file and note it on the set, which keeps it when it is written.

    Parameters
    ----------
    coordinates : SetOfCoordinates
        An output that is still being made.
    path : Path or str
        In the protocol's extra folder; relative to the project, as all paths of sets.
    observed : PickerCoverage
        By the names of the set's own micrographs.
    """
    write_json(Path(path), to_plain(observed))
    setattr(coordinates, OBSERVED_FILE_ATTRIBUTE, String(str(path)))


def read_observed(coordinates: SetOfCoordinates) -> PickerCoverage | None:
    """Return who looked where, or None where that was not kept.

    Sets of other plugins, subsets and the like do not have it. A file that is noted
    but missing is logged.

    Raises
    ------
    FileFormatError
        If the file is not one of these.
    """
    noted = getattr(coordinates, OBSERVED_FILE_ATTRIBUTE, None)
    # The set's own file knows it even where Scipion did not restore the attribute.
    path = coordinates.getProperty(OBSERVED_FILE_ATTRIBUTE) if noted is None else noted
    if not path:
        return None
    source = Path(str(path))
    if not source.is_file():
        logger.warning(
            "%s: it should tell which micrographs the pickers of %s were run on, but "
            "is not there; micrographs without picks may count as observed",
            source,
            coordinates.getFileName(),
        )
        return None
    return from_plain(read_json(source), PickerCoverage, path=source)


def masks_of(coordinates: SetOfCoordinates | None) -> Path | None:
    """Return the folder of the masks of a set's micrographs; None if it has none.

    From the folder of the project, as all paths of sets.
    """
    known = None if coordinates is None else read_observed(coordinates)
    return None if known is None or known.masks is None else Path(known.masks)
