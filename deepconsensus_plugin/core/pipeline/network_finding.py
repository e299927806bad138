# SPDX-License-Identifier: GPL-3.0-or-later
"""Maxima of a model on micrographs and on nulls, here or in other processes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from deepconsensus_plugin.core.execution import Executor, Here, map_ahead
from deepconsensus_plugin.core.methods import TrainedPicker, load_picker
from deepconsensus_plugin.core.networks.loaded import StoredModel
from deepconsensus_plugin.core.pipeline.network_nulls import pick_null
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.nulls import Null
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import area_path, read_area


def find_each(
    request: NetworkPickRequest, left: Sequence[Micrograph], elsewhere: Executor | None
) -> Iterator[ScoredCoordinates]:
    """Yield all maxima of each micrograph; they are prepared ahead."""
    if elsewhere is not None:
        model = StoredModel.of(load_picker, request.model, request.options)
        find = functools.partial(_find, model)
        yield from elsewhere.map(find, left, workers=request.workers)
    elif left:
        picker = load_picker(request.model, request.options)
        for each in map_ahead(picker.prepare, left, workers=request.workers):
            yield picker.find(each)


def _find(
    model: StoredModel[TrainedPicker], micrograph: Micrograph
) -> ScoredCoordinates:
    with model.computing() as picker:
        return picker.find(picker.prepare(micrograph))


def find_nulls(
    request: NetworkPickRequest, nulls: Sequence[Null], elsewhere: Executor | None
) -> Iterator[ScoredCoordinates]:
    """Yield all maxima of each null, which is made from a masked micrograph."""
    if not nulls:
        return iter(())
    model = StoredModel.of(load_picker, request.model, request.options)
    find = functools.partial(_find_null, model, request.masks, request.found)
    return (elsewhere or Here()).map(find, nulls, workers=request.workers)


def _find_null(
    model: StoredModel[TrainedPicker], masks: Path, folder: Path, null: Null
) -> ScoredCoordinates:
    area = read_area(area_path(masks, null.micrograph.name))
    with model.computing() as picker:
        return pick_null(picker, null, area, folder)
