# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader under test, and the mutations that fit its files."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutations import (
    Mutation,
    cut,
    lose,
    mutate_bytes,
    mutate_json,
    mutate_text,
)

TEXT: tuple[Mutation, ...] = (mutate_text, mutate_text, mutate_text, mutate_bytes, cut)
JSON: tuple[Mutation, ...] = (mutate_json, mutate_json, mutate_json, mutate_bytes, cut)
BYTES: tuple[Mutation, ...] = (mutate_bytes, mutate_bytes, cut, lose)


@dataclass(frozen=True)
class Subject:
    """Reader under test.

    Parameters
    ----------
    name : str
        Of the reader.
    file : str
        Name that its file has.
    read : callable
        Path to what the file holds.
    fault : callable
        What is wrong with what was read, whatever the mutation; empty if nothing.
    mutations : sequence of callable
        One is chosen for each input.
    is_fast : bool
        Whether it reads in a fraction of a millisecond.
    is_image : bool
        Whether a file that was cut must give the same pixels, or be refused.
    """

    name: str
    file: str
    read: Callable[[Path], Any]
    fault: Callable[[Any], str]
    mutations: Sequence[Mutation]
    is_fast: bool = True
    is_image: bool = False

    def mutate(self, data: bytes, rng: random.Random) -> tuple[bytes, Mutation]:
        """Return a mutated file, and how."""
        mutation = rng.choice(self.mutations)
        return mutation(data, rng), mutation
