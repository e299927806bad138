# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that tries a model: it is loaded, and scores a small micrograph of noise.

What weights are worth is not seen here, only that the network on the card takes them
and gives numbers. The weights are read in a process of their own first: a file that
breaks a library, or keeps it busy for ever, breaks nothing else.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import ModelFormatError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.methods import load_card, load_picker
from deepconsensus_plugin.core.pipeline.try_model_request import (
    TryModelRequest,
    TryModelResult,
)
from deepconsensus_plugin.core.pipeline.weights_apart import try_weights
from deepconsensus_plugin.core.types import Ctf, FloatArray, Micrograph

_BOXES = 2
"""Side of the micrograph, in boxes of the model."""

_SMALLEST_PX, _LARGEST_PX = 64, 1024
_NAME = "noise.mrc"
_CTF = Ctf(15000.0, 15000.0, 0.0, 300.0, 2.7, 0.1)


def run(request: TryModelRequest, progress: Progress) -> TryModelResult:
    """Carry out a `TryModelRequest`.

    Raises
    ------
    ModelFormatError
        If the folder holds no model that this version knows, its weights cannot be
        read within a minute, or its network gives no numbers.
    """
    try_weights(request.model)
    scores = _score_noise(request.model)
    if not scores.size or not np.isfinite(scores).all():
        raise ModelFormatError(
            request.model,
            expected="a network that gives numbers for noise",
            received="NaN or infinity" if scores.size else "nothing",
        )
    return TryModelResult(n_scored=scores.size, score=float(scores.flat[0]))


def _score_noise(model: Path) -> FloatArray:
    card = load_card(model)
    try:
        picker = load_picker(model, card.trial_options())
        pixels = _BOXES * card.box_extent_A / picker.pixel_size_A
        side = int(np.clip(pixels, _SMALLEST_PX, _LARGEST_PX))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _NAME
            noise = np.random.default_rng(1).normal(size=(side, side))
            rate = picker.pixel_size_A
            write_micrograph(path, noise, PixelType.FLOAT32, sampling_rate=rate)
            micrograph = Micrograph(_NAME, path, (side, side), rate, _CTF)
            with np.errstate(all="ignore"):
                return np.asarray(picker.score_some(picker.prepare(micrograph)))
    except ModelFormatError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise ModelFormatError(
            model, expected="a network that scores noise", received=str(error)
        ) from error
