# SPDX-License-Identifier: GPL-3.0-or-later
"""Job of the consensus: picks of several pickers to candidates and a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median_high
from typing import ClassVar

from deepconsensus_plugin.core.alignment import (
    Misalignment,
    describe_confinement,
    find_misalignments,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import (
    choose_min_pickers,
    find_consensus,
)
from deepconsensus_plugin.core.consensus.dependence import (
    find_dependences,
    group_votes,
)
from deepconsensus_plugin.core.consensus.exclusion import without_picks
from deepconsensus_plugin.core.consensus.radius import AgreementCurve, RadiusStudy
from deepconsensus_plugin.core.consensus.report import ConsensusReport, report_consensus
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.pipeline.mask import place_in_areas
from deepconsensus_plugin.core.published import Published
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.core.usable_area.bad_micrographs import (
    describe_bad_micrographs,
)


@dataclass(frozen=True)
class ConsensusRules(Declared):
    """Rules of the consensus: radii, and how many pickers must agree."""

    box_size: int | None = field(
        default=None,
        metadata=declare(
            "Box size",
            "Side of the box of all candidates, in pixels of the micrographs of "
            "the first set.",
            unit="px",
            auto="that of the sets, the upper median where they differ",
            is_expert=True,
            ge=1,
        ),
    )
    consensus_radius: float = field(
        default=0.1,
        metadata=declare(
            "Consensus radius",
            "Picks of different pickers agree if their centres are at most this "
            "far apart, as a fraction of the box size.",
            unit="boxes",
            gt=0,
        ),
    )
    merge_radius: float = field(
        default=0.3,
        metadata=declare(
            "Merge radius",
            "Picks at most this far apart become one candidate (OR), as a fraction "
            "of the box size. It must be at least the consensus radius.",
            unit="boxes",
            is_expert=True,
            gt=0,
        ),
    )
    min_pickers: int | None = field(
        default=None,
        metadata=declare(
            "Minimum pickers agreeing",
            "How many pickers must find a particle for it to be used for training "
            "(AND). Where fewer pickers were run on a micrograph, all of them must.",
            auto="as strict as possible while keeping the minimum number of training "
            "particles",
            ge=1,
        ),
    )
    min_positives: int = field(
        default=500,
        metadata=declare(
            "Minimum training particles",
            "Number of agreed particles (AND) that the automatic choice above "
            "keeps for training.",
            is_expert=True,
            shown_if=("min_pickers", None),
            ge=0,
        ),
    )

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "consensus_radius": Published(
            0.1, '2.3: "smaller than the 10% of the particle size"'
        ),
        "merge_radius": Published(
            0.1, '2.3: OR holds "all of the coordinates"; agreeing ones are one'
        ),
    }
    """The paper's AND needs all pickers (2.3), so `min_pickers` is their number."""

    def conflicts(self) -> list[str]:
        """Return the problem of a merge radius below the consensus radius."""
        if self.consensus_radius <= self.merge_radius:
            return []
        return [
            f"Consensus radius: it must be at most the merge radius, "
            f"{self.merge_radius:g} boxes, received {self.consensus_radius:g}"
        ]

    def box_for(self, boxes: Iterable[float]) -> int:
        """Return the box size to use for pickers with these boxes, pixels."""
        return self.box_size or median_high(map(round, boxes))

    def agreeing_on(self, candidates: Candidates) -> int:
        """Return how many pickers must agree on these candidates for AND."""
        return self.min_pickers or choose_min_pickers(
            candidates, min_positives=self.min_positives
        )


@dataclass(frozen=True, eq=False)
class Combination:
    """Result of a consensus: candidates and report.

    Parameters
    ----------
    candidates : Candidates
        All of them (OR).
    report : ConsensusReport
        Sizes and choices, among them who must agree for AND.
    n_subtracted : int
        Picks left out because they were unwanted.
    """

    candidates: Candidates
    report: ConsensusReport
    n_subtracted: int


def find_candidates(
    pickers: Sequence[PickerPicks],
    rules: ConsensusRules,
    *,
    unwanted: PickerPicks | None = None,
    bad_micrographs: tuple[str, ...] = (),
    masks: Path | None = None,
) -> Candidates:
    """Return the candidates of `pickers`, as `combine_picks`, but without a report.

    Those of a micrograph depend on the picks there alone, if the rules give the box.
    """
    box = rules.box_for(p.box_size for p in pickers)
    merge_radius_px = rules.merge_radius * box
    left = without_picks(pickers, unwanted, radius_px=merge_radius_px)
    radius = rules.consensus_radius * box
    found = find_consensus(
        left, consensus_radius_px=radius, merge_radius_px=merge_radius_px
    )
    found = replace(found, bad_micrographs=bad_micrographs)
    return found if masks is None else place_in_areas(found, masks)


def combine_picks(
    pickers: Sequence[PickerPicks],
    rules: ConsensusRules,
    *,
    shapes: Mapping[str, tuple[int, int]],
    unwanted: PickerPicks | None = None,
    bad_micrographs: tuple[str, ...] = (),
    masks: Path | None = None,
) -> Combination:
    """Return the candidates of all pickers, and the report on them.

    Parameters
    ----------
    pickers : sequence of PickerPicks
        In any order, in pixels of the same micrographs; names differ.
    rules : ConsensusRules
        Rules of the consensus.
    shapes : mapping of micrograph name to (rows, columns)
        All micrographs, including those that no picker was run on.
    unwanted : PickerPicks, optional
        Picks near these are left out first; see `without_picks`.
    bad_micrographs : tuple of str
        Micrographs on which nothing can be judged: no candidate there is agreed.
    masks : Path, optional
        Folder of the masks of the micrographs: no candidate on unusable area is agreed.
    """
    box = rules.box_for(p.box_size for p in pickers)
    left = without_picks(pickers, unwanted, radius_px=rules.merge_radius * box)
    candidates = find_candidates(
        left,
        replace(rules, box_size=box),
        bad_micrographs=bad_micrographs,
        masks=masks,
    )
    dependences = find_dependences(
        left,
        box_size=box,
        radius_px=rules.merge_radius * box,
        ignored=bad_micrographs,
    )
    votes = group_votes(candidates.pickers, dependences)
    candidates = replace(candidates, vote_of=votes)
    misalignments = find_misalignments(left, shapes, box_size=box)
    report = report_consensus(
        left,
        candidates,
        box_size=box,
        n_micrographs=len(shapes),
        min_pickers=rules.agreeing_on(candidates),
        min_positives=None if rules.min_pickers else rules.min_positives,
        misalignments=misalignments,
        confinements=_confinements(left, shapes, misalignments),
        consensus_radius=rules.consensus_radius,
        curve=_agreement_curve(left, rules, box),
    )
    n_subtracted = sum(map(len, pickers)) - sum(map(len, left))
    remarks = [
        *describe_bad_micrographs(bad_micrographs),
        *(each.describe() for each in dependences),
    ]
    return Combination(candidates, replace(report, remarks=remarks), n_subtracted)


def _agreement_curve(
    pickers: Sequence[PickerPicks], rules: ConsensusRules, box: int
) -> AgreementCurve | None:
    """Return the agreement over the consensus radius; None for a single picker."""
    if len(pickers) < 2:
        return None
    study = RadiusStudy.of_some(pickers, box_size=box, merge_radius=rules.merge_radius)
    return study.curve()


def _confinements(
    pickers: Sequence[PickerPicks],
    shapes: Mapping[str, tuple[int, int]],
    misalignments: Sequence[Misalignment],
) -> list[str]:
    """Return sentences on pickers that are confined, and not known to be scaled."""
    scaled = {each.other for each in misalignments if each.scale != 1}
    sentences = (
        describe_confinement(each, shapes)
        for each in pickers
        if each.picker not in scaled
    )
    return [sentence for sentence in sentences if sentence is not None]
