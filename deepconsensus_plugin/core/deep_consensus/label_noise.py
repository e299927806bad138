# SPDX-License-Identifier: GPL-3.0-or-later
"""Label noise: the probability that each label is right, estimated before training.

Every box is classified by a discriminant trained on other micrographs, and the result
is compared with the label by a model in which labels are wrong at unknown rates:
logistic regression with label noise (Raykar et al. 2010; Bootkrajang & Kabán 2012).
Boxes that contradict their label are left out and the rest is weighted, as in confident
learning (Northcutt et al. 2021). Equations and figures: ``docs/fusion.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_COMPONENTS = (4, 8, 16, 32, 64)
"""Numbers of principal components of the successive discriminants. The first few can be
fitted even to very noisy labels; the next discriminants are fitted to the labels
corrected by the previous one."""
_BOXES_PER_COMPONENT = 10
_N_FOLDS = 5
_RIDGE = 0.01
_N_ITERATIONS = 60
_SLOPE_PRIOR, _LEVEL_PRIOR = 0.01, 10.0
"""Precisions of the prior. The slope is nearly free; the intercept favours equal
numbers, since labels that are half wrong do not determine it."""
_RATE_PRIOR = 2.0
"""Pseudo-boxes of each class with a correct label."""
_LARGEST_RATE = 0.499

FEWEST_BOXES = _BOXES_PER_COMPONENT * _COMPONENTS[0]
"""Fewest boxes for pruning; with fewer, every label is kept."""


@dataclass(frozen=True)
class LabelNoise:
    """Expected fractions of wrong labels, and the numbers of boxes left out for them.

    Parameters
    ----------
    wrong_particles, wrong_background : float
        Expected share of wrong labels among the boxes of each label, 0 - 1.
    n_particles, n_background : int
        Boxes of each label that were left out.
    """

    wrong_particles: float
    wrong_background: float
    n_particles: int
    n_background: int

    @classmethod
    def of(cls, is_particle: BoolArray, trust: FloatArray) -> LabelNoise:
        """Return the label noise expected from the probabilities of correct labels."""
        doubted = trust <= 0.5
        return cls(
            wrong_particles=float(1 - trust[is_particle].mean()),
            wrong_background=float(1 - trust[~is_particle].mean()),
            n_particles=int((doubted & is_particle).sum()),
            n_background=int((doubted & ~is_particle).sum()),
        )


def estimate_label_trust(
    features: FloatArray,
    is_particle: BoolArray,
    micrograph: IntArray,
    *,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the probability that each label is right.

    Parameters
    ----------
    features : array, shape (n, f)
        Features of the boxes, finite (`invariants.rotation_invariants`).
    is_particle : array, shape (n,), bool
        The labels; both occur.
    micrograph : array, shape (n,), int
        Micrograph of each box, which is judged by those of other micrographs.
    rng : Generator
        Generator of the folds of micrographs.

    Returns
    -------
    array, shape (n,), 0 - 1
        All 1 if there are fewer than `FEWEST_BOXES`.

    Raises
    ------
    ValueError
        If there is only one label, or the lengths differ.
    """
    if not len(features) == len(is_particle) == len(micrograph):
        raise ValueError(
            "expected as many features, labels and micrographs, received "
            f"{len(features)}, {len(is_particle)} and {len(micrograph)}"
        )
    if is_particle.all() or not is_particle.any():
        raise ValueError("expected labels of both kinds, received one kind")
    n = len(is_particle)
    if n < FEWEST_BOXES:
        return np.ones(n)
    weight = np.where(is_particle, 0.5 * n / is_particle.sum(), 0.0)
    weight = np.where(is_particle, weight, 0.5 * n / (~is_particle).sum())
    fold = _draw_folds(micrograph, rng)
    components = _principal_components(features)
    belief = is_particle.astype(np.float64)
    for n_components in _COMPONENTS:
        if n_components * _BOXES_PER_COMPONENT <= n:
            some = components[:, :n_components]
            scores = _judge_by_others(some, belief, weight, fold)
            belief = _believe(scores, is_particle, weight)
    return np.where(is_particle, belief, 1 - belief)


def _draw_folds(micrograph: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the fold of each box, of `_N_FOLDS`."""
    names, index = np.unique(micrograph, return_inverse=True)
    if len(names) < _N_FOLDS:
        return rng.permutation(len(micrograph)) % _N_FOLDS
    return np.asarray((rng.permutation(len(names)) % _N_FOLDS)[index])


def _principal_components(features: FloatArray) -> FloatArray:
    """Return the principal components, scaled to variance 1, the largest first.

    They are those of the correlation matrix, which does not depend on units.
    """
    centred = features.astype(np.float64) - features.mean(axis=0)
    deviation = centred.std(axis=0)
    unit = centred / np.where(deviation > 0, deviation, 1.0)
    values, vectors = np.linalg.eigh(unit.T @ unit / len(unit))
    order = np.argsort(-values, kind="stable")[: _COMPONENTS[-1]]
    spread = np.sqrt(np.maximum(values[order], 1e-12))
    return np.asarray(unit @ (vectors[:, order] / spread))


def _judge_by_others(
    components: FloatArray, belief: FloatArray, weight: FloatArray, fold: IntArray
) -> FloatArray:
    """Return scores of every box by a linear discriminant of the other folds."""
    design = np.column_stack([components, np.ones(len(components))])
    scores = np.empty(len(design))
    for part in range(_N_FOLDS):
        here = fold == part
        known, target = design[~here], 2 * belief[~here] - 1
        weighted = known * weight[~here, None]
        penalty = _RIDGE * len(known) * np.eye(design.shape[1])
        coefficients = np.linalg.solve(
            weighted.T @ known + penalty, weighted.T @ target
        )
        scores[here] = design[here] @ coefficients
    return scores


def _believe(
    scores: FloatArray, is_particle: BoolArray, weight: FloatArray
) -> FloatArray:
    """Return the probability that each box is a particle, given score and label.

    ``P(particle | s) = expit(a s + b)``; a label is wrong at a rate of its own for
    particles and for others. Expectation maximisation, one Newton step a turn.
    """
    spread = scores.std() or 1.0
    design = np.column_stack([(scores - scores.mean()) / spread, np.ones(len(scores))])
    precision = np.array([_SLOPE_PRIOR, _LEVEL_PRIOR])
    parameters = np.array([3.0, 0.0])
    rates = _rates_in_tails(scores, is_particle)
    for _ in range(_N_ITERATIONS):
        belief = _posterior(expit(design @ parameters), is_particle, rates)
        rates = _fit_rates(belief, is_particle, weight)
        parameters = parameters + _newton_step(
            design, belief, weight, parameters, precision
        )
    return _posterior(expit(design @ parameters), is_particle, rates)


def _rates_in_tails(scores: FloatArray, is_particle: BoolArray) -> FloatArray:
    """Return initial rates of wrong labels of particles and of background.

    They are the shares in the tenths of the boxes that look most and least like
    particles.
    """
    order = np.argsort(scores, kind="stable")
    n_tail = max(1, len(order) // 10)
    missed = 1 - is_particle[order[-n_tail:]].mean()
    false = is_particle[order[:n_tail]].mean()
    return np.clip([missed, false], 0.01, _LARGEST_RATE)


def _posterior(
    prior: FloatArray, is_particle: BoolArray, rates: FloatArray
) -> FloatArray:
    """Return the probability of a particle after its label was seen."""
    missed, false = rates
    of_particle = prior * np.where(is_particle, 1 - missed, missed)
    of_other = (1 - prior) * np.where(is_particle, false, 1 - false)
    return np.asarray(of_particle / (of_particle + of_other))


def _fit_rates(
    belief: FloatArray, is_particle: BoolArray, weight: FloatArray
) -> FloatArray:
    particles, others = weight * belief, weight * (1 - belief)
    missed = particles[~is_particle].sum() / (particles.sum() + _RATE_PRIOR)
    false = others[is_particle].sum() / (others.sum() + _RATE_PRIOR)
    return np.clip([missed, false], 1e-4, _LARGEST_RATE)


def _newton_step(
    design: FloatArray,
    belief: FloatArray,
    weight: FloatArray,
    parameters: FloatArray,
    precision: FloatArray,
) -> FloatArray:
    """Return the step of a logistic regression on `belief`, no longer than 1."""
    expected = expit(design @ parameters)
    gradient = design.T @ (weight * (belief - expected)) - precision * parameters
    curvature = weight * np.maximum(expected * (1 - expected), 1e-6)
    hessian = (design * curvature[:, None]).T @ design + np.diag(precision)
    return np.clip(np.linalg.solve(hessian, gradient), -1, 1)
