# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of a report, embedded in the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from deepconsensus_plugin.core.boxes import cut_chosen_boxes
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.consensus.agreement import (
    compare_pickers,
    count_combinations,
)
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import FloatArray, IntArray, Micrograph
from deepconsensus_plugin.plots.agreement import draw_agreement
from deepconsensus_plugin.plots.agreement_radius import draw_agreement_radius
from deepconsensus_plugin.plots.combinations import draw_combinations
from deepconsensus_plugin.plots.gallery import GalleryRow, draw_gallery, gallery_size
from deepconsensus_plugin.plots.precision_recall import (
    EvaluatedPicks,
    draw_precision_recall,
)
from deepconsensus_plugin.plots.reliability import draw_reliability
from deepconsensus_plugin.plots.scores import draw_scores
from deepconsensus_plugin.plots.training import Histories, draw_history
from deepconsensus_plugin.report.html import Html, plot
from deepconsensus_plugin.report.scored import ScoredCandidates

_N_COLUMNS = 10
"""Pictures of particles beside each other, and of each kind."""


def plot_agreement(scored: ScoredCandidates, *, is_told: bool) -> list[Html]:
    """Return who confirms whom, and who found what."""
    candidates = scored.candidates
    agreement = compare_pickers(candidates)
    combinations = count_combinations(candidates, scored.score if is_told else None)
    k = len(candidates.pickers)
    return [
        _draw(
            (4 + 0.9 * k, 2.5 + 0.9 * k),
            lambda figure: draw_agreement(figure, agreement),
            "Of the candidates that the picker of a row found, the share that the "
            "picker of a column found too, and their number; on the diagonal all that "
            "it found.",
        ),
        _draw(
            (9, 3.6 + 0.55 * k),
            lambda figure: draw_combinations(figure, combinations),
            "Candidates by exactly which pickers found them"
            f"{', and how many particles are expected among them' * is_told}.",
        ),
    ]


def plot_radius(report: ConsensusReport, *, box_extent_A: float) -> Html:
    """Return the agreement at other consensus radii; the report has a curve."""
    return _draw(
        (8, 4),
        lambda figure: draw_agreement_radius(
            figure,
            report.curve,
            chosen=report.consensus_radius,
            box_extent_A=box_extent_A,
        ),
        "Candidates that pickers agree on at each consensus radius, and the radius "
        "that was used. At the plateau, 95 % of the agreement within the merge radius "
        "is reached.",
    )


def plot_reliability(calibration: CalibrationReport) -> Html:
    """Return what is expected of each picker."""
    return _draw(
        (9.5, 2 + 0.6 * len(calibration.pickers)),
        lambda figure: draw_reliability(figure, calibration),
        "What votes, scores and network together expect of each picker. Recall is "
        "relative to the particles among the candidates.",
    )


def plot_history(histories: Histories) -> Html:
    """Return how the training went."""
    return _draw(
        (8, 6.5),
        lambda figure: draw_history(figure, histories, is_running=False),
        "Training of the networks, validated on micrographs held out.",
    )


def plot_scores(
    scored: ScoredCandidates, calibration: CalibrationReport | None
) -> Html:
    """Return the histogram with its threshold, and what is expected at others."""
    caption = "Scores of all candidates."
    is_told = calibration is not None and calibration.why_withheld is None
    if is_told:
        caption += (
            " Below, the precision and recall to be expected if the score alone "
            "decided, at any threshold, with 95 % intervals over micrographs."
        )
    return _draw(
        (9, 5.6 if is_told else 3.4),
        lambda figure: draw_scores(
            figure,
            scored.score,
            scored.reason,
            threshold=scored.threshold,
            calibration=calibration,
        ),
        caption,
    )


def plot_gallery(
    scored: ScoredCandidates, micrographs: Sequence[Micrograph], *, box_size: int
) -> Html:
    """Return pictures of the best, the borderline and the rejected candidates."""
    by_name = {micrograph.name: micrograph for micrograph in micrographs}
    # There are no candidates on micrographs that were left out.
    here = [by_name.get(name, micrographs[0]) for name in scored.candidates.micrographs]
    rows = [
        GalleryRow(
            title,
            cut_chosen_boxes(
                here,
                scored.candidates.micrograph_index[chosen],
                scored.candidates.yx[chosen],
                box_size,
            ),
            [_caption(scored, row) for row in chosen.tolist()],
        )
        for title, chosen in choose_examples(scored).items()
        if len(chosen)
    ]
    if not rows:
        return Html("")
    return _draw(
        gallery_size(_N_COLUMNS, rows),
        lambda figure: draw_gallery(
            figure, rows, n_columns=_N_COLUMNS, sampling_rate=here[0].sampling_rate
        ),
        f"Particles with their scores, in boxes of {box_size} px, low-passed to 20 Å, "
        "contrast as in the micrographs.",
    )


def _caption(scored: ScoredCandidates, row: int) -> str:
    """Return the score of a candidate, and the reason if it is another than that."""
    reason, score = Reason(scored.reason[row]), f"{scored.score[row]:.3f}"
    is_plain = reason in (Reason.ACCEPTED, Reason.SCORE)
    return score if is_plain else f"{score}\n{reason.label}"


def choose_examples(scored: ScoredCandidates) -> dict[str, IntArray]:
    """Return rows of example candidates, by the name of the row.

    What is rejected for its score is apart from what is for another reason.
    """
    order = np.argsort(-scored.score, kind="stable")
    order = order[np.isfinite(scored.score[order])]
    accepted, rejected = (
        order[scored.reason[order] == reason]
        for reason in (Reason.ACCEPTED, Reason.SCORE)
    )
    others = order[~np.isin(scored.reason[order], (Reason.ACCEPTED, Reason.SCORE))]
    n = _N_COLUMNS
    return {
        "Best scores": accepted[:n],
        "Just accepted": accepted[n:][-n:],
        "Just rejected for their score": rejected[:n],
        "Lowest scores": rejected[n:][-n:],
        "Rejected for another reason, best scores": others[:n],
    }


def plot_comparison(figures: Mapping[str, Any], curve: FloatArray) -> Html:
    """Return precision and recall of what is accepted, and of the pickers.

    Parameters
    ----------
    figures : mapping
        Content of ``metrics.json``.
    curve : array, shape (t, 3)
        Threshold, precision and recall of the scored candidates.
    """
    no_curve = np.empty((0, 3))
    sets = [
        EvaluatedPicks("accepted", figures, curve),
        *(
            EvaluatedPicks(name, of_picker, no_curve)
            for name, of_picker in figures["pickers"].items()
        ),
    ]
    return _draw(
        (9.5, 4.4 + 0.22 * len(sets)),
        lambda figure: draw_precision_recall(figure, sets),
        "Against the truth that was given: all thresholds of the score, and as dots "
        "what was accepted and what went into it. The truth may be incomplete, so "
        "precision is at least this.",
    )


def _draw(
    size: tuple[float, float], draw: Callable[[Figure], None], caption: str
) -> Html:
    figure = Figure(figsize=size)
    draw(figure)
    return plot(figure, caption)
