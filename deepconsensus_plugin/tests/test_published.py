# SPDX-License-Identifier: GPL-3.0-or-later
"""Published parameters on forms, in the library and in the documents."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

from deepconsensus_plugin import protocols
from deepconsensus_plugin.core.calibration.thresholds import ThresholdRule
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Initialisation,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraParameters, Preset
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.published import Published, as_published, published_of
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.protocols.consensus.consensus_form import CONSENSUS
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    INPUT_SIZE,
    TRAINING,
)
from deepconsensus_plugin.protocols.pickers import deepem_form, hydra_form, topaz_form
from deepconsensus_plugin.report.run_parameters import list_parameters

DOCS = Path(__file__).parents[2] / "docs"

METHODS = {
    "ProtDeepConsensusTrain": [TRAINING, INPUT_SIZE],
    "ProtDeepConsensusScreen": [TRAINING, INPUT_SIZE],
    "ProtTopazTrain": [topaz_form.TOPAZ, topaz_form.LEARNING],
    "ProtDeepEMTrain": [deepem_form.DEEPEM, deepem_form.LEARNING],
    "ProtHydraTrain": [hydra_form.HYDRA],
}
"""Parts of forms that the switch *as published* sets, by protocol."""

TABLES = {
    "method.md": [CONSENSUS, DRAWING, TRAINING, INPUT_SIZE, THRESHOLD],
    "pickers.md": [
        *(topaz_form.TOPAZ, topaz_form.LEARNING),
        *(deepem_form.DEEPEM, deepem_form.LEARNING, hydra_form.HYDRA),
    ],
}
"""Parts of forms whose published values a document has in a table."""

KINDS = [
    *(ConsensusRules, NegativesParameters, TrainingParameters, BoxPreprocessing),
    *(ThresholdRule, DeepConsensusOptions),
    *(TopazParameters, DeepEMParameters, HydraParameters),
]


def _published(form) -> dict[str, Published]:
    return dict(form.published or published_of(form.kind))


@pytest.mark.parametrize("kind", KINDS)
def test_published_values_are_allowed_and_have_a_source(kind):
    published = published_of(kind)
    assert published.keys() <= {each.name for each in fields(kind)}
    made = as_published(kind)
    assert all(getattr(made, name) == each.value for name, each in published.items())
    assert all(each.source and str(each) for each in published.values())


def test_training_inputs_are_published_too():
    names = {each.name for each in fields(LearningInput)}
    for kind in (TopazParameters, DeepEMParameters):
        assert kind.PUBLISHED_INPUT.keys() <= names


def test_published_numbers():
    hydra = as_published(HydraParameters)
    assert (hydra.n_epochs, hydra.n_head_epochs, hydra.restart_epochs) == (
        5000,
        100,
        40,
    )
    assert (hydra.size_jitter, hydra.noise, hydra.filtering) == (0, 0, 0)
    assert hydra.architecture == hydra_form.ARCHITECTURES[Preset.THESIS]
    topaz = as_published(TopazParameters)
    assert topaz.objective is Objective.GE_BINOMIAL and topaz.criterion_strength == 1
    assert topaz.decoder_strength(100) == 0.1 and topaz.decoder_strength(251) == 0
    assert (topaz.n_epochs, topaz.n_updates, topaz.learning_rate) == (10, 1000, 2e-4)
    deepem = as_published(DeepEMParameters)
    assert deepem.initialisation is Initialisation.UNIT and deepem.first_rate == 1
    consensus = as_published(TrainingParameters)
    assert (consensus.learning_rate, consensus.patience) == (1e-4, 300)
    assert (consensus.n_models, consensus.hold_out_micrographs) == (1, False)


# -------------------------- the switch --------------------------
def _protocol(name: str, *, as_published: bool):
    protocol = getattr(protocols, name)()
    protocol.asPublished.set(as_published)
    return protocol


@pytest.mark.parametrize("name", METHODS)
def test_the_switch_sets_and_hides_what_is_published(name):
    usual = _protocol(name, as_published=False)
    published = _protocol(name, as_published=True)
    for form in METHODS[name]:
        assert form.published
        for field, each in form.published.items():
            assert form.values(published)[field] == each.value
            if field in form.fields:
                line = form.name_of(field)
                assert not published.evalParamCondition(line)
                told = " ".join(usual.getParam("asPublished").help.get().split())
                assert form.label_of(field) in told
        for field in set(form.fields) - form.published.keys():
            line = form.name_of(field)
            assert published.evalParamCondition(line) == usual.evalParamCondition(line)


@pytest.mark.parametrize(
    ("name", "form", "kind"),
    [
        ("ProtDeepConsensusTrain", TRAINING, TrainingParameters),
        ("ProtTopazTrain", topaz_form.TOPAZ, TopazParameters),
        ("ProtDeepEMTrain", deepem_form.DEEPEM, DeepEMParameters),
        ("ProtHydraTrain", hydra_form.HYDRA, HydraParameters),
    ],
)
def test_the_switch_gives_the_published_training(name, form, kind):
    protocol = _protocol(name, as_published=True)
    protocol.seed.set(9)
    assert form.read(protocol) == as_published(kind, seed=9)


def test_lines_that_are_overridden_do_not_matter():
    protocol = _protocol("ProtTopazTrain", as_published=True)
    protocol.nEpochs.set(-3)
    assert topaz_form.TOPAZ.describe_bad(protocol) == []
    protocol.asPublished.set(False)
    assert topaz_form.TOPAZ.describe_bad(protocol)


def test_a_report_lists_what_was_used():
    listed = {
        on: [
            name
            for name, _, _ in list_parameters(
                _protocol("ProtTopazTrain", as_published=on)
            )
        ]
        for on in (False, True)
    }
    assert {"asPublished", "nEpochs", "radius"} <= {*listed[False]}
    assert {"asPublished", "radius"} <= {*listed[True]}
    assert "nEpochs" not in listed[True]


@pytest.mark.parametrize("start", [hydra_form.FROM_GENERAL, hydra_form.NEW])
def test_a_published_hydrapicker_is_trained_for_all_its_epochs(start):
    protocol = _protocol("ProtHydraTrain", as_published=True)
    protocol.startFrom.set(start)
    assert hydra_form.hydraParameters(protocol) == as_published(HydraParameters)


def test_published_inputs_of_the_pickers():
    protocol = _protocol("ProtTopazTrain", as_published=True)
    found = topaz_form.LEARNING.value_of("normalisation", protocol)
    assert found is Normalisation.COMMON_MIXTURE
    protocol = _protocol("ProtDeepEMTrain", as_published=True)
    protocol.pixelSize.set(9.0)
    assert deepem_form.LEARNING.value_of("pixel_size_A", protocol) is None
    with patch.object(deepem_form, "boxFrameOfLabels", return_value=Mock(box_size=50)):
        assert deepem_form.deepEMParameters(protocol).input_size == 50


# -------------------------- documents --------------------------
def _rows(form) -> list[str]:
    """Return the rows that a document has for a part of a form."""
    return [
        f"| {each.source} | "
        f"`{form.name_of(field) if field in form.fields else field}` | {each} |"
        for field, each in _published(form).items()
    ]


@pytest.mark.parametrize("document", TABLES)
def test_documents_have_the_published_values(document):
    text = (DOCS / document).read_text(encoding="utf-8")
    missing = [
        row for form in TABLES[document] for row in _rows(form) if row not in text
    ]
    assert not missing, "\n".join(missing)


def test_a_published_value_is_told_in_words():
    assert str(Published(True, "")) == "yes"
    assert str(Published(2e-4, "")) == "0.0002"
    assert str(Published(Objective.PN, "")) == "pn"
    assert str(Published(None, "", "by itself")) == "by itself"
    assert replace(Published(3, ""), words="three").__str__() == "three"
