# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of HydraPicker on the form of *pick with a network*."""

from __future__ import annotations

from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.protocols.pickers.model_conditions import usedBy
from deepconsensus_plugin.protocols.shared.contrast import DARK, LIGHT
from deepconsensus_plugin.protocols.shared.estimated_diameter import AUTO
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

HYDRA_OPTIONS = ParameterForm(
    HydraPickOptions,
    used_if=usedBy("hydra"),
    head=Shown(none=""),
    particle_diameter_A=Shown(
        "particleDiameter",
        auto=f"that of the data set of the head; for the general head {AUTO}",
    ),
    are_particles_dark=Shown(
        "contrast",
        choices={
            None: "Auto (as in training)",
            True: DARK,
            False: LIGHT,
        },
        former={"as in the training": 0, "dark particles": 1, "white particles": 2},
    ),
)
