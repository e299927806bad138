# SPDX-License-Identifier: GPL-3.0-or-later
"""Training job of Topaz, from a few labelled particles (Bepler et al. 2018)."""

from __future__ import annotations

import keras
import numpy as np

from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.networks.versions import used_versions
from deepconsensus_plugin.core.pickers.topaz.architecture import (
    architecture_of,
    receptive_field,
)
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.examples import Examples, LabelledImage
from deepconsensus_plugin.core.pickers.topaz.network import build_network, classifier_of
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.topaz.picking import TopazPicker
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.topaz.task import TopazTask, positive_fraction
from deepconsensus_plugin.core.pickers.trained.data import LearningData, collect
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.core.pickers.trained.store import save_picker
from deepconsensus_plugin.core.pickers.trained.task_training import (
    forget_states,
    train_task,
)
from deepconsensus_plugin.core.pickers.trained.training import Schedule
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation

_CODE_VERSION = 1
"""Raised when the same request gives other results; older states are then ignored."""

_LARGEST_PRIOR = 0.9


def run(request: TopazTrainRequest, progress: Progress) -> PickerTrainResult:
    """Carry out a `TopazTrainRequest`.

    Raises
    ------
    ValueError
        If there are no labels, or the discs of all particles would cover the
        micrographs.
    """
    parameters = request.parameters
    data = collect(request.learnt, progress)
    n_particles = data.count_particles(progress)
    prior = parameters.prior or _prior(parameters, data, n_particles)
    validator = _Validator(parameters, data)
    examples = _examples(parameters, data)
    task = TopazTask(
        examples,
        parameters,
        prior=prior,
        n_labels=_n_labels(data),
        validate=lambda network: validator(network).average_precision,
    )
    history = train_task(
        task,
        Schedule(parameters.n_epochs, parameters.n_updates, parameters.seed),
        model=request.model,
        made_from=digest(_CODE_VERSION, data.origin(), parameters, prior),
        progress=progress,
    )
    validation = validator(task.network) if data.held_out else None
    card = _card(
        request, data, validation=validation, n_particles=n_particles, prior=prior
    )
    save_picker(request.model, _classifier(task, parameters), card)
    forget_states(request.model)
    return PickerTrainResult(
        model=request.model,
        n_micrographs=len(data.learnt),
        n_labels=_n_labels(data),
        validation=validation,
        history=[history],
        timings=progress.timings,
    )


def _n_labels(data: LearningData) -> int:
    """Return the number of labels on the micrographs to learn from."""
    return sum(len(data.labels[name]) for name in data.learnt)


def _classifier(task: TopazTask, parameters: TopazParameters) -> keras.Model:
    """Return the trained classifier, without the autoencoder's decoder."""
    network = build_network(architecture_of(parameters))
    network.set_weights(classifier_of(task.network).get_weights())
    return network


def _card(
    request: TopazTrainRequest,
    data: LearningData,
    *,
    validation: PickerValidation | None,
    n_particles: float,
    prior: float,
) -> TopazCard:
    """Return the card of the trained model."""
    return TopazCard(
        box_size=request.learnt.box_size,
        sampling_rate=request.learnt.micrographs[0].sampling_rate,
        training_sets=data.training_sets(),
        versions=used_versions(),
        particle_diameter_A=request.learnt.particle_diameter_A,
        preprocessing=data.preprocessing,
        validation=validation,
        training=request.parameters,
        n_particles=n_particles,
        prior=prior,
    )


def _examples(parameters: TopazParameters, data: LearningData) -> Examples:
    return Examples(
        [
            LabelledImage(
                data.prepared[name].image,
                data.positives(name),
                data.known_negatives(name),
            )
            for name in data.learnt
        ],
        side=receptive_field(architecture_of(parameters)),
        radius_px=parameters.radius_px,
    )


def _prior(
    parameters: TopazParameters, data: LearningData, n_particles: float
) -> float:
    """Return π from the number of particles."""
    n_pixels = float(np.mean([each.image.size for each in data.prepared.values()]))
    prior = positive_fraction(
        n_particles, radius_px=parameters.radius_px, n_pixels=n_pixels
    )
    if prior > _LARGEST_PRIOR:
        raise ValueError(
            f"expected a fraction of positive pixels up to {_LARGEST_PRIOR}, received "
            f"{prior:.3g}: {n_particles:.0f} particles, each a disc of radius "
            f"{parameters.radius_px:g} px, on {n_pixels:.0f} pixels; give a smaller "
            "radius, smaller pixels or fewer particles"
        )
    return prior


class _Validator:
    """Validator of a network on the held-out micrographs."""

    def __init__(self, parameters: TopazParameters, data: LearningData) -> None:
        self._parameters, self._data = parameters, data
        self._picker: TopazPicker | None = None

    def __call__(self, network: keras.Model) -> PickerValidation:
        if self._picker is None:
            self._picker = TopazPicker(
                network,
                self._parameters,
                self._data.preprocessing,
                particle_diameter_A=self._data.asked.particle_diameter_A,
            )
        self._picker.refresh(network)
        return self._data.validate(self._picker.find)
