# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.optics import (
    ctf_values,
    electron_wavelength,
    interaction_constant,
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


@pytest.mark.parametrize(
    ("voltage", "wavelength", "interaction"),
    [(100, 0.03701, 9.244e-4), (200, 0.02508, 7.288e-4), (300, 0.01969, 6.526e-4)],
)
def test_electrons_are_those_of_the_textbooks(voltage, wavelength, interaction):
    assert electron_wavelength(voltage) == pytest.approx(wavelength, rel=1e-3)
    assert interaction_constant(voltage) == pytest.approx(interaction, rel=1e-3)


@pytest.mark.parametrize("angle", [0, 30, 90, -45])
def test_astigmatism_changes_the_defocus_along_each_direction(angle):
    turned = Ctf(15000, 14000, angle, 300, 2.7, 0.1)
    along_x = 14500 + 500 * np.cos(2 * np.deg2rad(angle))
    same = Ctf(along_x, along_x, 0, 300, 2.7, 0.1)
    expected = ctf_values(same, 512, 2.0)[0]
    np.testing.assert_allclose(ctf_values(turned, 512, 2.0)[0], expected)


def _slow_ctf(ctf: Ctf, size: int, sampling_rate: float) -> np.ndarray:
    """Mindell and Grigorieff's definition, one spatial frequency at a time."""
    wavelength = electron_wavelength(ctf.voltage_kV)
    aberration = ctf.spherical_aberration_mm * 1e7
    values = np.empty((size, size // 2 + 1))
    for row, sy in enumerate(np.fft.fftfreq(size, sampling_rate)):
        for column, sx in enumerate(np.fft.rfftfreq(size, sampling_rate)):
            s, angle = math.hypot(sy, sx), math.atan2(sy, sx)
            from_u = angle - math.radians(ctf.defocus_angle_deg)
            defocus = (
                ctf.defocus_u_A * math.cos(from_u) ** 2
                + ctf.defocus_v_A * math.sin(from_u) ** 2
            )
            chi = math.pi * wavelength * defocus * s**2
            chi -= math.pi / 2 * aberration * wavelength**3 * s**4
            shift = math.radians(ctf.phase_shift_deg) + math.asin(
                ctf.amplitude_contrast
            )
            values[row, column] = -math.sin(chi + shift)
    return values


@pytest.mark.parametrize("angle", [0, 20, 90, -20, 135])
@pytest.mark.parametrize("defocus", [(15000, 12000), (12000, 15000)])
@pytest.mark.parametrize("size", [24, 25])
def test_ctf_is_its_definition_in_every_direction(angle, defocus, size):
    ctf = Ctf(*defocus, angle, 300, 2.7, 0.1, phase_shift_deg=40)
    values = ctf_values(ctf, size, 2.0)
    np.testing.assert_allclose(values, _slow_ctf(ctf, size, 2.0), atol=1e-9)
    assert np.ptp(values - ctf_values(replace(ctf, defocus_angle_deg=50), size, 2)) > 1


def test_ctf_at_zero_frequency_is_the_amplitude_contrast():
    assert ctf_values(CTF, 64, 2.0)[0, 0] == pytest.approx(-0.1)


def test_first_zero_of_the_ctf_is_where_the_phase_is_pi():
    round_ctf = Ctf(15000, 15000, 0, 300, 0.0, 0.0)
    wavelength = 0.019687
    first_zero = np.sqrt(1 / (wavelength * 15000))
    values = ctf_values(round_ctf, 2048, 2.0)[0]
    frequency = np.fft.rfftfreq(2048, 2.0)
    crossing = frequency[1:-1][np.diff(np.sign(values[1:])) != 0][0]
    assert crossing == pytest.approx(first_zero, rel=0.01)


def test_astigmatism_is_strongest_along_its_angle():
    astigmatic = Ctf(20000, 10000, 0, 300, 0.0, 0.0)
    values = ctf_values(astigmatic, 256, 2.0)

    def first_zero(profile):
        return np.flatnonzero(np.diff(np.sign(profile[1:])))[0]

    assert first_zero(values[0]) < first_zero(values[:128, 0])
