# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages that a window shows, with their members and the marks of the user."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.averages.marks import Mark, Marks
from deepconsensus_plugin.core.averages.membership import Membership, count_members
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.plots.averages import describe_resolution
from deepconsensus_plugin.plots.colours import BLUE, GREY, REASON_COLOURS
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.viewers.tabs.tab import Picks


@dataclass(frozen=True, eq=False)
class AveragesShown:
    """Averages of n candidates, and where these are.

    Parameters
    ----------
    path : Path
        File of the averages; marks are kept beside it.
    table : AveragesTable
        Its content, in the order of the candidates.
    marks : Marks
        Marks that were kept.
    accepted : array, shape (n,), bool, optional
        Which candidates are accepted; None where nothing is accepted or rejected yet.
    pickers : tuple of str
        Names of the pickers, p.
    found : array, shape (n, p), bool
        Which candidates each of them found.
    micrographs : ShownMicrographs or None
        None where they are not known.
    micrograph_index : array, shape (n,), int
        The micrograph of each candidate, or -1.
    yx : array, shape (n, 2)
        Centres, pixels of the micrographs.
    """

    path: Path
    table: AveragesTable
    marks: Marks
    accepted: BoolArray | None
    pickers: tuple[str, ...]
    found: BoolArray
    micrographs: ShownMicrographs | None
    micrograph_index: IntArray
    yx: FloatArray

    @cached_property
    def members(self) -> Membership:
        """Numbers of the members of each average."""
        return count_members(
            self.table.average,
            len(self.table.images),
            accepted=self.accepted,
            found=self.found,
            pickers=self.pickers,
        )

    def micrographs_of(self, average: int) -> tuple[ShownMicrographs, int] | None:
        """Return the micrographs with members of an average, and which has most.

        None where no micrograph is known.
        """
        own = self.micrograph_index[self.table.average == average]
        if self.micrographs is None or not (own >= 0).any():
            return None
        counts = np.bincount(own[own >= 0], minlength=len(self.micrographs.names))
        names = self.micrographs.names
        fullest = names[int(counts.argmax())]
        shown = self.micrographs.only(names[at] for at in np.flatnonzero(counts))
        return shown, shown.names.index(fullest)

    def picks_on(self, micrograph: str, average: int) -> Picks:
        """Return the candidates of a micrograph, the members of an average apart."""
        if self.micrographs is None:
            return {}
        number = self.micrographs.names.index(micrograph)
        here = self.micrograph_index == number
        own = here & (self.table.average == average)
        others = {("others", GREY): self.yx[here & ~own]}
        if self.accepted is None:
            return {**others, ("members", BLUE): self.yx[own]}
        return {
            **others,
            ("rejected members", REASON_COLOURS[Reason.SCORE]): self.yx[
                own & ~self.accepted
            ],
            ("accepted members", REASON_COLOURS[Reason.ACCEPTED]): self.yx[
                own & self.accepted
            ],
        }

    def n_marked(self, marks: Marks, mark: Mark) -> int:
        """Return the number of candidates that belong to averages with a mark."""
        return int(marks.members(self.table.average, mark).sum())

    def describe(self, average: int, marks: Marks) -> str:
        """Return what is known of an average, in a line."""
        resolution = describe_resolution(float(self.table.resolution_A[average]))
        text = f"Average {average + 1}: {self.members.n_members[average]:,} members"
        if self.members.n_accepted is not None:
            text += f", {self.members.n_accepted[average]:,} accepted"
        mark = marks.of(average)
        return f"{text}, {resolution}" + ("" if mark is None else f"; {mark.value}")
