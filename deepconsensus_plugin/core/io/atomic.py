# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, so that a killed run leaves no half file.

A file is written beside its place, sent to the disk, and then renamed; the folder goes
to the disk last. So a power cut, too, leaves the old file or the new one.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial."
"""Beginning of the names of files that are being written."""

_NO_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Errors of writing, which the system gives without a name."""

_LONGEST_TAIL = 230
"""Bytes; file systems take names of 255, with the mark and the process' id before."""


@contextmanager
def whole_file(path: Path | str, *, is_lasting: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` at the end.

    If the block raises, what was written is removed and `path` stays as it was. What a
    killed process left is removed by the next one that writes the same file. The
    path that is yielded has the same extension.

    Parameters
    ----------
    path : Path or str
        The file to write; its folder must exist.
    is_lasting : bool
        Whether the file is to survive a power cut. Not worth its time for what is
        written anew every second.
    """
    target = Path(path)
    tail = _tail(target)
    _remove_left(target.parent.glob(f"{PARTIAL}*.{glob.escape(tail)}"))
    partial = target.with_name(f"{PARTIAL}{os.getpid()}.{tail}")
    try:
        with naming(target):
            yield partial
            if is_lasting:
                _sync(partial)
            partial.replace(target)
        if is_lasting:
            sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors of a disk that is full, or too small for a file, name the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_PLACE or error.filename is not None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def remove_left_over(folder: Path) -> None:
    """Remove the half files of killed processes in a folder and below it.

    For whoever works there alone: processes on other computers look as if they had
    ended.
    """
    _remove_left(folder.rglob(f"{PARTIAL}*.*"))


def _remove_left(found: Iterable[Path]) -> None:
    for left in found:
        pid = left.name.removeprefix(PARTIAL).partition(".")[0]
        if pid.isdecimal() and not _is_running(int(pid)):
            left.unlink(missing_ok=True)


def _tail(target: Path) -> str:
    """Return the file's name, or a digest of it where more would be too long."""
    if len(target.name.encode()) <= _LONGEST_TAIL:
        return target.name
    digest = hashlib.blake2b(target.name.encode(), digest_size=8).hexdigest()
    return digest + target.suffix


def _sync(path: Path) -> None:
    """Send the content of a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Send the names in a folder to the disk, where its file system can do that."""
    with suppress(OSError):  # some network file systems sync no folders
        _sync(folder)


def reserve(path: Path) -> None:
    """Take all bytes of a file on the disk; a full one then says so.

    To write to a mapped page that the disk has no place for ends the process.
    """
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def write_text(path: Path | str, text: str, *, is_lasting: bool = True) -> None:
    """Write `text` as UTF-8 with line feeds on every platform."""
    with whole_file(path, is_lasting=is_lasting) as partial:
        partial.write_bytes(text.encode("utf-8"))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
