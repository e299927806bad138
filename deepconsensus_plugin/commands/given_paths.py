# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that the user of ``run`` gives, made absolute."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.particle_files.shipped_junk import JUNK, shipped_junk

SET_NAMES = ("extraPositives", "extraNegatives", "testPositives", "testNegatives")
"""What takes a user's own sets to train and to test on, by the names of the forms."""


def existing(name: str, path: str) -> str:
    """Return the absolute path of a file or folder that is there.

    Raises
    ------
    ValueError
        If it is not; `name` is the setting.
    """
    absolute = Path(path).expanduser().absolute()
    if not absolute.exists():
        raise ValueError(f"{name}: no such file or folder: {absolute}")
    return str(absolute)


def parse_set(name: str, text: str) -> tuple[str, ...]:
    """Return the files and folders of a set; a test has one.

    Raises
    ------
    ValueError
        If one is not there, or the number is wrong.
    """
    words = [word for word in text.split(",") if word]
    paths = tuple(junk_or(word) or existing(name, word) for word in words)
    if not paths or (len(paths) > 1 and name.startswith("test")):
        expected = "one path" if name.startswith("test") else "paths"
        raise ValueError(f"{name}: expected {expected}, received {text!r}")
    return paths


def junk_or(word: str) -> str | None:
    """Return the file of the junk that comes with the package; None for other words."""
    return str(shipped_junk()) if word == JUNK else None
