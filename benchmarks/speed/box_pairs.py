# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of equivalent ways to cut and resample boxes, timed by `ratios`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

from benchmarks.speed.pair import Pair
from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.preprocessing import fourier_resize

_SMALL, _LARGE = 64, 128
_FEW = 12
"""Boxes that are cut at once, as jobs do (`core.boxes`)."""

_N_THREADS = 2
"""Threads that cut, the default of jobs."""


def box_pairs() -> list[Pair]:
    """Return pairs of boxes cut and resampled."""
    micrograph, centres = _scene(4096, 4096)

    def ours() -> NDArray[np.float32]:
        return fourier_resize(extract_boxes(micrograph, centres, 200), _LARGE)

    def each_by_fft() -> NDArray[np.float32]:
        boxes = extract_boxes(micrograph, centres, 200)
        return np.stack([_fourier_crop(box, _LARGE) for box in boxes])

    # The one frequency at which sums differ by convention is Nyquist's.
    difference = np.abs(ours() - each_by_fft()).mean()
    agreement = f"pixels differ by {difference:.0e} of their deviation on average"
    return [
        Pair(
            "300 boxes of 200 px to 128, against an FFT of each",
            ours,
            each_by_fft,
            agreement,
        ),
        _cutting_pair(),
    ]


def _cutting_pair() -> Pair:
    """Return the cutting of a micrograph in threads, and the same by products alone.

    That is how boxes were resampled before: as many threads of linear algebra as cores
    in each of the threads that cut.
    """
    micrograph, centres = _scene(4092, 5760)
    parts = np.array_split(centres, 2 * _N_THREADS)
    matrix = resample(np.eye(400), _SMALL, axis=0).astype(np.float32)

    def ours(yx: NDArray[np.float64]) -> NDArray[np.float32]:
        some = np.array_split(yx, len(yx) // _FEW)
        cut = (extract_boxes(micrograph, each, 400) for each in some)
        return np.concatenate([fourier_resize(each, _SMALL) for each in cut])

    def by_products(yx: NDArray[np.float64]) -> NDArray[np.float32]:
        boxes = extract_boxes(micrograph, yx, 400)
        return np.asarray(matrix @ boxes @ matrix.T)

    def in_threads(cut: Callable[..., NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate(list(map_ahead(cut, parts, workers=_N_THREADS)))

    difference = np.abs(in_threads(ours) - in_threads(by_products)).max()
    return Pair(
        f"{len(centres)} boxes of 400 px to {_SMALL}, from 5760 × 4092 in "
        f"{_N_THREADS} threads, against products",
        lambda: in_threads(ours),
        lambda: in_threads(by_products),
        f"pixels differ by at most {difference:.0e}",
    )


def _scene(rows: int, columns: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return a micrograph and the centres of 300 boxes."""
    rng = np.random.default_rng(0)
    micrograph = rng.standard_normal((rows, columns), dtype=np.float32)
    return micrograph, rng.uniform(0, 1, (300, 2)) * (rows, columns)


def _fourier_crop(box: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Resample a box by cropping its spectrum, with numpy.fft."""
    spectrum = np.fft.fftshift(np.fft.fft2(box))
    first = box.shape[0] // 2 - size // 2
    kept = spectrum[first : first + size, first : first + size]
    scale = (size / box.shape[0]) ** 2
    return (np.fft.ifft2(np.fft.ifftshift(kept)).real * scale).astype(np.float32)
