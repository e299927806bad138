# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that stand for the real ones where their size does not matter.

Graphs of the published one, and those of the general model, take seconds to make, for
every network anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.consensus.suppression import suppress_overlaps
from deepconsensus_plugin.core.deep_consensus.architecture import MEMBER
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.networks.forms import Form
from deepconsensus_plugin.core.networks.stored import (
    StoredNetwork,
    batch_normalisation,
    convolution,
    dense,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_USERS = ("ensemble", "store")
"""Modules that build networks."""


def small_network(
    *,
    input_size: int,
    l2_strength: float = 1e-5,
    forms: Sequence[Form] = (),
    folded: bool = False,
):
    """Return an untrained network with a layer of each kind; see `build_network`."""
    import keras  # heavy

    layers = keras.layers
    penalty = keras.regularizers.L2(l2_strength)
    box = keras.Input((input_size, input_size, 1), name="box")
    x = box
    for layer in (
        layers.Conv2D(8, 8, strides=4, kernel_regularizer=penalty),
        *([] if folded else [layers.BatchNormalization(momentum=0.9)]),
        layers.Activation("relu"),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(
            2, activation="softmax", kernel_regularizer=penalty, dtype="float32"
        ),
    ):
        x = layer(x)
    return keras.Model(box, x, name="deep_consensus")


def small_stored_network(number: int, *, input_size: int) -> StoredNetwork:
    """Return the same network as a file holds it; see `stored_network`."""
    side = (input_size - 8) // 4 + 1
    layers = (convolution(8, 1, 8), batch_normalisation(8), dense(8 * side * side, 2))
    return StoredNetwork(layers, MEMBER.format(number=number), number - 1)


class SmallWitness:
    """Stand-in for the general model: the darker a place, the higher its score."""

    def __init__(self, folder, card, options):
        self._sign = -1 if options.are_particles_dark else 1
        self._diameter_A = options.particle_diameter_A

    def prepare(self, micrograph):
        """Return the micrograph, which is not rescaled."""
        self._diameter_px = self._diameter_A / micrograph.sampling_rate
        image = open_micrograph(micrograph.path).astype(np.float32)
        return SimpleNamespace(
            image=self._sign * np.nan_to_num(image), to_micrograph=lambda yx: yx
        )

    def detect_all(self, image):
        """Return a grid of places with the smoothed values of an image."""
        step = max(1, int(self._diameter_px / 4))
        smooth = scipy.ndimage.gaussian_filter(image, self._diameter_px / 4)
        grid = np.stack(np.indices(image.shape), axis=-1)[::step, ::step].reshape(-1, 2)
        scores = smooth[::step, ::step].ravel().astype(np.float64)
        return ScoredCoordinates(grid.astype(np.float64), scores)

    def suppress(self, places):
        """Return the better of any two places within half a particle."""
        return suppress_overlaps(places, radius_px=self._diameter_px / 2)

    def detect(self, image):
        """Return the maxima of an image."""
        return self.suppress(self.detect_all(image))


@contextmanager
def small_networks() -> Iterator[None]:
    """Let all that is trained and scored in this process use small networks."""
    with ExitStack() as stack:
        for module in _USERS:
            name = f"deepconsensus_plugin.core.deep_consensus.{module}.build_network"
            stack.enter_context(patch(name, small_network))
        stored = "deepconsensus_plugin.core.deep_consensus.card.stored_network"
        stack.enter_context(patch(stored, small_stored_network))
        witness = "deepconsensus_plugin.core.pipeline.witness.load"
        stack.enter_context(patch(witness, SmallWitness))
        # Another process does not know them.
        apart = "deepconsensus_plugin.core.pipeline.try_model.try_weights"
        stack.enter_context(patch(apart))
        yield
