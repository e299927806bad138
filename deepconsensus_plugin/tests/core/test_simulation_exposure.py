# SPDX-License-Identifier: GPL-3.0-or-later
"""Exposure and detector: sign, transfer, noise, and their ratio."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from deepconsensus_plugin.core.optics import ctf_values, interaction_constant
from deepconsensus_plugin.core.simulation.detector import record
from deepconsensus_plugin.core.simulation.exposure import (
    dose_for,
    form_image,
    grain_variance,
)
from deepconsensus_plugin.core.simulation.ice import (
    carbon_grain,
    chain_grain,
    draw_grain,
    draw_thickness,
    water_grain,
)
from deepconsensus_plugin.core.simulation.parameters import (
    Detector,
    Exposure,
    Optics,
    SimulationParameters,
)
from deepconsensus_plugin.core.simulation.sample import Ice
from deepconsensus_plugin.core.simulation.scattering import Medium
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.types import Ctf

CTF = Ctf(16000, 14000, 30, 300, 2.7, 0.1)
FIELD = Field((128, 128), 64, 3.0)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _weak_object() -> Specimen:
    specimen = Specimen(FIELD, 300)
    spectrum = scipy.fft.rfft2(_rng().normal(size=FIELD.canvas))
    sy, sx = FIELD.frequencies(half=True)
    spectrum[np.hypot(sy, sx) > 0.16] = 0  # at Nyquist, directions have two signs
    specimen.particles += scipy.fft.irfft2(spectrum, s=FIELD.canvas).astype(np.float32)
    return specimen


@pytest.mark.parametrize("plate", [0.0, 90.0])
def test_a_weak_object_is_seen_through_the_ctf(plate):
    ctf = Ctf(16000, 14000, 30, 300, 2.7, 0.1, plate)
    specimen = _weak_object()
    image = form_image(specimen, ctf, b_factor_A2=0, energy_filter=True) - 1
    size = FIELD.canvas[0]
    transfer = 2 * interaction_constant(300) * ctf_values(ctf, size, 3.0)
    spectrum = scipy.fft.rfft2(specimen.particles) * transfer
    expected = scipy.fft.irfft2(spectrum, s=FIELD.canvas)
    # The mean is not scattered, and no phase plate acts on it.
    image, expected = image - image.mean(), expected - expected.mean()
    np.testing.assert_allclose(image, expected, atol=0.02 * np.abs(expected).max())


def test_protein_is_dark():
    specimen = Specimen(FIELD, 300)
    y, x = FIELD.axes()
    blob = 100 * np.exp(-((y - 64) ** 2 + (x - 64) ** 2) / (2 * 8**2))
    specimen.particles += blob.astype(np.float32)
    image = FIELD.crop(form_image(specimen, CTF, b_factor_A2=80, energy_filter=True))
    assert image[64, 64] < image.mean() - 3 * image[:20, :20].std()


def test_the_envelope_dampens_fine_detail():
    specimen = _weak_object()
    sharp = form_image(specimen, CTF, b_factor_A2=0, energy_filter=True)
    soft = form_image(specimen, CTF, b_factor_A2=100, energy_filter=True)
    sy, sx = FIELD.frequencies(half=True)
    s2 = sy**2 + sx**2
    ring = (s2 > 0.1**2) & (s2 < 0.11**2)
    soft, sharp = (np.abs(scipy.fft.rfft2(each))[ring] for each in (soft, sharp))
    assert np.median(soft / sharp) == pytest.approx(np.exp(-25 * 0.105**2), rel=0.02)


@pytest.mark.parametrize(("energy_filter", "left"), [(True, 0.772), (False, 0.868)])
def test_thick_ice_takes_electrons_away(energy_filter, left):
    specimen = Specimen(FIELD, 300)
    thickness = np.full(FIELD.canvas, 456.0, np.float32)
    specimen.add_matter(thickness, Medium.ICE, 0.0)
    image = form_image(specimen, CTF, b_factor_A2=0, energy_filter=energy_filter)
    np.testing.assert_allclose(image, left, atol=2e-3)


def test_power_spectrum_has_its_zeros_where_the_ctf_has():
    field = Field((512, 512), 0, 2.0)
    ctf = Ctf(15000, 15000, 0, 300, 2.7, 0.07)
    s = np.linspace(0, 0.5, 512)
    specimen = Specimen(field, 300)
    specimen.grain += draw_grain(carbon_grain(s, 150), s, field, _rng())
    intensity = form_image(specimen, ctf, b_factor_A2=50, energy_filter=True)
    exposure = Exposure(detector=Detector.COUNTING, binning=1)
    image = record(intensity, exposure, 500, field, _rng())
    power = np.abs(scipy.fft.rfft2(image - image.mean())) ** 2
    sy, sx = field.frequencies(half=True)
    ring = np.rint(np.hypot(sy, sx) * 512 * 2.0).astype(int).ravel()
    profile = np.bincount(ring, power.ravel()) / np.maximum(np.bincount(ring), 1)
    squared = ctf_values(ctf, 512, 2.0)[0] ** 2
    near = np.arange(10, 130)  # to 8 Å
    minima = near[1:-1][
        (squared[near][1:-1] < squared[near][:-2])
        & (squared[near][1:-1] < squared[near][2:])
    ]
    maxima = near[1:-1][
        (squared[near][1:-1] > squared[near][:-2])
        & (squared[near][1:-1] > squared[near][2:])
    ]
    assert len(minima) >= 4
    for low, high in zip(minima, maxima[maxima > minima[0]], strict=False):
        assert profile[low] < 0.4 * profile[high]


def test_counts_are_poisson_and_as_many_as_the_dose():
    exposure = Exposure(detector=Detector.PERFECT)
    image = record(np.ones(FIELD.canvas, np.float32), exposure, 5.0, FIELD, _rng())
    assert image.shape == FIELD.shape
    assert image.mean() == pytest.approx(45, rel=0.01)
    assert image.var() == pytest.approx(45, rel=0.05)
    np.testing.assert_array_equal(image, np.rint(image))


def test_detectors_pass_signal_and_noise_as_their_dqe_says():
    y, _ = FIELD.axes()
    period = 16  # pixels: 0.5 of Nyquist / 4
    wave = (1 + 0.2 * np.cos(2 * np.pi * y / period)) * np.ones(FIELD.canvas[1])
    kept = {}
    for detector in Detector:
        exposure = Exposure(detector=detector, binning=1)
        image = record(wave.astype(np.float32), exposure, 1e6, FIELD, _rng())
        kept[detector] = np.ptp(image.mean(axis=1)) / image.mean() / 0.4
    s = 2 / period  # parts of Nyquist
    assert kept[Detector.PERFECT] == pytest.approx(1, rel=0.01)
    expected = (0.25 / 0.8) ** (s**2 / 2)
    assert kept[Detector.COUNTING] == pytest.approx(expected, rel=0.01)
    assert kept[Detector.INTEGRATING] < kept[Detector.COUNTING]


def test_integrating_detectors_correlate_the_noise_of_neighbours():
    flat = np.ones(FIELD.canvas, np.float32)
    correlation = {}
    for detector in Detector:
        exposure = Exposure(detector=detector, binning=1)
        image = record(flat, exposure, 20.0, FIELD, _rng())
        a, b = image[:, :-1].ravel(), image[:, 1:].ravel()
        correlation[detector] = np.corrcoef(a, b)[0, 1]
    assert abs(correlation[Detector.COUNTING]) < 0.03
    assert correlation[Detector.INTEGRATING] > 0.1


def test_grain_has_the_spectrum_it_is_drawn_from():
    field, s = Field((256, 256), 0, 3.0), np.linspace(0, 0.4, 512)
    spectrum = chain_grain(s, 0.5)
    grain = draw_grain(spectrum, s, field, _rng())
    expected = np.sum(2 * np.pi * s * spectrum) * (s[1] - s[0])
    assert grain.var() == pytest.approx(expected, rel=0.1)


def test_grain_variance_is_that_of_the_image():
    parameters = SimulationParameters(
        shape=(512, 512),
        sampling_rate=3.0,
        optics=Optics(b_factor_A2=80),
        exposure=Exposure(detector=Detector.PERFECT),
    )
    field, s = Field((512, 512), 0, 3.0), np.linspace(0, 1 / 3, 1024)
    spectrum = water_grain(s, 400, 40) + chain_grain(s, 0.2)
    specimen = Specimen(field, 300)
    specimen.grain += draw_grain(spectrum, s, field, _rng())
    image = form_image(specimen, CTF, b_factor_A2=80, energy_filter=True)
    expected = grain_variance(spectrum, s, CTF, parameters)
    assert (image / image.mean()).var() == pytest.approx(expected, rel=0.1)


def test_longer_exposures_blur_the_grain_of_water_more():
    s = np.array([0.001, 0.1])
    low, high = water_grain(s, 400, 10), water_grain(s, 400, 50)
    assert high[0] == pytest.approx(low[0], rel=1e-3)
    assert high[1] < 0.6 * low[1]


def test_ice_is_a_wedge_about_its_mean():
    ice = Ice(gradient=0.4, roughness=0.0)
    thickness = FIELD.crop(draw_thickness(ice, 300.0, FIELD, _rng()))
    assert thickness.mean() == pytest.approx(300, rel=0.01)
    slopes = [np.gradient(thickness, axis=axis).mean() for axis in (0, 1)]
    assert np.hypot(*slopes) * 128 == pytest.approx(0.4 * 300, rel=0.02)


def test_a_ratio_that_grain_forbids_is_refused():
    assert dose_for(0.1, signal=0.02, grain=0.1, counting=5.0) == pytest.approx(50)
    with pytest.raises(ValueError, match=r"snr: expected less than 0\.2"):
        dose_for(0.5, signal=0.02, grain=0.1, counting=5.0)
