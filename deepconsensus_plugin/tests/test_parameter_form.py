# SPDX-License-Identifier: GPL-3.0-or-later
"""A form follows from what its dataclass declares, and keeps what projects hold."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path

import pytest
from pwem.protocols import EMProtocol
from pyworkflow.protocol import params

from deepconsensus_plugin import protocols
from deepconsensus_plugin.core.declared import Declared, declare, parameters_of
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMParameters
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

FORMS = Path(__file__).with_name("forms.json")
"""Names, kinds, defaults and choices of all forms, as projects and templates hold."""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Toy(Declared):
    n_legs: int = field(
        default=4, metadata=declare("Legs", "Of a {colour.value} toy.", ge=2, le=8)
    )
    length_mm: float | None = field(
        default=None,
        metadata=declare("Length", unit="mm", if_none="any", is_expert=True, gt=0),
    )
    colour: Colour = field(default=Colour.BLUE, metadata=declare("Colour"))
    n_spots: int | None = field(
        default=None,
        metadata=declare(
            "Spots", if_none="many", shown_if=("colour", Colour.BLUE), ge=1
        ),
    )
    size: tuple[float, float] = field(default=(1.0, 2.0), metadata=declare("Size"))
    is_soft: bool = field(default=True, metadata=declare("Soft?"))
    seed: int = field(default=1, metadata=declare(help="On no form.", ge=0))

    def conflicts(self):
        return ["Legs: soft toys have four"] if self.is_soft and self.n_legs > 4 else []


CHOICES = Shown(choices={Colour.RED: "rot", Colour.BLUE: "blau"})
TOY = ParameterForm(
    Toy,
    first=("colour",),
    n_legs=Shown("legs"),
    colour=CHOICES,
    n_spots=Shown(none=0),
    size=Shown(ends=("minSize", "maxSize")),
)


class ToyProtocol(EMProtocol):
    """Node with the form of a toy."""

    _label = "toy"
    form = TOY

    def _defineParams(self, form):
        form.addSection("Toy")
        self.form.define(form)


def _lines(protocol) -> dict[str, params.Param]:
    known = {name for name, _ in EMProtocol().getDefinition().iterParams()}
    return {
        name: param
        for name, param in protocol.getDefinition().iterParams()
        if name not in known
    }


def _chosen(**values) -> ToyProtocol:
    protocol = ToyProtocol()
    for name, value in values.items():
        protocol.setAttributeValue(name, value)
    return protocol


def test_lines_follow_from_the_declaration():
    lines = _lines(ToyProtocol())
    assert list(lines) == [
        *("colour", "legs", "lengthMm", "nSpots", "minSize", "maxSize", "isSoft"),
    ]
    assert (lines["legs"].label.get(), lines["legs"].help.get()) == (
        "Legs",
        "Of a blue toy.\nDefault: 4.",
    )
    assert lines["lengthMm"].label.get() == "Length (mm)"
    assert lines["lengthMm"].help.get() == "Empty: any."
    assert lines["lengthMm"].isExpert() and not lines["legs"].isExpert()
    assert lines["nSpots"].help.get() == "*0*: many."
    assert lines["nSpots"].condition.get() == "colour == 1"
    assert lines["colour"].choices == ["rot", "blau"]
    defaults = {name: ToyProtocol().getAttributeValue(name) for name in lines}
    assert defaults == {
        "colour": 1,
        "legs": 4,
        "lengthMm": None,
        "nSpots": 0,
        "minSize": 1.0,
        "maxSize": 2.0,
        "isSoft": True,
    }


def test_defaults_of_the_form_are_those_of_the_dataclass():
    assert TOY.read(ToyProtocol()) == Toy()


def test_what_is_chosen_is_read():
    protocol = _chosen(
        colour=0, legs=3, lengthMm=2.5, nSpots=7, minSize=3.0, maxSize=4.0, isSoft=False
    )
    assert TOY.read(protocol, seed=5) == Toy(
        3, 2.5, Colour.RED, 7, (3.0, 4.0), is_soft=False, seed=5
    )
    assert TOY.number_of("colour", Colour.RED) == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, None),
        ({"legs": 1}, "Legs: it must be 2 to 8, received 1."),
        ({"lengthMm": 0.0}, "Length: it must be above 0, or empty, received 0.0."),
        ({"nSpots": -1}, "Spots: it must be 1 or more, or 0, received -1."),
        ({"legs": 5}, "Legs: soft toys have four."),
        ({"legs": 5, "isSoft": False}, None),
    ],
)
def test_sentences_follow_from_the_declaration(values, sentence):
    assert TOY.describe_bad(_chosen(**values)) == ([sentence] if sentence else [])


def test_a_parameter_that_is_declared_is_on_the_form():
    more = make_dataclass(
        "More",
        [("n_ears", int, field(default=2, metadata=declare("Ears", ge=0)))],
        bases=(Toy,),
        frozen=True,
    )

    class MoreProtocol(ToyProtocol):
        """The same form, of the larger dataclass."""

        form = ParameterForm(
            more, colour=CHOICES, size=Shown(ends=("minSize", "maxSize"))
        )

    protocol = MoreProtocol()
    assert _lines(protocol)["nEars"].label.get() == "Ears"
    assert protocol.nEars.get() == 2
    protocol.nEars.set(3)
    assert MoreProtocol.form.read(protocol).n_ears == 3
    protocol.nEars.set(-1)
    assert MoreProtocol.form.describe_bad(protocol) == [
        "Ears: it must be 0 or more, received -1."
    ]


# -------------------------- what projects hold --------------------------
def _snapshot(kind) -> dict[str, list]:
    """Return kind, default and choices of every line, in the order of the form."""
    lines = _lines(kind())
    return {
        name: [type(param).__name__, param.default.get()]
        + ([list(param.choices)] if isinstance(param, params.EnumParam) else [])
        for name, param in lines.items()
    }


@pytest.mark.parametrize("name", protocols.__all__)
def test_names_defaults_and_numbers_of_forms_stay(name):
    kept = json.loads(FORMS.read_text(encoding="utf-8"))
    now = _snapshot(getattr(protocols, name))
    assert now == kept[name]
    assert list(now) == list(kept[name])


def test_every_form_is_kept():
    kept = json.loads(FORMS.read_text(encoding="utf-8"))
    assert sorted(kept) == sorted(protocols.__all__)


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        (
            DeepEMParameters,
            "learning_rate",
            "0.003 for *modern* (Adam), 1 for *as published* (plain gradient descent)",
        ),
        (
            TopazParameters,
            "strength",
            "10 for GE-KL and 1 for GE-binomial, as published",
        ),
        (
            BoxPreprocessing,
            "input_size",
            "64 to 128, so that pixels are 5 Å or more; a model to start from keeps "
            "its own",
        ),
    ],
)
def test_numbers_that_none_stands_for_are_told_as_they_are_used(kind, field, words):
    assert parameters_of(kind)[field].auto == words


@pytest.mark.parametrize(
    ("name", "line", "allows_null", "label", "words"),
    [
        (
            "ProtSimulateMicrographs",
            "mapVoxelSize",
            True,
            "Voxel size of maps (Å)",
            "Voxel size of MRC maps. Auto (empty): from the header of each map.",
        ),
        (
            "ProtDeepConsensusScore",
            "seed",
            False,
            "Random seed",
            "Random seed of the micrographs that are drawn for confidence intervals. "
            "Scores do not depend on it. Default: 0.",
        ),
    ],
)
def test_lines_that_a_part_of_a_form_adds(name, line, allows_null, label, words):
    param = _lines(getattr(protocols, name)())[line]
    assert param.validate(None) == ([] if allows_null else ["should be an integer"])
    assert param.label.get() == label
    assert " ".join(param.help.get().split()) == words
    assert param.isExpert()
