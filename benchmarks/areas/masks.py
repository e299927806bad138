# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of examples: by the network, by the rule, and by both together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.examples import Example
from benchmarks.areas.network import ContaminationNetwork
from benchmarks.areas.segmentation import (
    Segmentation,
    segment_contamination,
)
from deepconsensus_plugin.core.usable_area.finding import find_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


def network_probability(
    example: Example, network: ContaminationNetwork
) -> NDArray[np.float32]:
    """Return the probability of contamination at each pixel of an example."""
    return _segment(example, network).probability


def network_mask(example: Example, network: ContaminationNetwork) -> NDArray[np.uint8]:
    """Return the kinds that the network finds, at each pixel of an example."""
    return _segment(example, network).kinds


def _segment(example: Example, network: ContaminationNetwork) -> Segmentation:
    return segment_contamination(
        example.image,
        np.isfinite(example.image),
        pixel_size_A=example.pixel_size_A,
        network=network,
    )


def rule_mask(example: Example, diameter_A: float) -> NDArray[np.uint8]:
    """Return the kinds that the rule finds, padding too, at each pixel."""
    area = find_area(
        example.image, sampling_rate=example.pixel_size_A, diameter_A=diameter_A
    )
    rows, columns = example.image.shape
    repeated = np.repeat(area.kinds, area.binning, axis=0)
    return np.repeat(repeated, area.binning, axis=1)[:rows, :columns]


def both_masks(
    example: Example, diameter_A: float, network: ContaminationNetwork
) -> NDArray[np.uint8]:
    """Return what one of the two finds, named as the network does where it finds it."""
    by_network = network_mask(example, network)
    by_rule = rule_mask(example, diameter_A)
    return np.where(by_network != AreaKind.USABLE, by_network, by_rule)
