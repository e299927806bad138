# SPDX-License-Identifier: GPL-3.0-or-later
"""Scoring job: every coordinate scored by an ensemble, particle stacks on the way.

Micrographs are read once, a little ahead of the network, and nothing of them is kept,
so that memory does not grow with their number. Batches run across micrographs. Every
batch's scores are written at once, and a run that was killed goes on after them.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.deep_consensus.batch_scorer import BatchScorer
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoreRequest,
    ScoreResult,
)
from deepconsensus_plugin.core.deep_consensus.scoring import in_batches
from deepconsensus_plugin.core.deep_consensus.stacks import (
    new_stack,
    refuse_equal_stems,
)
from deepconsensus_plugin.core.deep_consensus.store import scoring_forms
from deepconsensus_plugin.core.digests import digest, digest_file, digest_micrographs
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.growing import AppendOnlyRows
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.networks.forms import keep_forms
from deepconsensus_plugin.core.preprocessing import prepare_boxes
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import FloatArray, Micrograph


def run(request: ScoreRequest, progress: Progress) -> ScoreResult:
    """Carry out a `ScoreRequest`.

    Raises
    ------
    IncompatibleModelError
        If the model was trained on boxes of another extent.
    ValueError
        If a coordinate lies on a micrograph that is not given.
    """
    card = load_card_of(request.model, EnsembleCard)
    card.check_fits(
        box_size=request.box_size, sampling_rate=request.micrographs[0].sampling_rate
    )
    work = _work(request)
    origin = _origin(request, work)
    partial = request.scores.with_suffix(".partial")
    forms_file = partial.with_suffix(".forms.json")
    forms = keep_forms(
        forms_file,
        lambda: scoring_forms(card, half_precision=request.half_precision),
        made_from=origin,
    )
    scorer = BatchScorer.of(request, forms, progress.networks)
    size = card.preprocessing.input_size
    n_at_once = request.batch_size or scorer.fitting_batch(size)
    cut = functools.partial(_cut_and_prepare, replace(request, micrographs=()), card)
    with (
        progress.stage("score", sum(len(yx) for _, yx in work)) as advance,
        AppendOnlyRows(
            partial,
            card.n_models,
            made_from=digest(origin, [n_at_once]),
            step=n_at_once,
        ) as scored,
    ):
        advance(scored.n_kept)
        left, n_known = _left(work, scored.n_kept)
        boxes = progress.executor.map(cut, left, workers=request.workers)
        batches = in_batches(boxes, n_at_once, skip=n_known)
        for of_batch in scorer.score(batches, n_at_once):
            scored.append(of_batch)
            advance(len(of_batch))
        scores = EnsembleScores.of(scored.read())
    write_scores(request.scores, scores)
    partial.unlink()
    forms_file.unlink()
    return ScoreResult(request.scores, len(scores.mean), progress.timings, forms)


def _origin(request: ScoreRequest, work: list[tuple[Micrograph, FloatArray]]) -> str:
    """Return a digest of all inputs of scores and stacks."""
    return digest(
        digest_micrographs(micrograph for micrograph, _ in work),
        *(yx for _, yx in work),
        [request.box_size, request.half_precision],
        [to_plain(request.stacks)],
        [digest_file(request.model / name) for name in (CARD_FILE, WEIGHTS_FILE)],
    )


def _left(
    work: list[tuple[Micrograph, FloatArray]], n_done: int
) -> tuple[list[tuple[Micrograph, FloatArray]], int]:
    """Return the work left after `n_done` boxes, and the number done of its first."""
    for i, (_, yx) in enumerate(work):
        if n_done < len(yx):
            return work[i:], n_done
        n_done -= len(yx)
    return [], 0


def _work(request: ScoreRequest) -> list[tuple[Micrograph, FloatArray]]:
    """Yield micrographs with their coordinates, in the order of the file."""
    micrographs = {micrograph.name: micrograph for micrograph in request.micrographs}
    coordinates = read_coordinates(request.coordinates)
    unknown = [name for name in coordinates if name not in micrographs]
    if unknown:
        raise ValueError(
            f"{request.coordinates}: coordinates on {len(unknown)} micrographs that "
            f"are not among the {len(micrographs)} given, e.g. {unknown[0]}"
        )
    work = [(micrographs[name], xy.yx) for name, xy in coordinates.items() if len(xy)]
    if request.stacks is not None:
        refuse_equal_stems(micrograph.name for micrograph, _ in work)
    return work


def _cut_and_prepare(
    request: ScoreRequest, card: EnsembleCard, item: tuple[Micrograph, FloatArray]
) -> NDArray[np.float32]:
    """Return network input for all coordinates of a micrograph; write its stack too."""
    micrograph, yx = item
    size = card.preprocessing.input_size
    prepared = np.empty((len(yx), size, size), np.float32)
    with new_stack(micrograph, len(yx), request.box_size, request.stacks) as write:
        first = 0
        for boxes in cut_boxes(
            micrograph,
            yx,
            request.box_size,
            phase_flip=card.preprocessing.phase_flip,
        ):
            some = slice(first, first + len(boxes))
            first = some.stop
            prepared[some] = prepare_boxes(boxes, card.preprocessing)
            write(some, boxes)
    return prepared
