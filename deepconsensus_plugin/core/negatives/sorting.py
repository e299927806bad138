# SPDX-License-Identifier: GPL-3.0-or-later
"""Particle sorting: distance of each box from the others by its pixel statistics.

After Xmipp's particle sorting (Vargas et al., 2013), by which Deep Consensus, section
2.3, finds its worst particles. Ours has its own list of features; the distance is
Mahalanobis', about a centre and with scales that a few bad boxes do not move.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deepconsensus_plugin.core.extraction import check_boxes
from deepconsensus_plugin.core.robust import centre_and_scale
from deepconsensus_plugin.core.types import FloatArray, IntArray

_N_RINGS = 6
_N_BANDS = 5
_QUANTILES = (0.01, 0.1, 0.9, 0.99)

FEATURES = (
    "mean",
    "log deviation",
    "skewness",
    "kurtosis",
    *(f"quantile {q}" for q in _QUANTILES),
    "log gradient",
    "log deviation of quadrants",
    "log deviation inside to outside",
    *(f"ring {i}" for i in range(_N_RINGS)),
    *(f"log power of band {i}" for i in range(_N_BANDS)),
)
"""Names of the columns of `box_features`."""

_FLOOR = 1e-6
"""Added where a logarithm is taken: boxes without variation stay finite."""

_MAX_Z = 8.0
"""Reference features beyond so many deviations count as so many in the covariance."""


def box_features(boxes: FloatArray) -> FloatArray:
    """Return statistics of the pixels of each box.

    Parameters
    ----------
    boxes : array, shape (n, size, size), size >= 8
        On one scale: from raw micrographs, their background subtracted and their
        deviation divided out, so that only mean and deviation of a box depend on it.

    Returns
    -------
    array, shape (n, len(FEATURES)), float64
        Finite wherever the boxes are. All but the first two columns are those of
        the box with its own mean 0 and deviation 1.

    Raises
    ------
    ValueError
        If the boxes are not square, or smaller than 8 pixels.
    """
    check_boxes(boxes, smallest=8)
    pixels = _flat(boxes).astype(np.float64)
    mean = pixels.mean(axis=1)
    deviation = pixels.std(axis=1)
    is_flat = deviation <= 1e-9 * np.abs(pixels).max(axis=1, initial=0)
    scale = np.where(is_flat, 0.0, 1 / np.where(is_flat, 1.0, deviation))
    unit = ((pixels - mean[:, None]) * scale[:, None]).reshape(boxes.shape)
    level = np.stack([mean, np.log(deviation + _FLOOR)], axis=1)
    columns = (level, _moments(unit), _structure(unit), _rings(unit), _bands(unit))
    return np.concatenate(columns, axis=1)


def _flat(boxes: FloatArray) -> FloatArray:
    return boxes.reshape(len(boxes), boxes.shape[1] * boxes.shape[2])


def _moments(unit: FloatArray) -> FloatArray:
    flat = _flat(unit)
    squares = flat * flat
    moments = [(squares * flat).mean(axis=1), (squares * squares).mean(axis=1)]
    rank = np.rint(np.array(_QUANTILES) * (flat.shape[1] - 1)).astype(np.int64)
    quantiles = np.partition(flat, rank, axis=1)[:, rank]
    return np.concatenate([np.stack(moments, axis=1), quantiles], axis=1)


def _structure(unit: FloatArray) -> FloatArray:
    """Return gradients, unevenness over the four quadrants, and central contrast."""
    size = unit.shape[-1]
    gradient = (np.diff(unit, axis=1) ** 2).mean(axis=(1, 2))
    gradient += (np.diff(unit, axis=2) ** 2).mean(axis=(1, 2))
    half = size // 2
    halves = (slice(None, half), slice(half, None))
    quadrants = [
        unit[:, rows, cols].mean(axis=(1, 2)) for rows in halves for cols in halves
    ]
    inside = _ring_of_pixel(size) < _N_RINGS - 1
    contrast = np.log(unit[:, inside].std(axis=1) + _FLOOR)
    contrast -= np.log(unit[:, ~inside].std(axis=1) + _FLOOR)
    uneven = np.log(np.std(quadrants, axis=0) + _FLOOR)
    return np.stack([np.log(gradient + _FLOOR), uneven, contrast], axis=1)


def _rings(unit: FloatArray) -> FloatArray:
    """Return the radial profile: means of rings, the corners in the last."""
    labels = _ring_of_pixel(unit.shape[-1])
    return np.asarray(_flat(unit) @ _averages(labels, np.ones(labels.shape), _N_RINGS))


def _bands(unit: FloatArray) -> FloatArray:
    """Return the log of the mean power in rings of frequency, evenly spaced."""
    size = unit.shape[-1]
    power = np.abs(np.fft.rfft2(unit)) ** 2 / size**2
    frequencies = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    labels = np.minimum(np.hypot(*frequencies) * 2 * _N_BANDS, _N_BANDS)
    times = np.full(labels.shape, 2.0)  # rfft2 leaves out the mirrored half
    times[:, 0] = 1.0
    times[:, size // 2 + size % 2 :] = 1.0
    means = _flat(power) @ _averages(labels.astype(np.int64), times, _N_BANDS)
    return np.asarray(np.log(means + _FLOOR))


@lru_cache(maxsize=8)
def _ring_of_pixel(size: int) -> IntArray:
    axis = np.arange(size) - (size - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :]) / (size / 2)
    return np.minimum(radius * (_N_RINGS - 1), _N_RINGS - 1).astype(np.int64)


def _averages(labels: IntArray, weights: FloatArray, n_labels: int) -> FloatArray:
    """Return the matrix, shape (pixels, labels), that averages over each label."""
    members = (labels.reshape(-1, 1) == np.arange(n_labels)) * weights.reshape(-1, 1)
    return np.asarray(members / np.maximum(members.sum(axis=0), 1))


def sorting_zscores(features: FloatArray, reference: FloatArray) -> FloatArray:
    """Return how far each box lies from the reference set, in its deviations.

    Parameters
    ----------
    features : array, shape (n, f)
        Features of the boxes to judge.
    reference : array, shape (m, f), m >= 2
        Features of the boxes that show what is usual; some of them may be bad.

    Returns
    -------
    array, shape (n,)
        Mahalanobis distance divided by √f: about 1 for the usual, higher is worse.
        Median and median deviation replace mean and deviation; the correlation is
        drawn towards none where m is not much larger than f.

    Raises
    ------
    ValueError
        If there are fewer than two reference boxes, or the columns differ.
    """
    if len(reference) < 2 or features.shape[1:] != reference.shape[1:]:
        raise ValueError(
            "expected features of the same columns and at least 2 reference rows, "
            f"received shapes {features.shape} and {reference.shape}"
        )
    centre, scale = centre_and_scale(reference)
    usual = np.clip((reference - centre) / scale, -_MAX_Z, _MAX_Z)
    m, f = usual.shape
    covariance = usual.T @ usual / m
    shrinkage = f / (f + m)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.eye(f)
    values, vectors = np.linalg.eigh(covariance)
    whitened = (features - centre) / scale @ (vectors / np.sqrt(values))
    return np.asarray(np.sqrt((whitened**2).mean(axis=1)))
