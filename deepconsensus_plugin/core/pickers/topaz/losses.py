# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives for learning from positives and unlabelled regions (Bepler et al. 2019).

The paper's Methods 3 and 4, over one minibatch. Every function takes

targets : tensor, shape (batch, 1)
    1 of a labelled positive, 0 of an unlabelled region, −1 of a known negative; in any
    order, and any number of each.
logits : tensor, shape (batch, 1)
    Log-odds of a positive, as the classifier returns them.

and returns a scalar. L is the cross entropy. Known negatives are the paper's
extension to the semi-supervised case: the loss of labelled regions is the mean over
labels of both kinds. The mean over none is 0.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from deepconsensus_plugin.core.pickers.topaz.count_distribution import (
    Tensor,
    count_probability,
    log_binomial_table,
    log_mean_probability,
)
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    CRITERION_STRENGTHS,
    Objective,
)


def pn_loss(targets: Tensor, logits: Tensor, *, prior: float) -> Tensor:
    """Return π E_P[L(g, 1)] + (1 − π) E_U[L(g, 0)]: unlabelled regions are negatives.

    Parameters
    ----------
    targets, logits : tensor, shape (batch, 1)
        See the module.
    prior : float
        π, the fraction of positives among the unlabelled; between 0 and 1.

    Raises
    ------
    ValueError
        If `prior` is not between 0 and 1.
    """
    _check_prior(prior)
    of_unlabelled = _mean(_loss_as_negative(logits), _is_unlabelled(targets, logits))
    return prior * _labelled_loss(targets, logits) + (1 - prior) * of_unlabelled


def nnpu_loss(targets: Tensor, logits: Tensor, *, prior: float) -> Tensor:
    """Return the non-negative estimate of the risk of a classifier (Kiryo et al. 2017).

    π E_P[L(g, 1)] + max(0, R), where R = E_U[L(g, 0)] − π E_P[L(g, 0)] estimates the
    risk of the negatives. If R is negative, the update follows the gradient of −R alone
    (their algorithm 1 with β = 0, γ = 1).

    Parameters
    ----------
    targets, logits : tensor, shape (batch, 1)
        See the module.
    prior : float
        π, the fraction of positives among the unlabelled; between 0 and 1.

    Raises
    ------
    ValueError
        If `prior` is not between 0 and 1.
    """
    _check_prior(prior)
    is_positive = ops.cast(targets > 0, logits.dtype)
    as_negative = _loss_as_negative(logits)
    of_labelled = prior * _labelled_loss(targets, logits)
    of_negatives = _mean(as_negative, _is_unlabelled(targets, logits))
    of_negatives = of_negatives - prior * _mean(as_negative, is_positive)
    value = of_labelled + ops.maximum(of_negatives, 0.0)
    followed = ops.where(of_negatives < 0, -of_negatives, of_labelled + of_negatives)
    return followed + ops.stop_gradient(value - followed)


def ge_kl_loss(
    targets: Tensor,
    logits: Tensor,
    *,
    prior: float,
    strength: float = CRITERION_STRENGTHS[Objective.GE_KL],
) -> Tensor:
    """Return E_P[L(g, 1)] + λ KL(E_U[g] ‖ π).

    The divergence is the paper's; the published software exchanges its two sides.

    Parameters
    ----------
    targets, logits : tensor, shape (batch, 1)
        See the module.
    prior : float
        π, the fraction of positives among the unlabelled; between 0 and 1.
    strength : float
        λ.

    Raises
    ------
    ValueError
        If `prior` is not between 0 and 1.
    """
    _check_prior(prior)
    is_unlabelled = _is_unlabelled(targets, logits)
    log_mean = log_mean_probability(logits, is_unlabelled)
    log_mean_of_rest = log_mean_probability(-logits, is_unlabelled)
    divergence = ops.exp(log_mean) * (log_mean - np.log(prior)) + ops.exp(
        log_mean_of_rest
    ) * (log_mean_of_rest - np.log1p(-prior))
    return _labelled_loss(targets, logits) + strength * divergence


def ge_binomial_loss(
    targets: Tensor,
    logits: Tensor,
    *,
    prior: float,
    strength: float = CRITERION_STRENGTHS[Objective.GE_BINOMIAL],
) -> Tensor:
    """Return E_P[L(g, 1)] − λ Σ_k q(k) log Binomial(k; N, π), k = 0 … N.

    N is the number of unlabelled regions, and q the distribution of the number of
    positives among them: a Gaussian of mean Σ g and variance Σ g (1 − g), normalised
    over k. The paper prints the sum from k = 1 and without the minus sign, which would
    leave out, and reward, the wrong counts.

    Parameters
    ----------
    targets, logits : tensor, shape (batch, 1)
        See the module. The size of the batch must be known when the loss is traced; a
        table of its square is kept.
    prior : float
        π, the fraction of positives among the unlabelled; between 0 and 1.
    strength : float
        λ.

    Raises
    ------
    ValueError
        If `prior` is not between 0 and 1, or the size of the batch is not known.
    """
    _check_prior(prior)
    batch_size = logits.shape[0]
    if batch_size is None:
        raise ValueError("GE-binomial: expected batches of one fixed size")
    is_unlabelled = _is_unlabelled(targets, logits)
    n_unlabelled = ops.cast(ops.sum(is_unlabelled), "int32")
    probability = count_probability(logits, is_unlabelled)
    table = ops.convert_to_tensor(
        log_binomial_table(batch_size, prior), dtype=logits.dtype
    )
    log_binomial = ops.take(table, n_unlabelled, axis=0)
    cross_entropy = -ops.sum(probability * log_binomial)
    return _labelled_loss(targets, logits) + strength * cross_entropy


class PositiveUnlabelledLoss(keras.losses.Loss):  # type: ignore[misc]
    """Keras loss of one of the objectives.

    Parameters
    ----------
    objective : Objective
        Kind of objective.
    prior : float
        π, the fraction of positives among the unlabelled; between 0 and 1.
    strength : float, optional
        λ of the generalised expectation; the paper's if None. PN and NNPU have none.

    Raises
    ------
    ValueError
        If `prior` is not between 0 and 1, or `strength` is given where there is none.
    """

    def __init__(
        self,
        objective: Objective,
        *,
        prior: float,
        strength: float | None = None,
        name: str = "positive_unlabelled",
    ) -> None:
        super().__init__(name=name, reduction="sum")
        _check_prior(prior)
        if strength and objective not in CRITERION_STRENGTHS:
            raise ValueError(f"{objective.name} has no strength, received {strength}")
        self.objective, self.prior, self.strength = objective, prior, strength

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the scalar of a batch of targets and logits, shape (batch, 1)."""
        loss = _LOSSES[self.objective]
        if self.strength is None or self.objective not in CRITERION_STRENGTHS:
            return loss(y_true, y_pred, prior=self.prior)
        return loss(y_true, y_pred, prior=self.prior, strength=self.strength)


_LOSSES: dict[Objective, Callable[..., Tensor]] = {
    Objective.PN: pn_loss,
    Objective.NNPU: nnpu_loss,
    Objective.GE_KL: ge_kl_loss,
    Objective.GE_BINOMIAL: ge_binomial_loss,
}


def _check_prior(prior: float) -> None:
    if not 0 < prior < 1:
        raise ValueError(
            f"prior: expected a fraction between 0 and 1, received {prior}"
        )


def _is_unlabelled(targets: Tensor, logits: Tensor) -> Tensor:
    """Return 1 where a region has no label and 0 elsewhere, shape (batch, 1)."""
    return ops.cast(ops.equal(targets, 0), logits.dtype)


def _labelled_loss(targets: Tensor, logits: Tensor) -> Tensor:
    """Return the mean cross entropy of regions with a label."""
    targets = ops.cast(targets, logits.dtype)
    # L(g, 1) = softplus(−logit), and L(g, 0) = softplus(logit).
    return _mean(ops.softplus(-targets * logits), ops.abs(targets))


def _loss_as_negative(logits: Tensor) -> Tensor:
    """Return L(g, 0)."""
    return ops.softplus(logits)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return ops.sum(values * mask) / ops.maximum(ops.sum(mask), 1.0)
