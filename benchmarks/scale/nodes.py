# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the benchmark of size, each carried out in this process.

What needs pixels or a network is left out: negatives are not compared with other boxes,
and scores are drawn. Nor are they fused.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pwem.objects import Acquisition
from pwem.objects import Micrograph as ScipionMicrograph
from pwem.protocols import EMProtocol, ProtImportMicrographs
from pyworkflow.object import Pointer
from pyworkflow.project import Project

from benchmarks.scale import scene
from deepconsensus_plugin.__main__ import main as command
from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.jobs import run_job
from deepconsensus_plugin.core.networks.card import (
    CARD_FILE,
    WEIGHTS_FILE,
    TrainingSet,
)
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusNegatives,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
    ProtEvaluatePicks,
    ProtImportModel,
    ProtImportPicks,
)
from deepconsensus_plugin.protocols.deep_consensus.score_stages import ScoreStages
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf


class Nodes:
    """Nodes of a project, by name.

    Parameters
    ----------
    project : Project
        It is the working directory.
    data : Path
        Folder of the micrographs and picks.
    """

    def __init__(self, project: Project, data: Path):
        self._project, self._data = project, data

    def micrographs(self) -> None:
        """Make the set of micrographs, and a model that was not trained."""
        protocol = self._new(ProtImportMicrographs, "micrographs")
        items = protocol._createSetOfMicrographs()
        items.setSamplingRate(scene.SAMPLING_RATE)
        items.setAcquisition(
            Acquisition(
                voltage=300,
                sphericalAberration=2.7,
                amplitudeContrast=0.1,
                magnification=50_000,
            )
        )
        for path in sorted((self._data / "micrographs").iterdir()):
            item = ScipionMicrograph(location=str(path))
            item.setMicName(path.name)
            items.append(item)
        self._finish(protocol, outputMicrographs=items)
        card = EnsembleCard(
            n_models=1,
            box_size=scene.BOX,
            sampling_rate=scene.SAMPLING_RATE,
            preprocessing=BoxPreprocessing(32),
            training=TrainingParameters(n_models=1),
            training_sets=[TrainingSet("picks", True, 12, 1.0)],
        )
        folder = self._data / "model"
        write_json(folder / CARD_FILE, to_plain(card))
        (folder / WEIGHTS_FILE).touch()
        model = self._new(ProtImportModel, "model")
        self._finish(model, outputModel=ParticleClassifier(folder))

    def picks(self, name: str) -> None:
        """Import the files of a picker, or the truth."""
        self._run(
            *(ProtImportPicks, name),
            inputMicrographs=self._output("micrographs", "outputMicrographs"),
            filesPath=str(self._data / name),
            boxSize=scene.BOX,
        )

    def masks(self) -> None:
        """Make the node of the consensus, with the masks that its job would make."""
        protocol = self._new(ProtDeepConsensusPicks, "consensus")
        for name in scene.PICKERS:
            protocol.inputCoordinates.append(self._output(name, "outputCoordinates"))
        self._project.saveProtocol(protocol)
        micrographs = self._output("micrographs", "outputMicrographs").get()
        scene.write_masks(
            chainFilesOf(protocol).masks, list(micrographs_from_set(micrographs))
        )

    def consensus(self) -> None:
        """Find candidates."""
        self._carry_out(self._output("consensus", "").getObjValue())

    def negatives(self) -> None:
        """Draw negatives, none of which is looked at."""
        self._run(
            *(ProtDeepConsensusNegatives, "negatives"),
            inputCoordinates=self._output("consensus", "outputCoordinatesOR"),
            inputPositives=self._output("consensus", "outputCoordinatesAND"),
            extraNegatives=self._output("few", "outputCoordinates"),
            avoidLikelyParticles=False,
        )

    def few(self) -> None:
        """Import negatives of the user's own, so that boxes are not compared."""
        self._run(
            *(ProtImportPicks, "few"),
            inputMicrographs=self._output("micrographs", "outputMicrographs"),
            filesPath=str(self._data / "few"),
            boxSize=scene.BOX,
        )

    def score(self) -> int:
        """Take candidates in and write the scored set; scores are drawn.

        Returns the number of candidates.
        """

        def draw(stages: ScoreStages) -> int:
            candidates = read_candidates(stages.files.candidates)
            rng = np.random.default_rng(0)
            mean = np.clip(rng.normal(candidates.votes / 3, 0.2), 0, 1)
            write_scores(stages.files.scores, EnsembleScores(mean, 0.1 * mean))
            return len(mean)

        with patch.object(ScoreStages, "score", draw):
            self._run(
                *(ProtDeepConsensusScore, "score"),
                inputCoordinates=self._output("consensus", "outputCoordinatesOR"),
                inputModel=self._output("model", "outputModel"),
                combineEvidence=False,
                writeStacks=False,
            )
        return self._output("score", "outputCoordinates").get().getSize()

    def select(self) -> None:
        """Select by score; nothing is cut."""
        self._run(
            *(ProtDeepConsensusSelect, "select"),
            inputCoordinates=self._output("score", "outputCoordinates"),
            writeStacks=False,
        )

    def export(self) -> None:
        """Export what is accepted, a file for each micrograph."""
        out = self._data / "exported"
        folder = str(Path(self._project.path).absolute())
        words = ["export", folder, "--format", "star", "--out", str(out)]
        if command([*words, "--per-micrograph"]):
            raise RuntimeError("export failed")

    def evaluation(self) -> None:
        """Compare all scored candidates with the truth."""
        self._run(
            *(ProtEvaluatePicks, "evaluation"),
            inputCoordinates=self._output("score", "outputCoordinates"),
            inputAccepted=self._output("select", "outputCoordinates"),
            inputTruth=self._output("truth", "outputCoordinates"),
        )

    def all(self) -> dict[str, Callable[[], int | None]]:
        """Return what carries each node out, in order."""
        imports = {
            f"import {name}, {kind.value}": lambda name=name: self.picks(name)
            for name, kind in scene.PICKERS.items()
        }
        return {
            "micrographs": self.micrographs,
            "truth": lambda: self.picks("truth"),
            "few": self.few,
            **imports,
            "masks": self.masks,
            "consensus": self.consensus,
            "negatives": self.negatives,
            "score": self.score,
            "select": self.select,
            "export": self.export,
            "evaluation": self.evaluation,
        }

    def _run(self, kind: type[EMProtocol], name: str, **options: object) -> None:
        protocol = self._new(kind, name, **options)
        self._carry_out(protocol)

    def _carry_out(self, protocol: EMProtocol) -> None:
        """Run the steps of a protocol in this process, and its jobs."""
        if errors := protocol.validate():
            raise ValueError(errors)
        with patch.object(Plugin, "runCoreJob", lambda _, path: run_job(Path(path))):
            protocol._steps = []
            protocol._insertAllSteps()
            for step in protocol._steps:
                step._run()
        self._finish(protocol)

    def _new(self, kind: type[EMProtocol], name: str, **options: object) -> EMProtocol:
        pointers = {k: v for k, v in options.items() if isinstance(v, Pointer)}
        others = {k: v for k, v in options.items() if k not in pointers}
        protocol = self._project.newProtocol(kind, **others)
        for each, pointer in pointers.items():
            getattr(protocol, each).copy(pointer)
        protocol.setObjLabel(name)
        self._project.saveProtocol(protocol)
        protocol.makePathsAndClean()
        return protocol

    def _finish(self, protocol: EMProtocol, **outputs: object) -> None:
        if outputs:
            protocol._defineOutputs(**outputs)
        protocol.setFinished()
        self._project._storeProtocol(protocol)

    def _output(self, name: str, output: str) -> Pointer:
        for protocol in self._project.getRuns(iterate=False):
            if protocol.getObjLabel() == name:
                return Pointer(protocol, extended=output)
        raise ValueError(f"expected a node {name}, received none")
