# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection by score: what is kept, what is rejected, and that nothing is lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfParticles

from deepconsensus_plugin.constants import (
    PICKERS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.core.calibration.report import (
    UNKNOWN,
    CalibrationReport,
    write_report,
)
from deepconsensus_plugin.protocols import ProtDeepConsensusSelect
from deepconsensus_plugin.set_columns import read_scores
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_scored,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SHAPE,
    SyntheticProject,
)

SCORES = (0.9, 0.1, 0.5, 0.49, 0.7, 0.5, 0.0, 1.0)

HALF = BOX // 2
EDGE_SCORES = (1.0, 0.95, 0.9, 0.8, 0.9, 0.2)
EDGE = (
    *((HALF - 1, 200), (300, SHAPE[1] - HALF + 1), (HALF, 225)),
    *((320, SHAPE[1] - HALF), (200, 200), (100, 100)),
)
"""Rows and columns: boxes over the edge, at it beside others, and inside."""
REASONS = {1: "border", 2: "border", 3: "neighbour", 4: "neighbour", 6: "score"}


class TestSelect(SyntheticProject):
    """Selections from one scored set of eight, and what validation refuses."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scored = store_scored(cls, SCORES)

    def select(self, **options) -> ProtDeepConsensusSelect:
        protocol = new_protocol(type(self), ProtDeepConsensusSelect, **options)
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def test_fixed_threshold_splits_particles_and_coordinates(self):
        protocol = self.select(inputParticles=output(self.scored, "outputParticles"))

        # 0.5 itself is kept; ids are those of the input.
        kept, rejected = {1, 3, 5, 6, 8}, {2, 4, 7}
        self.assertEqual(ids(protocol.outputParticles), kept)
        self.assertEqual(ids(protocol.outputCoordinates), kept)
        self.assertEqual(ids(protocol.outputParticlesRejected), rejected)
        self.assertEqual(ids(protocol.outputCoordinatesRejected), rejected)
        self._check_particles(protocol)
        self._check_coordinates(protocol)
        sentence = "5 kept of 8 candidates, with a score of at least 0.5."
        self.assertEqual(protocol.summary()[0], sentence)
        self.assertIn(sentence, protocol.methods())
        # No image was written.
        written = {path.suffix for path in Path(protocol.getPath()).rglob("*.*")}
        self.assertFalse(written & {".mrcs", ".mrc", ".stk"})

    def _check_particles(self, protocol: ProtDeepConsensusSelect):
        source = self.scored.outputParticles
        for particles, of_coordinates in (
            (protocol.outputParticles, "outputCoordinates"),
            (protocol.outputParticlesRejected, "outputCoordinatesRejected"),
        ):
            self.assertEqual(particles.getSamplingRate(), SAMPLING_RATE)
            self.assertEqual(particles.getDim(), (BOX, BOX, 1))
            linked = getattr(protocol, of_coordinates)
            self.assertEqual(
                particles.getCoordinates().getFileName(), linked.getFileName()
            )
            for particle in particles.iterItems():
                number = particle.getObjId()
                self.assertEqual(particle.getLocation(), source[number].getLocation())
                self.assertEqual(particle.getCoordinate().getX(), BOX + number)

    def _check_coordinates(self, protocol: ProtDeepConsensusSelect):
        for coordinates in (
            protocol.outputCoordinates,
            protocol.outputCoordinatesRejected,
        ):
            self.assertEqual(coordinates.getBoxSize(), BOX)
            self.assertEqual(coordinates.getMicrographs().getSize(), 1)
            for item in coordinates.iterItems():
                number = item.getObjId()
                found = [
                    getattr(item, name).get()
                    for name in (
                        *(SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE),
                        *(VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE),
                    )
                ]
                expected = [SCORES[number - 1], 0.01 * number, 2, "one;two"]
                self.assertEqual(found, expected)

    def test_first_n_of_coordinates_keeps_exactly_n(self):
        protocol = self.select(
            inputCoordinates=output(self.scored, "outputCoordinates"),
            thresholdMode=1,
            numberOfParticles=4,
        )
        # Of the two with 0.5, the first.
        self.assertEqual(ids(protocol.outputCoordinates), {1, 3, 5, 8})
        self.assertEqual(ids(protocol.outputCoordinatesRejected), {2, 4, 6, 7})
        self.assertFalse(protocol.hasAttribute("outputParticles"))
        self.assertIn("score of at least 0.5", protocol.summary()[0])

    def test_probabilities_choose_the_threshold(self):
        """The largest expected F1, 2 * 4.09 / (6 + 4.19), is at 0.49."""
        scored = store_scored(type(self), SCORES, network_score=0.5)
        inputs = {"inputParticles": output(scored, "outputParticles")}
        automatic = self.select(**inputs, thresholdMode=2)
        self.assertEqual(ids(automatic.outputParticles), {1, 3, 4, 5, 6, 8})
        summary = "\n".join(automatic.summary())
        self.assertIn("Expected of what is kept: precision 0.68, recall 0.98", summary)
        careful = self.select(**inputs, thresholdMode=2, beta=0.1)
        self.assertEqual(ids(careful.outputParticles), {8})
        precise = self.select(**inputs, thresholdMode=3, minPrecision=0.86)
        self.assertEqual(ids(precise.outputParticles), {1, 5, 8})

    def test_no_precision_can_be_asked_for_where_it_is_withheld(self):
        scored = store_scored(type(self), SCORES, network_score=0.5)
        inputs = {"inputParticles": output(scored, "outputParticles")}
        figures = CalibrationReport(
            *(0, len(SCORES), math.nan, 0.5, UNKNOWN),
            *([], [], [], []),
            why_withheld="There is only one picker.",
        )
        write_report(Path(scored._getExtraPath("calibration.json")), figures)
        precise = new_protocol(
            type(self), ProtDeepConsensusSelect, **inputs, thresholdMode=3
        )
        (refusal,) = precise.validate()
        self.assertIn("no precision is expected of these scores", refusal)
        self.assertIn("There is only one picker.", refusal)
        automatic = self.select(**inputs, thresholdMode=2)
        self.assertEqual(ids(automatic.outputParticles), {1, 3, 4, 5, 6, 8})
        (_, told, *_) = automatic.summary()
        self.assertIn("not estimated. There is only one picker.", told)

    def test_scores_of_the_network_are_no_probabilities(self):
        inputs = {"inputParticles": output(self.scored, "outputParticles")}
        automatic = self.select(**inputs, thresholdMode=2)
        self.assertEqual(automatic.lowestScore.get(), 0.5)
        self.assertNotIn("Expected", "\n".join(automatic.summary()))
        precise = new_protocol(
            type(self), ProtDeepConsensusSelect, **inputs, thresholdMode=3
        )
        self.assertIn("needs scores that are probabilities", precise.validate()[0])

    def test_whole_particles_by_themselves(self):
        """Coordinates are one pixel apart, the first a pixel off the box's side."""
        scores = (0.9, 0.1, 0.8, 0.7, 0.2, 0.2, 0.6, 0.0)
        scored = store_scored(type(self), scores)
        for kind in ("Particles", "Coordinates"):
            name = f"output{kind}"
            inputs = {f"input{kind}": output(scored, name)}
            apart = self.select(**inputs, neighbourDistance=2.5 * SAMPLING_RATE)
            # 3 and 4 are next to each other; what is rejected is nobody's neighbour.
            self.assertEqual(ids(getattr(apart, name)), {7})
            self.assertIn(
                "1 kept of 8 candidates: 4 with a score of at least 0.5, less 3 too "
                "close to another.",
                apart.summary(),
            )
            inside = self.select(**inputs, borderDistance=(BOX + 3.5) * SAMPLING_RATE)
            self.assertEqual(ids(getattr(inside, name)), {4, 7})

    def test_boxes_over_the_edge_are_candidates_but_not_kept(self):
        """The first two boxes leave the micrograph, the third touches its edge."""
        scored = store_scored(type(self), EDGE_SCORES, yx=EDGE)
        self.assertEqual(ids(scored.outputParticles), {3, 4, 5, 6})
        particles = output(scored, "outputParticles")
        for inputs in (
            {"inputParticles": particles},
            {"inputCoordinates": output(scored, "outputCoordinates")},
        ):
            protocol = self.select(**inputs, neighbourDistance=30 * SAMPLING_RATE)
            self.assertEqual(ids(protocol.outputCoordinates), {5})
            reasons = reasons_of(protocol.outputCoordinatesRejected)
            self.assertEqual(reasons, REASONS)
            sentence = (
                "1 kept of 6 candidates: 5 with a score of at least 0.5, less 2 at the "
                "micrograph edge and 2 too close to another."
            )
            self.assertEqual(protocol.summary()[0], sentence)
            self.assertIn(sentence, protocol.methods())
            self.assertIn("whose box leaves the", " ".join(protocol.methods()))
            self.assertEqual(reasons_of(protocol.outputCoordinates), {5: ""})
        by_particles = self.select(
            inputParticles=particles, neighbourDistance=30 * SAMPLING_RATE
        )
        self.assertEqual(ids(by_particles.outputParticles), {5})
        self.assertEqual(
            reasons_of(by_particles.outputParticlesRejected),
            {n: REASONS[n] for n in (3, 4, 6)},
        )

    def test_boxes_over_the_edge_that_are_asked_for(self):
        scored = store_scored(type(self), EDGE_SCORES, yx=EDGE)
        protocol = self.select(
            inputParticles=output(scored, "outputParticles"), overBorder=True
        )
        self.assertEqual(ids(protocol.outputCoordinates), {1, 2, 3, 4, 5})
        self.assertEqual(ids(protocol.outputParticles), {3, 4, 5})
        self.assertIn(
            "2 of those kept have coordinates but no particle", protocol.summary()[1]
        )

    def test_the_first_n_are_n_particles(self):
        scored = store_scored(type(self), EDGE_SCORES, yx=EDGE)
        protocol = self.select(
            inputParticles=output(scored, "outputParticles"),
            thresholdMode=1,
            numberOfParticles=2,
        )
        self.assertEqual(ids(protocol.outputParticles), {3, 5})

    def test_particles_chosen_by_other_means_stay_the_candidates(self):
        """A selection from a selection: the rest of the coordinates does not return."""
        scored = store_scored(type(self), SCORES)
        first = self.select(
            inputParticles=output(scored, "outputParticles"), threshold=0.6
        )
        whole = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(first, "outputParticles"),
            threshold=0.8,
        )
        # As of a set that was made of some of the particles, by hand.
        first.outputParticles.setCoordinates(output(scored, "outputCoordinates"))
        self.launchProtocol(whole)
        self.assertEqual(ids(whole.outputParticles), {1, 8})
        self.assertEqual(ids(whole.outputCoordinatesRejected), {5})

    def test_distances_that_cannot_be(self):
        coordinates = output(self.scored, "outputCoordinates")
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputCoordinates=coordinates,
            neighbourDistance=-1,
        )
        self.assertIn(
            "Minimum distance between particles: it must be 0 or more",
            "\n".join(protocol.validate()),
        )

    def test_nothing_kept_gives_no_empty_set(self):
        protocol = self.select(
            inputCoordinates=output(self.scored, "outputCoordinates"), threshold=1.5
        )
        self.assertFalse(protocol.hasAttribute("outputCoordinates"))
        self.assertEqual(protocol.outputCoordinatesRejected.getSize(), 8)
        self.assertIn("No coordinates kept", "\n".join(protocol.summary()))

    def test_an_item_without_a_score_is_rejected(self):
        scored = store_scored(type(self), (0.9, float("nan"), 0.8), particles=False)
        protocol = self.select(
            inputCoordinates=output(scored, "outputCoordinates"), threshold=0.0
        )
        self.assertEqual(ids(protocol.outputCoordinates), {1, 3})
        self.assertEqual(ids(protocol.outputCoordinatesRejected), {2})
        self.assertIn("1 without a score", "\n".join(protocol.summary()))

    def test_validation_says_what_to_do(self):
        protocol = self.newProtocol(ProtDeepConsensusSelect)
        self.assertIn("choose particles or coordinates", protocol.validate()[0])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        plain = store_coordinates(type(self), {self.names[0]: np.full((2, 2), BOX)})
        protocol.inputCoordinates.copy(plain)
        self.assertIn("run *score particles*", protocol.validate()[0])
        protocol.inputCoordinates.copy(output(self.scored, "outputCoordinates"))
        protocol.thresholdMode.set(1)
        protocol.numberOfParticles.set(0)
        self.assertEqual(
            protocol.validate(),
            ["Number of particles: it must be 1 or more, received 0."],
        )
        protocol.beta.set(0.0)
        protocol.minPrecision.set(1.5)
        for mode, sentences in (
            (0, []),  # what the mode does not need is not looked at
            (2, ["Recall weight (beta): it must be above 0, received 0.0."]),
        ):
            protocol.thresholdMode.set(mode)
            self.assertEqual(protocol.validate(), sentences)

    def test_scores_are_read_in_the_order_of_ids(self):
        for name in ("outputParticles", "outputCoordinates"):
            items = getattr(self.scored, name)
            slow = [getattr(i, SCORE_ATTRIBUTE).get() for i in items.iterItems()]
            np.testing.assert_array_equal(read_scores(items), slow)


def ids(items: SetOfParticles | SetOfCoordinates) -> set[int]:
    return {item.getObjId() for item in items.iterItems()}


def reasons_of(items: SetOfParticles | SetOfCoordinates) -> dict[int, str]:
    """Return why each item was rejected, empty where it was kept, by its id."""
    return {
        item.getObjId(): item.getAttributeValue(REASON_ATTRIBUTE)
        for item in items.iterItems()
    }
