# SPDX-License-Identifier: GPL-3.0-or-later
"""Choice whether contaminated area is used, declared once for all that have it."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare

AVOID_CONTAMINATION = declare(
    "Avoid carbon and ice",
    "*Yes*: nothing is picked or accepted on carbon, ice crystals, gold and other "
    "contamination, as it was found on each micrograph.\n"
    "*No*: only padded edges and areas without signal are left out.",
)
"""Declaration of a field that is true by default."""


@dataclass(frozen=True)
class AreaChoice(Declared):
    """Choice of the area that is used."""

    avoid_contamination: bool = field(default=True, metadata=AVOID_CONTAMINATION)


@dataclass(frozen=True)
class UnreadableChoice(Declared):
    """Choice of what becomes of micrographs whose files cannot be read."""

    skip_bad: bool = field(
        default=False,
        metadata=declare(
            "Skip unreadable micrographs",
            "*Yes*: micrographs whose files are damaged, cut off or gone are left out "
            "with their picks; the summary counts and names them.\n"
            "*No*: the run stops at the first and names it.",
            is_expert=True,
        ),
    )
