# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of examples: by the network, by the rule, and as the package makes them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.examples import Example
from deepconsensus_plugin.core.usable_area.contaminant_network import ContaminantNetwork
from deepconsensus_plugin.core.usable_area.contaminants import (
    contaminant_probabilities,
    enlarge,
    find_contaminants,
)
from deepconsensus_plugin.core.usable_area.contamination import (
    find_by_rule,
    find_contamination,
)
from deepconsensus_plugin.core.usable_area.finding import FindContamination, find_area


def network_probability(
    example: Example, network: ContaminantNetwork
) -> NDArray[np.float32]:
    """Return the probability of contamination at each pixel of an example."""
    found, step = contaminant_probabilities(
        example.image,
        np.isfinite(example.image),
        pixel_size_A=example.pixel_size_A,
        diameter_A=example.diameter_A,
        network=network,
    )
    return enlarge(1 - found[..., 0], step, example.image.shape)


def network_mask(example: Example, network: ContaminantNetwork) -> NDArray[np.uint8]:
    """Return the kinds that the network finds, at each pixel of an example."""
    return find_contaminants(
        example.image,
        np.isfinite(example.image),
        pixel_size_A=example.pixel_size_A,
        diameter_A=example.diameter_A,
        network=network,
    )


def rule_mask(example: Example) -> NDArray[np.uint8]:
    """Return the kinds that `find_area` finds by the rule alone, padding too."""
    return _area_mask(example, _find_by_rule)


def package_mask(example: Example, network: ContaminantNetwork) -> NDArray[np.uint8]:
    """Return the kinds that `find_area` finds with a network, padding too."""
    return _area_mask(example, partial(find_contamination, network=network))


def _find_by_rule(*arrays: Any, particles_dark: bool, **numbers: float) -> Any:
    del particles_dark  # the rule does not ask
    return find_by_rule(*arrays, **numbers)


def _area_mask(example: Example, find: FindContamination) -> NDArray[np.uint8]:
    area = find_area(
        example.image,
        sampling_rate=example.pixel_size_A,
        diameter_A=example.diameter_A,
        find=find,
    )
    rows, columns = area.shape_px
    repeated = np.repeat(area.kinds, area.binning, axis=0)
    return np.repeat(repeated, area.binning, axis=1)[:rows, :columns]
