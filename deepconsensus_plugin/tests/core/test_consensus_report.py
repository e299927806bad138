# SPDX-License-Identifier: GPL-3.0-or-later
"""A consensus in numbers and sentences, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.alignment import Misalignment
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.consensus.radius import AgreementCurve
from deepconsensus_plugin.core.consensus.report import ConsensusReport, report_consensus
from deepconsensus_plugin.core.serialisation import from_plain, to_plain
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def _picks(picker, box_size=10.0, **by_micrograph):
    coordinates = {
        name: ScoredCoordinates.from_arrays(yx) for name, yx in by_micrograph.items()
    }
    return PickerPicks(picker, box_size, coordinates)


def _report(pickers, *, min_pickers=2, min_positives=None, **options):
    candidates = find_consensus(pickers, consensus_radius_px=1, merge_radius_px=3)
    return report_consensus(
        pickers,
        candidates,
        box_size=10,
        n_micrographs=3,
        min_pickers=min_pickers,
        min_positives=min_positives,
        **options,
    )


TWO = [
    _picks("b", m1=[(5, 5), (50, 50)], m2=[]),
    _picks("a", 20.0, m1=[(5, 5.5), (20, 20), (30, 30)]),
]


def test_numbers():
    report = _report(TWO)
    assert (report.n_or, report.n_and) == (4, 1)
    assert report.votes == [3, 1]
    a, b = report.pickers
    assert (a.name, a.box_size, a.n_picks, a.n_micrographs) == ("a", 20, 3, 1)
    assert (a.n_candidates, a.n_confirmed) == (3, 1)
    assert (b.name, b.n_picks, b.n_micrographs, b.n_confirmed) == ("b", 2, 2, 1)


def test_sentences():
    lines = _report(TWO, min_positives=1).sentences()
    assert lines == [
        "4 candidates (OR) on 3 micrographs; found 3 by 1, 1 by 2 of 2 pickers.",
        "1 particles (AND) found by both pickers (strictest agreement that keeps at "
        "least 1).",
        "a: 3 picks, 33% confirmed by another picker; not run on 2 micrographs.",
        "b: 2 picks, 50% confirmed by another picker; not run on 1 micrographs.",
        "Box size: 10 px; those of the pickers: a 20, b 10 px.",
    ]


def test_too_few_particles_are_a_warning():
    lines = _report(TWO, min_positives=500).sentences()
    assert "(least strict agreement)" in lines[1]
    assert lines[2].startswith("WARNING: 1 agreed particles are fewer than the 500")
    assert not any("WARNING" in line for line in _report(TWO).sentences())


def test_misalignments_come_first_and_gross_ones_warn():
    found = [
        Misalignment("a", "b", 10, 30, 0.9, flip_y=True, is_significant=True),
        Misalignment("a", "c", 10, 30, 0.9, shift_yx=(0.5, 0), is_significant=True),
    ]
    lines = _report(TWO, misalignments=found).sentences()
    assert lines[0].startswith("WARNING: Picks of b")
    assert lines[1].startswith("Note: Picks of c")


def test_no_picks_at_all_and_an_unknown_box():
    report = _report([_picks("a", np.nan, m1=[])], min_pickers=1)
    assert (report.n_or, report.n_and, report.votes) == (0, 0, [0])
    assert "WARNING: a has no picks;" in report.sentences()[2]
    assert report.sentences()[-1] == "Box size: 10 px."


CURVE = AgreementCurve([0.1, 0.2, 0.3], [[5, 6], [4, 9], [3, 10]])


def test_the_share_of_the_agreement_that_the_radius_keeps_is_told():
    (line,) = _report(TWO, consensus_radius=0.1, curve=CURVE)._describe_radius()
    assert "0.1 of the box (1 px), at which 60% of the agreement within" in line
    assert "levels off at 0.25" in line
    (line,) = _report(TWO, consensus_radius=0.25, curve=CURVE)._describe_radius()
    assert "95% of the agreement" in line
    assert "levels off" not in line


def test_it_goes_through_json():
    report = _report(TWO, min_positives=5, consensus_radius=0.1, curve=CURVE)
    assert from_plain(to_plain(report), ConsensusReport, path=Path("x")) == report
