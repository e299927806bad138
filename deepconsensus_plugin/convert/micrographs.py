# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of Scipion's micrographs, their acquisition and CTF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pwem.objects import (
    Acquisition,
    CTFModel,
    SetOfCTF,
    SetOfMicrographs,
)
from pwem.objects import Micrograph as ScipionMicrograph

from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.pick_files.names import match_names
from deepconsensus_plugin.core.types import Ctf, Micrograph


def micrographs_from_set(
    micrographs: SetOfMicrographs,
    *,
    ctfs: SetOfCTF | None = None,
    left_out: Collection[str] = (),
) -> tuple[Micrograph, ...]:
    """Return the micrographs of a set, in its order.

    Parameters
    ----------
    micrographs : SetOfMicrographs
        Their files are opened for the shapes (headers only).
    ctfs : SetOfCTF, optional
        Matched by the micrograph's name (`ctfs_by_micrograph`); micrographs without
        one get none.
    left_out : collection of str
        Names of those that are not wanted; their files are not looked at.

    Raises
    ------
    NameMatchError
        If it is not clear whose a CTF is.
    ValueError
        If two have the same name, or one with a CTF has no voltage.
    FileFormatError
        If a file is no micrograph.
    """
    names = micrograph_names(micrographs)
    _refuse_repeats(names)
    models = {} if ctfs is None else ctfs_by_micrograph(ctfs, names)
    rate = micrographs.getSamplingRate()
    found = []
    # A set that is being filled has more by now.
    for name, item in zip(names, micrographs.iterItems(), strict=False):
        if name in left_out:
            continue
        path, model = Path(item.getFileName()), models.get(name)
        ctf = None if model is None else _ctf(name, model, item.getAcquisition())
        found.append(Micrograph(name, path, read_shape(path), rate, ctf))
    return tuple(found)


def micrograph_names(micrographs: SetOfMicrographs) -> list[str]:
    """Return the names of the micrographs of a set, in its order."""
    return [micrograph_name(item) for item in micrographs.iterItems()]


def micrograph_name(micrograph: ScipionMicrograph) -> str:
    """Return the name that coordinates refer to; the file's where there is none."""
    return micrograph.getMicName() or Path(micrograph.getFileName()).name


def _refuse_repeats(names: list[str]) -> None:
    repeated = sorted(name for name, n in Counter(names).items() if n > 1)
    if repeated:
        raise ValueError(
            f"expected micrographs of different names, received {repeated[0]} "
            f"{Counter(names)[repeated[0]]} times. Import them with unique names"
        )


def ctfs_by_micrograph(ctfs: SetOfCTF, names: Sequence[str]) -> dict[str, CTFModel]:
    """Return a copy of the CTF of every micrograph that has one.

    Parameters
    ----------
    ctfs : SetOfCTF
        CTFs of the same exposures, but perhaps of micrographs of other names or another
        pixel size: estimated before dose weighting, for example.
    names : sequence of str
        Names of the micrographs.

    Raises
    ------
    NameMatchError
        If it is not clear whose a CTF is.
    """
    models = {
        micrograph_name(model.getMicrograph()): model.clone()
        for model in ctfs.iterItems()
    }
    return {name: models[own] for name, own in match_names(names, list(models)).items()}


def _ctf(name: str, model: CTFModel, acquisition: Acquisition | None) -> Ctf:
    if acquisition is None or acquisition.getVoltage() is None:
        raise ValueError(
            f"{name}: expected an acquisition with the voltage, received none; it is "
            "needed to use the CTF"
        )
    return Ctf(
        defocus_u_A=model.getDefocusU(),
        defocus_v_A=model.getDefocusV(),
        defocus_angle_deg=model.getDefocusAngle(),
        voltage_kV=acquisition.getVoltage(),
        spherical_aberration_mm=acquisition.getSphericalAberration(),
        amplitude_contrast=acquisition.getAmplitudeContrast(),
        phase_shift_deg=model.getPhaseShift() if model.hasPhaseShift() else 0.0,
    )
