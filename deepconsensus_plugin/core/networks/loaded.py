# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that a process has loaded, for work that others send it.

A worker of a scheduler outlives jobs, and has several threads: a model is loaded once,
anew when its files have changed, and computes for one of them at a time.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE

Model = TypeVar("Model")

COMPUTING = threading.RLock()
"""Lock of what networks compute in this process."""


@dataclass(frozen=True)
class StoredModel(Generic[Model]):
    """Model in a folder, to be loaded in whichever process computes it.

    Parameters
    ----------
    load : callable
        Function of a module, from the folder and the options to the model.
    folder : Path
        Folder of the model.
    options : object
        Options of loading; hashable.
    made_of : str
        Digest of its files.
    """

    load: Callable[[Path, Any], Model]
    folder: Path
    options: Any
    made_of: str

    @classmethod
    def of(
        cls, load: Callable[[Path, Any], Model], folder: Path, options: Any
    ) -> StoredModel[Model]:
        """Return the model as it lies in its folder now."""
        files = [digest_file(folder / name) for name in (CARD_FILE, WEIGHTS_FILE)]
        return cls(load, folder, options, digest(files))

    @contextmanager
    def computing(self) -> Iterator[Model]:
        """Load the model, unless it is, and let nothing else compute meanwhile."""
        with COMPUTING:
            yield _load(self)


@functools.lru_cache(maxsize=1)
def _load(stored: StoredModel[Model]) -> Model:
    return stored.load(stored.folder, stored.options)
