# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewers: windows that Scipion opens on the results."""

from deepconsensus_plugin.viewers.table_columns import show_scores_in_tables
from deepconsensus_plugin.viewers.viewer_averages import DeepConsensusAveragesViewer
from deepconsensus_plugin.viewers.viewer_consensus import DeepConsensusPicksViewer
from deepconsensus_plugin.viewers.viewer_evaluation import DeepConsensusEvaluationViewer
from deepconsensus_plugin.viewers.viewer_mask import DeepConsensusMaskViewer
from deepconsensus_plugin.viewers.viewer_picker import DeepConsensusPickerViewer
from deepconsensus_plugin.viewers.viewer_report import DeepConsensusReportViewer
from deepconsensus_plugin.viewers.viewer_scores import DeepConsensusScoresViewer
from deepconsensus_plugin.viewers.viewer_training import DeepConsensusTrainViewer

__all__ = [
    "DeepConsensusAveragesViewer",
    "DeepConsensusEvaluationViewer",
    "DeepConsensusMaskViewer",
    "DeepConsensusPickerViewer",
    "DeepConsensusPicksViewer",
    "DeepConsensusReportViewer",
    "DeepConsensusScoresViewer",
    "DeepConsensusTrainViewer",
]

show_scores_in_tables()
