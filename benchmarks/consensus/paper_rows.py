# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the test of the paper, in the order of its Table 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.metrics.classification import (
    ClassificationMetrics,
    classification_metrics,
)

# MCC, accuracy, precision, recall, ROC-AUC, PR-AUC at the best MCC: its Table 2.
PAPER = {
    "paper, EMPIAR-10061": (0.889, 0.944, 0.927, 0.965, 0.982, 0.973),
    "paper, EMPIAR-10028": (0.942, 0.971, 0.958, 0.984, 0.993, 0.989),
}

Labelled = tuple[NDArray[np.bool_], NDArray[np.float64]]
"""Which boxes are particles, and their scores."""


def figures_row(name: str, found: ClassificationMetrics) -> list[object]:
    """Return one row in the order of the paper's table."""
    quality = (found.mcc, found.accuracy, found.precision, found.recall)
    counts = f"{found.n_positives} + {found.n_negatives}"
    return [name, *quality, found.roc_auc, found.pr_auc, found.threshold, counts]


def result_table(results: list[Labelled], *, with_paper: bool) -> str:
    """Return a row for each fold and for all together, perhaps beside the paper's."""
    labels, scores = (np.concatenate(parts) for parts in zip(*results, strict=True))
    rows = [
        figures_row(f"fold {number}", classification_metrics(*result))
        for number, result in enumerate(results)
    ]
    rows.append(figures_row("**all folds**", classification_metrics(labels, scores)))
    if with_paper:
        rows += [[name, *row, None, "2000 + 2000"] for name, row in PAPER.items()]
    header = "set,MCC,accuracy,precision,recall,ROC-AUC,PR-AUC,at score,boxes"
    return markdown_table(header.split(","), rows)
