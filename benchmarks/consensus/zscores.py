# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning by Z-scores (Vargas *et al.*, 2013), the baseline of the paper's Table 4.

Statistics of the pixels of each candidate's box (moments, quantiles, gradients, radial
profile, power spectrum; `core.negatives.sorting`) are compared with those of all
candidates: no votes, no network, no particle shown. Published with Xmipp; its list of
statistics is longer, the rule the same: what lies more than three deviations from the
others goes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.negatives.sorting import sorting_zscores
from deepconsensus_plugin.core.pipeline.box_statistics import statistics_of_boxes
from deepconsensus_plugin.core.types import Micrograph

MAX_Z = 3.0
"""Boxes beyond are pruned."""


def zscores(
    micrographs: Sequence[Micrograph], candidates: Candidates, *, box_size: int
) -> NDArray[np.float64]:
    """Return how unlike the others each candidate's box is, shape (n,); see `MAX_Z`."""
    by_name = {micrograph.name: micrograph for micrograph in micrographs}

    coordinates = candidates.coordinates()

    def look(name: str) -> NDArray[np.floating]:
        return statistics_of_boxes(by_name[name].path, coordinates[name].yx, box_size)

    features = np.concatenate(list(map_ahead(look, coordinates, workers=2)))
    return sorting_zscores(features, features)
