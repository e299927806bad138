# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlay on a figure: moving parts are redrawn without the rest (blitting)."""

from __future__ import annotations

from typing import Any, TypeVar

from matplotlib.artist import Artist
from matplotlib.figure import Figure

AnyArtist = TypeVar("AnyArtist", bound=Artist)


class Overlay:
    """Artists that change often, over those that hardly do.

    Parameters
    ----------
    figure : Figure
        On the canvas that it stays on. A picture that is saved shows everything.
    """

    def __init__(self, figure: Figure):
        self._figure = figure
        self._moving: list[Artist] = []
        self._background: Any = None
        figure.canvas.mpl_connect("draw_event", self._keep_background)
        figure.canvas.mpl_connect("resize_event", self._forget_background)

    def add(self, artist: AnyArtist) -> AnyArtist:
        """Take over an artist; later ones lie above earlier ones."""
        artist.set_animated(True)
        self._moving.append(artist)
        return artist

    def remove(self, artist: Artist) -> None:
        """Remove an artist from the overlay and the figure."""
        self._moving.remove(artist)
        artist.remove()

    def clear(self) -> None:
        """Remove all artists."""
        self._moving.clear()

    def update(self) -> None:
        """Show the artists as they are now."""
        if self._background is None:
            self._figure.canvas.draw_idle()
            return
        canvas: Any = self._figure.canvas
        canvas.restore_region(self._background)
        self._draw_moving()
        canvas.blit(self._figure.bbox)

    def _keep_background(self, event: Any) -> None:
        canvas: Any = self._figure.canvas
        if canvas.is_saving() or not canvas.supports_blit:
            return
        self._background = canvas.copy_from_bbox(self._figure.bbox)
        self._draw_moving()

    def _forget_background(self, event: Any) -> None:
        self._background = None

    def _draw_moving(self) -> None:
        for artist in self._moving:
            self._figure.draw_artist(artist)
