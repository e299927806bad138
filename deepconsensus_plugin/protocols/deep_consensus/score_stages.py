# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of *score particles* as its form asks for them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    BoxFrame,
    candidates_and_items,
    micrographs_from_set,
)
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest, ScoreResult
from deepconsensus_plugin.core.io.arrays import write_array
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.jobs import read_result
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.workflow.averages import average_about
from deepconsensus_plugin.core.workflow.fusing import fuse_scored
from deepconsensus_plugin.core.workflow.witness import ask_about
from deepconsensus_plugin.protocols.deep_consensus.acceptance import readOverBorder
from deepconsensus_plugin.protocols.deep_consensus.candidate_areas import withAreas
from deepconsensus_plugin.protocols.deep_consensus.particle_cutting import (
    ParticleCutting,
)
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    SCORING,
    STACKS,
    fusionChoices,
)
from deepconsensus_plugin.protocols.deep_consensus.unusable_micrographs import (
    warnOfLeftOut,
)
from deepconsensus_plugin.protocols.shared.chain_files import (
    chainFilesOf,
    seenByGeneralModel,
)
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn


class ScoreStages:
    """Stages of a run with the parameters of its form.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScore`.
    """

    def __init__(self, protocol: Protocol):
        self.protocol = protocol
        self.files = chainFilesOf(protocol)
        self._runJob = jobsIn(self.files.folder, protocol)

    @cached_property
    def frame(self) -> BoxFrame:
        """Boxes, and the micrographs that they are cut from."""
        return boxFrameOfScoring(self.protocol)

    def takeIn(self) -> None:
        """Write the candidates that can be scored, in the order of the job's rows."""
        candidates, positions = candidates_and_items(
            self.protocol.inputCoordinates.get()
        )
        micrographs = self.frame.read_usable()
        warnOfLeftOut(self.protocol, candidates, micrographs)
        candidates = withAreas(self.protocol, candidates, micrographs)
        usable = {micrograph.name for micrograph in micrographs}
        chosen = candidates.are_on(usable)
        candidates = candidates.take(chosen)
        write_candidates(self.files.candidates, candidates)
        scaledPositions = candidates.coordinates(scale=self.frame.scale)
        write_coordinates(
            self._coordinates,
            {name: here for name, here in scaledPositions.items() if name in usable},
        )
        write_array(self.files.positions, positions[chosen])

    def score(self) -> int:
        """Score the candidates and write their particles; return how many it scored."""
        folder = Path(self.protocol._getFileName("stacks"))
        stacks = STACKS.read(self.protocol, folder=folder)
        self._runJob(
            ScoreRequest(
                micrographs=self.micrographs(),
                coordinates=self._coordinates,
                box_size=self.boxSize(),
                model=self._model,
                scores=self.files.scores,
                stacks=stacks if self.protocol.writesParticles() else None,
                workers=self.protocol.numberOfThreads.get(),
                **SCORING.values(self.protocol),
            )
        )
        return read_result(self._job, ScoreResult).n_scored

    def micrographs(self) -> tuple[Micrograph, ...]:
        """Return what boxes are cut from."""
        return self.frame.read_micrographs()

    def boxSize(self) -> int:
        """Return the side of a box, pixels of what is cut."""
        return self.frame.box_size

    def askGeneralModel(self) -> None:
        """Ask the general model about the candidates, where scores are combined."""
        protocol = self.protocol
        ask_about(
            read_candidates(self.files.candidates),
            read_coordinates(self._coordinates),
            self.frame.read_usable(),
            self.files.folder,
            is_wanted=bool(protocol.combineEvidence and protocol.askGeneralModel),
            box_size=self.frame.box_size,
            are_particles_dark=preprocessingOf(protocol).invert,
            seen=seenByGeneralModel(),
            workers=protocol.numberOfThreads.get(),
            run_job=self._runJob,
        )

    def averageCandidates(self) -> None:
        """Average the candidates, where scores are combined."""
        protocol = self.protocol
        average_about(
            read_candidates(self.files.candidates),
            read_coordinates(self._coordinates),
            self.frame.read_usable(),
            self.files.folder,
            is_wanted=bool(protocol.combineEvidence and protocol.averageCandidates),
            box_size=self.frame.box_size,
            are_particles_dark=preprocessingOf(protocol).invert,
            workers=protocol.numberOfThreads.get(),
            run_job=self._runJob,
        )

    def fuse(self) -> CalibrationReport | None:
        """Combine scores of networks, votes and pickers to probabilities."""
        coordinates = self.protocol.inputCoordinates.get()
        picked = micrographs_from_set(coordinates.getMicrographs())
        return fuse_scored(
            self.files.folder,
            **fusionChoices(self.protocol, picked, coordinates.getBoxSize()),
            micrographs=picked,
            model=self._model,
            holds_scored_only=True,
            run_job=self._runJob,
        )

    @property
    def _coordinates(self) -> Path:
        """Return the file of the candidates in pixels of what is cut."""
        return Path(self.protocol._getFileName("coordinates"))

    @property
    def _job(self) -> Path:
        return Path(self.protocol._getFileName("job"))

    @property
    def _model(self) -> Path:
        return Path(self.protocol.inputModel.get().getFolder())


def boxFrameOfScoring(protocol: Protocol) -> BoxFrame:
    """Return what is cut out of which micrographs."""
    return BoxFrame(
        protocol.inputCoordinates.get(),
        protocol.getInputMicrographs(),
        protocol.ctfRelations.get(),
    )


def preprocessingOf(protocol: Protocol) -> BoxPreprocessing:
    """Return how boxes are made ready for the model that scores."""
    return protocol.inputModel.get().getCard(EnsembleCard).preprocessing


def cuttingOfScoring(protocol: Protocol) -> ParticleCutting:
    """Return how particles are cut at scored coordinates, as the form tells."""
    return ParticleCutting(
        boxFrameOfScoring(protocol),
        STACKS.read(protocol, folder=Path(protocol._getExtraPath("particles"))),
        isPhaseFlipped=preprocessingOf(protocol).phase_flip,
        overBorder=readOverBorder(protocol).over_border,
    )
