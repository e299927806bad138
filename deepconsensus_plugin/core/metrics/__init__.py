# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of picks and scores, each defined once."""

from deepconsensus_plugin.core.metrics.detection_metrics import (
    METRICS_SCHEMA,
    DetectionMetrics,
    evaluate_detections,
    precision_recall_f1,
    recall_of,
    summarise_matches,
)

__all__ = [
    "METRICS_SCHEMA",
    "DetectionMetrics",
    "evaluate_detections",
    "precision_recall_f1",
    "recall_of",
    "summarise_matches",
]
