# SPDX-License-Identifier: GPL-3.0-or-later
"""Methods text for a paper: the protocols of a run in order, with citations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from pyworkflow.protocol import Protocol
from pyworkflow.utils import parseBibTex

from deepconsensus_plugin import _references, bibtex

_ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303"}
_ACCENTS |= {"c": "\u0327", "v": "\u030c"}
_ACCENTED = re.compile(r"\{\\(['`\"^~]|[cv](?=\{))\{?(\w)\}?\}")
"""An accented letter as BibTeX has it, such as ``{\\'i}`` or ``{\\v{s}}``."""

_LINK = re.compile(r"\[\[[^\]]*\]\[([^\]]*)\]\]")
_BOLD = re.compile(r"\*([^*\s][^*]*)\*")
_INTERNAL = re.compile(r"Output set is \[\[[^\]]*\]\[[^\]]*\]\]\.?")
"""Part of Scipion's methods texts that is for its windows, not for a paper."""

_PLATFORM = "delaRosaTrevin2016"
_CITED = re.compile(r"\[(\w+)\]")
_ENTRY = re.compile(r"^@\w+\{(\w+),.*?^\}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class MethodsText:
    """Sentences with numbered citations, and the list of references.

    Parameters
    ----------
    text : str
        One paragraph.
    references : list of str
        Number 1 first.
    bibtex : str
        BibTeX of the citations, to be imported.
    """

    text: str
    references: list[str]
    bibtex: str


def write_methods(protocols: Iterable[Protocol]) -> MethodsText:
    """Return what finished protocols did, in their order, each sentence once."""
    sentences: list[str] = []
    keys: list[str] = []
    for protocol in protocols:
        sentences += [s for s in protocol._methods() or [] if s not in sentences]
        keys += protocol._citations() or []
    text = _without_markup(" ".join(sentences))
    cited = [key for key in _CITED.findall(text) if key in _entries()]
    known = [
        key for key in (*cited, *keys, *_references, _PLATFORM) if key in _entries()
    ]
    ordered = list(dict.fromkeys(known))
    numbers = {key: number for number, key in enumerate(ordered, start=1)}
    return MethodsText(
        text=_CITED.sub(
            lambda found: f"[{numbers.get(found.group(1), found.group(1))}]", text
        ),
        references=[_describe(_entries()[key]) for key in ordered],
        bibtex="\n\n".join(_sources()[key] for key in ordered),
    )


def _without_markup(text: str) -> str:
    """Return methods as they are read, in one line."""
    text = _LINK.sub(r"\1", _INTERNAL.sub("", text))
    return " ".join(_BOLD.sub(r"\1", text).split())


@cache
def _entries() -> dict[str, dict[str, str]]:
    return dict(parseBibTex(bibtex.__doc__))


@cache
def _sources() -> dict[str, str]:
    """Return each entry as it is written in the bibliography."""
    found = _ENTRY.finditer(bibtex.__doc__ or "")
    return {entry.group(1): entry.group(0) for entry in found}


def _describe(entry: dict[str, str]) -> str:
    """Return one reference as lists of them go."""
    authors = [name.split(",")[0] for name in entry["author"].split(" and ")]
    shown = ", ".join(authors) if len(authors) < 4 else f"{authors[0]} et al."
    shown = shown.replace(", others", " et al.")
    place = entry.get("journal", "")
    for name in ("volume", "pages"):
        if name in entry:
            place += f", {entry[name].replace('--', '–')}"
    link = entry.get("doi") or entry.get("url", "")
    return _plain(f"{shown} ({entry['year']}). {entry['title']}. {place}. {link}")


def _plain(text: str) -> str:
    """Return BibTeX's text as it is read, with accents and without braces."""

    def compose(found: re.Match[str]) -> str:
        accent, letter = found.groups()
        return unicodedata.normalize("NFC", letter + _ACCENTS[accent])

    text = _ACCENTED.sub(compose, text.replace("{\\aa}", "å"))
    return re.sub(r"[{}\\]", "", text).strip()
