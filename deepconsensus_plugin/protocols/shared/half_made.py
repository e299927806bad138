# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases of a run that a full disk or a kill left half made.

Scipion makes the tables of ``steps.sqlite`` one by one, and copies the whole project to
``run.db``. It cannot continue a run where one of them was cut off: *no such table:
Classes*. Both hold only how far the run had come. Without them all steps are done
again, and take up what their jobs finished. The command *run* removes both. In
Scipion's window, *Continue* copies ``run.db`` anew, and the run sees to its steps.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from pyworkflow.protocol import Protocol, Step

logger = logging.getLogger(__name__)

_STEPS, _RUN = {"Classes", "Objects"}, {"Objects", "Relations"}


def forgetHalfMade(protocol: Protocol) -> bool:
    """Remove those databases of a run that cannot be read; return whether there were.

    The working directory is that of the project.
    """
    found = False
    for path, tables in (
        (protocol.getStepsFile(), _STEPS),
        (protocol.getDbPath(), _RUN),
    ):
        if Path(path).is_file() and not isWhole(Path(path), tables):
            logger.warning(
                "%s: %s is half made, as after a full disk; the run is made anew, and "
                "what its jobs finished is kept",
                protocol.getObjLabel(),
                path,
            )
            removeDatabase(Path(path))
            found = True
    return found


class SoundSteps:
    """Mixin of protocols that can be continued where their steps are half made."""

    def loadSteps(self) -> list[Step]:
        """Return the steps of the last run; none where their file is half made."""
        path = Path(self.getStepsFile())
        if path.is_file() and not isWhole(path, _STEPS):
            return []
        return list(super().loadSteps())

    def _storeSteps(self) -> None:
        """Write the steps of a run; in a new file if theirs is half made."""
        path = Path(self.getStepsFile())
        if path.is_file() and not isWhole(path, _STEPS):
            logger.warning(
                "%s is half made, as after a full disk; all steps are done again, and "
                "what their jobs finished is kept",
                path,
            )
            removeDatabase(path)
        super()._storeSteps()


def isWhole(path: Path, tables: set[str]) -> bool:
    """Return whether a file is a sound database with these tables, or is in use."""
    try:
        with closing(sqlite3.connect(path)) as database:
            names = {name for (name,) in database.execute(_NAMES)}
            return tables <= names and list(database.execute(_CHECK)) == [("ok",)]
    except sqlite3.DatabaseError as error:
        return "locked" in str(error)  # by who writes it


def removeDatabase(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for each in (path, *(path.with_name(path.name + end) for end in _BESIDE)):
        each.unlink(missing_ok=True)


_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_CHECK = "PRAGMA quick_check"
_BESIDE = ("-journal", "-wal", "-shm")
