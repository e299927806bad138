# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files, taken apart for comparison: extensions, words, signs, decorations."""

from __future__ import annotations

import os
import re
from pathlib import Path

Tokens = tuple[str, ...]

_COMPRESSED = frozenset((".gz", ".bz2", ".xz"))
_EXTENSIONS = _COMPRESSED | frozenset(
    ".mrc .mrcs .map .tif .tiff .eer .dm3 .dm4 .hdf .st .png .jpg "
    ".box .cbox .star .json .pos .xmd .csv .tsv .txt .cs .coord .coords".split()
)
_DECORATIONS = frozenset(
    "info pick picks picked picking autopick autopicks autopicked manualpick particle "
    "particles coord coords coordinates box boxes dw dws nodw non unweighted dose "
    "weighted doseweighted aligned align ali avg aliavg average sum patch rigid local "
    "global motion corrected corr mc mc2 mcorr motioncor motioncor2 fraction fractions "
    "movie movies frames denoised denoise filtered raw eer mic mrc mrcs tif tiff topaz "
    "ps cryolo gautomatch automatch relion cryosparc eman eman2 xmipp".split()
)
# A sign belongs to a number if it comes where a name begins or behind a separator.
_TOKEN = re.compile(r"(?:^|(?<=[\s_.-]))[+-]\d[^\s_.-]*|[^\s_.-]+")
_UNIQUE_NUMBER = re.compile(r"\d{15,}")
_BLANKS = re.compile(r"\s+")
_JOB = re.compile(r"^.*?/job\d{3,}/")


def file_name(label: str | Path) -> str:
    """Return the name without folder."""
    return os.path.basename(label)


def stem(label: str | Path) -> str:
    """Return the name without folder and without all known extensions."""
    name = file_name(label)
    while (shorter := _shortened(name, _EXTENSIONS)) != name:
        name = shorter
    return name


def bare_name(label: str | Path) -> str:
    """Return the name without folder and without its last known extension.

    ``a.tif`` of ``a.tif.mrc``, as other programs name files after micrographs. The
    extension of a compressed file comes off besides.
    """
    return _shortened(_shortened(file_name(label), _COMPRESSED), _EXTENSIONS)


def _shortened(name: str, extensions: frozenset[str]) -> str:
    rest, extension = os.path.splitext(name)
    return rest if extension.lower() in extensions else name


def split_name(text: str, *, without_blanks: bool = False) -> Tokens:
    """Return the words and numbers of a name without extension.

    Parameters
    ----------
    text : str
        The name.
    without_blanks : bool
        Whether blanks are removed, as Scipion does, instead of separating words.
    """
    return tuple(_TOKEN.findall(_BLANKS.sub("", text) if without_blanks else text))


def without_decorations(tokens: Tokens) -> Tokens:
    """Strip what programs add before and behind; something always remains."""
    start, end = 0, len(tokens)
    if end > 1 and _UNIQUE_NUMBER.fullmatch(tokens[0]):
        start = 1
    while end - start > 1 and tokens[end - 1].lower() in _DECORATIONS:
        end -= 1
    return tokens[start:end]


def is_number(token: str) -> bool:
    """Return whether a token is a whole number, perhaps with a sign."""
    return token.lstrip("+-").isdigit()


def path_in_job(micrograph: str) -> str:
    """Return where RELION looks for a micrograph's coordinates in a job's folder.

    The name without the folder of the job that made it, and without its extension:
    ``Movies/x`` of ``MotionCorr/job002/Movies/x.mrc``.
    """
    name = _JOB.sub("", micrograph).lstrip("/")
    folder, _, last = name.rpartition("/")
    bare = last.rpartition(".")[0] or last
    return f"{folder}/{bare}" if folder else bare
