# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule that ends a training which no longer improves."""

from __future__ import annotations

import pytest

from deepconsensus_plugin.core.networks.stopping import stopping_patience
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMParameters


@pytest.mark.parametrize(
    ("length", "n_stages", "patience"),
    [(100, 3, 17), (1800, 3, 300), (6, 1, 3), (1, 1, 1), (1, 3, 1)],
)
def test_half_of_the_length_is_shared_by_the_stages(length, n_stages, patience):
    assert stopping_patience(length, n_stages=n_stages) == patience


def test_a_round_of_deepem_ends_after_three_of_its_epochs():
    assert stopping_patience(DeepEMParameters.n_epochs) == 3
