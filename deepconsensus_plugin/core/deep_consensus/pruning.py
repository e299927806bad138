# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning of a training set: labels that are probably wrong are left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
)
from deepconsensus_plugin.core.deep_consensus.invariants import rotation_invariants
from deepconsensus_plugin.core.deep_consensus.label_noise import (
    LabelNoise,
    estimate_label_trust,
)

logger = logging.getLogger(__name__)

_FEW_WRONG, _MANY_WRONG = 0.05, 0.2
"""Shares of wrong labels. Below the first nothing is pruned, since too many of the
pruned labels would be correct (docs/fusion.md); above the second a warning is
logged."""

_TRUST_STEP = 1 / 1024
"""Step to which trust is rounded, so that a resumed run has exactly the same
weights."""


def prune_labels(
    data: LabelledBoxes, *, skip_pruning: Sequence[bool], seed: int
) -> tuple[LabelledBoxes, LabelNoise]:
    """Return the boxes whose labels are probably correct, weighted by the probability.

    Parameters
    ----------
    data : LabelledBoxes
        Both labels must be there.
    skip_pruning : sequence of bool
        For each source, whether its labels are kept as they are.
    seed : int
        Seed of the split of micrographs for cross-validation.

    Returns
    -------
    data : LabelledBoxes
        All boxes unchanged, if few labels of either kind look wrong or if fewer than
        two boxes of a kind would be left.
    noise : LabelNoise
        Expected label noise.
    """
    rows = data.rows
    trust = estimate_label_trust(
        rotation_invariants(data.boxes),
        rows.is_particle,
        rows.micrograph,
        rng=np.random.default_rng([seed, 2**31 + 1]),
    )
    trust = np.round(trust / _TRUST_STEP) * _TRUST_STEP
    trust = np.where(np.array(skip_pruning)[rows.source], 1.0, trust)
    noise = LabelNoise.of(rows.is_particle, trust)
    share = max(noise.wrong_particles, noise.wrong_background)
    _log_label_noise(noise, share)
    kept = trust > 0.5
    n_kept = min((kept & rows.is_particle).sum(), (kept & ~rows.is_particle).sum())
    if share < _FEW_WRONG or n_kept < 2:
        return data, replace(noise, n_particles=0, n_background=0)
    weight = (rows.weight * trust).astype(rows.weight.dtype)
    weighted = LabelledBoxes(data.boxes, replace(rows, weight=weight))
    return weighted.take(kept), noise


def _log_label_noise(noise: LabelNoise, share: float) -> None:
    logger.info(
        "%.1f%% of the particles' labels and %.1f%% of the background's look wrong",
        *(100 * noise.wrong_particles, 100 * noise.wrong_background),
    )
    if share > _MANY_WRONG:
        logger.warning(
            "%.0f%% of a kind of label look wrong: look at what is taught as particle, "
            "and as background",
            100 * share,
        )
