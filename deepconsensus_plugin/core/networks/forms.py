# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of convolutions: ways to compute the same function of the same weights.

Results of two forms differ by rounding. So what is made with some forms is continued
with the same, and says which they were. Importing this does not import Keras.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.serialisation import from_plain, read_json, write_json

_MADE_FROM, _FORMS = "made_from", "forms"


class Form(enum.Enum):
    """Form of a stride-1 "same" convolution with a square kernel."""

    PLAIN = "plain"
    """Keras' own layer."""

    FOURIER = "Fourier space"
    """Product in Fourier space (`fourier`)."""

    PACKED = "packed columns"
    """Columns packed into channels, for training (`packed`)."""

    STRIDED = "packed results"
    """Columns of the result packed into channels, for scoring (`packed`)."""


Forms = tuple[Form, ...]
"""Form of each convolution of a network, in order."""


@dataclass(frozen=True)
class Convolution:
    """Shape of a convolution: all that its fastest form depends on.

    Parameters
    ----------
    kernel_size : int
        Side of the kernel, odd.
    n_in, n_out : int
        Channels of input and result.
    side : int
        Rows and columns of the input.
    """

    kernel_size: int
    n_in: int
    n_out: int
    side: int


def keep_forms(path: Path, choose: Callable[[], Forms], *, made_from: str) -> Forms:
    """Return the forms that work was begun with, or choose some and keep them.

    Parameters
    ----------
    path : Path
        JSON file beside what a killed run leaves.
    choose : callable
        Called where no work of the same origin was begun.
    made_from : str
        Identifies the work; only the same is continued.
    """
    if path.is_file():
        kept = read_json(path)
        if kept.get(_MADE_FROM) == made_from:
            return from_plain(kept.get(_FORMS), tuple[Form, ...], path=path)
    forms = choose()
    write_json(path, {_MADE_FROM: made_from, _FORMS: [form.value for form in forms]})
    return forms
