# SPDX-License-Identifier: GPL-3.0-or-later
"""Training task of Topaz: batches of patches, objective and validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from deepconsensus_plugin.core.pickers.topaz.architecture import architecture_of
from deepconsensus_plugin.core.pickers.topaz.examples import (
    POSITIVE,
    UNLABELLED,
    Examples,
    disc_mask,
)
from deepconsensus_plugin.core.pickers.topaz.losses import PositiveUnlabelledLoss
from deepconsensus_plugin.core.pickers.topaz.network import (
    LOG_ODDS,
    PATCH,
    build_network,
)
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.pickers.trained.training import Validated

_SMALLEST_SHARE = 0.1
"""Least share of unlabelled positives in π."""


class TopazTask:
    """Training task on patches; a `TrainingTask` (`core.pickers.trained.training`).

    Parameters
    ----------
    examples : Examples
        Patches of the size of the receptive field.
    parameters : TopazParameters
        Training parameters.
    prior : float
        Fraction π of pixels that are positives, labelled or not; between 0 and 1.
    n_labels : int
        Particles labelled.
    validate : callable
        Function from a network for patches to its average precision.
    """

    def __init__(
        self,
        examples: Examples,
        parameters: TopazParameters,
        *,
        prior: float,
        n_labels: int,
        validate: Callable[[keras.Model], float],
    ) -> None:
        self.examples, self.parameters = examples, parameters
        self._judge = validate
        decoder_strength = parameters.decoder_strength(n_labels)
        self.has_decoder = decoder_strength > 0
        keras.utils.set_random_seed(parameters.seed)
        self.network = build_network(
            architecture_of(parameters),
            fast=True,
            has_decoder=self.has_decoder,
        )
        losses: dict[str, Any] = {
            LOG_ODDS: PositiveUnlabelledLoss(
                parameters.objective,
                prior=_objective_prior(prior, examples, parameters.objective),
                strength=parameters.criterion_strength,
            )
        }
        weights = {LOG_ODDS: 1.0}
        if self.has_decoder:
            losses[PATCH], weights[PATCH] = reconstruction_error, decoder_strength
        self.network.compile(
            keras.optimizers.Adam(parameters.learning_rate),
            losses if self.has_decoder else losses[LOG_ODDS],
            loss_weights=weights if self.has_decoder else None,
            jit_compile=False,
        )

    def batch(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return patches and their targets."""
        parameters = self.parameters
        patches, targets = self.examples.batch(
            parameters.batch_size, parameters.labelled_fraction, rng
        )
        if self.has_decoder:
            return patches, {LOG_ODDS: targets, PATCH: patches}
        return patches, targets

    def validate(self) -> Validated:
        """Return the result of a validation."""
        return Validated(self._judge(self.network))


def reconstruction_error(patches: Any, reconstructed: Any) -> Any:
    """Return ‖x − d(f(x))‖², shape (batch,), of patches (Methods 5)."""
    return ops.sum(ops.square(patches - reconstructed), axis=(1, 2, 3))


def positive_fraction(
    n_particles: float, *, radius_px: float, n_pixels: float
) -> float:
    """Return π, the fraction of pixels within the radius of a particle's centre.

    Discs are counted as if none overlapped, with 29 pixels each at a radius of 3.

    Parameters
    ----------
    n_particles : float
        On average, of a micrograph.
    radius_px : float
        Radius of the discs.
    n_pixels : float
        On average, of a micrograph, as many as the radius is counted in.
    """
    return n_particles * int(disc_mask(radius_px).sum()) / n_pixels


def _objective_prior(prior: float, examples: Examples, objective: Objective) -> float:
    """Return π for an objective, corrected for labelled positives where it applies.

    Where π is the mean over unlabelled pixels, labelled positives are not among them;
    PN and NNPU weight both classes by the uncorrected π.
    """
    if objective in (Objective.PN, Objective.NNPU):
        return prior
    n_all = examples.n_pixels
    n_left = max(
        prior * n_all - examples.count(POSITIVE), _SMALLEST_SHARE * prior * n_all
    )
    return n_left / examples.count(UNLABELLED)
