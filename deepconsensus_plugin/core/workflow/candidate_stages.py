# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of the chain on candidates, with their files in one folder.

Scipion carries them out one by one, `run_deep_consensus` all together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.arrays import write_array
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.pipeline.likely_particles import find_likely_particles
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.workflow.averages import average_about
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.geometry import BoxGeometry
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.running import RunJob
from deepconsensus_plugin.core.workflow.stages import score, train
from deepconsensus_plugin.core.workflow.witness import ask_about


@dataclass(frozen=True, eq=False)
class CandidateStages:
    """Training and scoring of the chain, on some candidates, with files in one folder.

    Parameters
    ----------
    geometry : BoxGeometry
        Micrographs that boxes are extracted from.
    options : DeepConsensusOptions
        Options of the chain.
    folder : Path
        Folder of the files, made if it does not exist.
    run_job : callable
        Function that carries out the jobs.
    dataset : Path, optional
        Temporary file of the training boxes. None: in the folder.
    """

    geometry: BoxGeometry
    options: DeepConsensusOptions
    folder: Path
    run_job: RunJob
    dataset: Path | None = None

    @property
    def files(self) -> ChainFiles:
        """Names of the files."""
        return ChainFiles(self.folder)

    def ask_general_model(
        self, candidates: Candidates, *, are_particles_dark: bool
    ) -> None:
        """Ask the general model about the candidates, if the options want it.

        Parameters
        ----------
        candidates : Candidates
            All of them.
        are_particles_dark : bool
            Whether particles are darker than the background.
        """
        ask_about(
            candidates,
            self.geometry.place(candidates.coordinates()),
            self.geometry.usable,
            self.folder,
            is_wanted=self.options.asks_general_model,
            box_size=self.geometry.box_size,
            are_particles_dark=are_particles_dark,
            workers=self.options.workers,
            run_job=self.run_job,
        )

    def likely_particles(self) -> dict[str, ScoredCoordinates]:
        """Return what the general model takes for particles, pixels of candidates.

        Empty if negatives need not avoid it, or if the model was not asked.
        """
        if not self.options.negatives.avoid_likely_particles:
            return {}
        return find_likely_particles(
            self.files.witness_peaks, self.files.null, scale=1 / self.geometry.scale
        )

    def train(
        self, candidates: Candidates, min_pickers: int, initial_model: Path | None
    ) -> Path:
        """Train a model on agreed candidates and the negatives; return its folder.

        Parameters
        ----------
        candidates : Candidates
            Candidates that the negatives were drawn for.
        min_pickers : int
            Number of pickers that must agree.
        initial_model : Path, optional
            Model folder to start from.
        """
        return train(
            self.geometry.micrographs,
            self.geometry.place(candidates.agreed(min_pickers)),
            self.geometry.place(read_coordinates(self.files.negatives)),
            self.folder,
            box_size=self.geometry.box_size,
            particles_name="agreed picks",
            parameters=self.options.training,
            preprocessing=self.options.preprocessing,
            initial_model=initial_model,
            further=self.options.further_boxes,
            dataset=self.dataset,
            workers=self.options.workers,
            run_job=self.run_job,
        )

    def score(self, candidates: Candidates, model: Path) -> None:
        """Score the candidates that can be extracted, and write their particles."""
        usable = self.geometry.usable
        self.folder.mkdir(parents=True, exist_ok=True)
        on_usable = candidates.are_on({micrograph.name for micrograph in usable})
        write_array(self.files.positions, np.flatnonzero(on_usable))
        score(
            usable,
            self.geometry.place(candidates.coordinates()),
            model,
            self.folder,
            box_size=self.geometry.box_size,
            parameters=self.options.scoring,
            workers=self.options.workers,
            run_job=self.run_job,
        )

    def average(self, candidates: Candidates, *, are_particles_dark: bool) -> None:
        """Average the scored candidates, if the options want it.

        Parameters
        ----------
        candidates : Candidates
            All of them; those that were scored are averaged.
        are_particles_dark : bool
            Whether particles are darker than the background.
        """
        scored = candidates.take(self.files.read_positions())
        average_about(
            scored,
            self.geometry.place(scored.coordinates()),
            self.geometry.usable,
            self.folder,
            is_wanted=self.options.averages_candidates,
            box_size=self.geometry.box_size,
            are_particles_dark=are_particles_dark,
            workers=self.options.workers,
            run_job=self.run_job,
        )
