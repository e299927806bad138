# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene for the check: a small finished project with synthetic micrographs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mrcfile
from pwem import Domain
from pwem.protocols import ProtImportMicrographs
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtClassicalPick,
    ProtDeepConsensusAverages,
    ProtDeepConsensusMask,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtDeepConsensusSelectAverages,
    ProtDeepConsensusTrain,
    ProtDeepEMTrain,
    ProtEvaluatePicks,
    ProtHydraTrain,
    ProtImportCtfs,
    ProtImportModel,
    ProtImportParticleStacks,
    ProtNetworkPick,
    ProtSimulateMicrographs,
    ProtTopazTrain,
)
from deepconsensus_plugin.protocols.deep_consensus.train_form import FROM_MODEL
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    pick,
    write_folder,
    write_micrographs,
)

N_MICROGRAPHS = 8
"""As many as 200 candidates need, below which nothing is averaged."""
_PADDED_ROWS = 3 * BOX // 2
"""Some of the picks are there."""


def make_finished_project(folder: Path) -> Path:
    """Run the whole workflow on synthetic micrographs; return the project.

    Every protocol of the plugin is in it.

    Raises
    ------
    RuntimeError
        If the workflow fails; the message is its error.
    """
    project = folder / "project"
    command = [sys.executable, "-m", "deepconsensus_plugin", "run", "deep_consensus"]
    command += [f"{name}={value}" for name, value in _write_input(folder).items()]
    command += ["--project", str(project)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the finished project could not be made:\n{done.stderr}")
    _run_others(project)
    return project


def _write_input(folder: Path) -> dict[str, object]:
    """Write micrographs and picks; return the settings of the command that use them."""
    names = [f"mic_{number}.mrc" for number in range(1, N_MICROGRAPHS + 1)]
    truth = write_micrographs(folder / "micrographs", names)
    for name in names:
        _pad(folder / "micrographs" / name)
    for seed, picker in enumerate(("gautomatch", "topaz")):
        picks = pick(truth, seed=seed, recall=0.9, jitter_px=1.5, n_false=4)
        write_folder(folder / picker, picks)
    exact = {name: ScoredCoordinates.from_arrays(yx) for name, yx in truth.items()}
    write_folder(folder / "truth", exact)
    return {
        "micrographs": f"{folder}/micrographs/*.mrc",
        "samplingRate": SAMPLING_RATE,
        "picks": f"{folder}/gautomatch,{folder}/topaz",
        "boxSize": BOX,
        "truth": f"{folder}/truth",
        "nModels": 1,
        "nEpochs": 2,
    }


def _pad(path: Path) -> None:
    """Repeat a line at the top of a micrograph, so that its mask has an outline."""
    with mrcfile.open(path, "r+") as file:
        file.data[:_PADDED_ROWS] = file.data[_PADDED_ROWS]


def _run_others(path: Path) -> None:
    """Run the protocols that the workflow does without."""
    project = Project(Domain, str(path))
    project.load()  # the working directory from now on
    runs = {type(run): run for run in project.getRuns()}
    for run in (*_others(project, runs), *_trainings_and_picks(project, runs)):
        project.launchProtocol(run, wait=True)
        if not run.isFinished():
            message = f"{run.getClassLabel()} failed: {run.getErrorMessage()}"
            raise RuntimeError(message)


def _others(project: Project, runs: dict[type, Protocol]) -> list[Protocol]:
    """Return runs of the protocols that train nothing."""
    model = runs[ProtDeepConsensusTrain].outputModel.getFolder()
    picking = project.newProtocol(
        ProtClassicalPick, particleDiameter=BOX * SAMPLING_RATE / 2
    )
    picking.inputMicrographs.set(runs[ProtImportMicrographs])
    picking.inputMicrographs.setExtended("outputMicrographs")
    masking = project.newProtocol(
        ProtDeepConsensusMask, particleDiameter=BOX * SAMPLING_RATE / 2
    )
    masking.inputMicrographs.set(runs[ProtImportMicrographs])
    masking.inputMicrographs.setExtended("outputMicrographs")
    masking.inputCoordinates.set(runs[ProtDeepConsensusPicks])
    masking.inputCoordinates.setExtended("outputCoordinatesOR")
    importing = project.newProtocol(
        ProtImportModel, modelPath=f"{project.path}/{model}"
    )
    simulating = project.newProtocol(
        ProtSimulateMicrographs, numberOfMicrographs=1, size=512
    )
    focused = project.newProtocol(
        ProtImportCtfs, filesPath=str(_write_ctfs(project, runs[ProtImportMicrographs]))
    )
    focused.inputMicrographs.set(runs[ProtImportMicrographs])
    focused.inputMicrographs.setExtended("outputMicrographs")
    stack = runs[ProtDeepConsensusSelect].outputParticles.getFirstItem().getFileName()
    given = project.newProtocol(
        ProtImportParticleStacks, filesPath=f"{project.path}/{stack}"
    )
    selecting = project.newProtocol(ProtDeepConsensusSelect, threshold=0.5)
    selecting.inputCoordinates.set(runs[ProtDeepConsensusScore])
    selecting.inputCoordinates.setExtended("outputCoordinates")
    averaging = project.newProtocol(ProtDeepConsensusAverages)
    averaging.inputCoordinates.set(runs[ProtDeepConsensusPicks])
    averaging.inputCoordinates.setExtended("outputCoordinatesOR")
    sorting = project.newProtocol(
        ProtDeepConsensusSelectAverages, goodAverages="1", badAverages="3"
    )
    sorting.inputCoordinates.set(runs[ProtDeepConsensusScore])
    sorting.inputCoordinates.setExtended("outputCoordinates")
    screening = project.newProtocol(
        ProtDeepConsensusScreen, modelInitialization=FROM_MODEL
    )
    screening.inputCoordinates.set([*runs[ProtDeepConsensusPicks].inputCoordinates])
    screening.initialModel.set(runs[ProtDeepConsensusTrain])
    screening.initialModel.setExtended("outputModel")
    comparing = project.copyProtocol(runs[ProtEvaluatePicks])
    comparing.setObjLabel("comparison at 0.9")  # beside the first in one plot
    comparing.inputAccepted.set(None)  # of all candidates, at a score of its own
    comparing.threshold.set(0.9)
    others = [picking, masking, importing, simulating, focused, given]
    return [*others, selecting, averaging, sorting, screening, comparing]


def _write_ctfs(project: Project, imported: Protocol) -> Path:
    """Write a CTF of every micrograph as RELION does, and return the file."""
    columns = "MicrographName DefocusU DefocusV DefocusAngle Voltage".split()
    columns += ["SphericalAberration", "AmplitudeContrast"]
    lines = ["data_", "", "loop_", *(f"_rln{each}" for each in columns)]
    names = (each.getMicName() for each in imported.outputMicrographs.iterItems())
    lines += [f"{name} 15000 14800 30 300 2.7 0.1" for name in names]
    path = Path(project.path) / "ctfs.star"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def _trainings_and_picks(
    project: Project, runs: dict[type, Protocol]
) -> list[Protocol]:
    """Return runs that train each picker, and one that picks with the first."""
    training = project.newProtocol(ProtTopazTrain, nEpochs=2, updatesPerEpoch=20)
    windowed = project.newProtocol(ProtDeepEMTrain, nRounds=1, nEpochs=1)
    for run in (training, windowed):
        run.inputCoordinates.set(runs[ProtDeepConsensusPicks])
        run.inputCoordinates.setExtended("outputCoordinatesAND")
    tuned = project.newProtocol(ProtHydraTrain, nEpochs=2, updatesPerEpoch=20)
    agreed = runs[ProtDeepConsensusPicks].outputCoordinatesAND
    tuned.inputCoordinates.set([agreed])
    found = project.newProtocol(ProtNetworkPick)
    found.inputMicrographs.set(runs[ProtImportMicrographs])
    found.inputMicrographs.setExtended("outputMicrographs")
    found.inputModel.set(training)
    found.inputModel.setExtended("outputModel")
    return [training, windowed, tuned, found]
