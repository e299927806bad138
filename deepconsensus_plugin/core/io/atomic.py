# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, so that a killed run leaves no half file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` at the end.

    If the block raises, what was written is removed and `path` stays as it was.

    Parameters
    ----------
    path : Path or str
        The file to write; its folder must exist.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 with line feeds on every platform."""
    with whole_file(path) as partial:
        partial.write_bytes(text.encode("utf-8"))
