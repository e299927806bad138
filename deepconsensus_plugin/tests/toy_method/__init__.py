# SPDX-License-Identifier: GPL-3.0-or-later
"""Toy method: the mean particle as a template; one folder and one registry entry."""

from __future__ import annotations

from deepconsensus_plugin.core.methods import Method

_FOLDER = __name__

TOY = Method(
    kind="toy",
    label="toy picker",
    citation="Zhu2017",
    card=f"{_FOLDER}.card:ToyCard",
    job="train_toy",
    request=f"{_FOLDER}.request:ToyTrainRequest",
    run=f"{_FOLDER}.train:run",
    load=f"{_FOLDER}.picking:load",
)
