# SPDX-License-Identifier: GPL-3.0-or-later
"""Form section on the drawing of negatives."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm

DRAWING = ParameterForm(
    NegativesParameters,
    first=("negatives_per_positive", "exclusion_radius", "displaced_fraction"),
)


def defineDrawingParams(form: params.Form) -> None:
    """Add how many negatives there are, and of what kind."""
    *drawing, _ = DRAWING.fields  # the seed stands elsewhere
    DRAWING.define(form.addGroup("Negatives"), *drawing)
