# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching of pick files with micrographs by name, without guessing.

Names are compared without extensions, as runs of tokens between ``_ - .`` and blanks:
``mic_1`` is in ``run7_mic_1_autopick`` but not in ``mic_10``. From the surest to the
least, a file fits a micrograph if

1. its last folders and its name are the micrograph's name (``Set2/001`` is
   ``Set2_001``), or the end of the path of the file that the micrograph is a link to,
2. the names are the same: as they are, without the last extension, without all,
3. the file's name holds the micrograph's, with more before or after,
4. the micrograph's name holds the file's,
5. one holds the other once the decorations that programs add are off: cryoSPARC's
   unique number in front, words such as ``autopick`` or ``doseweighted`` behind,
6. the same with blanks removed, as Scipion does when it imports micrographs.

The surest fit wins, then the longest. A number right after the common part belongs to
the name of another micrograph (``mic_1_2`` is not ``mic_1``), and so does one right
before it if the common part is nothing but numbers. Signs belong to numbers where they
stand behind a separator: ``g_-1.0`` is not ``g_1.0``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pick_files.name_fits import Fit, Rank, best_fits
from deepconsensus_plugin.core.pick_files.name_tokens import stem

__all__ = ["listed", "match_names", "stem"]

logger = logging.getLogger(__name__)

Label = TypeVar("Label", bound=str | Path)

_SHOWN = 5


def match_names(
    micrographs: Sequence[str],
    files: Sequence[Label],
    *,
    targets: Mapping[str, Path] | None = None,
) -> dict[str, Label]:
    """Return the file of every micrograph that has one.

    Parameters
    ----------
    micrographs : sequence of str
        Names; extensions do not count.
    files : sequence of Path or str
        Pick files, or the names that a merged file gives its micrographs; their folders
        count where names do not decide.
    targets : mapping of micrograph name to Path, optional
        Files that the micrographs are links to.

    Returns
    -------
    dict of str to Path or str
        In the order of `micrographs`, without those that no file fits. Files left over
        are logged.

    Raises
    ------
    NameMatchError
        If a file fits several micrographs equally well, or a micrograph several files.
    """
    names, labels = list(dict.fromkeys(micrographs)), list(dict.fromkeys(files))
    fits = best_fits(names, labels, targets or {})
    claims: dict[str, list[tuple[Rank, Label]]] = defaultdict(list)
    for label, fit in fits.items():
        if len(fit.micrographs) == 1:
            claims[fit.micrographs[0]].append((fit.rank, label))
    _refuse_ambiguous_files(fits, claims)
    matched = {name: _surest(name, claims[name]) for name in names if name in claims}
    _log_rest(labels, matched)
    return matched


def _refuse_ambiguous_files(
    fits: Mapping[Label, Fit], claims: Mapping[str, list[tuple[Rank, Label]]]
) -> None:
    """Raise for a file between micrographs, unless all of those have a surer file."""
    for label, fit in fits.items():
        if len(fit.micrographs) == 1:
            continue
        if any(
            min((rank for rank, _ in claims.get(name, ())), default=fit.rank)
            >= fit.rank
            for name in fit.micrographs
        ):
            raise NameMatchError(
                f"expected one micrograph for the picks {label}, received "
                f"{len(fit.micrographs)} that fit equally well: "
                f"{listed(fit.micrographs)}. Rename the pick file after its micrograph"
            )


def _surest(name: str, claims: list[tuple[Rank, Label]]) -> Label:
    best = min(rank for rank, _ in claims)
    files = [label for rank, label in claims if rank == best]
    if len(files) > 1:
        raise NameMatchError(
            f"expected one pick file for micrograph {name}, received {len(files)} that "
            f"fit equally well: {listed(files)}. Narrow the file pattern, or keep one"
        )
    return files[0]


def _log_rest(labels: Sequence[str | Path], matched: Mapping[str, str | Path]) -> None:
    used = set(matched.values())
    rest = [label for label in labels if label not in used]
    if rest:
        logger.info("%d without a micrograph: %s", len(rest), listed(rest))


def listed(labels: Sequence[str | Path]) -> str:
    """Return the first few of `labels` and how many more there are, for a message."""
    shown = ", ".join(str(label) for label in labels[:_SHOWN])
    more = len(labels) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
