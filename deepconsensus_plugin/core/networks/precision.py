# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that networks compute in: float32, or bfloat16 with float32 weights.

bfloat16 has the range of float32 and 8 bits of it, so gradients need no scaling, and
weights learnt in it are those of the same network in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def computing_in(*, half_precision: bool) -> Iterator[None]:
    """Make layers that are built inside compute in bfloat16, or in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if half_precision else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
