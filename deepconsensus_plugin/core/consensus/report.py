# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a consensus, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepconsensus_plugin.core.alignment import Misalignment
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.radius import PLATEAU_SHARE, AgreementCurve
from deepconsensus_plugin.core.types import PickerPicks


@dataclass(frozen=True)
class PickerReport:
    """One picker within the consensus.

    Parameters
    ----------
    name : str
        Its name.
    box_size : float
        Its box, pixels of the reference micrographs; NaN if unknown.
    n_picks : int
        Number of its picks.
    n_micrographs : int
        Where it was run.
    n_candidates, n_confirmed : int
        Candidates it found, and those of them that another picker found too.
    """

    name: str
    box_size: float
    n_picks: int
    n_micrographs: int
    n_candidates: int
    n_confirmed: int


@dataclass(frozen=True)
class ConsensusReport:
    """Sizes and choices of one consensus.

    Parameters
    ----------
    box_size : int
        Pixels of the reference micrographs.
    n_micrographs : int
        In the reference, observed or not.
    min_pickers : int
        How many pickers agree on a particle of AND.
    min_positives : int or None
        Positives that the choice of `min_pickers` aimed at; None if it was given.
    n_or, n_and : int
        Candidates, and agreed particles.
    votes : list of int
        Candidates found by 1, 2, … pickers.
    pickers : list of PickerReport
        In the order of names.
    misalignments : list of str
        Sentences about pickers that disagree systematically, the worst first.
    remarks : list of str
        Sentences about the micrographs.
    consensus_radius : float or None
        As a part of the box; None in reports of earlier versions.
    curve : AgreementCurve or None
        Agreement over the consensus radius, on some of the micrographs; None for a
        single picker, and in reports of earlier versions.
    """

    box_size: int
    n_micrographs: int
    min_pickers: int
    min_positives: int | None
    n_or: int
    n_and: int
    votes: list[int]
    pickers: list[PickerReport]
    misalignments: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    consensus_radius: float | None = None
    curve: AgreementCurve | None = None

    def sentences(self) -> list[str]:
        """Return what a user should read, most important first."""
        return [
            *self.remarks,
            *self.misalignments,
            *self._describe_agreement(),
            *self._describe_radius(),
            *map(self._describe_picker, self.pickers),
            *self._describe_boxes(),
        ]

    def _describe_agreement(self) -> list[str]:
        k = len(self.pickers)
        votes = ", ".join(f"{n} by {v}" for v, n in enumerate(self.votes, start=1))
        lines = [
            f"{self.n_or} candidates (OR) on {self.n_micrographs} micrographs; found "
            f"{votes} of {k} pickers.",
            f"{self.n_and} particles (AND) found by {self._describe_agreeing()}"
            f"{self._describe_choice()}.",
        ]
        if self.min_positives is not None and self.n_and < self.min_positives:
            lines.append(
                f"WARNING: {self.n_and} agreed particles are fewer than the "
                f"{self.min_positives} asked for, so the network is trained on little "
                "data. Add micrographs, or lower the thresholds of the pickers."
            )
        return lines

    def _describe_radius(self) -> list[str]:
        """Return the radius and what it keeps of the agreement, if that is known."""
        radius, curve = self.consensus_radius, self.curve
        if radius is None or curve is None or curve.plateau is None:
            return []
        share, merge = curve.share_at(radius), curve.radii[-1]
        line = (
            f"Consensus radius: {radius:g} of the box ({radius * self.box_size:.0f} "
            f"px), at which {share:.0%} of the agreement within the merge radius "
            f"({merge:g}) is reached"
        )
        if share >= PLATEAU_SHARE:
            return [f"{line}."]
        return [
            f"{line}. The agreement levels off at {curve.plateau:g}: that radius would "
            "give more particles for training, whose centres agree less closely."
        ]

    def _describe_agreeing(self) -> str:
        k, m = len(self.pickers), self.min_pickers
        if m < k:
            return f"at least {m} of {k} pickers"
        return {1: "the only picker", 2: "both pickers"}.get(k, f"all {k} pickers")

    def _describe_choice(self) -> str:
        if self.min_positives is None:
            return " (as given)"
        if self.n_and < self.min_positives:
            return " (least strict agreement)"
        return f" (strictest agreement that keeps at least {self.min_positives})"

    def _describe_picker(self, picker: PickerReport) -> str:
        share = picker.n_confirmed / picker.n_candidates if picker.n_candidates else 0.0
        if not picker.n_picks:
            return (
                f"WARNING: {picker.name} has no picks; leave it out, or import them "
                "again."
            )
        missing = self.n_micrographs - picker.n_micrographs
        where = f"; not run on {missing} micrographs" if missing else ""
        return (
            f"{picker.name}: {picker.n_picks} picks, {share:.0%} confirmed by another "
            f"picker{where}."
        )

    def _describe_boxes(self) -> list[str]:
        known = [p for p in self.pickers if math.isfinite(p.box_size)]
        if all(round(picker.box_size) == self.box_size for picker in known):
            return [f"Box size: {self.box_size} px."]
        listed = ", ".join(f"{p.name} {p.box_size:.0f}" for p in known)
        return [f"Box size: {self.box_size} px; those of the pickers: {listed} px."]


def report_consensus(
    pickers: Sequence[PickerPicks],
    candidates: Candidates,
    *,
    box_size: int,
    n_micrographs: int,
    min_pickers: int,
    min_positives: int | None,
    misalignments: Sequence[Misalignment] = (),
    consensus_radius: float | None = None,
    curve: AgreementCurve | None = None,
    confinements: Sequence[str] = (),
) -> ConsensusReport:
    """Return what `find_consensus` made of `pickers`; see `ConsensusReport`."""
    k = len(candidates.pickers)
    by_name = {picker.picker: picker for picker in pickers}
    confirmed = candidates.found & (candidates.votes >= 2)[:, np.newaxis]
    return ConsensusReport(
        box_size=box_size,
        n_micrographs=n_micrographs,
        min_pickers=min_pickers,
        min_positives=min_positives,
        n_or=len(candidates),
        n_and=int(candidates.is_agreed(min_pickers).sum()),
        votes=np.bincount(candidates.votes, minlength=k + 1)[1:].tolist(),
        pickers=[
            PickerReport(
                name=name,
                box_size=by_name[name].box_size,
                n_picks=len(by_name[name]),
                n_micrographs=len(by_name[name].coordinates),
                n_candidates=int(candidates.found[:, column].sum()),
                n_confirmed=int(confirmed[:, column].sum()),
            )
            for column, name in enumerate(candidates.pickers)
        ],
        misalignments=[
            *(f"WARNING: {sentence}" for sentence in confinements),
            *_describe(misalignments),
        ],
        consensus_radius=consensus_radius,
        curve=curve,
    )


def _describe(misalignments: Sequence[Misalignment]) -> list[str]:
    return [
        f"{'WARNING' if found.is_gross else 'Note'}: {found.describe()}"
        for found in misalignments
    ]
