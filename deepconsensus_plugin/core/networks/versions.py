# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of the software that trained a model."""

from __future__ import annotations

import importlib

import keras
import numpy as np

from deepconsensus_plugin import __version__


def used_versions() -> dict[str, str]:
    """Return the versions of this package and those underneath, for cards."""
    backend = keras.backend.backend()
    return {
        "deepconsensus_plugin": __version__,
        "keras": keras.__version__,
        backend: importlib.import_module(backend).__version__,
        "numpy": np.__version__,
    }
