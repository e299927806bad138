# SPDX-License-Identifier: GPL-3.0-or-later
"""EMAN2 ``<micrograph>_info.json``: ``"boxes": [[x, y, "manual", score], ...]``.

Positions are box CENTRES; the box size of a project is ``global.boxsize`` in
``project.json`` beside them, in EMAN2's folder ``info``. The score (fourth entry) is
there for boxes of EMAN2's own pickers only. EMAN2 keeps many other things in these
files, such as the CTF: without ``boxes`` one says nothing about particles, and the
micrograph counts as not observed; writing leaves the rest as it is.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.json_text import parse_json
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

logger = logging.getLogger(__name__)

_PROJECT = "project.json"
_BOX_SIZE = "global.boxsize"


def _recognise(head: bytes) -> bool:
    return head.lstrip().startswith(b"{")


def _read(path: Path) -> FilePicks:
    content = _read_object(path)
    if content is None:
        return FilePicks({None: NO_COORDINATES})
    if content.get("boxes_3d") and not content.get("boxes"):
        expected, received = "boxes on a micrograph", "boxes of a tomogram (boxes_3d)"
        raise FileFormatError(path, expected=expected, received=received)
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
    return FilePicks({None: picks}, _read_box_size(path.with_name(_PROJECT)))


def _read_object(path: Path) -> dict[str, Any] | None:
    """Return the content of a file; None where it is empty."""
    text = read_text(path)
    if not text.strip():
        return None
    content = parse_json(path, text, allow_constants=True)
    if not isinstance(content, dict):
        received = f"a {type(content).__name__}"
        raise FileFormatError(path, expected="a JSON object", received=received)
    return content


def _read_box_size(project: Path) -> float | None:
    content = (_read_object(project) if project.is_file() else None) or {}
    size = content.get(_BOX_SIZE)
    return float(size) if _is_within(size, FARTHEST_PX) and size > 0 else None


def _parse(path: Path, number: int, box: Any) -> tuple[float, float, float]:
    fields = box if isinstance(box, list) else []
    places = [field for field in fields[:2] if _is_within(field, FARTHEST_PX)]
    score = fields[3] if len(fields) > 3 and _is_number(fields[3]) else math.nan
    is_score = _is_within(score, LARGEST_SCORE) or math.isnan(score)
    if len(places) < 2 or not is_score:
        raise FileFormatError(
            path,
            expected=f"box {number} of 'boxes' as [x, y, type, score], with x and y up "
            f"to {FARTHEST_PX:g}",
            received=repr(box)[:80],
        )
    return float(places[0]), float(places[1]), float(score)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_within(value: Any, most: float) -> TypeGuard[float]:
    return _is_number(value) and abs(value) <= most


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    boxes = [
        [x, y, "manual"] if math.isnan(score) else [x, y, "auto", score]
        for (y, x), score in zip(picks.yx.tolist(), picks.scores.tolist(), strict=True)
    ]
    _update(path, {"boxes": boxes})


def _write_project(folder: Path, files: Mapping[str, Path], box: int) -> Path:
    path = folder / "info" / _PROJECT
    _update(path, {_BOX_SIZE: box})
    return path


def _update(path: Path, entries: Mapping[str, Any]) -> None:
    """Set `entries`, and keep what else EMAN2 has in the file."""
    kept = (_read_object(path) if path.is_file() else None) or {}
    write_text(path, json.dumps({**kept, **entries}, indent=1) + "\n")


CODEC = PickCodec(
    extensions=(".json",),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="info/{stem}_info.json",
    write_companion=_write_project,
    records_box_size=True,
)
