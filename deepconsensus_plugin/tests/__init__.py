# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the Scipion side; those of the science are in ``core``."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

_NEEDS_PYTEST = re.compile(r"^(import pytest|from pytest)", re.MULTILINE)


def load_tests(
    loader: unittest.TestLoader, found: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Return the tests for ``scipion3 tests``, which are unittest's; it calls this.

    The others are functions for pytest, which Scipion does not have.
    """
    for path in sorted(Path(__file__).parent.glob(pattern or "test*.py")):
        if not _NEEDS_PYTEST.search(path.read_text(encoding="utf-8")):
            found.addTests(loader.loadTestsFromName(f"{__name__}.{path.stem}"))
    return found
