# SPDX-License-Identifier: GPL-3.0-or-later
"""One case: micrographs, picks and the truth that a claim is held against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.sets.simulated_sets import SimulatedSet
from benchmarks.sets.truth_sets import Marks
from deepconsensus_plugin.core.types import Micrograph, PickerPicks


@dataclass(frozen=True, eq=False)
class Case:
    """Micrographs and picks that a user has, and the truth that nobody tells.

    Parameters
    ----------
    name : str
        Row of the table.
    micrographs : tuple of Micrograph
        All of one pixel size.
    pickers : tuple of PickerPicks
        At least one.
    truth : mapping of str to ScoredCoordinates
        Whole molecules by micrograph, pixels; none of a micrograph that is absent.
    match_radius_px : float
        Largest distance of a match.
    is_ample : bool
        Whether evidence suffices, so that a claim must be made.
    """

    name: str
    micrographs: tuple[Micrograph, ...]
    pickers: tuple[PickerPicks, ...]
    truth: Marks
    match_radius_px: float
    is_ample: bool = False

    def of(
        self, name: str, *pickers: PickerPicks, micrographs: tuple[str, ...] = ()
    ) -> Case:
        """Return another case of the same micrographs, or of some by name."""
        chosen = self.micrographs
        if micrographs:
            chosen = tuple(each for each in chosen if each.name in micrographs)
        return replace(
            self, name=name, micrographs=chosen, pickers=pickers, is_ample=False
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """A simulated set with particles, the picks of two pickers, and a folder.

    Parameters
    ----------
    simulated : SimulatedSet
        Micrographs and truth.
    pickers : tuple of PickerPicks
        Difference of Gaussians and rotational correlation, at their own thresholds.
    folder : Path
        Folder for the files of the cases.
    """

    simulated: SimulatedSet
    pickers: tuple[PickerPicks, ...]
    folder: Path

    def case(self, name: str) -> Case:
        """Return the case of these micrographs and both pickers."""
        whole = self.simulated.whole
        return Case(
            name,
            whole.micrographs,
            self.pickers,
            whole.truth,
            whole.match_radius_px,
        )
