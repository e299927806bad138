# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks on tests that run with unittest too, where pytest is not installed.

``scipion3 tests`` is unittest in Scipion's environment. `conftest` makes pytest's marks
of these.
"""

from __future__ import annotations

from typing import TypeVar

Test = TypeVar("Test")

SLOW = "is_slow_test"
"""Attribute of what `slow` has marked."""


def slow(test: Test) -> Test:
    """Mark a class or a function as one that trains at length or starts processes."""
    setattr(test, SLOW, True)
    return test
