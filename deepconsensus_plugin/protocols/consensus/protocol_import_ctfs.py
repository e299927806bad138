# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: CTFs of micrographs, from the files of other programs."""

from __future__ import annotations

from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCTF
from pwem.protocols import ProtImport

from deepconsensus_plugin.convert import append_ctfs, micrograph_names
from deepconsensus_plugin.core.ctf_files import read_ctfs
from deepconsensus_plugin.core.pick_files.names import listed, match_names
from deepconsensus_plugin.core.types import Ctf
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint

_SAME = 0.01
"""Relative difference of values of the microscope that are the same."""


class ProtImportCtfs(Appearance, ProtImport):
    """Import the CTFs of micrographs from RELION, GCTF, CTFFIND or cryoSPARC.

    Micrographs are found by name, as picks are.
    """

    _label = "import CTFs"
    _possibleOutputs = {"outputCTF": SetOfCTF}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputMicrographs",
            params.PointerParam,
            pointerClass="SetOfMicrographs",
            important=True,
            label="Micrographs",
            help="Micrographs that the CTFs are of, with the voltage, the spherical "
            "aberration and the amplitude contrast of the file.",
        )
        form.addParam(
            "filesPath",
            params.PathParam,
            important=True,
            label="File",
            help="Micrographs STAR of RELION, GCTF or Scipion, *.cs* of cryoSPARC's "
            "exposures, or the folder of the texts that CTFFIND wrote.",
        )

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(self.importStep, fingerprint(self), needsGPU=False)

    def importStep(self, form):
        """Read the file and register the CTFs."""
        micrographs = self.inputMicrographs.get()
        ctfs = self._createSetOfCTF()
        ctfs.setMicrographs(self.inputMicrographs)
        append_ctfs(ctfs, micrographs, self.readMatched(micrograph_names(micrographs)))
        self._defineOutputs(outputCTF=ctfs)
        self._defineCtfRelation(self.inputMicrographs, ctfs)

    def readMatched(self, names) -> dict[str, Ctf]:
        """Return the CTF of every micrograph that the file has one of.

        Raises
        ------
        ValueError, OSError
            If the file cannot be read, or fits none of the micrographs.
        """
        path = Path(self.filesPath.get()).expanduser()
        known = read_ctfs(path)
        matched = match_names(names, list(known))
        if not matched:
            raise ValueError(
                f"{path}: expected CTFs of micrographs such as {listed(names)}, "
                f"received {listed(list(known)) or 'none'}"
            )
        return {name: known[label] for name, label in matched.items()}

    # -------------------------- information --------------------------
    def _validate(self):
        if not self.filesPath.get():
            return ["File: choose the file with the CTFs."]
        try:
            known = read_ctfs(Path(self.filesPath.get()).expanduser())
        except (ValueError, OSError) as error:
            return [f"File: {error}"]
        micrographs = self.inputMicrographs.get()
        acquisition = None if micrographs is None else micrographs.getAcquisition()
        if acquisition is None or acquisition.getVoltage() is None or not known:
            return []
        return _describeOtherMicroscope(acquisition, next(iter(known.values())))

    def _summary(self):
        output = getattr(self, "outputCTF", None)
        if output is None:
            return ["Not run yet."]
        n, nCtfs = self.inputMicrographs.get().getSize(), output.getSize()
        text = f"CTFs of {nCtfs} of {n} micrographs."
        if nCtfs < n:
            text = f"WARNING: {text} The others are not used where a CTF is needed."
        return [text]

    def _citations(self):
        return []


def _describeOtherMicroscope(acquisition, ctf: Ctf) -> list[str]:
    """Return what of the microscope differs between micrographs and CTFs."""
    pairs = {
        "a voltage of {} kV": (acquisition.getVoltage(), ctf.voltage_kV),
        "a spherical aberration of {} mm": (
            acquisition.getSphericalAberration(),
            ctf.spherical_aberration_mm,
        ),
        "an amplitude contrast of {}": (
            acquisition.getAmplitudeContrast(),
            ctf.amplitude_contrast,
        ),
    }
    return [
        f"File: its CTFs are for {what.format(f'{theirs:g}')}, the micrographs have "
        f"{ours:g}. Import the micrographs with the value of the file."
        for what, (ours, theirs) in pairs.items()
        if ours is not None and abs(ours - theirs) > _SAME * max(abs(theirs), 0.1)
    ]
