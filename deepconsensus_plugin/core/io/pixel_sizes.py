# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel size of a set of micrographs: given, or from their headers; never assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_SAME = 0.01
"""Relative difference up to which two pixel sizes are the same."""

_PLACEHOLDER_A = 1.0
"""What programs write that do not know it."""


@dataclass(frozen=True)
class PixelSize:
    """Pixel size, and what is to be said of it.

    Parameters
    ----------
    value_A : float
        Å/px.
    remarks : tuple of str
        Sentences; those of a doubt begin with ``WARNING``.
    """

    value_A: float
    remarks: tuple[str, ...] = ()


def find_pixel_size(
    headers: Mapping[str, float | None], given_A: float | None = None
) -> PixelSize:
    """Return the pixel size of micrographs.

    Parameters
    ----------
    headers : mapping of str to float or None
        Pixel size that the header of each file says, Å/px, by the file's name.
    given_A : float, optional
        What the user says; it counts.

    Raises
    ------
    ValueError
        If none is given, and a header has none or they differ by more than a per cent.
    """
    if given_A is not None:
        remarks = describe_other_sizes(headers, given_A)
        return PixelSize(given_A, tuple(remarks))
    missing = [name for name, size in headers.items() if size is None]
    if missing:
        others = f" (nor have {len(missing) - 1} others)" if missing[1:] else ""
        raise ValueError(
            f"{missing[0]}: the header has no pixel size{others}, and none was given"
        )
    sizes = {name: size for name, size in headers.items() if size is not None}
    first, value = next(iter(sizes.items()))
    other = next((name for name, size in sizes.items() if _differ(size, value)), None)
    if other is not None:
        raise ValueError(
            f"the headers disagree on the pixel size: {value:g} Å/px in {first}, "
            f"{sizes[other]:g} in {other}. Give the right one, or leave out the others"
        )
    files = f"{len(sizes)} micrographs" if len(sizes) > 1 else f"{first}"
    remarks = [f"Pixel size: {value:g} Å/px, from the header of {files}."]
    if value == _PLACEHOLDER_A:
        remarks.append(
            "WARNING: some programs write a pixel size of 1 Å/px where they do not "
            "know it. Give the right one if it is another."
        )
    return PixelSize(value, tuple(remarks))


def describe_other_sizes(
    headers: Mapping[str, float | None], given_A: float
) -> list[str]:
    """Return a warning if headers say another pixel size than was given, Å/px."""
    others = {
        name: size
        for name, size in headers.items()
        if size is not None and _differ(size, given_A)
    }
    if not others:
        return []
    name, size = next(iter(others.items()))
    return [
        f"WARNING: the pixel size was given as {given_A:g} Å/px, but {len(others)} of "
        f"{len(headers)} headers say another: {size:g} Å/px in {name}. The given one "
        "is used."
    ]


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > _SAME * max(one, other)
