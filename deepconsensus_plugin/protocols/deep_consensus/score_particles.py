# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages and output of *score particles* where a set of particles is given.

Its images are scored as they are. Nobody voted for them, so the score is that of the
network, and nothing is known of where they lie on micrographs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pwem.objects import SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    ItemRows,
    ParticleStacks,
    append_rows,
    read_items,
    stacks_from_set,
)
from deepconsensus_plugin.core.acceptance.accept import Acceptance, accept
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.pipeline.fuse import keep_fused
from deepconsensus_plugin.core.types import Micrograph, PickerPicks
from deepconsensus_plugin.protocols.deep_consensus.labelled_boxes import (
    describeBadImages,
)
from deepconsensus_plugin.protocols.deep_consensus.score_stages import ScoreStages
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import scoredRows
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.set_columns import read_id_array

_GIVEN = "given particles"


class ParticleScoreStages(ScoreStages):
    """Stages of a run on given particles.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScore` whose candidates are particles.
    """

    def takeIn(self) -> None:
        """Write the particles that can be scored, in the order of the job's rows."""
        stacks, needsCtf = self._stacks(), self._card().preprocessing.phase_flip
        candidates = Candidates.of_one(
            PickerPicks(_GIVEN, self.boxSize(), stacks.coordinates)
        )
        isUsable = np.array([_isUsable(m, needsCtf) for m in stacks.micrographs])
        chosen = isUsable[candidates.micrograph_index]
        names = {
            m.name
            for m, usable in zip(stacks.micrographs, isUsable, strict=True)
            if usable
        }
        if nLeftOut := int((~chosen).sum()):
            self.protocol.warning(f"{nLeftOut} particles left out: they have no CTF")
        write_candidates(self.files.candidates, candidates.take(chosen))
        write_coordinates(
            self._coordinates,
            {name: here for name, here in stacks.coordinates.items() if name in names},
        )
        np.save(self.files.positions, stacks.positions[chosen])

    def micrographs(self) -> tuple[Micrograph, ...]:
        """Return the stacks, which are in the place of micrographs."""
        return self._stacks().micrographs

    def boxSize(self) -> int:
        """Return the side of what is scored of an image, pixels."""
        return self._stacks().micrographs[0].images.shown

    def askGeneralModel(self) -> None:
        """Do nothing: it looks at micrographs."""

    def averageCandidates(self) -> None:
        """Do nothing: there are no votes to combine averages with."""

    def fuse(self) -> None:
        """Keep the score of the network."""
        scores = read_scores(self.files.scores).mean
        files = {"score": self.files.score, "calibration": self.files.calibration}
        keep_fused(read_candidates(self.files.candidates), scores, seed=None, **files)

    def _stacks(self) -> ParticleStacks:
        card = self._card()
        return stacks_from_set(
            self.protocol.inputCoordinates.get(),
            extent_A=card.box_extent_A,
            are_dark=self.protocol.stacksDark.get(),
            is_dark_usual=card.preprocessing.invert,
        )

    def _card(self) -> EnsembleCard:
        return self.protocol.inputModel.get().getCard(EnsembleCard)


def _isUsable(micrograph: Micrograph, needsCtf: bool) -> bool:
    return not needsCtf or micrograph.images.is_flipped or micrograph.ctf is not None


def makeParticleOutput(protocol: Protocol) -> tuple[Acceptance, SetOfParticles]:
    """Return what is accepted, and the given particles with their scores.

    The table of scores is written too; it has the places that particles know.
    """
    given, files = protocol.inputCoordinates.get(), chainFilesOf(protocol)
    candidates = read_candidates(files.candidates)
    positions, networks = files.read_scores()
    score, _ = files.read_score()
    accepted = accept(AcceptanceRule(), score, are_probabilities=False)
    particles = protocol._createSetOfParticles()
    particles.copyInfo(given)
    scored = scoredRows(
        ItemRows.of_set(given, read_id_array(given)),
        *(candidates, positions, accepted.score, networks),
        isWhole=np.ones(len(candidates), dtype=bool),
    )
    append_rows(particles, scored.items)
    yx = np.nan_to_num(read_items(given).yx[positions])
    write_accepted(files.table, replace(candidates, yx=yx), networks, accepted, None)
    return accepted, particles


def describeBadParticles(protocol: Protocol) -> list[str]:
    """Return why the model cannot score the given particles, a sentence each."""
    given = protocol.inputCoordinates.get()
    try:
        card = protocol.inputModel.get().getCard(EnsembleCard)
    except (OSError, FileFormatError) as error:
        return [f"Model: {error}"]
    flips = card.preprocessing.phase_flip
    errors = describeBadImages(
        "Candidates", given, extentA=card.box_extent_A, flipsPhases=flips
    )
    if flips and not (given.hasCTF() or given.isPhaseFlipped()):
        errors.append(
            "Candidates: the model was trained on phase-flipped boxes, and these "
            "particles have no CTF. Choose particles with CTFs, or a model trained "
            "without them."
        )
    return errors
