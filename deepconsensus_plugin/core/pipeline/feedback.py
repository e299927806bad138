# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of candidates from a file: marks, or what another program kept.

Another program is given what was accepted, and its user selects classes. What is in
the file was found good; what was accepted and is not in it was found bad, on the
micrographs that the file names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.marks.log import read_entries
from deepconsensus_plugin.core.marks.mark import (
    Chosen,
    Mark,
    Verdict,
    standing_marks,
)
from deepconsensus_plugin.core.marks.matching import (
    MATCH_RADIUS,
    Labels,
    MatchedMarks,
    match_marks,
)
from deepconsensus_plugin.core.pick_files.folders import read_with_remarks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.types import BoolArray, Micrograph

SELECTION_BELIEF = 0.8
"""How far a selection of classes counts for one of its particles: classes are mixed,
and what is left out may be there for its view or its resolution."""

MARKS_SUFFIX = ".jsonl"


@dataclass(frozen=True, eq=False)
class Feedback:
    """Labels that a file gives.

    Parameters
    ----------
    matched : MatchedMarks
        The labels, and what in the file is no candidate.
    remarks : tuple of str
        Sentences on how the file was read; those that need attention begin with
        ``WARNING``.
    """

    matched: MatchedMarks
    remarks: tuple[str, ...]

    @property
    def labels(self) -> Labels:
        """Labels of candidates."""
        return self.matched.labels


def read_feedback_file(
    feedback: FeedbackFile, candidates: Candidates, accepted: BoolArray
) -> Feedback:
    """Return the labels of n candidates that a file gives, as `read_feedback` does."""
    return read_feedback(
        feedback.path,
        candidates,
        feedback.micrographs,
        accepted=accepted,
        box_size=feedback.box_size,
        options=ReadOptions(scale=feedback.scale),
    )


def read_feedback(
    path: Path,
    candidates: Candidates,
    micrographs: Sequence[Micrograph],
    *,
    accepted: BoolArray,
    box_size: float,
    options: ReadOptions | None = None,
) -> Feedback:
    """Return the labels of n candidates that a file gives.

    Parameters
    ----------
    path : Path
        File of marks (``.jsonl``), or particles or picks that another program kept, in
        any format that is imported (`core.pick_files`).
    candidates : Candidates
        n.
    micrographs : sequence of Micrograph
        Micrographs of the candidates.
    accepted : array, shape (n,), bool
        Candidates that the other program was given.
    box_size : float
        Pixels of the micrographs.
    options : ReadOptions, optional
        How positions of another program are converted, such as their scale.

    Raises
    ------
    FileNotFoundError, FileFormatError, NameMatchError
        As raised by the readers.
    ValueError
        If no candidate is labelled.
    """
    radius_px = MATCH_RADIUS * box_size
    remarks: tuple[str, ...] = ()
    if path.suffix == MARKS_SUFFIX:
        marks = standing_marks(read_entries(path))
    else:
        options = replace(options or ReadOptions(), box_size=box_size)
        found = read_with_remarks(path, micrographs, picker=path.stem, options=options)
        remarks = found.remarks
        marks = tuple(
            Mark(
                name,
                float(y),
                float(x),
                Verdict.GOOD,
                Chosen.FEEDBACK,
                path.name,
                belief=SELECTION_BELIEF,
            )
            for name, kept in found.picks.coordinates.items()
            for y, x in kept.yx
        )
    matched = match_marks(marks, candidates, radius_px=radius_px)
    if path.suffix != MARKS_SUFFIX:
        named = {mark.micrograph for mark in marks}
        left_out = accepted & candidates.are_on(named)
        matched = replace(matched, labels=_with_left_out(matched.labels, left_out))
    if not len(matched.labels):
        raise ValueError(
            f"{path}: expected positions of candidates, received {len(marks)} of "
            f"which none is within {radius_px:.3g} pixels of one. Check their scale"
        )
    return Feedback(matched, (*remarks, *_describe(path, matched)))


def _with_left_out(labels: Labels, left_out: BoolArray) -> Labels:
    """Return labels, and bad ones of what was given and is not labelled."""
    given = left_out.copy()
    given[labels.rows] = False
    bad = np.flatnonzero(given)
    rows = np.append(labels.rows, bad)
    order = np.argsort(rows)
    n_all = np.zeros(len(rows), dtype=bool)
    is_particle, belief = n_all.copy(), np.full(len(rows), SELECTION_BELIEF)
    is_particle[: len(labels)] = labels.is_particle
    return Labels(rows[order], is_particle[order], belief, n_all)


def _describe(path: Path, matched: MatchedMarks) -> list[str]:
    labels = matched.labels
    n_good = int(labels.is_particle.sum())
    told = [
        f"{path.name} labels {len(labels)} candidates, {n_good} of them as particles."
    ]
    if matched.further:
        told.append(
            f"{len(matched.further)} places in it are at no candidate and are not used."
        )
    if matched.elsewhere:
        told.append(
            f"WARNING: {len(matched.elsewhere)} places in it are on other micrographs."
        )
    return told
