# SPDX-License-Identifier: GPL-3.0-or-later
"""File of marks: one line of JSON each, appended and on the disk as it is made.

The first line tells what the file is. A process or computer that fails while a line is
written leaves a part of it, without its end of line; readers leave that out, and the
next one that writes removes it.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import naming, sync_folder
from deepconsensus_plugin.core.io.json_text import parse_json
from deepconsensus_plugin.core.marks.mark import Entry, Mark, Undo, standing_marks
from deepconsensus_plugin.core.serialisation import from_plain, to_plain

_HEADER = {"kind": "marks", "schema": 1}
_EXPECTED = "a file of marks, schema 1"
MARKS_FILE = "marks.jsonl"
"""Name of the file beside the scores that were looked at."""


class MarkLog:
    """File of marks that several windows may append to.

    Parameters
    ----------
    path : Path
        The file; made with the first entry. Its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, *entries: Entry) -> None:
        """Append entries; they are on the disk when this returns.

        Raises
        ------
        FileFormatError
            If the file is none of marks.
        OSError
            If it cannot be written.
        """
        text = b"".join(_line(to_plain(each)) for each in entries)
        with naming(self.path), self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # opened again when the file is closed
            is_new = self._remove_torn_line(file)
            file.write((_line(_HEADER) if is_new else b"") + text)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.path.parent)

    def read(self) -> tuple[Entry, ...]:
        """Return all entries in order; none where there is no file.

        Raises
        ------
        FileFormatError
            If the file is none of marks; names the line.
        """
        if not self.path.exists() or _is_hardly_begun(self.path.read_bytes()):
            return ()
        return read_entries(self.path)

    def standing(self) -> tuple[Mark, ...]:
        """Return the marks that count (`standing_marks`)."""
        return standing_marks(self.read())

    def _remove_torn_line(self, file: Any) -> bool:
        """Remove what follows the last end of line; return whether nothing is left."""
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if not _is_hardly_begun(content):
            _check_header(self.path, content)
        if whole < len(content):
            file.truncate(whole)
        return not whole


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a file of marks; a last line without its end is left out.

    Raises
    ------
    FileFormatError
        If the file holds anything else; names the line.
    """
    content = path.read_bytes()
    content = content[: content.rfind(b"\n") + 1]
    _check_header(path, content)
    return tuple(
        _read_entry(path, number, line)
        for number, line in enumerate(content.split(b"\n")[:-1], start=1)
        if number > 1
    )


def _is_hardly_begun(content: bytes) -> bool:
    """Return whether there is less than the first line of such a file."""
    header = _line(_HEADER)
    return len(content) < len(header) and header.startswith(content)


def _line(content: Any) -> bytes:
    return (json.dumps(content, allow_nan=False) + "\n").encode()


def _check_header(path: Path, content: bytes) -> None:
    first, _, _ = content.partition(b"\n")
    found = _parse(path, 1, first) if content else "nothing"
    if found != _HEADER:
        raise FileFormatError(path, expected=_EXPECTED, received=f"{found!r}"[:80])


def _read_entry(path: Path, number: int, line: bytes) -> Entry:
    found = _parse(path, number, line)
    if not isinstance(found, dict):
        raise FileFormatError(
            path, expected=f"a mark on line {number}", received=f"{found!r}"[:80]
        )
    kind: type[Entry] = Undo if "undo" in found else Mark
    try:
        return from_plain(found, kind, path=path)
    except FileFormatError as error:
        raise FileFormatError(
            path,
            expected=f"{error.expected} on line {number}",
            received=error.received,
        ) from error


def _parse(path: Path, number: int, line: bytes) -> Any:
    try:
        return parse_json(path, line.decode("utf-8"))
    except (UnicodeDecodeError, FileFormatError) as error:
        received = error.received if isinstance(error, FileFormatError) else str(error)
        expected = f"{_EXPECTED}: JSON on line {number}"
        raise FileFormatError(path, expected=expected, received=received) from error
