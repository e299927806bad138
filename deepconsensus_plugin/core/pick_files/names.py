# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching of pick files with micrographs by name, without guessing.

Names are compared without folder and extensions, as runs of tokens between ``_ - .``
and blanks: ``mic_1`` is in ``run7_mic_1_autopick`` but not in ``mic_10``. From the
surest to the least, a file fits a micrograph if

1. the names are the same,
2. the file's name holds the micrograph's, with more before or after,
3. the micrograph's name holds the file's,
4. one holds the other once the decorations that programs add are off: cryoSPARC's
   unique number in front, words such as ``autopick`` or ``doseweighted`` behind.

The surest fit wins, then the longest. A number right after the common part belongs to
the name of another micrograph (``mic_1_2`` is not ``mic_1``), and so does one right
before it if the common part is nothing but numbers.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TypeVar

from deepconsensus_plugin.core.errors import NameMatchError

logger = logging.getLogger(__name__)

Label = TypeVar("Label", bound=str | Path)
_Tokens = tuple[str, ...]
_Rank = tuple[int, int]

_EXTENSIONS = frozenset(
    ".mrc .mrcs .map .tif .tiff .eer .dm3 .dm4 .hdf .st .png .jpg .gz .bz2 .xz "
    ".box .cbox .star .json .pos .xmd .csv .tsv .txt .cs .coord .coords".split()
)
_DECORATIONS = frozenset(
    "info pick picks picked picking autopick autopicks autopicked manualpick particle "
    "particles coord coords coordinates box boxes dw dws nodw non unweighted dose "
    "weighted doseweighted aligned align ali avg aliavg average sum patch rigid local "
    "global motion corrected corr mc mc2 mcorr motioncor motioncor2 fractions movie "
    "movies frames denoised denoise filtered raw eer topaz cryolo gautomatch automatch "
    "relion cryosparc eman eman2 xmipp".split()
)
_SEPARATORS = re.compile(r"[\s_.-]+")
_UNIQUE_NUMBER = re.compile(r"\d{15,}")
_LONG_NUMBER = 6
_SHOWN = 5


@dataclass
class _Fit:
    """The micrographs that fit one label best so far."""

    rank: _Rank
    micrographs: list[str] = field(default_factory=list)


def match_names(micrographs: Sequence[str], files: Sequence[Label]) -> dict[str, Label]:
    """Return the file of every micrograph that has one.

    Parameters
    ----------
    micrographs : sequence of str
        Names; folders and extensions do not count.
    files : sequence of Path or str
        Pick files, or the names that a merged file gives its micrographs.

    Returns
    -------
    dict of str to Path or str
        In the order of `micrographs`, without those that no file fits. Files left over
        are logged.

    Raises
    ------
    NameMatchError
        If a file fits several micrographs equally well, or a micrograph several files.
    """
    names, labels = list(dict.fromkeys(micrographs)), list(dict.fromkeys(files))
    fits = _best_fits(names, labels)
    claims: dict[str, list[tuple[_Rank, Label]]] = defaultdict(list)
    for label, fit in fits.items():
        if len(fit.micrographs) == 1:
            claims[fit.micrographs[0]].append((fit.rank, label))
    _refuse_ambiguous_files(fits, claims)
    matched = {name: _surest(name, claims[name]) for name in names if name in claims}
    _log_rest(labels, matched)
    return matched


def stem(label: str | Path) -> str:
    """Return the name without folder and without known extensions (``.mrc.gz``)."""
    path = PurePath(label)
    while path.suffix.lower() in _EXTENSIONS:
        path = path.with_suffix("")
    return path.name


def _best_fits(names: list[str], labels: list[Label]) -> dict[Label, _Fit]:
    fits: dict[Label, _Fit] = {}
    by_stem = _group({name: stem(name) for name in names})
    for label in labels:
        if same := by_stem.get(stem(label)):
            fits[label] = _Fit((0, 0), same)
    rest = [label for label in labels if label not in fits]
    if not rest:
        return fits
    files = {label: _tokens(label) for label in rest}
    images = {name: _tokens(name) for name in names}
    _fit_runs(fits, 1, files, images)
    bare_files = {label: _core(tokens) for label, tokens in files.items()}
    bare_images = {name: _core(tokens) for name, tokens in images.items()}
    _fit_runs(fits, 3, bare_files, bare_images)
    return fits


def _fit_runs(
    fits: dict[Label, _Fit],
    level: int,
    files: Mapping[Label, _Tokens],
    images: Mapping[str, _Tokens],
) -> None:
    """Add the fits where a file's tokens hold a micrograph's, or the reverse."""
    by_image, by_file = _group(images), _group(files)
    for label, tokens in files.items():
        for run in _runs(tokens, by_image):
            for name in by_image[run]:
                _propose(fits, label, (level, -len(run)), name)
    numbered = {
        run: group for run, group in by_file.items() if any(map(_has_digit, run))
    }
    for name, tokens in images.items():
        for run in _runs(tokens, numbered):
            for label in numbered[run]:
                _propose(fits, label, (level + 1, -len(run)), name)


def _propose(fits: dict[Label, _Fit], label: Label, rank: _Rank, name: str) -> None:
    fit = fits.get(label)
    if fit is None or rank < fit.rank:
        fits[label] = _Fit(rank, [name])
    elif rank == fit.rank and name not in fit.micrographs:
        fit.micrographs.append(name)


Key = TypeVar("Key")
Item = TypeVar("Item")


def _group(keys: Mapping[Item, Key]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item, key in keys.items():
        groups[key].append(item)
    return dict(groups)


def _runs(tokens: _Tokens, known: Mapping[_Tokens, object]) -> Iterator[_Tokens]:
    """Yield the runs of `tokens` that are known names, where numbers do not forbid."""
    lengths = range(1, len(tokens) + 1)
    for start in range(len(tokens)):
        for length in lengths[: len(tokens) - start]:
            run = tokens[start : start + length]
            if run in known and _may_be_part(tokens, start, start + length):
                yield run


def _may_be_part(tokens: _Tokens, start: int, end: int) -> bool:
    if tokens[end : end + 1] and tokens[end].isdigit():
        return False
    before = tokens[start - 1] if start else ""
    only_numbers = all(token.isdigit() for token in tokens[start:end])
    short_number = before.isdigit() and len(before) < _LONG_NUMBER
    return not (only_numbers and short_number)


def _tokens(label: str | Path) -> _Tokens:
    return tuple(filter(None, _SEPARATORS.split(stem(label))))


def _core(tokens: _Tokens) -> _Tokens:
    """Strip the decorations; something always remains."""
    start, end = 0, len(tokens)
    if end > 1 and _UNIQUE_NUMBER.fullmatch(tokens[0]):
        start = 1
    while end - start > 1 and tokens[end - 1].lower() in _DECORATIONS:
        end -= 1
    return tokens[start:end]


def _has_digit(token: str) -> bool:
    return any(map(str.isdigit, token))


def _refuse_ambiguous_files(
    fits: Mapping[Label, _Fit], claims: Mapping[str, list[tuple[_Rank, Label]]]
) -> None:
    """Raise for a file between micrographs, unless all of those have a surer file."""
    for label, fit in fits.items():
        if len(fit.micrographs) == 1:
            continue
        if any(
            min((rank for rank, _ in claims.get(name, ())), default=fit.rank)
            >= fit.rank
            for name in fit.micrographs
        ):
            raise NameMatchError(
                f"expected one micrograph for the picks {label}, received "
                f"{len(fit.micrographs)} that fit equally well: "
                f"{listed(fit.micrographs)}. Rename the pick file after its micrograph"
            )


def _surest(name: str, claims: list[tuple[_Rank, Label]]) -> Label:
    best = min(rank for rank, _ in claims)
    files = [label for rank, label in claims if rank == best]
    if len(files) > 1:
        raise NameMatchError(
            f"expected one pick file for micrograph {name}, received {len(files)} that "
            f"fit equally well: {listed(files)}. Narrow the file pattern, or keep one"
        )
    return files[0]


def _log_rest(labels: Sequence[str | Path], matched: Mapping[str, str | Path]) -> None:
    used = set(matched.values())
    rest = [label for label in labels if label not in used]
    if rest:
        logger.info("%d without a micrograph: %s", len(rest), listed(rest))


def listed(labels: Sequence[str | Path]) -> str:
    """Return the first few of `labels` and how many more there are, for a message."""
    shown = ", ".join(str(label) for label in labels[:_SHOWN])
    more = len(labels) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
