# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets and models stored in a project without running what would make them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import ArrayLike
from pwem.objects import Coordinate, CTFModel, Particle, SetOfCoordinates
from pwem.protocols import EMProtocol
from pyworkflow.object import Float, Integer, Pointer, Set, String

from deepconsensus_plugin.constants import (
    NETWORK_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert import append_coordinates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtImportModel,
    ProtImportPicks,
)
from deepconsensus_plugin.tests.shared import shared_folder
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SHAPE,
    SyntheticProject,
)


def store_outputs(
    test: type[SyntheticProject],
    kind: type[EMProtocol],
    make: Callable[[EMProtocol], Mapping[str, object]],
) -> EMProtocol:
    """Return a protocol that looks finished, with the outputs that `make` gives."""
    protocol = test.newProtocol(kind)
    test.proj.saveProtocol(protocol)
    protocol.makePathsAndClean()
    protocol._defineOutputs(**make(protocol))
    protocol.setFinished()
    test.proj._storeProtocol(protocol)
    return protocol


def output(protocol: EMProtocol, name: str) -> Pointer:
    """Return a pointer to an output, as the form makes it."""
    return Pointer(protocol, extended=name)


def new_protocol(
    test: type[SyntheticProject], kind: type[EMProtocol], **options
) -> EMProtocol:
    """Return a protocol with these parameters; pointers are taken over as they are."""
    pointers = {k: v for k, v in options.items() if isinstance(v, Pointer)}
    others = {k: v for k, v in options.items() if k not in pointers}
    protocol = test.newProtocol(kind, **others)
    for name, pointer in pointers.items():
        getattr(protocol, name).copy(pointer)
    return protocol


def new_coordinates(
    test: type[SyntheticProject], protocol: EMProtocol, suffix: str = ""
) -> SetOfCoordinates:
    """Return an empty set on the micrographs of the project."""
    micrographs = test.proj.getProtocol(test.micrographs.getObjParentId())
    coordinates = protocol._createSetOfCoordinates(
        output(micrographs, "outputMicrographs"), suffix
    )
    coordinates.setBoxSize(BOX)
    return coordinates


def store_coordinates(
    test: type[SyntheticProject], positions: Mapping[str, FloatArray]
) -> Pointer:
    """Return a pointer to a set of these positions, yx by micrograph."""

    def make(protocol: EMProtocol) -> dict[str, SetOfCoordinates]:
        coordinates = new_coordinates(test, protocol)
        append_coordinates(
            coordinates,
            test.micrographs,
            {n: ScoredCoordinates.from_arrays(yx) for n, yx in positions.items()},
        )
        return {"outputCoordinates": coordinates}

    return output(store_outputs(test, ProtImportPicks, make), "outputCoordinates")


class GrowingCoordinates:
    """An open set of coordinates that a picker in another process fills.

    Parameters
    ----------
    test : type of SyntheticProject
        Its micrographs are picked.
    positions : mapping of micrograph name to array
        What the picker finds.
    """

    def __init__(
        self, test: type[SyntheticProject], positions: Mapping[str, FloatArray]
    ):
        self._test, self._positions = test, positions

        def make(protocol: EMProtocol) -> dict[str, SetOfCoordinates]:
            return {"outputCoordinates": new_coordinates(test, protocol)}

        self._protocol = store_outputs(test, ProtImportPicks, make)
        self._items = self._protocol.outputCoordinates
        self._write(Set.STREAM_OPEN)
        test.proj._storeProtocol(self._protocol)

    def pointer(self) -> Pointer:
        """Return a pointer as another process has it, with an object of its own."""
        number = self._protocol.getObjId()
        protocol = self._test.proj.getProtocol(number, fromRuns=False)
        return output(protocol, "outputCoordinates")

    def add(self, *names: str) -> None:
        """Write what is found on some micrographs."""
        self._items.enableAppend()
        append_coordinates(
            self._items,
            self._test.micrographs,
            {n: ScoredCoordinates.from_arrays(self._positions[n]) for n in names},
        )
        self._write(Set.STREAM_OPEN)

    def finish(self) -> None:
        """Close the set."""
        self._write(Set.STREAM_CLOSED)

    def _write(self, state: int) -> None:
        self._items.setStreamState(state)
        self._items.write()
        self._items.close()


def store_ctfs(
    test: type[SyntheticProject],
    names: Sequence[str],
    defocus: tuple[float, float, float] = (15000, 14000, 30),
) -> Pointer:
    """Return a pointer to CTFs of some micrographs.

    `defocus` is U and V in Å and the angle in degrees, of the first micrograph of the
    project; all three count up.
    """

    def make(protocol: EMProtocol) -> dict[str, object]:
        ctfs = protocol._createSetOfCTF()
        for number, micrograph in enumerate(test.micrographs.iterItems()):
            if micrograph.getMicName() not in names:
                continue
            ctf = CTFModel()
            ctf.setStandardDefocus(*(value + number for value in defocus))
            ctf.setMicrograph(micrograph.clone())
            ctfs.append(ctf)
        return {"outputCTF": ctfs}

    return output(store_outputs(test, ProtImportPicks, make), "outputCTF")


def store_scored(
    test: type[SyntheticProject],
    scores: ArrayLike,
    *,
    particles: bool = True,
    network_score: float | None = None,
    yx: ArrayLike | None = None,
) -> ProtDeepConsensusScore:
    """Return a run of *score particles* that gave these scores, in order of ids.

    They are the network's own unless it gave all candidates another one. Without
    places they lie in a row on the first micrograph. Where a box leaves it, there is
    no particle.
    """
    row = [(2 * BOX, BOX + number) for number in range(1, len(scores) + 1)]
    centres = np.array(row if yx is None else yx)
    corners = centres - BOX // 2
    is_whole = ((corners >= 0) & (corners + BOX <= SHAPE)).all(axis=1)

    def make(protocol: EMProtocol) -> dict[str, object]:
        coordinates = new_coordinates(test, protocol)
        outputs = {"outputCoordinates": coordinates}
        if particles:
            outputs["outputParticles"] = protocol._createSetOfParticles()
            outputs["outputParticles"].setSamplingRate(SAMPLING_RATE)
            outputs["outputParticles"].setCoordinates(
                output(protocol, "outputCoordinates")
            )
        stack = protocol._getExtraPath("particles.mrcs")
        mrcfile.write(stack, np.zeros((len(scores), BOX, BOX), np.float32))
        for number, score in enumerate(scores, start=1):
            own = score if network_score is None else network_score
            coordinate = _scored_coordinate(test, number, score, own)
            y, x = centres[number - 1].tolist()
            coordinate.setPosition(x, y)
            coordinates.append(coordinate)
            if particles and is_whole[number - 1]:
                particle = Particle(location=(number, stack))
                particle.setObjId(number)
                particle.setCoordinate(coordinate)
                setattr(particle, SCORE_ATTRIBUTE, Float(score))
                setattr(particle, NETWORK_SCORE_ATTRIBUTE, Float(own))
                outputs["outputParticles"].append(particle)
        return outputs

    return store_outputs(test, ProtDeepConsensusScore, make)


def _scored_coordinate(
    test: type[SyntheticProject], number: int, score: float, network_score: float
) -> Coordinate:
    coordinate = Coordinate()
    coordinate.setMicrograph(test.micrographs.getFirstItem())
    setattr(coordinate, SCORE_ATTRIBUTE, Float(score))
    setattr(coordinate, NETWORK_SCORE_ATTRIBUTE, Float(network_score))
    setattr(coordinate, SPREAD_ATTRIBUTE, Float(0.01 * number))
    setattr(coordinate, VOTES_ATTRIBUTE, Integer(2))
    setattr(coordinate, PICKERS_ATTRIBUTE, String("one;two"))
    return coordinate


INPUT_SIZE = 32
"""Side of the boxes that models without training see, pixels."""


def write_untrained_model(
    folder: Path,
    *,
    n_models: int = 1,
    phase_flip: bool = False,
    invert: bool = True,
    sampling_rate: float = SAMPLING_RATE,
) -> Path:
    """Write a model folder whose weights are random, and the same every time."""
    card = EnsembleCard(
        n_models=n_models,
        box_size=BOX,
        sampling_rate=sampling_rate,
        preprocessing=BoxPreprocessing(INPUT_SIZE, invert, phase_flip),
        training=TrainingParameters(n_models=n_models),
        training_sets=[TrainingSet("picks", True, 12, 1.0)],
    )
    from deepconsensus_plugin.core.deep_consensus import store  # heavy

    kind = store.build_network.__name__
    name = f"{kind}-{n_models}-{phase_flip}-{invert}-{sampling_rate}"
    shutil.copytree(shared_folder(name, partial(_save_untrained, card=card)), folder)
    return folder


def _save_untrained(folder: Path, card: EnsembleCard) -> None:
    import keras

    from deepconsensus_plugin.core.deep_consensus import store

    keras.utils.set_random_seed(3)
    networks = [
        store.build_network(input_size=INPUT_SIZE) for _ in range(card.n_models)
    ]
    store.save_model(folder, networks, card)


def store_model(test: type[SyntheticProject], folder: Path) -> Pointer:
    """Return a pointer to the model in `folder`."""

    def make(protocol: EMProtocol) -> dict[str, object]:
        return {"outputModel": ParticleClassifier(folder)}

    return output(store_outputs(test, ProtImportModel, make), "outputModel")
