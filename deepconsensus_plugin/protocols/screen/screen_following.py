# SPDX-License-Identifier: GPL-3.0-or-later
"""Streaming of *deep consensus*: what it does while its inputs still grow.

Nothing of it is needed for the end, which is computed from the complete inputs. What
was done is kept in one small file, and the files of every batch and training in a
folder of their own: a run that was killed goes on after them.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import refresh, state_of_file
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.io.tables import read_candidates, write_candidates
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.pipeline.combine import find_candidates
from deepconsensus_plugin.core.streaming import (
    StreamBatch,
    StreamInput,
    StreamProgress,
    read_progress,
    ready_micrographs,
    write_progress,
)
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_bad_micrographs
from deepconsensus_plugin.protocols.consensus.picks_input import (
    consensusRules,
    pickedBox,
    readPicks,
    readUnwanted,
)
from deepconsensus_plugin.protocols.deep_consensus.training_choices import initialFolder
from deepconsensus_plugin.protocols.screen.growing_outputs import GrowingOutputs
from deepconsensus_plugin.protocols.screen.screen_stages import (
    ScreenStages,
    boxFrameOfScreen,
    masksFolder,
)


class ScreenFollower:
    """Loop that follows the inputs of a run until all are closed.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    folder : Path
        For progress, batches and trainings.
    form : str
        All choices that change results; progress on other ones is thrown away.
    """

    def __init__(self, protocol: Protocol, folder: Path, form: str):
        self._protocol, self._folder = protocol, folder
        progress = read_progress(progressFile(folder))
        if progress is None or progress.made_from != form:
            shutil.rmtree(folder, ignore_errors=True)
            progress = StreamProgress(made_from=form)
        self._progress = progress
        self._outputs: GrowingOutputs | None = None
        self._states: list[tuple[str, int, int]] = []
        self._pickers: list[PickerPicks] = []
        self._ready: list[str] = []

    def follow(self) -> None:
        """Take in, train and score what comes; return when nothing can come any more.

        Inputs that are closed from the beginning are not even read.
        """
        while self._look():
            if not self._advance():
                self._protocol._streamingSleepOnWait()
        if self._progress.batches:
            self._keep(replace(self._progress, n_open=0))

    def _advance(self) -> bool:
        """Carry out the first thing that is due; return whether there was any."""
        if not self._pickers:  # not to be read yet, or not wanted
            return False
        return self._takeIn() or self._train() or self._score()

    def _look(self) -> bool:
        """Read what is new; return whether any input may still grow."""
        pointers = streamedInputs(self._protocol)
        areOpen = [refresh(pointer) for pointer in pointers]
        if not any(areOpen):
            return False
        states = [state_of_file(pointer.get()) for pointer in pointers]
        if self._protocol.doPreliminarPredictions and states != self._states:
            try:
                self._read(areOpen)
                self._states = states
            except (sqlite3.OperationalError, NameMatchError) as error:
                self._protocol.info(f"An input cannot be read yet: {error}")
        return True

    def _read(self, areOpen: Sequence[bool]) -> None:
        """Read the picks, and find the micrographs that no picker will add to."""
        self._pickers = readPicks(self._protocol)
        inputs = [
            StreamInput(_observed(picks, isOpen), isOpen)
            for picks, isOpen in zip(self._pickers, areOpen, strict=False)
        ]
        inputs += self._otherInputs(areOpen[len(inputs) :])
        seen = sorted(set().union(*map(_withPicks, self._pickers)))
        self._ready = ready_micrographs(seen, inputs)
        self._keep(
            replace(self._progress, n_seen=len(seen), n_open=sum(areOpen)),
        )

    def _otherInputs(self, areOpen: Sequence[bool]) -> list[StreamInput]:
        """Return what else a micrograph must wait for: its CTF, its other version."""
        if not any(areOpen):
            return []
        usable = {m.name for m in boxFrameOfScreen(self._protocol).read_usable()}
        return [StreamInput(usable, is_open=True)]

    def _takeIn(self) -> bool:
        """Find the candidates of micrographs that are ready, if they are enough."""
        known = set(self._progress.micrographs)
        names = [name for name in self._ready if name not in known]
        if len(names) < self._protocol.extractingBatch.get():
            return False
        stages = self._batch(len(self._progress.batches) + 1)
        candidates = self._candidatesOn(names, stages)
        write_candidates(stages.files.candidates, candidates)
        agreed = candidates.is_agreed(self._protocol.minPickers.get() or 2)
        batch = StreamBatch(names, len(candidates), int(agreed.sum()))
        self._keep(self._progress.taken_in(batch))
        return True

    def _train(self) -> bool:
        """Train on all that was taken in, from the last weights, if there is enough."""
        nFirst = self._protocol.preliminaryPositives.get()
        if self._protocol.usesModelAsIs() or not self._progress.is_training_due(nFirst):
            return False
        stages = self._training(len(self._progress.trained_on) + 1)
        candidates = self._candidatesOn(self._progress.micrographs, stages)
        minPickers = consensusRules(self._protocol).agreeing_on(candidates)
        nPositives = int(candidates.is_agreed(minPickers).sum())
        stages.drawNegatives(candidates, nPositives)
        stages.train(candidates, minPickers, self._model())
        self._keep(self._progress.trained())
        return True

    def _score(self) -> bool:
        """Score the next batch with the last model, if there are both."""
        model, number = self._model(), self._progress.n_scored + 1
        isTrained = self._progress.trained_on or self._protocol.usesModelAsIs()
        if not isTrained or number > len(self._progress.batches):
            return False
        stages = self._batch(number)
        stages.score(read_candidates(stages.files.candidates), model)
        if self._outputs is None:
            flipped = load_card_of(model, EnsembleCard).preprocessing.phase_flip
            self._outputs = GrowingOutputs(self._protocol, phaseFlipped=flipped)
            for earlier in map(self._batch, range(1, number)):
                self._outputs.append(earlier)
        self._outputs.append(stages)
        self._keep(replace(self._progress, n_scored=number))
        return True

    def _candidatesOn(self, names: Sequence[str], stages: ScreenStages) -> Candidates:
        """Return the candidates of some micrographs, which are masked by `stages`."""
        pickers = [
            replace(
                picks,
                coordinates={
                    name: picks.coordinates[name]
                    for name in names
                    if name in picks.coordinates
                },
            )
            for picks in self._pickers
        ]
        rules = replace(
            consensusRules(self._protocol), box_size=pickedBox(self._protocol)
        )
        wanted = {*names}
        cut = boxFrameOfScreen(self._protocol).read_micrographs()
        bad = find_bad_micrographs(each for each in cut if each.name in wanted)
        bad = tuple(sorted({*bad, *stages.makeMasks(wanted)}))
        return find_candidates(
            pickers,
            rules,
            unwanted=readUnwanted(self._protocol),
            bad_micrographs=bad,
            masks=masksFolder(self._protocol),
        )

    def _model(self) -> Path | None:
        """Return the model of the last training, or else the one to start from."""
        if nTrainings := len(self._progress.trained_on):
            return self._training(nTrainings).files.model
        return initialFolder(self._protocol)

    def _batch(self, number: int) -> ScreenStages:
        return ScreenStages(self._protocol, self._folder / f"batch_{number}")

    def _training(self, number: int) -> ScreenStages:
        return ScreenStages(self._protocol, self._folder / f"training_{number}")

    def _keep(self, progress: StreamProgress) -> None:
        if progress != self._progress:
            self._progress = progress
            write_progress(progressFile(self._folder), progress)


def progressFile(folder: Path) -> Path:
    """Return the file with the progress of a follower that works in `folder`."""
    return folder / "progress.json"


def streamedInputs(protocol: Protocol) -> list[Pointer]:
    """Return pointers to all sets that may grow: those of the pickers first."""
    others = (
        protocol.ctfRelations,
        protocol.inputMicrographs,
        protocol.subtractCoordinates,
    )
    used = [pointer for pointer in others if pointer.get() is not None]
    return [*protocol.inputCoordinates, *used]


def _observed(picks: PickerPicks, isOpen: bool) -> set[str]:
    """Return the micrographs that a picker is done with.

    While its set is open, those with picks; others may still be picked.
    """
    return _withPicks(picks) if isOpen else set(picks.coordinates)


def _withPicks(picks: PickerPicks) -> set[str]:
    return {name for name, here in picks.coordinates.items() if len(here)}
