# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML elements; everything from users and files is escaped here, once."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NewType

from matplotlib.figure import Figure

Html = NewType("Html", str)
"""Text that is HTML already; everything else is escaped."""

_DPI = 110
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?( ?%| \(.*\))?$")


def escape(text: object) -> Html:
    """Return `text` escaped, so that HTML in it is shown as text."""
    return Html(html.escape(str(text)))


def join(parts: Iterable[Html]) -> Html:
    """Return pieces one after the other."""
    return Html("\n".join(parts))


def paragraphs(texts: Iterable[str]) -> Html:
    """Return a paragraph for each text, those that warn in a box."""
    return join(
        Html(f'<p class="warning">{escape(text)}</p>')
        if text.startswith("WARNING")
        else Html(f"<p>{escape(text)}</p>")
        for text in texts
    )


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
    """Return a table; numbers, and what stands above them, are aligned to the right."""
    body = [tuple(row) for row in rows]
    numeric = [any(map(_is_number, column)) for column in zip(*body, strict=True)]
    numeric = numeric or [False] * len(header)
    lines = [_row(cells, numeric, "td") for cells in body]
    return Html(
        f'<div class="wide"><table><thead>{_row(header, numeric, "th")}</thead>\n'
        f"<tbody>{join(lines)}</tbody></table></div>"
    )


def _row(cells: Sequence[object], numeric: Sequence[bool], tag: str) -> Html:
    kinds = (' class="number"' if right else "" for right in numeric)
    parts = (
        f"<{tag}{kind}>{escape(cell)}</{tag}>"
        for cell, kind in zip(cells, kinds, strict=True)
    )
    return Html(f"<tr>{''.join(parts)}</tr>")


def _is_number(cell: object) -> bool:
    """Return whether a cell is a number, perhaps with its interval or a unit."""
    return bool(_NUMBER.match(str(cell)))


def section(title: str, *content: Html) -> Html:
    """Return a section with a heading; nothing where there is no content."""
    inner = join(part for part in content if part)
    if not inner:
        return Html("")
    return Html(f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>")


def details(title: str, *content: Html) -> Html:
    """Return what shows only when its title is pressed."""
    inner = join(content)
    return Html(f"<details><summary>{escape(title)}</summary>\n{inner}\n</details>")


def preformatted(text: str) -> Html:
    """Return text as it is, in letters of one width."""
    return Html(f"<pre>{escape(text)}</pre>")


def embed(png: bytes, caption: str) -> Html:
    """Return an image, inside the page, with its caption."""
    data = base64.b64encode(png).decode("ascii")
    return Html(
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}">\n'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def plot(figure: Figure, caption: str) -> Html:
    """Return a figure as an image, inside the page, with its caption."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=_DPI)
    return embed(content.getvalue(), caption)
