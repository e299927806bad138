# SPDX-License-Identifier: GPL-3.0-or-later
"""Label of a protocol without the name of the plugin, which fills a run's box."""

from __future__ import annotations


class ShortLabel:
    """Mixin of protocols whose runs are named after the protocol alone.

    Scipion names a new run after the label of its class, numbered where there are
    several: *score particles (2)*. It puts the plugin's name before it unless told not
    to, and cuts a name of more than 40 characters in the boxes of a project.
    """

    @classmethod
    def getClassLabel(cls, prependPackageName: bool = False) -> str:
        """Return the label, with the plugin's name before it only where asked for."""
        return super().getClassLabel(prependPackageName)
