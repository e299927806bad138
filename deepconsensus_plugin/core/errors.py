# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that callers handle separately; all others are built-in exceptions."""

from __future__ import annotations

from pathlib import Path


class FileFormatError(ValueError):
    """A file does not hold what its reader expects.

    Parameters
    ----------
    path : Path
        The file.
    expected, received : str
        Expected and received content of the file.
    """

    def __init__(self, path: Path | str, *, expected: str, received: str) -> None:
        super().__init__(f"{path}: expected {expected}, received {received}")
        self.path = Path(path)
        self.expected = expected
        self.received = received


class OutOfRangeError(ValueError):
    """A value is not in the range that it can have.

    Parameters
    ----------
    subject : str
        What it is a value of.
    expected, received : str
        The range, and the value.
    """

    def __init__(self, subject: str, *, expected: str, received: str) -> None:
        super().__init__(f"{subject}: expected {expected}, received {received}")
        self.expected = expected
        self.received = received


class NameMatchError(ValueError):
    """Pick files and micrographs cannot be matched by name without ambiguity."""


class ModelFormatError(FileFormatError):
    """A model folder is incomplete or was not written by this package."""


class IncompatibleModelError(ValueError):
    """A model does not fit the particles it is asked to score."""


class WithheldError(ValueError):
    """A rule needs an expected figure that is withheld."""


class FolderInUseError(RuntimeError):
    """Another run is at work in a folder."""
