# SPDX-License-Identifier: GPL-3.0-or-later
"""Orientations of a particle: random rotations, and their Euler angles.

A view is the matrix A that turns the molecule before it is projected along z. Angles
are rot, tilt, psi of RELION and Xmipp: A = R_z(psi) R_y(tilt) R_z(rot), with rotations
of the coordinate system (Heymann et al. 2005).
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import FloatArray


def draw_angles(
    n: int, rng: np.random.Generator, *, tilt_spread_deg: float | None = None
) -> FloatArray:
    """Return angles of `n` views.

    Parameters
    ----------
    n : int
        Number of orientations.
    rng : Generator
        Decides.
    tilt_spread_deg : float, optional
        Standard deviation of the tilt about the preferred views: along the symmetry
        axis for two in three, across it for the others, as molecules lie on a surface.
        None: all views are as likely.

    Returns
    -------
    array, shape (n, 3)
        rot, tilt, psi, degrees.
    """
    rot, psi = rng.uniform(-180, 180, (2, n))
    if tilt_spread_deg is None:
        tilt = np.rad2deg(np.arccos(rng.uniform(-1, 1, n)))
    else:
        preferred = np.where(rng.random(n) < 2 / 3, 0.0, 90.0)
        tilt = np.abs(preferred + rng.normal(0, tilt_spread_deg, n))
        tilt = np.where(tilt > 180, 360 - tilt, tilt)
    return np.stack([rot, tilt, psi], axis=1)


def view_matrix(angles: FloatArray) -> FloatArray:
    """Return the matrix A of rot, tilt, psi (degrees); it acts on (x, y, z)."""
    rot, tilt, psi = np.deg2rad(angles)
    return _about_z(psi) @ _about_y(tilt) @ _about_z(rot)


def _about_z(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def _about_y(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
