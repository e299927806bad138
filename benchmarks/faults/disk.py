# SPDX-License-Identifier: GPL-3.0-or-later
"""Small disk in memory, which can be filled and protected; needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MEGABYTES = 64


@dataclass(frozen=True)
class SmallDisk:
    """Mounted disk."""

    path: Path

    @contextmanager
    def filled(self, *, but: int) -> Iterator[None]:
        """Fill the disk but for some bytes meanwhile."""
        filler = self.path / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                size = file.tell()
                file.truncate(max(0, size - but))
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Protect the disk meanwhile."""
        _call("mount", "-o", "remount,ro", str(self.path))
        try:
            yield
        finally:
            _call("mount", "-o", "remount,rw", str(self.path))


@contextmanager
def small_disk(path: Path) -> Iterator[SmallDisk | None]:
    """Yield a disk that is mounted meanwhile; None where that is not allowed."""
    path.mkdir(parents=True)
    size = f"size={_MEGABYTES}m"
    if os.geteuid() or not _call(
        "mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)
    ):
        yield None
        return
    try:
        yield SmallDisk(path)
    finally:
        _call("umount", "-l", str(path))


def _call(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
