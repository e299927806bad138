# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutations of files that know how files are built: bytes, lines and fields, JSON."""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

TOKENS = (
    *("nan", "inf", "-inf", "NaN", "1e300", "-1e300", "1e999", "9" * 400, "1e16"),
    *("-9223372036854775809", "18446744073709551616", "2147483648", "-1", "0", "-0"),
    *("", "NA", "<NA>", "None", "1_0", "0x10", "1e6", "1000001", "1e-320", "½", "٣"),
    *("--", "+5", "5e", "1.5.2", "\x00", "=1+1", "é", "\u2028", "\x0b", "'", '"', "#"),
    *("data_", "loop_", "_x", "x" * 140_000, "../../etc/passwd", "/dev/zero", "%s"),
)
"""Fields that programs, people and attackers write instead of others."""

VALUES: tuple[Any, ...] = (
    *(None, True, "", "x", [], {}, [1], -1, 0, 1, 1.5, -0.5, 2**31, 2**63, 2**64),
    *(1e300, -1e300, float("nan"), float("inf"), 10**400, "9" * 200, "\x00", "é"),
    *([[[[1]]]], {"a": {"b": 1}}, "../../x", "\ud800"),
)
"""What a value of JSON may be replaced with."""

_NUMBERS = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
_SEPARATORS = re.compile(r"([ \t,;]+)")
_LINE_ENDS = ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "")
_DEEP = 100_000

Rng = random.Random


def cut(data: bytes, rng: Rng) -> bytes:
    """Return a file that ends early."""
    return data[: rng.randrange(len(data) + 1)]


def lose(data: bytes, rng: Rng) -> bytes:
    """Return a file that has lost some bytes in the middle."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice((1, 2, 4, 13, 512)) :]


def mutate_bytes(data: bytes, rng: Rng) -> bytes:
    """Return a file with other bytes somewhere."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(changed) + 1)
        size = rng.choice((1, 2, 4, 8))
        number = rng.choice(_NUMBERS) % 256**size
        end = rng.choice((at, at + size))  # insert, or replace
        changed[at:end] = rng.choice(
            (
                number.to_bytes(size, rng.choice(("little", "big"))),
                rng.randbytes(size),
                bytes(changed[rng.randrange(len(changed) + 1) :][:size]),
            )
        )
        if changed and rng.random() < 0.5:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def mutate_text(data: bytes, rng: Rng) -> bytes:
    """Return a text with other fields, lines or line ends."""
    lines = data.decode("utf-8").split("\n")
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(lines))
        act = rng.choice((_field, _field, _field, _drop, _repeat, _swap, _end, _mark))
        act(lines, at, rng)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _field(lines: list[str], at: int, rng: Rng) -> None:
    parts = _SEPARATORS.split(lines[at])
    place = rng.randrange(len(parts))
    parts[place] = rng.choice((*TOKENS, parts[rng.randrange(len(parts))]))
    lines[at] = "".join(parts)


def _drop(lines: list[str], at: int, rng: Rng) -> None:
    if len(lines) > 1:
        del lines[at]


def _repeat(lines: list[str], at: int, rng: Rng) -> None:
    lines.insert(rng.randrange(len(lines) + 1), lines[at])


def _swap(lines: list[str], at: int, rng: Rng) -> None:
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _end(lines: list[str], at: int, rng: Rng) -> None:
    lines[at] += rng.choice(_LINE_ENDS)
    if at + 1 < len(lines) and rng.random() < 0.5:
        lines[at] += lines.pop(at + 1)


def _mark(lines: list[str], at: int, rng: Rng) -> None:
    lines[at] = rng.choice(("\ufeff", "#", " ", "\t", ",")) + lines[at]


def mutate_json(data: bytes, rng: Rng) -> bytes:
    """Return JSON with other values, keys or depths."""
    if rng.random() < 0.02:
        return rng.choice((b"[", b'{"a":', b"[1,")) * _DEEP
    content = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = _with_other_value(content, rng)
    return json.dumps(content).encode("utf-8", "surrogatepass")


def _with_other_value(content: Any, rng: Rng) -> Any:
    """Change one place of `content`, or return something else."""
    holder, at = content, None
    while isinstance(holder, dict | list) and holder:
        at = rng.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
        if not isinstance(holder[at], dict | list) or rng.random() < 0.2:
            break
        if not holder[at]:
            break
        holder = holder[at]
    if at is None:
        return _other(rng)
    act = rng.random()
    if act < 0.15:
        del holder[at]
    elif act < 0.25 and isinstance(holder, dict):
        holder[str(rng.choice(TOKENS))[:50]] = holder.pop(at)
    else:
        holder[at] = _other(rng)
    return content


def _other(rng: Rng) -> Any:
    """Return a value of its own, which later mutations may change."""
    return copy.deepcopy(rng.choice(VALUES))


def mutate_gzip(data: bytes, rng: Rng) -> bytes:
    """Return a whole gzip file of mutated content."""
    return gzip.compress(mutate_bytes(gzip.decompress(data), rng), 1)


def mutate_bzip2(data: bytes, rng: Rng) -> bytes:
    """Return a whole bzip2 file of mutated content."""
    return bz2.compress(mutate_bytes(bz2.decompress(data), rng), 1)


def mutate_weights(data: bytes, rng: Rng) -> bytes:
    """Return a whole archive of a model with one of its files mutated."""
    return _mutate_member(data, rng, ("model.weights.h5",) * 9)


def mutate_arrays(data: bytes, rng: Rng) -> bytes:
    """Return a whole archive of arrays with one of them mutated."""
    return _mutate_member(data, rng, ())


def _mutate_member(data: bytes, rng: Rng, more: tuple[str, ...]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(more + tuple(members))
    members[name] = rng.choice((mutate_bytes, mutate_bytes, cut))(members[name], rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


Mutation = Callable[[bytes, Rng], bytes]
