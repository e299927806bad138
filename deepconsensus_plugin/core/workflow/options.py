# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the chain of Deep Consensus: those of its stages, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.thresholds import AUTOMATIC, ThresholdRule
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import ScoringParameters
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.published import Published, as_published
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.workflow.further_boxes import FurtherBoxes


@dataclass(frozen=True)
class DeepConsensusOptions(Declared):
    """Options of the chain; the defaults suit most data sets.

    Parameters
    ----------
    consensus : ConsensusRules
        Radii, and the number of pickers that must agree.
    negatives : NegativesParameters
        Kinds and number of negatives.
    training : TrainingParameters
        Training of the networks.
    preprocessing : BoxPreprocessing, optional
        Preprocessing of boxes, unless a model has its own. None: dark particles, phases
        not flipped, and an input size that fits the box.
    initial_model : Path, optional
        Model folder to start from instead of random weights.
    further_boxes : FurtherBoxes
        A user's own sets to train and to test on.
    skip_training : bool
        Whether `initial_model` scores as it is.
    scoring : ScoringParameters
        Batch size, precision and particle stacks.
    threshold : ThresholdRule
        Rule for scores that are good enough.
    spacing : Spacing
        Where an accepted particle may lie: edge and neighbours.
    workers : int
        Number of threads.
    """

    consensus: ConsensusRules = field(default_factory=ConsensusRules)
    negatives: NegativesParameters = field(default_factory=NegativesParameters)
    training: TrainingParameters = field(default_factory=TrainingParameters)
    preprocessing: BoxPreprocessing | None = None
    initial_model: Path | None = None
    further_boxes: FurtherBoxes = field(default_factory=FurtherBoxes)
    skip_training: bool = False
    scoring: ScoringParameters = field(default_factory=ScoringParameters)
    fusion_seed: int | None = field(
        default=0,
        metadata=declare(
            "Random seed",
            "Random seed of the micrographs that are drawn for confidence "
            "intervals. Scores do not depend on it.",
            if_none="the score is the network's own, not combined with votes and "
            "pickers' scores",
            is_expert=True,
            ge=0,
        ),
    )
    ask_general_model: bool = field(
        default=True,
        metadata=declare(
            "Ask the general model",
            "*Yes*: the general HydraPicker that comes with the plugin, trained on "
            "simulated particles of many kinds, looks at every candidate. How far its "
            "opinion counts in the score is estimated from your data. It takes some "
            "seconds per micrograph.\n"
            "*No*: scores come from the network and the pickers alone.",
            is_expert=True,
        ),
    )
    average_candidates: bool = field(
        default=True,
        metadata=declare(
            "Average the candidates",
            "*Yes*: boxes are aligned and averaged without any reference, and the "
            "score also tells how much of an average each candidate holds. It takes "
            "about a second per 200 candidates, and needs 200 of them.\n"
            "*No*: scores come from networks, pickers and the general model alone.",
            is_expert=True,
        ),
    )
    feedback: Path | None = field(
        default=None,
        metadata=declare(
            "Marks or selection",
            "File that says which candidates are particles. The marks of a review "
            "(*marks.jsonl*), or the particles of the classes that were selected in "
            "another program: RELION *.star*, cryoSPARC *.cs*, or any picks that can "
            "be imported. What is in such a file counts as good; what would be "
            "accepted without the file and is not in it counts as bad, on the "
            "micrographs that it names. These labels correct probabilities and what "
            "is expected of them.",
            if_none="no labels",
        ),
    )
    feedback_scale: float = field(
        default=1.0,
        metadata=declare(
            "Scale of the selection",
            "Positions in a selection are multiplied by this factor, for example 2 "
            "where the other program was given micrographs binned by 2. Marks need "
            "none.",
            is_expert=True,
            gt=0,
        ),
    )
    threshold: ThresholdRule = AUTOMATIC
    spacing: Spacing = field(default_factory=Spacing)
    workers: Count = 2

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "fusion_seed": Published(
            None, '2.1: the network\'s score, "ranging from 0 to 1"', "not combined"
        ),
        "ask_general_model": Published(False, "it has no other network"),
        "average_candidates": Published(False, "candidates are not averaged"),
    }

    @property
    def asks_general_model(self) -> bool:
        """Whether the general model looks at candidates: only where it is combined."""
        return self.ask_general_model and self.fusion_seed is not None

    @property
    def averages_candidates(self) -> bool:
        """Whether candidates are averaged: only where scores are combined."""
        return self.average_candidates and self.fusion_seed is not None

    def feedback_on(
        self, micrographs: Sequence[Micrograph], box_size: float
    ) -> FeedbackFile | None:
        """Return the file of labels of candidates on these micrographs, if any."""
        if self.feedback is None:
            return None
        return FeedbackFile(
            self.feedback, tuple(micrographs), box_size, self.feedback_scale
        )

    @property
    def acceptance(self) -> AcceptanceRule:
        """Rule for what is accepted."""
        return AcceptanceRule(self.threshold, self.spacing)

    @classmethod
    def published(cls, n_pickers: int, **others: Any) -> DeepConsensusOptions:
        """Return the options of the paper, whose AND needs all of `n_pickers`."""
        stages = {
            "consensus": as_published(ConsensusRules, min_pickers=n_pickers),
            "negatives": as_published(NegativesParameters),
            "training": as_published(TrainingParameters),
            "preprocessing": as_published(BoxPreprocessing),
            "threshold": as_published(ThresholdRule),
        }
        return as_published(cls, **(stages | others))

    def conflicts(self) -> list[str]:
        """Return the problem of no model where none is trained."""
        if not self.skip_training or self.initial_model is not None:
            return []
        return ["skip_training: expected an initial_model, received none"]
