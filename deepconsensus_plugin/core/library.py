# SPDX-License-Identifier: GPL-3.0-or-later
"""Models in a folder: a library of one's own, a Scipion project, or one model alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.archive import check_archive
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE, ModelCard

_IN_LIBRARIES = ("*", "*/*")
_IN_PROJECTS = "Runs/*/extra/model"
"""Model folders of *train network* and *import model* in a project."""


@dataclass(frozen=True)
class KnownModel:
    """A model of a library or a project.

    Parameters
    ----------
    name : str
        Its folder, as seen from the library; in a project, that of its run.
    folder : Path
        With its two files.
    card : ModelCard or None
        None if it cannot be read.
    fault : str
        Why it cannot; empty if it can.
    """

    name: str
    folder: Path
    card: ModelCard | None
    fault: str = ""


def find_models(folder: Path) -> list[KnownModel]:
    """Return the models in a folder, by name.

    Parameters
    ----------
    folder : Path
        A model, which is the only one then; a library, with models in it or in its
        folders; or a Scipion project.

    Raises
    ------
    NotADirectoryError
        If it is no folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: no such folder; expected one with models")
    if is_model(folder):
        return [_read(folder.name, folder)]
    found = {
        path.relative_to(folder).as_posix(): path
        for pattern in _IN_LIBRARIES
        for path in folder.glob(pattern)
        if is_model(path)
    }
    found |= {path.parents[1].name: path for path in folder.glob(_IN_PROJECTS)}
    return [_read(name, path) for name, path in sorted(found.items())]


def is_model(folder: Path) -> bool:
    """Return whether a folder holds a model, or what is left of one."""
    return any((folder / name).is_file() for name in (CARD_FILE, WEIGHTS_FILE))


def _read(name: str, folder: Path) -> KnownModel:
    try:
        card = load_card(folder)
        check_archive(folder / WEIGHTS_FILE)
        return KnownModel(name, folder, card)
    except FileFormatError as error:
        return KnownModel(name, folder, None, str(error))
