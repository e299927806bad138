# SPDX-License-Identifier: GPL-3.0-or-later
"""Deep consensus on one form: same result as the stages, however the input came."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.constants import REASON_ATTRIBUTE
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.jobs import run_job
from deepconsensus_plugin.core.reasons import in_words
from deepconsensus_plugin.core.workflow.automatic import CLASSICAL, LEARNT
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusNegatives,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtDeepConsensusTrain,
)
from deepconsensus_plugin.protocols.consensus.picks_input import OWN_PICKS
from deepconsensus_plugin.report.selection_report import write_selection_report
from deepconsensus_plugin.set_columns import read_ids
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.stored_sets import (
    GrowingCoordinates,
    new_protocol,
    output,
    store_coordinates,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SyntheticProject,
    pick,
)

SMALL = {"nModels": 1, "nEpochs": 2, "batchSize": 16, "inputSize": 32}
"""Training of a second."""

SEED = 3


def rows_of(items, *, leave_out=("filename",)):
    """Return all that the items of a set hold, in their order."""
    return [
        {
            k: v
            for k, v in item.getObjDict().items()
            if not any(part in k.lower() for part in leave_out)
        }
        for item in items.iterItems()
    ]


def reasons_of(items):
    """Return why each item was rejected, empty where it was kept, by its id."""
    return {i.getObjId(): getattr(i, REASON_ATTRIBUTE).get() for i in items.iterItems()}


@slow
class TestScreen(SyntheticProject):
    """Two pickers; inputs that are closed, and inputs that grow."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc", "mic_4.mrc", "mic_10.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.positions = [
            {
                name: picks.yx
                for name, picks in pick(
                    cls.truth, seed=seed, recall=0.9, jitter_px=1.5, n_false=4
                ).items()
            }
            for seed in (1, 2)
        ]
        cls.picks = [store_coordinates(cls, found) for found in cls.positions]
        cls.end = run_here(cls, cls.new_screen(cls.picks))

    def run_stages(self):
        """Run the protocols of the stages one after another."""
        test = type(self)
        consensus = new_protocol(test, ProtDeepConsensusPicks)
        consensus.inputCoordinates.set(self.picks)
        run_here(test, consensus)
        candidates = output(consensus, "outputCoordinatesOR")
        agreed = output(consensus, "outputCoordinatesAND")
        negatives = run_here(
            test,
            new_protocol(
                test,
                ProtDeepConsensusNegatives,
                inputCoordinates=candidates,
                inputPositives=agreed,
                seed=SEED,
            ),
        )
        trained = run_here(
            test,
            new_protocol(
                test,
                ProtDeepConsensusTrain,
                inputPositives=agreed,
                inputNegatives=output(negatives, "outputCoordinatesNEG"),
                seed=SEED,
                **SMALL,
            ),
        )
        scored = run_here(
            test,
            new_protocol(
                test,
                ProtDeepConsensusScore,
                inputCoordinates=candidates,
                inputModel=output(trained, "outputModel"),
                writeStacks=True,
                seed=SEED,
            ),
        )
        selected = run_here(
            test,
            new_protocol(
                test,
                ProtDeepConsensusSelect,
                inputParticles=output(scored, "outputParticles"),
                thresholdMode=2,
            ),
        )
        return scored, selected

    @classmethod
    def new_screen(cls, picks, **options):
        """Return a run on these picks that nothing is wrong with."""
        screen = new_protocol(
            cls, ProtDeepConsensusScreen, seed=SEED, **SMALL, **options
        )
        screen.inputCoordinates.set(picks)
        assert screen.validate() == []
        return screen

    def test_the_end_is_that_of_the_stages(self):
        scored, selected = self.run_stages()
        for name in ("outputCoordinates", "outputParticles"):
            mine, theirs = getattr(self.end, name), getattr(selected, name)
            self.assertGreater(len(mine), 0)
            self.assertEqual(rows_of(mine), rows_of(theirs))
            # *Score particles* does not select, so it has no reasons.
            everything = getattr(self.end, f"{name}Scored"), getattr(scored, name)
            mine, theirs = (
                rows_of(items, leave_out=("filename", "reason")) for items in everything
            )
            self.assertEqual(mine, theirs)
        rejected = selected.outputCoordinatesRejected
        self.assertEqual(
            reasons_of(self.end.outputCoordinatesScored),
            {**reasons_of(selected.outputCoordinates), **reasons_of(rejected)},
        )

    def test_inputs_that_grow_and_kills_change_nothing(self):
        growing = [GrowingCoordinates(type(self), found) for found in self.positions]
        screen = self.new_screen(
            [each.pointer() for each in growing],
            extractingBatch=2,
            preliminaryPositives=20,
        )
        stream = Stream(self, growing)
        while not screen.isFinished():
            try:
                run_here(type(self), screen, job=stream.job, wait=stream.wait)
                self.assertFalse(screen.isFailed(), screen.getErrorMessage())
            except Killed:
                number = screen.getObjId()
                screen = self.proj.getProtocol(number, fromRuns=False)
                stream.look(screen)
        self.assertGreaterEqual(stream.n_killed, 6)
        self.assertGreater(max(stream.n_scored), 60)
        self.assertEqual(sorted(stream.n_scored), stream.n_scored)
        for name, items in self.end.iterOutputAttributes():
            mine = getattr(screen, name)
            self.assertEqual(rows_of(mine), rows_of(items))
            self.assertTrue(mine.isStreamClosed())
        self.assertEqual(screen.summary(), self.end.summary())
        self.assertFalse(Path(screen._getExtraPath("preliminary")).exists())

    def test_what_it_says(self):
        n = len(self.end.outputCoordinatesScored)
        summary, methods = self.end.summary(), self.end._methods()
        self.assertIn(f"{n} candidates scored; all of them", summary[0])
        self.assertIn("found by both pickers", "".join(summary))
        self.assertLessEqual({"Trained on: CPU.", "Scored on: CPU."}, {*summary})
        self.assertIn(summary[1], methods)
        self.assertIn(f" kept of {n} candidates", summary[1])
        self.assertIn("whose box leaves the micrograph", methods[-1])
        self.assertEqual(
            self.new_screen(self.picks).summary(),
            ["Not run yet, or no input so far."],
        )

    def test_its_report_has_all_that_the_stages_would_have(self):
        path = self.data / "report.html"
        write_selection_report(self.proj, self.end, path)
        page = path.read_text()
        n = len(self.end.outputCoordinatesScored)
        for part in (
            *(
                "Agreement of the pickers",
                "Reliability of the pickers",
                "Ensemble of 1",
            ),
            *("confirmed by another", f"particles kept of {n} candidates"),
            *("Trained on: CPU.", "Scored on: CPU."),
        ):
            self.assertIn(part, page)

    def test_a_model_is_used_as_it_is(self):
        model = store_model(type(self), write_untrained_model(self.data / "model"))
        screen = self.new_screen(
            self.picks, modelInitialization=1, initialModel=model, writeStacks=False
        )
        jobs = []

        def count(path):
            jobs.append(path.stem)
            run_job(path)

        run_here(type(self), screen, job=count)
        self.assertEqual(jobs.count("score"), 1)
        self.assertEqual(jobs.count("witness"), 1)
        self.assertFalse({"negatives", "train"} & {*jobs})
        self.assertEqual(
            len(screen.outputCoordinatesScored), len(self.end.outputCoordinatesScored)
        )
        self.assertFalse(screen.hasAttribute("outputParticles"))
        self.assertFalse(Path(screen._getExtraPath("model")).exists())

    def test_micrographs_that_cannot_be_read_are_left_out_if_asked_for(self):
        model = store_model(type(self), write_untrained_model(self.data / "some"))
        given = {"modelInitialization": 1, "initialModel": model, "writeStacks": False}
        micrographs = self.picks[0].get().getMicrographs()
        (path,) = [
            Path(each.getFileName()).resolve()
            for each in micrographs.iterItems()
            if each.getMicName() == "mic_2.mrc"
        ]
        whole = path.read_bytes()
        path.write_bytes(whole[:1500])
        try:
            refused = run_here(type(self), self.new_screen(self.picks, **given))
            self.assertTrue(refused.isFailed())
            self.assertIn(str(path.name), refused.getErrorMessage())
            screen = self.new_screen(self.picks, skipBad=True, **given)
            run_here(type(self), screen)
            self.assertFalse(screen.isFailed(), screen.getErrorMessage())
            page = self.data / "left_out.html"
            write_selection_report(self.proj, screen, page)
        finally:
            path.write_bytes(whole)
        rows = screen.outputCoordinatesScored
        found = {item.getMicName() for item in rows.iterItems()}
        self.assertEqual(found, {*self.names} - {"mic_2.mrc"})
        self.assertIn("WARNING: 1 micrograph is left out", screen.summary()[0])
        self.assertIn("WARNING: 1 micrograph is left out", page.read_text())

    def test_boxes_over_the_edge_and_neighbours(self):
        """Everything is accepted by its score; places decide."""
        yx = np.array([[100, 100], [100, 125], [BOX, 5], [250, 300]])
        found = dict.fromkeys(self.names, yx)
        picks = [store_coordinates(type(self), found) for _ in range(2)]
        model = store_model(type(self), write_untrained_model(self.data / "edge"))
        screen = self.new_screen(
            picks,
            **{"modelInitialization": 1, "initialModel": model, "thresholdMode": 0},
            **{"threshold": 0.0, "neighbourDistance": 30 * SAMPLING_RATE},
        )
        run_here(type(self), screen)
        n = len(self.names)
        for name, expected in (
            ("outputCoordinatesScored", 4 * n),
            ("outputParticlesScored", 3 * n),
            ("outputCoordinates", n),
            ("outputParticles", n),
        ):
            self.assertEqual(len(getattr(screen, name)), expected, name)
        words = list(reasons_of(screen.outputCoordinatesScored).values())
        self.assertEqual(words, ["border", "neighbour", "neighbour", ""] * n)
        table = read_scores_csv(screen._getExtraPath("scores.csv"))
        self.assertEqual(in_words(table.reason), words)
        self.assertIn(
            f"{n} kept of {4 * n} candidates: {4 * n} with a score of at least 0, less "
            f"{n} at the micrograph edge and {2 * n} too close to another.",
            screen.summary(),
        )

    def test_validation_names_the_field(self):
        nothing = type(self).newProtocol(ProtDeepConsensusScreen)
        (sentence,) = nothing._validate() + nothing._warnings()
        self.assertIn("or leave them empty and choose Micrographs", sentence)
        self.assertIsNone(nothing.getInputMicrographs())
        screen = self.new_screen(self.picks)
        screen.seed.set(-1)
        screen.extractingBatch.set(0)
        screen.nModels.set(0)
        self.assertEqual(
            [error.split(":")[0] for error in screen.validate()],
            ["Random seed", "Number of networks", "Micrographs per batch"],
        )
        other = write_untrained_model(self.data / "other", sampling_rate=5.0)
        for options, reason in (
            ({}, "Initial model: choose one"),
            ({"initialModel": store_model(type(self), other)}, "Use a box of about"),
        ):
            screen = new_protocol(
                type(self), ProtDeepConsensusScreen, modelInitialization=1, **options
            )
            screen.inputCoordinates.set(self.picks)
            self.assertIn(reason, screen.validate()[0])
        screen = new_protocol(type(self), ProtDeepConsensusScreen, thresholdMode=3)
        screen.inputCoordinates.set(self.picks[:1])
        threshold, pickers = screen.validate()
        self.assertIn("Select by", threshold)
        self.assertIn("at least two pickers", pickers)


@slow
class TestScreenLaunched(SyntheticProject):
    """A run as Scipion starts it."""

    names = ("mic_1.mrc",)
    published_networks = True  # as in the other process

    def test_a_process_scores_with_the_given_model(self):
        model = write_untrained_model(self.data / "model")
        screen = new_protocol(
            type(self),
            ProtDeepConsensusScreen,
            modelInitialization=1,
            initialModel=store_model(type(self), model),
        )
        screen.inputCoordinates.set([store_coordinates(type(self), self.truth)])
        self.launchProtocol(screen, process=True)
        n = sum(map(len, self.truth.values()))
        self.assertEqual(len(screen.outputCoordinatesScored), n)
        self.assertEqual(len(screen.outputParticlesScored), n)


@slow
class TestPickForMe(SyntheticProject):
    """A form with micrographs and no picks."""

    def test_three_pickers_pick_and_their_picks_are_scored(self):
        model = write_untrained_model(self.data / "model")
        screen = new_protocol(
            type(self),
            ProtDeepConsensusScreen,
            inputMicrographs=self.micrographs,
            particleDiameter=BOX / 2 * SAMPLING_RATE,
            boxSize=BOX,
            modelInitialization=1,
            initialModel=store_model(type(self), model),
            writeStacks=False,
        )
        self.assertEqual(screen.validate(), [])
        self.launchProtocol(screen)
        n_picks = [len(getattr(screen, name)) for name in OWN_PICKS]
        self.assertGreater(min(n_picks), 50)  # of 4 times 25
        self.assertLessEqual(max(n_picks), len(screen.outputCoordinatesScored))
        # On discs the two without training are as one picker, and are named together.
        named = " ".join(each.name for each in screen.readCalibration().pickers)
        for picker in (*CLASSICAL, LEARNT):
            self.assertIn(picker, named)


class Killed(BaseException):
    """The process is gone; nobody handles it."""


class Stream:
    """Pickers at different pace, and a run that is killed now and then."""

    def __init__(self, test, growing):
        self.test, self.first, self.second = test, *growing
        self.n_jobs = self.n_killed = 0
        self.n_scored = []
        self.feed = self._feed()

    def _feed(self):
        one, two, three, four, last = TestScreen.names
        self.first.add(one, two, three)
        yield
        self.second.add(two)
        yield
        self.second.add(one)
        yield
        self.first.add(last, four)
        self.first.finish()
        yield
        self.second.add(three, four, last)
        yield
        self.second.finish()
        yield

    def wait(self):
        """Let the pickers work; they are never waited for in vain."""
        next(self.feed)

    def job(self, path):
        """Carry out a job; every third is the last thing that the process does."""
        run_job(path)
        self.n_jobs += 1
        if self.n_jobs % 3 == 0:
            self.n_killed += 1
            raise Killed

    def look(self, screen):
        """Check what others see of a run that was killed."""
        items = getattr(screen, "outputCoordinatesScored", None)
        if items is not None and items.isStreamOpen():
            ids = read_ids(items)
            self.test.assertEqual(ids, list(range(1, len(ids) + 1)))
            self.n_scored.append(len(ids))
            self.test.assertIn("Preliminary", items.getObjComment())
            self.test.assertIn("PRELIMINARY", screen.summary()[0])
            self.test.assertIn("micrographs so far", screen.summary()[1])
