# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion plugin that makes one clean set of particles from several pickers.

Importing this package imports nothing else: `deepconsensus_plugin.core` works where
Scipion is absent, and Scipion's own `Plugin` class is fetched only when asked for.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_logo = "logo.png"
_references = ["SanchezGarcia2018"]


def __getattr__(name: str) -> Any:
    """Serve `Plugin`, which Scipion looks for here, on first use (PEP 562)."""
    if name == "Plugin":
        from deepconsensus_plugin.plugin import Plugin

        return Plugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
