# SPDX-License-Identifier: GPL-3.0-or-later
"""Grounds of a fusion, gathered from candidates, the model and the micrographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.averages.table import read_averages
from deepconsensus_plugin.core.calibration.fusion import Fusion
from deepconsensus_plugin.core.calibration.grounds import (
    Grounds,
    NullEvidence,
    find_objection,
)
from deepconsensus_plugin.core.calibration.network_grounds import (
    NetworkGrounds,
    Separation,
)
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.held_out import (
    HeldOut,
    held_out_path,
    read_held_out,
)
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.types import BoolArray, FloatArray, Micrograph

_FEWEST_OTHERS = 50
"""Fewest candidates of a kind for a comparison of agreed candidates with others."""


@dataclass(frozen=True, eq=False)
class FusionContext:
    """Knowledge of a fusion beside candidates and their scores.

    Parameters
    ----------
    model : Path, optional
        Folder of the model that scored the candidates.
    shapes : mapping of micrograph name to (rows, columns)
        Micrographs that were picked, pixels.
    nulls : sequence of NullEvidence
        What scorers find on these micrographs and on their nulls.
    averages : Path, optional
        File of the `AveragesTable` of all candidates, which need not be there.
    """

    model: Path | None = None
    shapes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    nulls: Sequence[NullEvidence] = ()
    averages: Path | None = None

    @classmethod
    def of(
        cls,
        micrographs: Sequence[Micrograph],
        model: Path | None,
        null: Path | None = None,
        averages: Path | None = None,
    ) -> FusionContext:
        """Return the context of micrographs that were picked, and of a model.

        Parameters
        ----------
        micrographs : sequence of Micrograph
            Micrographs of the candidates.
        model : Path, optional
            Folder of the model that scored them.
        null : Path, optional
            JSON file of a `NullComparison`, which need not be there.
        averages : Path, optional
            File of the `AveragesTable` of all candidates, which need not be there.
        """
        nulls = []
        if null is not None and null.is_file():
            nulls.append(NullComparison.read(null))
        shapes = {each.name: each.shape for each in micrographs}
        return cls(model, shapes, nulls, averages)

    def share_resolved(self, probability: FloatArray) -> float | None:
        """Return the share of particles whose average an independent half confirms.

        Parameters
        ----------
        probability : array, shape (n,)
            Of all candidates; NaN where there is none.

        Returns
        -------
        float or None
            None without averages.
        """
        if self.averages is None or not self.averages.is_file():
            return None
        table = read_averages(self.averages)
        weight = np.nan_to_num(probability) * (table.average >= 0)
        is_resolved = np.isfinite(table.resolution_A)[table.average]
        return float(weight @ is_resolved / max(weight.sum(), np.finfo(float).tiny))

    def grounds(self, candidates: Candidates, network_score: FloatArray) -> Grounds:
        """Return what expectations on candidates rest on; `network_score` has n."""
        network = None
        if self.model is not None:
            network = read_network_grounds(self.model, candidates, network_score)
        return Grounds(candidates, network, self.shapes, self.nulls)

    def report(
        self,
        fusion: Fusion,
        judged: Candidates,
        network_score: FloatArray,
        probability: FloatArray,
        *,
        seed: int,
    ) -> CalibrationReport:
        """Return the report of a fusion, its figures withheld where nothing tells them.

        Parameters
        ----------
        fusion : Fusion
            Of the candidates that can be judged, n.
        judged : Candidates
            These, n.
        network_score : array, shape (n,)
            Mean over the networks.
        probability : array, shape (m,)
            Of all candidates; NaN where one cannot be judged.
        seed : int
            Seed of the fusion, which is kept in the report.
        """
        grounds = replace(
            self.grounds(judged, network_score),
            separation=fusion.separation,
            share_resolved=self.share_resolved(probability),
        )
        report = CalibrationReport.of(fusion, judged, seed=seed)
        return report.withheld(find_objection(grounds))


def read_network_grounds(
    model: Path, candidates: Candidates, network_score: FloatArray
) -> NetworkGrounds:
    """Return what is known of a model that scored candidates, n.

    Parameters
    ----------
    model : Path
        Its folder.
    candidates : Candidates
        The candidates.
    network_score : array, shape (n,)
        Mean over the networks; NaN where there is none.

    Raises
    ------
    FileFormatError
        If the folder holds no such model.
    """
    card = load_card_of(model, EnsembleCard)
    path, noise = held_out_path(model), card.label_noise
    held_out = read_held_out(path) if path.exists() else None
    wrong = (0.0,) if noise is None else (noise.wrong_particles, noise.wrong_background)
    return NetworkGrounds(
        n_learnt=sum(s.n_boxes for s in card.training_sets if s.is_particle),
        held_out=_validation(card) if held_out is None else _separation(held_out),
        wrong_labels=max(wrong),
        candidates=_separate_agreed(candidates, network_score, held_out),
    )


def _separation(held_out: HeldOut) -> Separation:
    return Separation.of(held_out.rows.is_particle, held_out.mean_score)


def _validation(card: EnsembleCard) -> Separation:
    """Return what a card tells of the validation, where its boxes were not kept."""
    positives = [each.n_positives for each in card.validation]
    negatives = [each.n_negatives for each in card.validation]
    areas = np.array([each.roc_auc for each in card.validation])
    known = areas[np.isfinite(areas)]
    area = float(known.mean()) if len(known) else float("nan")
    return Separation(sum(positives), sum(negatives), area)


def _separate_agreed(
    candidates: Candidates, network_score: FloatArray, held_out: HeldOut | None
) -> Separation | None:
    """Return how well the network tells agreed candidates from the others.

    Agreed candidates that it was trained on are stood for by those it held out.
    """
    scored = np.isfinite(network_score)
    agreed = candidates.is_agreed(2)
    others = network_score[scored & ~agreed]
    own = held_out is not None and _shares_micrographs(held_out, candidates)
    if held_out is not None and own:
        confirmed = held_out.mean_score[held_out.rows.is_particle]
    else:
        confirmed = network_score[scored & agreed]
    if min(len(confirmed), len(others)) < _FEWEST_OTHERS:
        return None
    is_agreed: BoolArray = np.arange(len(confirmed) + len(others)) < len(confirmed)
    return Separation.of(is_agreed, np.append(confirmed, others))


def _shares_micrographs(held_out: HeldOut, candidates: Candidates) -> bool:
    return not set(held_out.rows.micrographs).isdisjoint(candidates.micrographs)
