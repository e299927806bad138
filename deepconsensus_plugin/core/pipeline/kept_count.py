# SPDX-License-Identifier: GPL-3.0-or-later
"""Count of the particles of a sample, made once and kept in a file."""

from __future__ import annotations

import logging

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.pickers.classical.counting import (
    ParticleCount,
    choose_counted,
    estimate_particles,
)
from deepconsensus_plugin.core.pickers.trained.card import UnknownSample
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)

_CODE_VERSION = 1
"""Raised when the same request gives another count; older files are then ignored."""

logger = logging.getLogger(__name__)


def count_particles(
    request: NetworkPickRequest, sample: UnknownSample, progress: Progress
) -> float | None:
    """Return how many particles the pickers without training count on all micrographs.

    At most eight micrographs are looked at. None where their scores do not separate
    particles from background.
    """
    some = choose_counted(request.micrographs)
    origin = digest(
        _CODE_VERSION,
        sample,
        [(each.sampling_rate, digest_file(each.path)) for each in some],
    )
    path = request.found / f"count.{origin[:16]}.json"
    if path.is_file():
        found = from_plain(read_json(path), ParticleCount, path=path)
    else:
        with progress.stage("count particles", 1) as count:
            found = estimate_particles(
                some,
                diameter_A=sample.diameter_A,
                particles_dark=sample.is_dark,
                workers=request.workers,
            )
            write_json(path, to_plain(found))
            count(1)
    if not found.is_separated:
        return None
    logger.info("About %.0f particles a micrograph", found.number)
    return found.number * len(request.micrographs)
