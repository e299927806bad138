# SPDX-License-Identifier: GPL-3.0-or-later
"""What Scipion shows of the results."""

from deepconsensus_plugin.viewers.viewer_evaluation import (
    DeepConsensusEvaluationViewer,
)
from deepconsensus_plugin.viewers.viewer_scores import DeepConsensusScoresViewer

__all__ = ["DeepConsensusEvaluationViewer", "DeepConsensusScoresViewer"]
