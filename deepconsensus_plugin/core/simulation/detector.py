# SPDX-License-Identifier: GPL-3.0-or-later
"""Detector: DQE, counting statistics, and the spread of each count.

As Vulović et al. (2013): the wave's intensity is filtered by the root of the DQE,
electrons are counted, and the counts filtered by the transfer of noise, so that signal
passes with the MTF and the ratio of signal and noise with the DQE. All three fall with
a Gaussian of the frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft

from deepconsensus_plugin.core.simulation.parameters import Detector, Exposure
from deepconsensus_plugin.core.simulation.specimen import Field
from deepconsensus_plugin.core.types import FloatArray


@dataclass(frozen=True)
class DetectorResponse:
    """Response of a detector at 300 kV: DQE and noise transfer.

    Parameters
    ----------
    dqe_zero, dqe_nyquist : float
        Detective quantum efficiency for coarse detail, and at its own pixels' limit.
    noise_nyquist : float
        Transfer of noise there; 1 where counts are single pixels.
    """

    dqe_zero: float
    dqe_nyquist: float
    noise_nyquist: float


RESPONSES = {
    # K2 and K3: McMullan et al. (2014), Ruskin et al. (2013).
    Detector.COUNTING: DetectorResponse(0.80, 0.25, 1.0),
    # Falcon II: McMullan et al. (2014).
    Detector.INTEGRATING: DetectorResponse(0.50, 0.20, 0.50),
    Detector.PERFECT: DetectorResponse(1.0, 1.0, 1.0),
}


def signal_fall_off(exposure: Exposure, sampling_rate: float) -> float:
    """Return k of the signal's transfer before counting, ``exp(-k s²)``, Å²."""
    response = RESPONSES[exposure.detector]
    ratio = response.dqe_nyquist / response.dqe_zero
    return float(-np.log(ratio) / 2 / _nyquist(exposure, sampling_rate) ** 2)


def noise_fall_off(exposure: Exposure, sampling_rate: float) -> float:
    """Return k of the transfer of counts, ``exp(-k s²)``, Å²."""
    ratio = RESPONSES[exposure.detector].noise_nyquist
    return float(-np.log(ratio) / _nyquist(exposure, sampling_rate) ** 2)


def record(
    intensity: FloatArray,
    exposure: Exposure,
    dose_e_per_A2: float,
    field: Field,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the micrograph that a detector makes of an intensity.

    Parameters
    ----------
    intensity : array of the canvas' shape
        Electrons per incident electron.
    exposure : Exposure
        Detector and binning.
    dose_e_per_A2 : float
        Incident electrons per Å².
    field : Field
        Tells the micrograph's part.
    rng : Generator
        Decides what is counted.

    Returns
    -------
    array, shape of the micrograph, float32
        Electrons per pixel.
    """
    rate = field.sampling_rate
    seen = _filtered(intensity, signal_fall_off(exposure, rate), rate)
    electrons = dose_e_per_A2 * rate**2 * RESPONSES[exposure.detector].dqe_zero
    expected = np.maximum(field.crop(seen) * np.float32(electrons), 0)
    counts = rng.poisson(expected).astype(np.float32)
    return _filtered(counts, noise_fall_off(exposure, rate), rate)


def gaussian_transfer(
    shape: tuple[int, ...], k: float, sampling_rate: float
) -> tuple[FloatArray, FloatArray]:
    """Return ``exp(-k s²)`` on a half transform, as its two factors, float32."""
    sy = np.fft.fftfreq(shape[0], sampling_rate)[:, None]
    sx = np.fft.rfftfreq(shape[1], sampling_rate)[None, :]
    return (
        np.exp(-k * sy**2).astype(np.float32),
        np.exp(-k * sx**2).astype(np.float32),
    )


def _filtered(image: FloatArray, k: float, sampling_rate: float) -> FloatArray:
    if k == 0:
        return image
    along_y, along_x = gaussian_transfer(image.shape, k, sampling_rate)
    spectrum = scipy.fft.rfft2(image)
    spectrum *= along_y
    spectrum *= along_x
    return np.asarray(scipy.fft.irfft2(spectrum, s=image.shape))


def _nyquist(exposure: Exposure, sampling_rate: float) -> float:
    """Return the limit of the detector's own pixels, 1/Å."""
    return exposure.binning / (2 * sampling_rate)
