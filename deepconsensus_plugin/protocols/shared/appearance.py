# SPDX-License-Identifier: GPL-3.0-or-later
"""Appearance of a protocol in Scipion's windows: names of runs, helps, warnings."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.shared.half_made import SoundSteps

LINE_LETTERS = 75
"""Letters of a line that the window of a help shows whole."""

_GLUE = "\N{NO-BREAK SPACE}"
_EMPHASISED = re.compile(r"\*[^*\n]+\*")


class Appearance(SoundSteps):
    """Mixin of protocols whose runs have short names, and whose helps show whole.

    Scipion names a new run after the label of its class, numbered where there are
    several: *score particles (2)*. It puts the plugin's name before it unless told not
    to, and cuts a name of more than 40 characters in the boxes of a project. The window
    of a help is made for the number of its lines, however long they are.

    A run that may use a GPU warns where the machine has one that it would not use.

    All protocols of this package have it, and are `SoundSteps` by it.
    """

    @classmethod
    def getClassLabel(cls, prependPackageName: bool = False) -> str:
        """Return the label, with the plugin's name before it only where asked for."""
        return super().getClassLabel(prependPackageName)

    def warnings(self) -> list[str]:
        """Return the warnings of the form, and one on a GPU that is not used."""
        unused = Plugin.describeUnusedGpu() if self.usesGpu() else []
        return [*super().warnings(), *unused]

    def _createVarsFromDefinition(self, **values: Any) -> None:
        """Break the lines of helps, then go on as Scipion does with a form."""
        for _, param in self._definition.iterAllParams():
            if param.help.hasValue():
                param.help.set(wrapped(param.help.get()))
        super()._createVarsFromDefinition(**values)


def wrapped(text: str) -> str:
    """Return a help in lines that its window shows whole.

    What is emphasised stays in one line, else the asterisks are shown as they are.
    """

    def glue(emphasised: re.Match[str]) -> str:
        return emphasised[0].replace(" ", _GLUE)

    paragraphs = _EMPHASISED.sub(glue, text).splitlines()
    lines = [part for each in paragraphs for part in textwrap.wrap(each, LINE_LETTERS)]
    return "\n".join(lines).replace(_GLUE, " ")
