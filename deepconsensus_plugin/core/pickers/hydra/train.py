# SPDX-License-Identifier: GPL-3.0-or-later
"""Training job of HydraPicker on several data sets (Masoumzadeh Tork 2019).

First one head is trained on all data sets. Then a head for each data set is trained
from those weights, and the general head follows them (section 4.3). With a trained
model as the start, only new heads are trained (section 4.7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.networks.versions import used_versions
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard, HydraHead
from deepconsensus_plugin.core.pickers.hydra.data import collect_sets, merge_detections
from deepconsensus_plugin.core.pickers.hydra.detector import HydraDetector
from deepconsensus_plugin.core.pickers.hydra.heads import (
    Weights,
    body_of,
    build_trainable,
    heads_of,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL, HydraParameters
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pickers.hydra.store import (
    load_hydra,
    rounded,
    save_hydra,
)
from deepconsensus_plugin.core.pickers.hydra.task import HydraTask, Phase
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.core.pickers.trained.task_training import (
    forget_states,
    train_task,
)
from deepconsensus_plugin.core.pickers.trained.training import Schedule
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation

_CODE_VERSION = 2
"""Raised when the same request gives other results; older states are then ignored."""


def run(request: HydraTrainRequest, progress: Progress) -> PickerTrainResult:
    """Carry out a `HydraTrainRequest`.

    Raises
    ------
    ValueError
        If there are no labels, or names of data sets are not unique.
    IncompatibleModelError
        If the model to start from is no HydraPicker.
    """
    training = _Training(request, progress)
    if request.base is not None:
        training.train_new_heads(request.base)
    else:
        training.train_one_head()
        if len(training.sets) > 1 and training.parameters.n_head_epochs:
            training.train_all_heads()
    validation = training.save()
    forget_states(request.model)
    return PickerTrainResult(
        model=request.model,
        n_micrographs=sum(len(each.data.learnt) for each in training.sets),
        n_labels=sum(each.n_labels for each in training.sets),
        validation=validation,
        history=training.histories,
        timings=progress.timings,
    )


class _Training:
    """Trainer of the network through its phases."""

    def __init__(self, request: HydraTrainRequest, progress: Progress) -> None:
        self._request, self._progress = request, progress
        self.parameters = _parameters(request)
        self.sets = collect_sets(request.sets, self.parameters, progress)
        self._crops = [each.crops() for each in self.sets]
        self._detector: HydraDetector | None = None
        self.histories: list[list[Checkpoint]] = []
        keras.utils.set_random_seed(self.parameters.seed)

    def train_one_head(self) -> None:
        """Train the body and one head on all data sets."""
        self.network = build_trainable(self.parameters.architecture, n_heads=1)
        self._train(Phase.ONE_HEAD, self.parameters.n_epochs, self._validate_general)

    def train_all_heads(self) -> None:
        """Train the body and a head for each data set; the general one follows."""
        network = build_trainable(
            self.parameters.architecture,
            n_heads=len(self.sets),
            bias_strength=self.parameters.loss.bias,
        )
        body_of(network).set_weights(body_of(self.network).get_weights())
        heads_of(network).give(heads_of(self.network).weights_of(0))
        self.network = network
        self._train(
            Phase.ALL_HEADS, self.parameters.n_head_epochs, self._validate_general
        )

    def train_new_heads(self, base: Path) -> None:
        """Train new heads of a model, with body and general head fixed."""
        body, heads = load_hydra(base, load_card_of(base, HydraCard))
        self.network = build_trainable(
            self.parameters.architecture,
            n_heads=len(self.sets),
            bias_strength=self.parameters.loss.bias,
            is_body_trained=False,
            is_general_trained=False,
        )
        body_of(self.network).set_weights(body)
        heads_of(self.network).give(heads[0])
        self._train(Phase.NEW_HEADS, self.parameters.n_epochs, self._judge_special)

    def save(self) -> PickerValidation | None:
        """Write the model with its figures; return those of the head for all."""
        body, heads = rounded(body_of(self.network).get_weights()), self._heads()
        described = self._describe(body, heads)
        shown = described[1] if len(self.sets) == len(described) - 1 == 1 else None
        validation = (shown or described[0]).validation
        diameters = [each.view.particle_diameter_A for each in self.sets]
        middle = self.sets[int(np.argsort(diameters)[len(diameters) // 2])]
        card = HydraCard(
            box_size=middle.data.asked.box_size,
            sampling_rate=middle.data.asked.micrographs[0].sampling_rate,
            training_sets=[s for each in self.sets for s in each.data.training_sets()],
            versions=used_versions(),
            particle_diameter_A=middle.view.particle_diameter_A,
            preprocessing=middle.data.preprocessing,
            validation=validation,
            training=self.parameters,
            heads=described,
            base="" if self._request.base is None else self._request.base.name,
        )
        save_hydra(self._request.model, body, heads, card)
        return validation

    def _heads(self) -> list[Weights]:
        """Return the general head and those of the data sets."""
        heads = heads_of(self.network)
        special = [heads.weights_of(i) for i in range(heads.n_heads)]
        if not heads.general:
            special = []
        return [*map(rounded, [heads.general_weights(), *special])]

    def _describe(self, body: Weights, heads: Sequence[Weights]) -> list[HydraHead]:
        """Return the names, sizes and figures of the heads."""
        detector = self._detector_of(body, heads[0])
        general = merge_detections([each.find(detector) for each in self.sets])
        only = self.sets[0].view if len(self.sets) == len(heads) == 1 else None
        described = [
            HydraHead(
                name=GENERAL,
                particle_diameter_A=None if only is None else only.particle_diameter_A,
                are_particles_dark=only is None or only.are_particles_dark,
                validation=general.validation() if general.truth else None,
            )
        ]
        for own, weights in zip(self.sets, heads[1:], strict=False):
            found = own.find(self._detector_of(body, weights))
            described.append(
                HydraHead(
                    name=own.name,
                    particle_diameter_A=own.view.particle_diameter_A,
                    are_particles_dark=own.view.are_particles_dark,
                    validation=found.validation() if found.truth else None,
                )
            )
        return described

    def _train(
        self, phase: Phase, n_epochs: int, judge: Callable[[keras.Model], float]
    ) -> None:
        parameters = self.parameters
        task = HydraTask(
            self.network, self._crops, parameters, phase=phase, validate=judge
        )
        origin = digest(
            _CODE_VERSION,
            *(each.data.origin() for each in self.sets),
            parameters,
            phase.value,
            *self._identify_base(),
        )
        self.histories.append(
            train_task(
                task,
                Schedule(n_epochs, parameters.n_updates, parameters.seed + phase.value),
                model=self._request.model,
                made_from=origin,
                progress=self._progress,
                number=2 if phase is Phase.ALL_HEADS else 1,
            )
        )

    def _identify_base(self) -> list[str]:
        base = self._request.base
        names = (CARD_FILE, WEIGHTS_FILE)
        return [] if base is None else [str(digest_file(base / n)) for n in names]

    def _validate_general(self, network: keras.Model) -> float:
        """Return the average precision of the general head, the mean over sets."""
        return self._mean_precision(network, heads_of(network).general_weights())

    def _judge_special(self, network: keras.Model) -> float:
        """Return the mean average precision of the heads, each on its own data set."""
        return self._mean_precision(network, None)

    def _mean_precision(self, network: keras.Model, head: Weights | None) -> float:
        body, figures = body_of(network).get_weights(), []
        for number, each in enumerate(self.sets):
            own = head or heads_of(network).weights_of(number)
            found = each.find(self._detector_of(body, own))
            if found.truth:
                figures.append(found.validation().average_precision)
        return float(np.mean(figures)) if figures else float("nan")

    def _detector_of(self, body: Weights, head: Weights) -> HydraDetector:
        if self._detector is None:
            self._detector = HydraDetector(self.parameters.architecture, body, head)
        self._detector.refresh(body, head)
        return self._detector


def _parameters(request: HydraTrainRequest) -> HydraParameters:
    """Return the parameters, with the architecture of the model to start from."""
    if request.base is None:
        return request.parameters
    learnt = load_card_of(request.base, HydraCard).training
    return replace(request.parameters, architecture=learnt.architecture)
