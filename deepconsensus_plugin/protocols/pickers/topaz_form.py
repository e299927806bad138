# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of Topaz' training."""

from __future__ import annotations

from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.protocols.pickers.picker_form import learningForm
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

LEARNING = learningForm(published=TopazParameters.PUBLISHED_INPUT)

TOPAZ = ParameterForm(
    TopazParameters,
    first=(
        *("objective", "n_epochs", "n_updates", "autoencoder", "prior", "radius_px"),
        *("n_layers", "n_units", "strength", "batch_size", "learning_rate", "seed"),
    ),
    published=TopazParameters.PUBLISHED,
    objective=Shown(
        choices={
            Objective.GE_BINOMIAL: "GE-binomial",
            Objective.GE_KL: "GE-KL",
            Objective.NNPU: "NNPU",
            Objective.PN: "PN",
        }
    ),
    n_updates=Shown("updatesPerEpoch"),
    radius_px=Shown("radius"),
)
"""What is changed most comes first."""
