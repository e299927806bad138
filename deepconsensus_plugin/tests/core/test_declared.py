# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared limits are refused, in Python and from files."""

from __future__ import annotations

import importlib
import math
import types
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from pydantic.fields import FieldInfo

from deepconsensus_plugin import core
from deepconsensus_plugin.core.calibration.thresholds import ThresholdRule
from deepconsensus_plugin.core.declared import (
    Declared,
    ForbiddenValueError,
    declare,
    find_problems,
    parameters_of,
)
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.limits import Count, describe_limits
from deepconsensus_plugin.core.pickers.hydra.card import HydraHead
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.pipeline.mining import MiningRules
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.simulation import (
    Crowd,
    Exposure,
    Optics,
    Phantom,
    Structure,
)
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters


@dataclass(frozen=True)
class Toy(Declared):
    legs: int = field(default=4, metadata=declare("Legs", ge=2, le=8))
    length: float | None = field(default=None, metadata=declare(gt=0))
    spots: tuple[Count, ...] = ()
    span: tuple[float, float] = (0.0, 1.0)
    home: Path | None = None
    is_soft: bool = True

    def conflicts(self):
        return ["Legs: soft toys have four"] if self.is_soft and self.legs > 4 else []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"legs": 1}, "Legs (legs): it must be 2 to 8, received 1"),
        ({"legs": 9}, "Legs (legs): it must be 2 to 8, received 9"),
        ({"legs": "4"}, "Legs (legs): it must be a whole number, received '4'"),
        ({"legs": 4.0}, "Legs (legs): it must be a whole number, received 4.0"),
        ({"legs": None}, "Legs (legs): it must be 2 to 8, received None"),
        ({"length": 0.0}, "length: it must be above 0, received 0.0"),
        ({"length": math.nan}, "length: it must be a finite number, received nan"),
        ({"length": math.inf}, "length: it must be a finite number, received inf"),
        ({"spots": (1, 0)}, "spots: it must be 1 or more, received (1, 0)"),
        ({"spots": 1}, "spots: it must be a tuple, received 1"),
        ({"span": (1,)}, "span: it must be a tuple of 2, received (1,)"),
        ({"span": [1, 2, 3]}, "span: it must be a tuple of 2, received (1, 2, 3)"),
        ({"is_soft": "false"}, "is_soft: it must be true or false, received 'false'"),
        ({"is_soft": 1}, "is_soft: it must be true or false, received 1"),
        ({"legs": 5}, "Legs: soft toys have four"),
    ],
)
def test_a_forbidden_value_is_told_with_its_limits(values, sentence):
    with pytest.raises(ForbiddenValueError) as raised:
        Toy(**values)
    assert str(raised.value) == sentence
    with pytest.raises(ForbiddenValueError):
        replace(Toy(), **values)


def test_all_forbidden_values_are_told_at_once():
    with pytest.raises(ForbiddenValueError) as raised:
        Toy(legs=0, length=-1)
    assert len(raised.value.sentences) == 2


def test_allowed_values_stay_as_they_are():
    toy = Toy(legs=8, length=np.float64(2), spots=(1, 2), is_soft=False)
    assert toy == replace(toy)
    assert {toy: 1}[toy] == 1
    assert isinstance(Toy(length=2).length, int)


def test_values_like_those_declared_are_taken():
    toy = Toy(
        legs=np.int64(8),
        length=np.float32(0.5),
        spots=[np.int32(1), 2],
        is_soft=np.bool_(False),
        home="shelf",
    )
    assert toy == Toy(8, 0.5, (1, 2), is_soft=False, home=Path("shelf"))
    assert [type(each) for each in (toy.legs, toy.length, toy.is_soft)] == [
        int,
        float,
        bool,
    ]
    assert type(toy.spots[0]) is int
    assert SimulationParameters(shape=[64, 96]).shape == (64, 96)
    with pytest.raises(ForbiddenValueError, match=r"received 'six'"):
        Toy(legs="six")


def test_a_long_value_is_cut_where_it_is_told():
    with pytest.raises(ForbiddenValueError) as raised:
        Toy(spots=list(range(5000)))
    assert len(str(raised.value)) < 100
    assert str(raised.value).endswith("…")


def test_an_infinite_number_is_taken_where_it_means_something():
    assert ThresholdRule(threshold=-math.inf).threshold == -math.inf
    for kind, name in [(TrainingParameters, "learning_rate"), (Structure, "share")]:
        told = find_problems(kind, {name: math.inf})
        assert [each.expected for each in told] == ["a finite number"]


def test_a_file_is_refused_by_name_and_field():
    with pytest.raises(
        FileFormatError, match=r"^toy\.json: expected legs to be .*, received 0$"
    ):
        from_plain({"legs": 0}, Toy, path=Path("toy.json"))
    with pytest.raises(FileFormatError, match=r"^toy\.json: .*soft toys have four$"):
        from_plain({"legs": 5}, Toy, path=Path("toy.json"))


def test_limits_are_told_in_words():
    assert describe_limits({"gt": 0, "le": 1}) == "above 0 and at most 1"
    assert describe_limits({"ge": 16, "multiple_of": 16}) == (
        "a multiple of 16, 16 or more"
    )


# -------------------------- everything that is declared --------------------------
def _declared_classes() -> list[type]:
    root = Path(core.__file__).parent
    modules = [
        ".".join([core.__name__, *path.relative_to(root).with_suffix("").parts])
        for path in sorted(root.rglob("*.py"))
        if "Declared" in path.read_text(encoding="utf-8") and path.stem != "declared"
    ]
    found = [
        each
        for module in modules
        for each in vars(importlib.import_module(module)).values()
        if isinstance(each, type)
        and issubclass(each, Declared)
        and each is not Declared
    ]
    return list(dict.fromkeys(found))


def _bounds(kind: type, name: str, hint: Any) -> dict[str, float]:
    """Return the limits of a field, by ge, gt, le and lt."""
    declared = parameters_of(kind).get(name)
    bounds = dict(declared.limits) if declared else {}
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Annotated:
        for info in hint.__metadata__:
            if isinstance(info, FieldInfo):
                for limit in info.metadata:
                    bounds |= (
                        vars(limit)
                        if hasattr(limit, "__dict__")
                        else {slot: getattr(limit, slot) for slot in limit.__slots__}
                    )
    return {k: v for k, v in bounds.items() if k in ("ge", "gt", "le", "lt")}


def _example(kind: Any) -> Any:
    """Return some allowed value of a type."""
    if kind is Structure:
        return Structure(Phantom.GLOBULE)
    if kind is Any:
        return "x"
    if get_origin(kind) is Annotated:
        return _example(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return tuple(_example(each) for each in get_args(kind) if each is not ...)
    if get_origin(kind) is list:
        return []
    if get_origin(kind) in (Union, types.UnionType):
        return None
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        required = [f for f in fields(kind) if f.default is f.default_factory]
        return kind(**{f.name: _example(hints[f.name]) for f in required})
    values = {int: 64, float: 0.25, str: "x", Path: Path("x"), bool: True}
    return values[kind] if kind in values else next(iter(kind))


def _edges(limit: str, value: float, is_whole: bool) -> tuple[float, float]:
    """Return the last value that is allowed, and the first that is not."""
    up = math.inf if limit in ("ge", "gt") else -math.inf
    step = (1 if up > 0 else -1) if is_whole else 0
    near = value + step if is_whole else math.nextafter(value, up)
    far = value - step if is_whole else math.nextafter(value, -up)
    return (value, far) if limit in ("ge", "le") else (near, value)


@pytest.mark.parametrize("kind", _declared_classes(), ids=lambda kind: kind.__name__)
def test_every_declared_limit_holds(kind):
    example = _example(kind)
    plain, path = to_plain(example), Path("file.json")
    assert from_plain(plain, kind, path=path) == example
    for name, hint in get_type_hints(kind, include_extras=True).items():
        is_whole = "int" in str(hint)
        declared = parameters_of(kind).get(name)
        if declared and declared.shown_if and (bounds := declared.limits):
            # Its limits hold where another field gives it a meaning.
            other, wanted = declared.shown_if
            given = bounds.get("ge", 1)
            example = replace(example, **{other: wanted, name: given})
            plain = to_plain(example)
        for limit, value in _bounds(kind, name, hint).items():
            inside, outside = _edges(limit, value, is_whole)
            assert find_problems(kind, {name: inside}) == []
            with pytest.raises(ForbiddenValueError, match=rf"{name}\b.*must be"):
                replace(example, **{name: outside})
            with pytest.raises(FileFormatError, match=rf"^file\.json: .*\b{name}\b"):
                from_plain(plain | {name: outside}, kind, path=path)


def test_there_are_many_declared_classes_and_limits():
    classes = _declared_classes()
    limits = [
        limit
        for kind in classes
        for name, hint in get_type_hints(kind, include_extras=True).items()
        for limit in _bounds(kind, name, hint)
    ]
    assert len(classes) > 25
    assert len(limits) > 90


# -------------------------- some by name --------------------------
def test_training_refuses_what_it_cannot_do():
    with pytest.raises(ForbiddenValueError) as raised:
        TrainingParameters(
            n_models=0, batch_size=0, learning_rate=-1, validation_fraction=7
        )
    told = str(raised.value)
    for name in ("n_models", "batch_size", "learning_rate", "validation_fraction"):
        assert name in told


def test_values_that_were_always_allowed_still_are():
    assert ConsensusRules(min_positives=0).min_positives == 0
    assert Structure(Phantom.GLOBULE, voxel_size_A=0.0).voxel_size_A == 0


def test_a_simulation_refuses_what_it_cannot_draw():
    for kind, values in [
        (Structure, {"phantom": Phantom.GLOBULE, "voxel_size_A": -1.0}),
        (Crowd, {"tilt_spread_deg": -1.0}),
        (Exposure, {"illumination_gradient": 2.0}),
        (Optics, {"phase_shift_deg": (0.0, math.inf)}),
    ]:
        with pytest.raises(ForbiddenValueError, match="it must be"):
            kind(**values)


def test_heads_and_mining_refuse_what_they_cannot_use():
    with pytest.raises(ForbiddenValueError, match=r"particle_diameter_A.*above 0"):
        HydraHead(name="set", particle_diameter_A=-90.0)
    with pytest.raises(ForbiddenValueError, match=r"min_pickers.*1 or more"):
        MiningRules(box_size=64, exclusion_radius_px=8.0, min_pickers=0, n_most=5)


def test_rules_across_fields():
    with pytest.raises(ForbiddenValueError, match="at most the merge radius"):
        ConsensusRules(consensus_radius=0.4)
    for objective in (Objective.NNPU, Objective.PN):
        with pytest.raises(ForbiddenValueError, match="NNPU and PN have none"):
            TopazParameters(objective=objective, strength=1.0)
        TopazParameters(objective=objective)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"n_models": -1}, "n_models to be 1 or more, received -1"),
        ({"box_size": 0}, "box_size to be 1 or more, received 0"),
        ({"sampling_rate": 0.0}, "sampling_rate to be above 0, received 0.0"),
        (
            {"preprocessing": to_plain(BoxPreprocessing()) | {"invert": "false"}},
            "preprocessing.invert to be true or false, received 'false'",
        ),
        (
            {"training": to_plain(TrainingParameters()) | {"n_models": -1}},
            "training.n_models to be 1 or more, received -1",
        ),
    ],
)
def test_a_card_is_refused_by_file_and_field(tmp_path, change, complaint):
    card = EnsembleCard(
        box_size=64,
        sampling_rate=1.0,
        training_sets=[],
        preprocessing=BoxPreprocessing(),
        training=TrainingParameters(),
    )
    path = tmp_path / "card.json"
    write_json(path, to_plain(card))
    assert from_plain(read_json(path), EnsembleCard, path=path) == card
    write_json(path, to_plain(card) | change)
    with pytest.raises(FileFormatError) as raised:
        from_plain(read_json(path), EnsembleCard, path=path)
    assert str(raised.value) == f"{path}: expected {complaint}"
