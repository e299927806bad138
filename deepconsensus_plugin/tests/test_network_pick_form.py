# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *pick with a network*: what the chosen model does not use."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from pwem.objects import SetOfMicrographs

from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.protocols import ProtNetworkPick

MODELS = Path(__file__).parent / "stored" / "models.tar.xz"
GROUP = "HydraPicker_only"
OPTIONS = ("head", "particleDiameter", "contrast", "border")


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(MODELS) as archive:
        archive.extractall(folder, filter="data")
    return folder / "models"


@pytest.fixture
def choose(models, tmp_path):
    """Return a function that fills in the form for a model."""
    micrographs = SetOfMicrographs(filename=str(tmp_path / "micrographs.sqlite"))
    micrographs.setSamplingRate(1.0)

    def fill_in(model: str | None, **values) -> ProtNetworkPick:
        protocol = ProtNetworkPick()
        protocol.inputMicrographs.set(micrographs)
        if model is not None:
            protocol.inputModel.set(ParticleClassifier(models / model))
        for name, value in values.items():
            protocol.setAttributeValue(name, value)
        return protocol

    return fill_in


def _shown(protocol: ProtNetworkPick, *names: str) -> list[bool]:
    return [bool(protocol.evalParamCondition(name)) for name in names]


def _errors(protocol: ProtNetworkPick) -> list[str]:
    return protocol._validateModel(protocol.inputModel.get())


@pytest.mark.parametrize("model", ["topaz", "deepem", "deep_consensus"])
def test_options_of_another_method_are_hidden(choose, model):
    protocol = choose(model)
    assert not any(_shown(protocol, *OPTIONS, GROUP))
    assert _errors(protocol) == []


@pytest.mark.parametrize("model", ["hydra", None])
def test_options_of_the_method_are_shown(choose, model):
    assert all(_shown(choose(model), *OPTIONS, GROUP))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "head",
            "general",
            "Model head (data set): only for a HydraPicker, and the model is a Topaz",
        ),
        ("particleDiameter", 90.0, "Particle diameter (Å): only for a HydraPicker"),
        ("contrast", 2, "Particle contrast: .* leave it at Auto (as in training)."),
        ("border", 0.5, "Edge exclusion (diameters): .*; leave it at 0.0."),
    ],
)
def test_options_of_another_method_are_refused_by_name(choose, name, value, sentence):
    protocol = choose("topaz", **{name: value})
    (error,) = _errors(protocol)
    for part in sentence.split(".*"):
        assert part in error
    assert _shown(protocol, name, GROUP) == [True, True]  # so that it can be changed


def test_a_precision_needs_figures_of_the_chosen_head(choose):
    trained = choose("hydra", head="discs", wantedPrecision=0.99)
    assert _shown(trained, "wantedPrecision") == [True]
    assert _errors(trained) == []
    general = choose("hydra", head="general", particleDiameter=24.0)
    assert _shown(general, "wantedPrecision") == [False]
    assert _errors(general) == []
    general.wantedPrecision.set(0.99)
    assert _shown(general, "wantedPrecision") == [True]
    (error,) = _errors(general)
    assert error.startswith(
        "Target precision: the model, or its head, was not validated"
    )
    assert error.endswith("leave it at 0.8.")
    general.thresholdMode.set(1)
    assert _shown(general, "wantedPrecision") == [False]
    assert _errors(general) == []


def test_a_network_of_deep_consensus_promises_no_precision(choose):
    assert _shown(choose("deep_consensus"), "wantedPrecision") == [False]
    (error,) = _errors(choose("deep_consensus", wantedPrecision=0.5))
    assert error.startswith("Target precision:")
    assert _shown(choose("topaz"), "wantedPrecision") == [True]


def test_a_model_that_cannot_be_read_hides_nothing_that_it_might_use(choose, tmp_path):
    protocol = choose(None)
    protocol.inputModel.set(ParticleClassifier(tmp_path / "gone"))
    assert _shown(protocol, "wantedPrecision", "head") == [True, False]
