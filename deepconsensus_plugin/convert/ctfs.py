# SPDX-License-Identifier: GPL-3.0-or-later
"""CTFs of `core` → Scipion's CTF models."""

from __future__ import annotations

from collections.abc import Mapping

from pwem.objects import CTFModel, SetOfCTF, SetOfMicrographs

from deepconsensus_plugin.convert.micrographs import micrograph_name
from deepconsensus_plugin.core.types import Ctf


def append_ctfs(
    ctfs: SetOfCTF, micrographs: SetOfMicrographs, known: Mapping[str, Ctf]
) -> None:
    """Append the CTF of every micrograph that has one.

    Parameters
    ----------
    ctfs : SetOfCTF
        The set to fill.
    micrographs : SetOfMicrographs
        In whose order.
    known : mapping of micrograph name to Ctf
        The CTFs.
    """
    has_plate = any(ctf.phase_shift_deg for ctf in known.values())
    for item in micrographs.iterItems():
        ctf = known.get(micrograph_name(item))
        if ctf is not None:
            model = ctf_model(ctf, has_plate=has_plate)
            model.setMicrograph(item)
            ctfs.append(model)


def ctf_model(ctf: Ctf, *, has_plate: bool) -> CTFModel:
    """Return Scipion's model of a CTF; `has_plate`: of a set with phase shifts."""
    model = CTFModel()
    model.setStandardDefocus(ctf.defocus_u_A, ctf.defocus_v_A, ctf.defocus_angle_deg)
    if has_plate:  # programs take the mere presence of a shift for a phase plate
        model.setPhaseShift(ctf.phase_shift_deg)
    return model
