# SPDX-License-Identifier: GPL-3.0-or-later
"""General HydraPicker model that comes with the package and needs no training."""

from __future__ import annotations

from pathlib import Path

import deepconsensus_plugin
from deepconsensus_plugin.core.networks.card import CARD_FILE


def general_model() -> Path:
    """Return the folder of the general model.

    Raises
    ------
    FileNotFoundError
        If this version comes without one.
    """
    folder = Path(deepconsensus_plugin.__file__).parent / "general_model"
    if not (folder / CARD_FILE).is_file():
        raise FileNotFoundError(
            f"{folder}: expected the general model that is part of the package, "
            "received none; `make train-general` makes it"
        )
    return folder
