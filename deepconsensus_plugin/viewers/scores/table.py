# SPDX-License-Identifier: GPL-3.0-or-later
"""Table of scored candidates: their positions and the pickers that found them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.plots.colours import REASON_COLOURS
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

_SEVERAL = "several pickers"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Candidates in groups, n rows.

    Parameters
    ----------
    names : tuple of str
        Names of the groups.
    index : array, shape (n,), int
        The group of each candidate.
    is_ordered : bool
        Whether the groups go from less to more.
    colours : tuple of str, optional
        Their colours, where they have some.
    """

    names: tuple[str, ...]
    index: IntArray
    is_ordered: bool = False
    colours: tuple[str, ...] | None = None

    def count(self, scores: FloatArray, edges: FloatArray) -> IntArray:
        """Return how many of each group lie between two edges, shape (g, b).

        Parameters
        ----------
        scores : array, shape (n,)
            NaN is counted nowhere.
        edges : array, shape (b + 1,)
            Evenly spaced, ascending; the last bar holds its upper edge too.
        """
        n_bins = len(edges) - 1
        known = np.isfinite(scores)
        place = (scores[known] - edges[0]) * (n_bins / (edges[-1] - edges[0]))
        bins = np.clip(place.astype(np.intp), 0, n_bins - 1)
        flat = self.index[known] * n_bins + bins
        counts = np.bincount(flat, minlength=len(self.names) * n_bins)
        return np.asarray(counts.reshape(len(self.names), n_bins))


@dataclass(frozen=True, eq=False)
class ScoredTable:
    """Scored candidates, n rows, in the order of their set.

    Parameters
    ----------
    score : array, shape (n,)
        NaN where there is none.
    groupings : dict of str to Grouping
        Ways to group candidates, by their names for users.
    micrographs : ShownMicrographs or None
        None where the set does not know them.
    micrograph_index : array, shape (n,), int
        The micrograph of each candidate; -1 for one that is not there.
    yx : array, shape (n, 2)
        Centres, pixels of the micrographs.
    """

    score: FloatArray
    groupings: dict[str, Grouping]
    micrographs: ShownMicrographs | None
    micrograph_index: IntArray
    yx: FloatArray


def group_by_votes(votes: Sequence[int | None]) -> Grouping:
    """Return candidates by the number of pickers that found them, fewest first."""
    known = np.array([each or 0 for each in votes], dtype=np.intp)
    numbers, index = np.unique(known, return_inverse=True)
    names = tuple(f"{n} vote" if n == 1 else f"{n} votes" for n in numbers.tolist())
    return Grouping(names, index.reshape(-1), is_ordered=True)


def group_by_picker(finders: Iterable[str | None]) -> Grouping:
    """Return candidates by who found them: one picker alone, or several.

    Parameters
    ----------
    finders : iterable of str
        Names of the pickers of each candidate, joined by ``;``.
    """
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(who or "", len(codes)) for who in finders], int)
    named = [_SEVERAL if LIST_SEPARATOR in w else f"only {w or '?'}" for w in codes]
    alone = sorted(set(named) - {_SEVERAL})
    names = (*alone, *({_SEVERAL} & set(named)))
    group_of = np.array([names.index(name) for name in named], dtype=np.intp)
    return Grouping(names, group_of[code])


def group_by_reason(reasons: IntArray) -> Grouping:
    """Return candidates by what becomes of them; groups without any are left out.

    Parameters
    ----------
    reasons : array, shape (n,), int
        Codes of `Reason`.
    """
    shown = [each for each in REASON_COLOURS if (reasons == each).any()]
    index = np.zeros(len(reasons), dtype=np.intp)
    for number, each in enumerate(shown):
        index[reasons == each] = number
    return Grouping(
        tuple(each.label for each in shown),
        index,
        colours=tuple(REASON_COLOURS[each] for each in shown),
    )


def group_all(n_candidates: int) -> Grouping:
    """Return all candidates as one group."""
    return Grouping(("all candidates",), np.zeros(n_candidates, dtype=np.intp))
