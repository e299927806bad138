# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of *deep consensus* as its form asks for them, with their files in one folder.

The end and every preliminary round are carried out by the same functions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, micrographs_from_set
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoringParameters,
    StackOptions,
)
from deepconsensus_plugin.core.jobs import result_path
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.workflow.candidate_finding import find_candidates
from deepconsensus_plugin.core.workflow.candidate_stages import CandidateStages
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.further_boxes import FurtherBoxes
from deepconsensus_plugin.core.workflow.fusing import fuse_scored
from deepconsensus_plugin.core.workflow.geometry import BoxGeometry
from deepconsensus_plugin.core.workflow.masks import make_masks
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.stages import draw_negatives
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.consensus.picks_input import (
    consensusRules,
    pickedBox,
    pickPointers,
    readPicks,
    readUnwanted,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.labelled_boxes import (
    BoxReader,
    canFlipAll,
    sourceOf,
)
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    fusionChoices,
    fusionSeed,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.deep_consensus.train_form import TRAINING
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    boxPreprocessing,
    initialFolder,
)
from deepconsensus_plugin.protocols.deep_consensus.training_sets import (
    LabelledSet,
    furtherSets,
    joinMicrographs,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.skipped_micrographs import leftOutOf


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
        self.files = ChainFiles(folder)

    def findCandidates(self) -> ConsensusReport:
        """Mask the micrographs and find all candidates; return the report on them."""
        return find_candidates(
            self._pickedMicrographs(),
            readPicks(self.protocol),
            consensusRules(self.protocol),
            self.folder,
            unwanted=readUnwanted(self.protocol),
            cut_from=boxFrameOfScreen(self.protocol).read_micrographs(),
            workers=self.protocol.numberOfThreads.get(),
            run_job=jobsIn(self.folder, self.protocol),
        ).report

    def makeMasks(self, names: Collection[str]) -> tuple[str, ...]:
        """Make the masks of some of the micrographs; return the names of bad ones."""
        return make_masks(
            [each for each in self._pickedMicrographs() if each.name in names],
            masksFolder(self.protocol),
            box_size=pickedBox(self.protocol),
            workers=self.protocol.numberOfThreads.get(),
            run_job=jobsIn(self.folder, self.protocol),
        )

    def drawNegatives(self, candidates: Candidates, nPositives: int) -> None:
        """Draw the background that goes with so many positives."""
        options = self._options()
        draw_negatives(
            self._pickedMicrographs(),
            candidates,
            self.folder,
            box_size=pickedBox(self.protocol),
            parameters=options.negatives,
            n_positives=nPositives,
            masks=masksFolder(self.protocol),
            avoid=self._stages().likely_particles(),
            workers=options.workers,
            run_job=jobsIn(self.folder, self.protocol),
        )

    def askGeneralModel(self, candidates: Candidates) -> None:
        """Ask the general model about the candidates, where scores are combined."""
        self._stages().ask_general_model(
            candidates, are_particles_dark=areParticlesDark(self.protocol)
        )

    def averageCandidates(self, candidates: Candidates) -> None:
        """Average the scored candidates, where scores are combined."""
        self._stages().average(
            candidates, are_particles_dark=areParticlesDark(self.protocol)
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
        options = replace(self._options(), further_boxes=self._furtherBoxes())
        stages = replace(self._stages(), options=options)
        stages.train(candidates, minPickers, initialModel)

    def _furtherBoxes(self) -> FurtherBoxes:
        """Write the extra sets and the test sets for the training."""
        reader, sets = boxReaderOf(self.protocol), furtherSets(self.protocol)
        for each in sets:
            reader.write(self.protocol, each, self._setFile(each))
        cut = boxFrameOfScreen(self.protocol).read_micrographs()
        everything = joinMicrographs([cut, *reader.micrographs(sets)])
        return FurtherBoxes(
            tuple(sourceOf(each, self._setFile(each)) for each in sets),
            everything[len(cut) :],
        )

    def _setFile(self, chosen: LabelledSet) -> Path:
        return self.folder / f"{chosen.key}.h5"

    def forgetTraining(self) -> None:
        """Remove the result of a training that other choices on the form asked for."""
        result_path(self.folder / "train.json").unlink(missing_ok=True)

    def score(self, candidates: Candidates, model: Path) -> None:
        """Score the candidates that can be cut out, and write their particles."""
        self._stages().score(candidates, model)

    def fuse(self, model: Path) -> None:
        """Combine scores of networks, votes and pickers to probabilities."""
        picked = self._pickedMicrographs()
        fuse_scored(
            self.folder,
            **fusionChoices(self.protocol, picked, pickedBox(self.protocol)),
            micrographs=picked,
            model=model,
            run_job=jobsIn(self.folder, self.protocol),
        )

    def _pickedMicrographs(self) -> tuple[Micrograph, ...]:
        picked = referenceMicrographs(self.protocol)
        return micrographs_from_set(picked, left_out=leftOutOf(self.protocol, picked))

    def _options(self) -> DeepConsensusOptions:
        boxSize = boxFrameOfScreen(self.protocol).box_size
        return optionsOfScreen(self.protocol, boxSize=boxSize)

    def _stages(self) -> CandidateStages:
        frame = boxFrameOfScreen(self.protocol)
        return CandidateStages(
            BoxGeometry(
                frame.read_micrographs(),
                frame.box_size,
                frame.scale,
                needs_ctf=frame.ctfs is not None,
            ),
            self._options(),
            self.folder,
            jobsIn(self.folder, self.protocol),
            Path(self.protocol._getTmpPath(f"{self.folder.name}_boxes.h5")),
        )


def optionsOfScreen(protocol: Protocol, *, boxSize: int) -> DeepConsensusOptions:
    """Return what the form asks for.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    boxSize : int
        Pixels of the micrographs that are cut.
    """
    stacks = StackOptions(
        stackFolder(protocol),
        normalise=protocol.doNormalise.get(),
        invert=not protocol.skipInvert,
        half_size=protocol.halfSize.get(),
    )
    drawing, training = DRAWING.read(protocol), TRAINING.read(protocol)
    n_most = max(drawing.max_negatives, training.max_boxes)
    return DeepConsensusOptions(
        consensus=consensusRules(protocol),
        negatives=replace(drawing, max_negatives=n_most),
        training=training,
        preprocessing=boxPreprocessing(
            protocol,
            boxSize=boxSize,
            samplingRate=protocol.getInputMicrographs().getSamplingRate(),
            flipsPhases=flipsPhases(protocol),
        ),
        initial_model=initialFolder(protocol),
        skip_training=protocol.usesModelAsIs(),
        scoring=ScoringParameters(
            stacks=stacks if protocol.writeStacks else None,
            half_precision=protocol.halfPrecision.get(),
        ),
        fusion_seed=fusionSeed(protocol),
        ask_general_model=protocol.askGeneralModel.get(),
        average_candidates=protocol.averageCandidates.get(),
        threshold=THRESHOLD.read(protocol),
        workers=protocol.numberOfThreads.get(),
    )


def boxFrameOfScreen(protocol: Protocol) -> BoxFrame:
    """Return what is cut out of which micrographs."""
    cut = protocol.getInputMicrographs()
    return BoxFrame(
        pickPointers(protocol)[0].get(),
        cut,
        protocol.ctfRelations.get(),
        picked_box=pickedBox(protocol),
        left_out=leftOutOf(protocol, cut),
        left_out_picked=leftOutOf(protocol, referenceMicrographs(protocol)),
    )


def flipsPhases(protocol: Protocol) -> bool:
    """Return whether the network sees boxes with flipped phases."""
    ctfs = protocol.ctfRelations.get()
    return ctfs is not None and canFlipAll(furtherSets(protocol), ctfs)


def boxReaderOf(protocol: Protocol) -> BoxReader:
    """Return what reads the extra sets and the test sets of a form."""
    frame = boxFrameOfScreen(protocol)
    return BoxReader(
        frame.box_size * frame.micrographs.getSamplingRate(),
        protocol.inputMicrographs.get(),
        protocol.ctfRelations.get(),
        flipsPhases(protocol),
        areStacksDark=protocol.stacksDark.get(),
        areMicrographsDark=not protocol.skipInvert,
    )


def areParticlesDark(protocol: Protocol) -> bool:
    """Return whether particles are darker than the background, by form or model."""
    if not protocol.usesModelAsIs():
        return not protocol.skipInvert
    return load_card_of(protocol.modelFolder(), EnsembleCard).preprocessing.invert


def masksFolder(protocol: Protocol) -> Path:
    """Return where the masks are, of preliminary rounds too."""
    return chainFilesOf(protocol).masks


def stackFolder(protocol: Protocol) -> Path:
    """Return where the particles are, of preliminary rounds too."""
    return Path(protocol._getExtraPath("particles"))
