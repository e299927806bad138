# SPDX-License-Identifier: GPL-3.0-or-later
"""cryoSPARC ``.cs``: particle locations of all micrographs, as NumPy records.

Positions are box CENTRES as fractions of the micrograph, ``location/center_x_frac``
and ``center_y_frac`` in single precision; ``location/micrograph_shape`` (rows, columns)
makes them pixels, and is kept so that micrographs of another size are noticed. The
score is ``pick_stats/ncc_score`` of blob and template jobs, and ``pick_stats/power`` of
Topaz jobs, whose ``ncc_score`` says nothing. Which way y counts depends on how
cryoSPARC read the movies, and the file does not say. Names begin with the micrograph's
unique number, 21 digits with leading zeros.

Written: the records, and a result group (``.csg``) that the job *Import Result Group*
reads. The box size is known where particles were extracted and the file holds both
pixel sizes. Files that need unpickling are refused: that would run code from the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.atomic import whole_file, write_text
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
    Shape,
    refuse_characters,
)
from deepconsensus_plugin.core.pick_files.cryosparc_records import (
    Records,
    RecordType,
    field_names,
    is_compressed,
    is_records,
    load_records,
    numbers_of,
    path_texts,
)
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_X, _Y = "location/center_x_frac", "location/center_y_frac"
_SHAPE = "location/micrograph_shape"
_SCORE, _POWER = "pick_stats/ncc_score", "pick_stats/power"
_OTHER_STATS = [("pick_stats/template_idx", "<u4"), ("pick_stats/angle_rad", "<f4")]
_NAMES = ("location/micrograph_path", "micrograph_blob/path")
_BOX, _BOX_RATE = "blob/shape", "blob/psize_A"
_RATES = ("location/micrograph_psize_A", "micrograph_blob/psize_A")
_UNIQUE_NUMBER = re.compile(r"(\d{15,21})_")


def _recognise(head: bytes) -> bool:
    return is_records(head) or is_compressed(head)


def _read(path: Path) -> FilePicks:
    if not path.stat().st_size:
        return FilePicks({None: NO_COORDINATES})
    records = load_records(path)
    name_field = _first(records, _NAMES)
    missing = [field for field in (_X, _Y, _SHAPE) if field not in field_names(records)]
    if name_field is None or missing:
        raise FileFormatError(
            path,
            expected=f"{', '.join((_X, _Y, _SHAPE, _NAMES[0]))} (where particles lie; "
            "for selected particles cryoSPARC has them in the passthrough file)",
            received=f"the fields {', '.join(field_names(records)) or 'none'}",
        )
    names = path_texts(path, records, name_field)
    sizes = numbers_of(path, records, _SHAPE, shape=(2,))
    with np.errstate(over="ignore", invalid="ignore"):
        yx = np.column_stack([numbers_of(path, records, each) for each in (_Y, _X)])
        yx = yx * sizes
    score = _score_field(records, path)
    scores = np.full(len(yx), np.nan)
    if score is not None:
        scores = numbers_of(path, records, score)
    _check(path, yx, sizes, scores)
    return FilePicks(
        group_coordinates(names, yx, scores),
        _box_size(path, records),
        shapes={n: (int(r), int(c)) for n, (r, c) in zip(names, sizes, strict=True)},
        remarks=(f"Scores were read from {score}.",) if score == _POWER else (),
    )


def _score_field(records: Records, path: Path) -> str | None:
    """Return the field with the picker's score."""
    there = [field for field in (_SCORE, _POWER) if field in field_names(records)]
    if len(there) == 2 and len(records):
        says_nothing = len(np.unique(records[_SCORE])) == 1
        says_more = len(np.unique(records[_POWER])) > 1 or not records[_SCORE].any()
        if "topaz" in path.name.lower() or (says_nothing and says_more):
            return _POWER
    return there[0] if there else None


def _first(records: Records, fields: tuple[str, ...]) -> str | None:
    return next((field for field in fields if field in field_names(records)), None)


def _check(path: Path, yx: FloatArray, sizes: FloatArray, scores: FloatArray) -> None:
    are_places = (np.abs(yx) <= FARTHEST_PX).all(axis=1)
    are_shapes = ((sizes >= 1) & (sizes <= FARTHEST_PX)).all(axis=1)
    are_scores = (np.abs(scores) <= LARGEST_SCORE) | np.isnan(scores)
    bad = np.flatnonzero(~(are_places & are_shapes & are_scores))
    if bad.size:
        row = bad[0]
        raise FileFormatError(
            path,
            expected=f"finite positions of up to {FARTHEST_PX:g} px, a "
            f"micrograph_shape above 0 and scores of up to {LARGEST_SCORE:g}",
            received=f"position {yx[row]}, shape {sizes[row]}, score {scores[row]} in "
            f"row {row}",
        )


def _box_size(path: Path, records: Records) -> float | None:
    """Return the median extracted box, in pixels of the micrographs."""
    rate = _first(records, _RATES)
    if rate is None or not {_BOX, _BOX_RATE} <= set(field_names(records)):
        return None
    rates = numbers_of(path, records, rate)
    if not len(records) or not (rates > 0).all():
        return None
    boxes = numbers_of(path, records, _BOX, shape=(2,))[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = boxes * numbers_of(path, records, _BOX_RATE) / rates
    return float(np.median(sizes)) or None


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    if missing := [name for name in coordinates if name not in shapes]:
        raise ValueError(
            f"{path}: expected rows and columns of every micrograph, since .cs holds "
            f"fractions of them, received none for {missing[0]}"
        )
    refuse_characters(coordinates, "\0")
    scored = any(np.isfinite(picks.scores).any() for picks in coordinates.values())
    dtype = _record_type(coordinates, scored=scored)
    parts = [
        _records(dtype, name, picks, shapes[name])
        for name, picks in coordinates.items()
    ]
    with whole_file(path) as partial, partial.open("wb") as file:
        records = np.concatenate([np.zeros(0, dtype), *parts])
        np.save(file, records, allow_pickle=False)
    slots = ("location", "pick_stats") if scored else ("location",)
    write_text(path.with_suffix(".csg"), _result_group(path.name, len(records), slots))


def _result_group(name: str, n: int, slots: Sequence[str]) -> str:
    """Return the text that cryoSPARC's job *Import Result Group* reads (YAML)."""
    results = "".join(
        f"  {slot}:\n    metafile: '>{name}'\n    num_items: {n}\n"
        f"    type: particle.{slot}\n"
        for slot in slots
    )
    return (
        f"created: {datetime.now():%Y-%m-%d %H:%M:%S.%f}\n"
        "group:\n  description: Accepted coordinates\n  name: particles\n"
        f"  title: Accepted coordinates\n  type: particle\nresults:\n{results}"
        "version: v4.4.0\n"
    )


def _record_type(names: Mapping[str, object], *, scored: bool) -> RecordType:
    longest = max((len(name.encode()) for name in names), default=1)
    fields: list[tuple[object, ...]] = [
        ("uid", "<u8"),
        ("location/micrograph_uid", "<u8"),
        ("location/exp_group_id", "<u4"),
        (_NAMES[0], f"S{longest}"),
        (_SHAPE, "<u4", (2,)),
        (_X, "<f4"),
        (_Y, "<f4"),
    ]
    if scored:
        fields += [(_SCORE, "<f4"), (_POWER, "<f4"), *_OTHER_STATS]
    return np.dtype(fields)


def _records(
    dtype: RecordType, name: str, picks: ScoredCoordinates, shape: Shape
) -> Records:
    records = np.zeros(len(picks), dtype)
    uid = _micrograph_uid(name)
    rng = np.random.default_rng(uid)  # the same picks give the same file
    records["uid"] = rng.integers(1, 2**63, len(picks), dtype=np.uint64)
    records["location/micrograph_uid"] = uid
    records[_NAMES[0]] = name.encode()
    records[_SHAPE] = shape
    records[_Y], records[_X] = (picks.yx / shape).T
    if _SCORE in field_names(records):
        records[_SCORE] = records[_POWER] = picks.scores
    return records


def _micrograph_uid(name: str) -> int:
    """Return the number that cryoSPARC put in front, or else one made of the name."""
    own = _UNIQUE_NUMBER.match(PurePath(name).name)
    if own and int(own[1]) < 2**64:
        return int(own[1])
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


CODEC = PickCodec(
    extensions=(".cs",),
    recognise=_recognise,
    read=_read,
    write=None,
    file_name="{stem}.cs",
    write_merged=_write_merged,
)
