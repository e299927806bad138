# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of all networks of an ensemble, resumable, perhaps side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.architecture import convolutions
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.datasets import LabelledBoxes
from deepconsensus_plugin.core.deep_consensus.held_out import (
    HeldOut,
    held_out_path,
    write_held_out,
)
from deepconsensus_plugin.core.deep_consensus.labelled import identify_boxes
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.requests import TrainRequest
from deepconsensus_plugin.core.deep_consensus.store import load_networks
from deepconsensus_plugin.core.deep_consensus.training import (
    MemberTrainer,
    TrainedNetwork,
    initialise,
    n_updates,
)
from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.networks.checkpoints import (
    restore_training,
    save_training,
)
from deepconsensus_plugin.core.networks.fastest import fastest_forms
from deepconsensus_plugin.core.networks.forms import Forms, keep_forms
from deepconsensus_plugin.core.networks.history import STATE
from deepconsensus_plugin.core.networks.loaded import COMPUTING
from deepconsensus_plugin.core.networks.precision import computing_in
from deepconsensus_plugin.core.serialisation import to_plain

_FORMS_FILE = "forms.json"
"""Forms of the convolutions of a training, beside the states of its networks."""

Weights = list[NDArray[np.float32]]


def train_ensemble(
    data: LabelledBoxes, request: TrainRequest, partial: Path, progress: Progress
) -> tuple[list[TrainedNetwork], Forms]:
    """Return ``request.parameters.n_models`` trained networks, and their forms.

    Their scores of held-out boxes are written beside the model.

    Parameters
    ----------
    data : LabelledBoxes
        Training boxes, of which each network holds out some.
    request : TrainRequest
        Request of the training.
    partial : Path
        Folder for the states of the networks; an interrupted run of the same request
        and boxes is resumed.
    progress : Progress
        Counts updates.

    Raises
    ------
    IncompatibleModelError
        If the model to start from was made for other boxes.
    """
    parameters = request.parameters
    inherited = _weights_to_start_from(request)
    made_from = digest(
        identify_boxes(data.rows, request),
        to_plain(parameters),
        *(array for weights in inherited for array in weights),
    )
    partial.mkdir(parents=True, exist_ok=True)
    members = range(parameters.n_models)
    total = sum(n_updates(data.rows, parameters, member) for member in members)
    trained, held_out = [], []
    forms = keep_forms(
        partial / _FORMS_FILE, lambda: _fastest_forms(request), made_from=made_from
    )
    task = MemberTask(data, request, partial, made_from, inherited, forms)
    with progress.stage("train", total) as count:
        if progress.networks is not None and len(members) > 1:
            for n_done in progress.networks.map(task, members, workers=len(members)):
                count(n_done)
            count = _ignore  # what is left is to take over the networks
        for member in members:
            training = task.train(member, count)
            trained.append(training.result())
            held_out.append((training.held_out, training.best.best_scores))
    write_held_out(held_out_path(request.model), HeldOut.of(data.rows, held_out))
    return trained, forms


def _fastest_forms(request: TrainRequest) -> Forms:
    """Return the fastest forms for the training here; none in half precision."""
    if request.parameters.half_precision:
        return ()
    shapes = convolutions(request.preprocessing.input_size)
    return fastest_forms(shapes, scoring=False)


def _ignore(n_updates: int) -> None:
    """Count nothing."""


@dataclass(frozen=True, eq=False)
class MemberTask:
    """Training of any network of an ensemble, here or in another process.

    Parameters
    ----------
    data : LabelledBoxes
        Training boxes.
    request : TrainRequest
        Request of the training.
    partial : Path
        Folder for the states of the networks.
    made_from : str
        Digest of all that the networks depend on.
    inherited : list of Weights
        Weights to start from; empty for random ones.
    forms : tuple of Form
        Form of each convolution.
    """

    data: LabelledBoxes
    request: TrainRequest
    partial: Path
    made_from: str
    inherited: list[Weights]
    forms: Forms

    def __call__(self, member: int) -> int:
        """Train a network to its end, kept in its state; return its updates."""
        with COMPUTING:
            return self.train(member, _ignore).update

    def train(self, member: int, count: Callable[[int], None]) -> MemberTrainer:
        """Train a network to its end, from its state where there is one."""
        training = self._begin(member)
        state = self.partial / STATE.format(number=member + 1)
        if restore_training(state, training, made_from=self.made_from):
            count(training.update)
        while not training.is_finished:
            training.advance(count)
            save_training(state, training, made_from=self.made_from)
        return training

    def _begin(self, member: int) -> MemberTrainer:
        """Return the trainer of a network at its start."""
        parameters = self.request.parameters
        initialise(member, parameters)
        with computing_in(half_precision=parameters.half_precision):
            network = build_network(
                input_size=self.request.preprocessing.input_size,
                l2_strength=parameters.l2_strength,
                forms=self.forms,
            )
        if self.inherited:
            network.set_weights(self.inherited[member % len(self.inherited)])
        return MemberTrainer(self.data, network, parameters, member)


def _weights_to_start_from(request: TrainRequest) -> list[Weights]:
    """Return the weights of `initial_model`'s networks, after a check that they fit."""
    if request.initial_model is None:
        return []
    load_card_of(request.initial_model, EnsembleCard).check_fits(
        box_size=request.box_size, sampling_rate=request.micrographs[0].sampling_rate
    )
    return [network.get_weights() for network in load_networks(request.initial_model)]
