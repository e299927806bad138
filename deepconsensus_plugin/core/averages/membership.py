# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of averages: how many are accepted, and which pickers found them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Membership:
    """Numbers of the members of k averages.

    Parameters
    ----------
    pickers : tuple of str
        Names, p.
    n_members : array, shape (k,), int
        Candidates of each average.
    n_accepted : array, shape (k,), int, optional
        Those of them that are accepted; None where nothing is accepted or rejected yet.
    n_found : array, shape (k, p), int
        Members that each picker found.
    """

    pickers: tuple[str, ...]
    n_members: IntArray
    n_accepted: IntArray | None
    n_found: IntArray

    @property
    def share_accepted(self) -> FloatArray:
        """Share of the members that is accepted, shape (k,); NaN where not known."""
        if self.n_accepted is None:
            return np.full(len(self.n_members), np.nan)
        return _share(self.n_accepted, self.n_members)

    @property
    def share_found(self) -> FloatArray:
        """Share of the members that each picker found, shape (k, p)."""
        return _share(self.n_found, self.n_members[:, None])

    @property
    def is_mostly_accepted(self) -> BoolArray:
        """Mask of averages with at least as many accepted as rejected members."""
        if self.n_accepted is None:
            return np.zeros(len(self.n_members), dtype=bool)
        is_mostly = 2 * self.n_accepted >= self.n_members
        return np.asarray(is_mostly & (self.n_members > 0))

    def accepted_first(self) -> IntArray:
        """Return the averages with members: the mostly accepted, then the others.

        The largest comes first among either.
        """
        with_members = np.flatnonzero(self.n_members)
        order = np.lexsort((-self.n_members, ~self.is_mostly_accepted))
        return np.asarray(order[np.isin(order, with_members)])


def count_members(
    average: IntArray,
    n_averages: int,
    *,
    accepted: BoolArray | None,
    found: BoolArray,
    pickers: tuple[str, ...],
) -> Membership:
    """Return what is known of the members of averages.

    Parameters
    ----------
    average : array, shape (n,), int
        The average of each candidate; -1 for none.
    n_averages : int
        Number of averages, k.
    accepted : array, shape (n,), bool, optional
        Which candidates are accepted; None where that is not known.
    found : array, shape (n, p), bool
        Which pickers found them.
    pickers : tuple of str
        Their names, p.
    """
    inside = average >= 0

    def count(chosen: BoolArray) -> IntArray:
        return np.bincount(average[inside & chosen], minlength=n_averages)

    by_picker = [count(column) for column in found.T]
    n_found = np.array(by_picker, dtype=np.intp).reshape(len(pickers), n_averages).T
    n_accepted = None if accepted is None else count(accepted)
    return Membership(pickers, count(inside), n_accepted, n_found)


def _share(part: IntArray, whole: IntArray) -> FloatArray:
    share = part / np.maximum(whole, 1)
    return np.asarray(np.where(whole > 0, share, np.nan))
