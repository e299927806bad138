# SPDX-License-Identifier: GPL-3.0-or-later
"""Phase flipping by the CTF that a Scipion set gives, angle included."""

from __future__ import annotations

import mrcfile
import numpy as np
from numpy.typing import ArrayLike

from deepconsensus_plugin.convert import read_observed
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.protocols import ProtDeepConsensusScore, ProtNetworkPick
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SHAPE,
    SyntheticProject,
)

DEFOCUS = (14000.0, 9000.0, 35.0)
WAVELENGTH_A = 0.0196875  # of 300 kV, which micrographs are imported with
CS_A, AMPLITUDE_CONTRAST = 2.7e7, 0.1


class TestPhaseFlip(SyntheticProject):
    """Discs as a strongly astigmatic microscope shows them, without noise."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        name = cls.names[0]
        discs = draw_discs(cls.truth[name])
        ctf = astigmatic_ctf(DEFOCUS)
        with mrcfile.open(cls.data / "micrographs" / name, "r+") as micrograph:
            micrograph.set_data(filtered(discs, ctf).astype(np.float32))
        cls.seen = filtered(discs, ctf)
        cls.sharp = filtered(discs, np.abs(ctf))
        model = write_untrained_model(cls.data / "model", phase_flip=True)
        cls.inputs = {
            "inputCoordinates": store_coordinates(cls, cls.truth),
            "inputModel": store_model(cls, model),
            "doInvert": False,
            "doNormalise": False,
        }

    def test_all_transfer_of_written_particles_is_positive(self):
        yx = self.truth[self.names[0]]
        sharp, seen = (extract_boxes(p, yx, BOX) for p in (self.sharp, self.seen))
        # 0.70 as seen; flipped, 0.997, and 0.87 at most if the angle is 20° off.
        self.assertLess(similarity(seen, sharp), 0.8)
        self.assertGreater(similarity(self._stack(), sharp), 0.98)

    def _stack(self) -> FloatArray:
        """Return the particles that are written."""
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            ctfRelations=store_ctfs(type(self), self.names, DEFOCUS),
            writeStacks=True,
            **self.inputs,
        )
        self.launchProtocol(protocol)
        particles = protocol.outputParticles
        self.assertTrue(particles.isPhaseFlipped())
        return mrcfile.read(particles.getFirstItem().getFileName())


class TestPickingWithCtfs(SyntheticProject):
    """A network that needs CTFs picks where there are some."""

    names = ("mic_1.mrc", "mic_2.mrc")

    def test_micrographs_without_a_ctf_are_not_picked(self):
        model = write_untrained_model(self.data / "model", phase_flip=True)
        protocol = new_protocol(
            type(self),
            ProtNetworkPick,
            inputMicrographs=output(
                self.proj.getProtocol(self.micrographs.getObjParentId()),
                "outputMicrographs",
            ),
            inputModel=store_model(type(self), model),
            ctfRelations=store_ctfs(type(self), ["mic_2.mrc"]),
        )
        self.assertEqual(protocol.validate(), [])
        self.launchProtocol(protocol)
        observed = read_observed(protocol.outputCoordinates).observed
        self.assertEqual([*observed], ["mic_2.mrc"])


def draw_discs(yx: FloatArray) -> FloatArray:
    """Return dark discs of a quarter of a box, shape `SHAPE`."""
    rows, columns = np.indices(SHAPE)
    return -sum(
        ((rows - y) ** 2 + (columns - x) ** 2 <= (BOX / 8) ** 2).astype(float)
        for y, x in yx
    )


def astigmatic_ctf(defocus: tuple[float, float, float]) -> FloatArray:
    """Return sin χ on the grid of ``rfft2`` of a micrograph; 0.1 at frequency 0.

    Written out by the definition: U is the defocus along the angle, which goes from x
    (columns) to y (rows).
    """
    defocus_u, defocus_v, angle = defocus
    fy = np.fft.fftfreq(SHAPE[0], SAMPLING_RATE)[:, None]
    fx = np.fft.rfftfreq(SHAPE[1], SAMPLING_RATE)[None, :]
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    along, across = cosine * fx + sine * fy, cosine * fy - sine * fx
    chi = np.pi * WAVELENGTH_A * (defocus_u * along**2 + defocus_v * across**2)
    chi -= np.pi / 2 * CS_A * WAVELENGTH_A**3 * (fx**2 + fy**2) ** 2
    return np.sin(chi + np.arcsin(AMPLITUDE_CONTRAST))


def filtered(image: FloatArray, transfer: FloatArray) -> FloatArray:
    return np.fft.irfft2(np.fft.rfft2(image) * transfer, s=image.shape)


def similarity(boxes: ArrayLike, others: ArrayLike) -> float:
    """Return the correlation over all pixels of two stacks."""
    return float(np.corrcoef(np.ravel(boxes), np.ravel(others))[0, 1])
