# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of *deep consensus* on given candidates, with their files in one folder.

The end and every preliminary round are carried out by the same functions, which ask
`core` for what the protocols of the single stages ask it for.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, micrographs_from_set
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import choose_min_pickers
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    ScoreRequest,
    StackOptions,
    TrainRequest,
)
from deepconsensus_plugin.core.io.scores import EnsembleScores, read_scores
from deepconsensus_plugin.core.io.tables import (
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.jobs import write_job
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.types import IntArray, ScoredCoordinates
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.consensus.negatives_form import drawingChoices
from deepconsensus_plugin.protocols.consensus.picks_input import (
    pickedBox,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    boxPreprocessing,
    trainingParameters,
)

Coordinates = dict[str, ScoredCoordinates]


class ScreenStages:
    """Stages of a run with the parameters of its form, carried out in a folder.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    folder : Path
        Holds the files of these stages; made if it is not there.
    """

    def __init__(self, protocol: Protocol, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.protocol, self.folder = protocol, folder

    @property
    def candidates(self) -> Path:
        """File of the candidates."""
        return self.folder / "candidates.h5"

    @property
    def model(self) -> Path:
        """Folder of the model that `train` makes."""
        return self.folder / "model"

    @property
    def scores(self) -> Path:
        """File of the networks' scores."""
        return self.folder / "scores.h5"

    def drawNegatives(self, candidates: Candidates, nPositives: int) -> None:
        """Draw the background that goes with so many positives."""
        write_candidates(self.candidates, candidates)
        self._run(
            "negatives",
            NegativesRequest(
                micrographs=micrographs_from_set(referenceMicrographs(self.protocol)),
                candidates=self.candidates,
                box_size=pickedBox(self.protocol),
                min_pickers=choose_min_pickers(candidates, min_positives=nPositives),
                result=self._negatives,
                n_positives=nPositives,
                **drawingChoices(self.protocol),
            ),
        )

    def train(
        self, candidates: Candidates, minPickers: int, initialModel: Path | None
    ) -> None:
        """Train networks on what pickers agree on, and on the negatives.

        Parameters
        ----------
        candidates : Candidates
            Those that the negatives were drawn for.
        minPickers : int
            How many pickers must agree.
        initialModel : Path, optional
            Model folder to start from.
        """
        frame = boxFrameOfScreen(self.protocol)
        micrographs = frame.read_micrographs()
        usable = {micrograph.name for micrograph in frame.read_usable()}
        sets = {
            "agreed": candidates.agreed(minPickers),
            "background": read_coordinates(self._negatives),
        }
        for name, coordinates in sets.items():
            known = _scaledToFrame(coordinates, frame.scale, usable)
            write_coordinates(self.folder / f"{name}.h5", known)
        dataset = Path(self.protocol._getTmpPath(f"{self.folder.name}_boxes.h5"))
        self._run(
            "train",
            TrainRequest(
                micrographs=micrographs,
                sources=(
                    BoxSource("agreed picks", self.folder / "agreed.h5", True),
                    BoxSource("background", self.folder / "background.h5", False),
                ),
                box_size=frame.box_size,
                preprocessing=boxPreprocessing(self.protocol, boxSize=frame.box_size),
                parameters=trainingParameters(self.protocol),
                dataset=dataset,
                model=self.model,
                initial_model=initialModel,
                workers=self.protocol.numberOfThreads.get(),
            ),
        )
        dataset.unlink()

    def score(self, candidates: Candidates, model: Path) -> None:
        """Score the candidates that can be cut out, and write their particles."""
        frame = boxFrameOfScreen(self.protocol)
        micrographs = frame.read_usable()
        usable = {micrograph.name for micrograph in micrographs}
        np.save(self._positions, np.flatnonzero(candidates.are_on(usable)))
        coordinates = _scaledToFrame(candidates.coordinates(), frame.scale, usable)
        write_coordinates(self.folder / "coordinates.h5", coordinates)
        stacks = StackOptions(
            stackFolder(self.protocol),
            normalise=self.protocol.doNormalise.get(),
            invert=not self.protocol.skipInvert,
        )
        self._run(
            "score",
            ScoreRequest(
                micrographs=tuple(m for m in micrographs if m.name in coordinates),
                coordinates=self.folder / "coordinates.h5",
                box_size=frame.box_size,
                model=model,
                scores=self.scores,
                stacks=stacks if self.protocol.writeStacks else None,
                workers=self.protocol.numberOfThreads.get(),
                half_precision=self.protocol.halfPrecision.get(),
            ),
        )

    def readScores(self) -> tuple[IntArray, EnsembleScores]:
        """Return which candidates were scored, as rows, and what networks said."""
        return np.load(self._positions), read_scores(self.scores)

    @property
    def _negatives(self) -> Path:
        return self.folder / "negatives.h5"

    @property
    def _positions(self) -> Path:
        return self.folder / "positions.npy"

    def _run(self, kind: str, request: object) -> None:
        job = self.folder / f"{kind}.json"
        write_job(job, request)
        Plugin.runCoreJob(self.protocol, job)


def boxFrameOfScreen(protocol: Protocol) -> BoxFrame:
    """Return what is cut out of which micrographs."""
    return BoxFrame(
        protocol.inputCoordinates[0].get(),
        protocol.getInputMicrographs(),
        protocol.ctfRelations.get(),
        picked_box=pickedBox(protocol),
    )


def stackFolder(protocol: Protocol) -> Path:
    """Return where the particles are, of preliminary rounds too."""
    return Path(protocol._getExtraPath("particles"))


def _scaledToFrame(
    coordinates: Coordinates, scale: float, usable: Container[str]
) -> Coordinates:
    """Return coordinates in the pixels that are cut, on usable micrographs."""
    return {
        name: ScoredCoordinates(here.yx * scale, here.scores)
        for name, here in coordinates.items()
        if name in usable
    }
