# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of coordinates and particles as in the plugins of other programs.

As their converters do, without them: scipion-em-relion ``convert31.Writer``,
scipion-em-xmipp and scipion-em-cryosparc2 ``convert.particleToRow``.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from pwem.constants import ALIGN_NONE
from pwem.objects import Coordinate, Image, Particle, SetOfImages, SetOfParticles
from pwem.viewers.mdviewer.sqlite_dao import ScipionSetsDAO
from pwem.viewers.showj import VISIBLE
from pwem.viewers.viewers_data import RegistryViewerConfig
from pyworkflow.object import Set


def read_as_relion(particle: Particle) -> dict[str, object]:
    """Return a row of particles.star; a value that is missing raises."""
    coordinate, ctf = particle.getCoordinate(), particle.getCTF()
    index, path = particle.getLocation()
    acquisition = particle.getAcquisition()
    x, y = coordinate.getPosition()
    return {
        "rlnImageId": int(particle.getObjId()),
        "rlnCoordinateX": x,
        "rlnCoordinateY": y,
        "rlnAutopickFigureOfMerit": coordinate._rlnAutopickFigureOfMerit.get(),
        "rlnMicrographName": str(coordinate.getMicName().replace(" ", "")),
        "rlnImageName": f"{index:06d}@{path}",
        "rlnDefocusU": ctf.getDefocusU(),
        "rlnDefocusV": ctf.getDefocusV(),
        "rlnDefocusAngle": ctf.getDefocusAngle(),
        "rlnImagePixelSize": particle.getSamplingRate(),
        "rlnVoltage": acquisition.getVoltage(),
        "rlnSphericalAberration": acquisition.getSphericalAberration(),
        "rlnAmplitudeContrast": acquisition.getAmplitudeContrast(),
    }


def read_optics_as_relion(items: SetOfImages | Image) -> dict[str, str]:
    """Return the optics group of images; a value that is missing raises."""
    text = items.getAcquisition().opticsGroupInfo.get()
    names = [line.split()[0][1:] for line in text.splitlines() if line.startswith("_")]
    (row,) = (line for line in text.splitlines() if line.startswith("opticsGroup"))
    return dict(zip(names, row.split(), strict=True))


def read_as_xmipp(item: Coordinate | Particle) -> float:
    """Return the column ``zScoreDeepLearning1`` of particles.xmd or a ``.pos`` file."""
    return float(item._xmipp_zScoreDeepLearning1.get())


def shown_columns(items: Set) -> list[str]:
    """Return the columns that Scipion's viewer of tables (MDViewer) shows at first."""
    viewed = ScipionSetsDAO(str(Path(items.getFileName()).absolute()))
    try:
        tables = viewed.getTables()
        every = SimpleNamespace(isLabelVisible=lambda name: True)
        viewed.fillTable(tables["objects"], every)
        columns = [column.getName() for column in tables["objects"].getColumns()]
    finally:
        viewed.close()
    config = RegistryViewerConfig.getConfig(type(items)) or {}
    chosen = config.get(VISIBLE, "").split()
    return [name for name in columns if not chosen or name in chosen]


def faults_of_set(particles: SetOfParticles) -> list[str]:
    """Return what the converters would refuse of a whole set, a sentence each."""
    checks = {
        "no alignment is claimed": particles.getAlignment() == ALIGN_NONE,
        "there is a box size": bool(particles.getXDim()),
        "CTFs are announced": particles.hasCTF(),
        "there is an acquisition": particles.hasAcquisition(),
    }
    faults = [name for name, holds in checks.items() if not holds]
    for particle in particles.iterItems():
        _, path = particle.getLocation()
        if not (Path(path).is_file() and Path(path).suffix == ".mrcs"):
            faults.append(f"{path} is no stack")
        # cryoSPARC's groups particles by it.
        if not particle.hasMicId():
            faults.append(f"particle {particle.getObjId()} has no micrograph")
    return faults
