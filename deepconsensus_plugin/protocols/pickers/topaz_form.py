# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of Topaz' training, and the core's parameters for what was chosen."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.protocols.pickers.picker_form import describeBadCounts
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineAdvancedParams,
    seedRow,
)

OBJECTIVES = {
    0: Objective.GE_BINOMIAL,
    1: Objective.GE_KL,
    2: Objective.NNPU,
    3: Objective.PN,
}
"""What the numbers of the form mean; they never change."""

_DEFAULTS = TopazParameters()


def defineTopazParams(form: params.Form) -> None:
    """Add how a Topaz picker is trained; what is changed most comes first."""
    form.addParam(
        "objective",
        params.EnumParam,
        choices=["GE-binomial", "GE-KL", "NNPU", "PN"],
        default=list(OBJECTIVES.values()).index(_DEFAULTS.objective),
        label="Objective",
        help="What is made of places without a label [Bepler2019].\n"
        "*GE-KL*, *GE-binomial*: as many of them are particles as there should be; "
        "GE-KL learns sooner.\n"
        "*NNPU*: the non-negative risk estimator [Kiryo2017].\n"
        "*PN*: they are background. For micrographs whose particles are all labelled.",
    )
    form.addParam(
        "nEpochs",
        params.IntParam,
        default=_DEFAULTS.n_epochs,
        label="Number of epochs",
        help="After each the network is validated; the best weights are kept.",
    )
    form.addParam(
        "updatesPerEpoch",
        params.IntParam,
        default=_DEFAULTS.n_updates,
        label="Batches of an epoch",
        help=f"Of {_DEFAULTS.batch_size} patches. As published: 1000.",
    )
    _defineNetworkParams(form)
    _defineOptimiserParams(form)


def _defineNetworkParams(form: params.Form) -> None:
    form.addParam(
        "autoencoder",
        params.FloatParam,
        default=_DEFAULTS.autoencoder,
        allowsNull=True,
        expertLevel=LEVEL_ADVANCED,
        label="Weight of the autoencoder",
        help="The network also reconstructs its patches; it takes four times as long. "
        "*0*: none. Empty, as published: 10 divided by the labels, to 250 labels.",
    )
    defineAdvancedParams(
        form,
        [
            (
                "prior",
                params.FloatParam,
                None,
                "Fraction of positive pixels",
                "Empty: from the number of particles and the radius.",
            ),
            (
                "radius",
                params.FloatParam,
                _DEFAULTS.radius_px,
                "Radius of labels (px)",
                "Downsampled pixels within it around a label are positives.",
            ),
            (
                "nLayers",
                params.IntParam,
                _DEFAULTS.n_layers,
                "Layers",
                "3, as published, see 31 downsampled pixels; 4 see 63, 5 see 127.",
            ),
            (
                "nUnits",
                params.IntParam,
                _DEFAULTS.n_units,
                "Units of the first layer",
                "Each layer has twice those before it. As published: 32.",
            ),
            (
                "strength",
                params.FloatParam,
                None,
                "Weight of the criterion",
                "Of GE-KL and GE-binomial. Empty: 10 and 1, as published.",
            ),
        ],
    )


def _defineOptimiserParams(form: params.Form) -> None:
    defineAdvancedParams(
        form,
        [
            (
                "batchSize",
                params.IntParam,
                _DEFAULTS.batch_size,
                "Batch size",
                "Patches in one update; one in 16 is a labelled particle.",
            ),
            (
                "learningRate",
                params.FloatParam,
                _DEFAULTS.learning_rate,
                "Learning rate",
                "Of the optimiser (Adam). As published: 0.0002.",
            ),
            seedRow(_DEFAULTS.seed),
        ],
    )


def topazParameters(protocol: Protocol) -> TopazParameters:
    """Return what was chosen on the form."""
    return TopazParameters(
        objective=OBJECTIVES[protocol.objective.get()],
        strength=protocol.strength.get(),
        n_layers=protocol.nLayers.get(),
        n_units=protocol.nUnits.get(),
        radius_px=protocol.radius.get(),
        prior=protocol.prior.get(),
        autoencoder=protocol.autoencoder.get(),
        n_epochs=protocol.nEpochs.get(),
        n_updates=protocol.updatesPerEpoch.get(),
        batch_size=protocol.batchSize.get(),
        learning_rate=protocol.learningRate.get(),
        seed=protocol.seed.get(),
    )


def describeBadTopaz(protocol: Protocol) -> list[str]:
    """Return what is wrong with the choices, a sentence each."""
    errors = describeBadCounts(protocol, "nEpochs", "updatesPerEpoch", "nUnits")
    if protocol.nLayers.get() < 3:
        errors.append("Layers: there must be 3 or more.")
    if protocol.batchSize.get() < 4:
        errors.append("Batch size: it must be 4 or more; 256 is usual.")
    for name in ("radius", "learningRate", "strength"):
        value = protocol.getAttributeValue(name)
        if value is not None and not value > 0:
            errors.append(f"{protocol.getParam(name).label}: it must be above 0.")
    if protocol.strength.get() and OBJECTIVES[protocol.objective.get()] in (
        Objective.NNPU,
        Objective.PN,
    ):
        errors.append("Weight of the criterion: NNPU and PN have none; leave it empty.")
    prior, autoencoder = protocol.prior.get(), protocol.autoencoder.get()
    if prior is not None and not 0 < prior < 1:
        errors.append("Fraction of positive pixels: it must be between 0 and 1.")
    if autoencoder is not None and autoencoder < 0:
        errors.append("Weight of the autoencoder: it must be 0 or more.")
    if protocol.seed.get() < 0:
        errors.append("Seed: it must be 0 or more.")
    return errors
