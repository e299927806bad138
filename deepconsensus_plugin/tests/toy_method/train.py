# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the toy method: the mean of the labelled boxes becomes a filter."""

from __future__ import annotations

import keras
import numpy as np

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.networks.versions import used_versions
from deepconsensus_plugin.core.pickers.trained.data import collect
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.core.pickers.trained.store import save_picker
from deepconsensus_plugin.tests.toy_method.card import ToyCard
from deepconsensus_plugin.tests.toy_method.picking import ToyPicker, build_filter
from deepconsensus_plugin.tests.toy_method.request import ToyTrainRequest


def run(request: ToyTrainRequest, progress: Progress) -> PickerTrainResult:
    """Carry out a `ToyTrainRequest`."""
    data = collect(request.learnt, progress)
    side = request.parameters.side_px
    boxes = [
        extract_boxes(data.prepared[name].image, data.positives(name), side)
        for name in data.learnt
    ]
    network = _filter(np.concatenate(boxes).mean(axis=0))
    card = ToyCard(
        box_size=request.learnt.box_size,
        sampling_rate=request.learnt.micrographs[0].sampling_rate,
        training_sets=data.training_sets(),
        versions=used_versions(),
        particle_diameter_A=request.learnt.particle_diameter_A,
        preprocessing=data.preprocessing,
        validation=data.validate(ToyPicker(network, data.preprocessing, side).find),
        training=request.parameters,
    )
    save_picker(request.model, network, card)
    return PickerTrainResult(
        model=request.model,
        n_micrographs=len(data.learnt),
        n_labels=sum(map(len, boxes)),
        validation=card.validation,
        history=[],
        timings=progress.timings,
    )


def _filter(template: np.ndarray) -> keras.Model:
    """Return a network that correlates an image of any size with a template."""
    network = build_filter(len(template))
    kernel = (template - template.mean()) / np.square(template).sum()
    network.set_weights([kernel[..., None, None]])
    return network
