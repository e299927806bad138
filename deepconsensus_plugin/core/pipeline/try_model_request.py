# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to try a model before it is used, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared


@dataclass(frozen=True)
class TryModelRequest(Declared):
    """Request to load the model of a folder and to score noise with it.

    Parameters
    ----------
    model : Path
        Folder of the model.
    """

    model: Path


@dataclass(frozen=True)
class TryModelResult:
    """Result of a trial: the number of places that were scored, and a score."""

    n_scored: int
    score: float
