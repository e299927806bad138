# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from threadpoolctl import threadpool_limits

from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.optics import ctf_values
from deepconsensus_plugin.core.preprocessing import (
    BoxPreprocessing,
    background_ring,
    fitting_input_size,
    flip_phases,
    fourier_resize,
    normalise_background,
    prepare_boxes,
)
from deepconsensus_plugin.core.types import Ctf

CTF = Ctf(
    defocus_u_A=15000,
    defocus_v_A=14000,
    defocus_angle_deg=30,
    voltage_kV=300,
    spherical_aberration_mm=2.7,
    amplitude_contrast=0.1,
)


def _noise(n: int, size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, size, size)).astype(np.float32)


def _crop_spectrum(image: np.ndarray, size: int) -> np.ndarray:
    """Crop or pad the centred spectrum of odd size: slow and obvious."""
    old = image.shape[0]
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    result = np.zeros((size, size), complex)
    n = min(old, size)
    a, b = old // 2 - n // 2, size // 2 - n // 2
    result[b : b + n, b : b + n] = spectrum[a : a + n, a : a + n]
    return np.fft.ifft2(np.fft.ifftshift(result)).real * (size / old) ** 2


@pytest.mark.parametrize(("old", "new"), [(91, 65), (45, 129), (201, 127)])
def test_resize_equals_cropping_the_spectrum(old, new):
    boxes = _noise(2, old)
    expected = np.stack([_crop_spectrum(box, new) for box in boxes])
    np.testing.assert_allclose(fourier_resize(boxes, new), expected, atol=2e-5)


@pytest.mark.parametrize(("old", "new"), [(90, 128), (200, 128), (400, 128)])
def test_resize_keeps_a_smooth_image(old, new):
    def blob(size):
        axis = (np.arange(size) / size - 0.5)[:, None]
        return np.exp(-(axis**2 + axis.T**2) / 0.02)[None].astype(np.float32)

    np.testing.assert_allclose(fourier_resize(blob(old), new), blob(new), atol=1e-3)


@pytest.mark.parametrize("size", [48, 63, 128, 202])
@pytest.mark.parametrize("old", [96, 99, 100, 194])
def test_resize_along_each_axis_is_that_of_signals(old, size):
    """Sides with a fast FFT and without; even ones have a highest frequency."""
    boxes = _noise(3, old)
    rows = scipy.signal.resample(boxes.astype(np.float64), size, axis=2)
    expected = scipy.signal.resample(rows, size, axis=1)
    resized = fourier_resize(boxes, size)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, expected, atol=3e-5)


@pytest.mark.parametrize("old", [400, 398])
def test_resized_boxes_do_not_depend_on_threads(old):
    """398 = 2 · 199 has no fast FFT."""
    parts = np.split(_noise(12, old), 4)
    results = []
    for n_threads, workers in [(1, 1), (2, 1), (2, 3)]:
        with threadpool_limits(n_threads):
            resized = map_ahead(lambda p: fourier_resize(p, 64), parts, workers=workers)
            results.append(np.concatenate(list(resized)))
    results.append(fourier_resize(np.concatenate(parts), 64))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_no_boxes_are_resized_to_none():
    assert fourier_resize(_noise(0, 100), 64).shape == (0, 64, 64)
    assert fourier_resize(_noise(0, 194), 64).shape == (0, 64, 64)


def test_background_has_mean_0_and_deviation_1():
    boxes = normalise_background(_noise(3, 64) * 7 + 100, invert=False)
    ring = boxes[:, background_ring(64)]
    np.testing.assert_allclose(ring.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(ring.std(axis=1), 1, atol=1e-5)


def test_dark_particles_become_white():
    box = _noise(1, 64)
    box[0, 24:40, 24:40] -= 10
    assert normalise_background(box, invert=True)[0, 28:36, 28:36].mean() > 5
    assert normalise_background(box, invert=False)[0, 28:36, 28:36].mean() < -5


def test_flat_boxes_give_finite_numbers():
    boxes = np.zeros((2, 32, 32), np.float32)
    boxes[1, 16, 16] = 5
    result = normalise_background(boxes, invert=True)
    assert np.isfinite(result).all()
    assert not result[0].any()


def test_ring_is_outside_the_inscribed_circle():
    ring = background_ring(64)
    assert ring[0, 0] and not ring[32, 32] and not ring[32, 0]
    assert ring.mean() == pytest.approx(1 - np.pi / 4, abs=0.01)


def test_prepared_boxes_have_the_size_of_the_network():
    boxes = prepare_boxes(_noise(2, 90), BoxPreprocessing(input_size=128))
    assert boxes.shape == (2, 128, 128)
    assert boxes.dtype == np.float32


@pytest.mark.parametrize("invert", [True, False])
@pytest.mark.parametrize("old", [48, 33])
def test_prepared_boxes_are_resized_normalised_and_inverted(old, invert):
    raw = _noise(3, old) * 7 + 100
    raw[:, 14:18, 14:18] -= 60
    prepared = prepare_boxes(raw, BoxPreprocessing(input_size=48, invert=invert))
    expected = []
    for box in fourier_resize(raw, 48):
        ring = box[background_ring(48)]
        white = (box - ring.mean()) / ring.std()
        expected.append(-white if invert else white)
    np.testing.assert_allclose(prepared, expected, atol=1e-3)


def test_flipping_makes_all_transfer_positive():
    spectrum = -ctf_values(CTF, 127, 2.0)
    seen = np.fft.irfft2(spectrum, s=(127, 127))[None].astype(np.float32)
    flipped = np.fft.rfft2(flip_phases(seen, CTF, 2.0)[0])
    expected = np.abs(ctf_values(CTF, 127, 2.0))
    np.testing.assert_allclose(flipped.real, expected, atol=1e-4)


def test_flipping_twice_changes_nothing():
    boxes = _noise(2, 65)
    twice = flip_phases(flip_phases(boxes, CTF, 2.0), CTF, 2.0)
    np.testing.assert_allclose(twice, boxes, atol=1e-4)


@pytest.mark.parametrize(
    ("box_size", "sampling_rate", "expected"),
    [
        (1, 1.0, 64),
        (90, 3.54, 64),  # 319 Å
        (90, 5.0, 96),
        (90, 10.0, 96),  # pixels larger than 5 Å: as many as there are
        (400, 1.0, 80),
        (512, 1.5, 128),
    ],
)
def test_input_has_pixels_of_5_angstrom(box_size, sampling_rate, expected):
    assert fitting_input_size(box_size, sampling_rate) == expected
