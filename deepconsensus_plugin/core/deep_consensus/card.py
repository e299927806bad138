# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a Deep Consensus network, an ensemble that scores boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deepconsensus_plugin.core.deep_consensus.architecture import stored_network
from deepconsensus_plugin.core.deep_consensus.label_noise import LabelNoise
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.networks.card import ModelCard, TrainingSet
from deepconsensus_plugin.core.networks.forms import Form
from deepconsensus_plugin.core.networks.stored import StoredNetwork
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing


@dataclass(frozen=True, kw_only=True)
class EnsembleCard(ModelCard):
    """Card of an ensemble of networks.

    Parameters
    ----------
    preprocessing : BoxPreprocessing
        Preprocessing of boxes.
    training : TrainingParameters
        Training parameters, with the seed.
    testing_sets : list of TrainingSet
        Sets of the test.
    label_noise : LabelNoise, optional
        Labels that looked wrong and were left out of the training.
    validation : list of ClassificationMetrics
        One per network, on micrographs held out.
    testing : ClassificationMetrics, optional
        Metrics of the ensemble on the testing sets.
    forms : tuple of Form
        Form in which each convolution was computed in training; empty where all were
        plain, and in the first versions.
    """

    kind: str = "deep_consensus"
    preprocessing: BoxPreprocessing
    training: TrainingParameters
    testing_sets: list[TrainingSet] = field(default_factory=list)
    label_noise: LabelNoise | None = None
    validation: list[ClassificationMetrics] = field(default_factory=list)
    testing: ClassificationMetrics | None = None
    forms: tuple[Form, ...] = ()

    @property
    def needs_ctf(self) -> bool:
        """Whether phases are flipped for it."""
        return self.preprocessing.phase_flip

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return the networks of the ensemble."""
        size = self.preprocessing.input_size
        return tuple(
            stored_network(number, input_size=size)
            for number in range(1, self.n_models + 1)
        )

    def check_can_pick(
        self, *, sampling_rate: float, has_ctfs: bool, options: Any
    ) -> None:
        """Refuse micrographs without CTFs where boxes were phase-flipped.

        Raises
        ------
        IncompatibleModelError
            If boxes were phase-flipped and there are no CTFs.
        """
        if self.needs_ctf and not has_ctfs:
            raise IncompatibleModelError(
                "CTF estimation: the model was trained with CTFs; choose them."
            )
