# SPDX-License-Identifier: GPL-3.0-or-later
"""EMAN2 ``<micrograph>_info.json``: ``"boxes": [[x, y, "manual", score], ...]``.

Positions are box CENTRES; the size is in ``info/project.json`` and not read. The score
(fourth entry) is there for boxes of EMAN2's own pickers only. EMAN2 keeps many other
things in the same file: without ``boxes`` it says nothing about particles, and the
micrograph counts as not observed.
"""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
    read_text,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

logger = logging.getLogger(__name__)


def _recognise(head: bytes) -> bool:
    return head.lstrip().startswith(b"{")


def _read(path: Path, box_size: float | None) -> FilePicks:
    text = read_text(path)
    if not text.strip():
        return FilePicks({None: NO_COORDINATES})
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileFormatError(path, expected="JSON", received=str(error)) from error
    if not isinstance(content, dict):
        received = f"a {type(content).__name__}"
        raise FileFormatError(path, expected="a JSON object", received=received)
    if "boxes" not in content:
        logger.info("%s: no 'boxes', so nothing is known of its particles", path)
        return FilePicks({})
    boxes = content["boxes"]
    if not isinstance(boxes, list):
        expected = "a list 'boxes'"
        raise FileFormatError(path, expected=expected, received=repr(boxes)[:80])
    rows = [_parse(path, number, box) for number, box in enumerate(boxes, start=1)]
    picks = ScoredCoordinates.from_arrays(
        [(y, x) for x, y, _ in rows], [score for _, _, score in rows]
    )
    return FilePicks({None: picks})


def _parse(path: Path, number: int, box: Any) -> tuple[float, float, float]:
    fields = box if isinstance(box, list) else []
    if len(fields) < 2 or not all(_is_finite(field) for field in fields[:2]):
        raise FileFormatError(
            path,
            expected=f"box {number} of 'boxes' as [x, y, type, score]",
            received=repr(box)[:80],
        )
    score = fields[3] if len(fields) > 3 and _is_finite(fields[3]) else math.nan
    return float(fields[0]), float(fields[1]), float(score)


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    boxes = [
        [x, y, "manual"] if math.isnan(score) else [x, y, "auto", score]
        for (y, x), score in zip(picks.yx.tolist(), picks.scores.tolist(), strict=True)
    ]
    write_text(path, json.dumps({"boxes": boxes}, indent=1) + "\n")


CODEC = PickCodec(extensions=(".json",), recognise=_recognise, read=_read, write=_write)
