# SPDX-License-Identifier: GPL-3.0-or-later
"""Training sets: coordinates or particles with label and weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.requests import Role
from deepconsensus_plugin.core.pick_files.names import listed
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeEmpty,
    describeLost,
)
from deepconsensus_plugin.set_columns import read_columns


@dataclass(frozen=True)
class LabelledSet:
    """One chosen set.

    Parameters
    ----------
    key : str
        Its parameter, numbered where a parameter holds several; names its file.
    pointer : Pointer
        To a SetOfCoordinates or SetOfParticles.
    isParticle : bool
        Label of all its items.
    weight : float
        Weight of each of its boxes in the loss.
    role : Role
        Whether the network learns from it.
    isBelieved : bool
        Whether its labels stand whatever its boxes look like.
    """

    key: str
    pointer: Pointer
    isParticle: bool
    weight: float = 1.0
    role: Role = Role.TRAINING
    isBelieved: bool = False

    @property
    def items(self) -> SetOfCoordinates | SetOfParticles:
        """The set itself."""
        return self.pointer.get()

    @property
    def areParticles(self) -> bool:
        """Whether its boxes are images in stacks."""
        return isinstance(self.items, SetOfParticles)

    @property
    def micrographs(self) -> SetOfMicrographs:
        """Micrographs that coordinates lie on."""
        return self.items.getMicrographs()

    @property
    def name(self) -> str:
        """Name that users know: the run that made the set, and its output."""
        return nameOfSet(self.pointer) or self.key


def nameOfSet(pointer: Pointer) -> str:
    """Return what users know a chosen set by: the run that made it, and the output."""
    owner = pointer.getObjValue()
    if isinstance(owner, Protocol):
        return f"{owner.getRunName()}.{pointer.getExtended()}"
    return owner.getNameId()


def parseWeights(text: str | None, nSets: int) -> list[float]:
    """Return one weight per set from what was typed: nothing, one, or one for each.

    Raises
    ------
    ValueError
        If it is not that, or a weight is not positive.
    """
    words = (text or "").replace(",", " ").split() or ["1"]
    try:
        weights = [float(word) for word in words]
    except ValueError:
        weights = []
    if len(weights) == 1:
        weights *= nSets
    if len(weights) != nSets or not all(weight > 0 for weight in weights):
        raise ValueError(
            f"expected one positive number, or one for each of the {nSets} sets "
            f"separated by commas, received '{text}'"
        )
    return weights


def extraSets(protocol: Protocol, key: str, *, isParticle: bool) -> list[LabelledSet]:
    """Return the sets of a parameter that holds several, with the weights beside it.

    Raises
    ------
    ValueError
        If the weights do not fit; see `parseWeights`.
    """
    pointers = list(getattr(protocol, key))
    weights = parseWeights(getattr(protocol, f"{key}Weights").get(), len(pointers))
    return [
        LabelledSet(f"{key}{number}", pointer, isParticle, weight, isBelieved=True)
        for number, (pointer, weight) in enumerate(
            zip(pointers, weights, strict=True), start=1
        )
    ]


def describeBadWeights(protocol: Protocol, key: str) -> list[str]:
    """Return what is wrong with the weights beside a parameter of several sets."""
    param = protocol.getParam(f"{key}Weights")
    label, typed = param.label.get(), protocol.getAttributeValue(f"{key}Weights")
    if not getattr(protocol, key) and typed not in (None, "", param.default.get()):
        sets = protocol.getParam(key).label.get()
        return [f"{label}: *{sets}* is empty; leave it at {param.default.get()}."]
    try:
        extraSets(protocol, key, isParticle=True)
    except ValueError as error:
        return [f"{label}: {error}."]
    return []


def chosenSets(protocol: Protocol) -> list[LabelledSet]:
    """Return all sets chosen on the form of *train network*, the main ones first."""
    sets = [
        LabelledSet("positives", protocol.inputPositives, True),
        LabelledSet("negatives", protocol.inputNegatives, False),
    ]
    return [*(each for each in sets if each.items is not None), *furtherSets(protocol)]


def furtherSets(protocol: Protocol) -> list[LabelledSet]:
    """Return the extra sets and the test sets that were chosen on a form."""
    sets = [
        *extraSets(protocol, "extraPositives", isParticle=True),
        *extraSets(protocol, "extraNegatives", isParticle=False),
        LabelledSet("testPositives", protocol.testPositives, True, role=Role.TESTING),
        LabelledSet("testNegatives", protocol.testNegatives, False, role=Role.TESTING),
    ]
    return [chosen for chosen in sets if chosen.items is not None]


def countToLearnFrom(protocol: Protocol, *, isParticle: bool) -> int:
    """Return how many boxes of one label the network learns from."""
    return sum(
        len(chosen.items)
        for chosen in chosenSets(protocol)
        if chosen.isParticle is isParticle and chosen.role is Role.TRAINING
    )


def describeBadSets(sets: Iterable[LabelledSet]) -> list[str]:
    """Return a sentence for every set that cannot be used."""
    errors = []
    for chosen in sets:
        lost = [] if chosen.areParticles else describeLost(chosen.name, chosen.items)
        errors += describeEmpty(chosen.name, chosen.items) or lost
    return errors


def hasStacks(protocol: Protocol, *keys: str) -> bool:
    """Return whether one of the extra sets, test sets or `keys` is of particles."""
    single = (*keys, "testPositives", "testNegatives")
    pointers = [getattr(protocol, key) for key in single]
    pointers += [*protocol.extraPositives, *protocol.extraNegatives]
    return any(isinstance(each.get(), SetOfParticles) for each in pointers)


def describeBadFurther(protocol: Protocol) -> list[str]:
    """Return what is wrong with extra sets and test sets, a sentence each."""
    errors = []
    if (protocol.testPositives.get() is None) != (protocol.testNegatives.get() is None):
        errors.append("Test positives, test negatives: choose both or none.")
    for key in ("extraPositives", "extraNegatives"):
        errors += describeBadWeights(protocol, key)
    return errors or describeBadSets(furtherSets(protocol))


def describeDifferentRates(sets: Iterable[LabelledSet], *more: float) -> list[str]:
    """Return a sentence if the sets lie on micrographs of different pixel sizes.

    `more` are those of other micrographs that are cut, Å/px.
    """
    own = [each.micrographs.getSamplingRate() for each in sets if not each.areParticles]
    rates = sorted({*own, *more})
    if not rates or rates[-1] <= 1.001 * rates[0]:
        return []
    return [
        "The sets lie on micrographs of different pixel sizes "
        f"({', '.join(f'{rate:.3g}' for rate in rates)} Å/px); choose *Other "
        "micrographs* to extract all boxes from."
    ]


def describeSharedMicrographs(
    sets: Sequence[LabelledSet], others: Iterable[str] = ()
) -> list[str]:
    """Return a sentence if sets to test on lie on micrographs learnt from.

    `others` are names of micrographs that are learnt from besides.
    """
    learnt, tested = (
        set().union(*(_usedMicrographs(s) for s in sets if s.role is role))
        for role in (Role.TRAINING, Role.TESTING)
    )
    learnt.update(others)
    if not (shared := sorted(learnt & tested)):
        return []
    return [
        f"Test positives, test negatives: {len(shared)} of their {len(tested)} "
        f"micrographs are used for training too ({listed(shared)}), so the accuracy "
        "would be too high. Choose coordinates on other micrographs."
    ]


def _usedMicrographs(chosen: LabelledSet) -> set[str]:
    """Return the names of the micrographs that have items of a set."""
    name = "_coordinate._micName" if chosen.areParticles else "_micName"
    return set(filter(None, read_columns(chosen.items, name).get(name, [])))


def joinMicrographs(parts: Iterable[Sequence[Micrograph]]) -> tuple[Micrograph, ...]:
    """Return the micrographs of all parts, each once.

    Raises
    ------
    ValueError
        If different files have one name: coordinates go by it.
    """
    joined: dict[str, Micrograph] = {}
    for micrograph in chain.from_iterable(parts):
        known = joined.setdefault(micrograph.name, micrograph)
        if known.path != micrograph.path:
            raise ValueError(
                f"{micrograph.name}: expected one file of this name, received "
                f"{known.path} and {micrograph.path}. Choose the set to use as "
                "*Other micrographs*"
            )
    return tuple(joined.values())
