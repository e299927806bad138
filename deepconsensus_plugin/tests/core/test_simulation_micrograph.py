# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole micrographs: repeatable, as asked, and with a truth that holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    Detector,
    Exposure,
    Ice,
    ObjectClass,
    Optics,
    Phantom,
    SimulationParameters,
    Structure,
    simulate_micrograph,
    true_coordinates,
)
from deepconsensus_plugin.core.simulation.library import load_library
from deepconsensus_plugin.core.simulation.truth import read_truth, write_truth

CLEAN = Contamination(None, 0.0, 0.0, 0.0, 0.0, 0.0)
PLAIN = Crowd(40, overlapping_fraction=0, broken_fraction=0, aggregates=0)
SMALL = SimulationParameters(
    shape=(320, 400),
    sampling_rate=4.0,
    structures=(Structure(Phantom.GLOBULE),),
    crowd=PLAIN,
    contamination=CLEAN,
)
DIRTY = replace(
    SMALL,
    structures=(Structure(Phantom.SHELL), Structure(Phantom.GLOBULE, share=3)),
    crowd=Crowd(60, overlapping_fraction=0.3, broken_fraction=0.2, aggregates=2),
    contamination=Contamination(Structure(Phantom.WISHBONE), 0.3, 1.0, 2, 2, 2),
)


def _of(micrograph, object_class):
    return [each for each in micrograph.objects if each.object_class is object_class]


@pytest.mark.slow
def test_a_micrograph_depends_on_parameters_seed_and_number_alone():
    first = simulate_micrograph(DIRTY, 1)
    simulate_micrograph(SMALL, 0)
    again = simulate_micrograph(DIRTY, 1)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.objects == again.objects
    assert first.ctf == again.ctf
    for other in (
        simulate_micrograph(DIRTY, 2),
        simulate_micrograph(replace(DIRTY, seed=1), 1),
    ):
        assert not np.array_equal(first.image, other.image)
        assert first.objects != other.objects


@pytest.mark.slow
def test_everything_asked_for_is_there_and_within_the_frame():
    micrographs = [simulate_micrograph(DIRTY, index) for index in range(4)]
    classes, kinds = Counter(), Counter()
    for micrograph in micrographs:
        assert micrograph.image.shape == (320, 400)
        assert micrograph.image.dtype == np.float32
        assert np.isfinite(micrograph.image).all()
        assert micrograph.has_carbon
        for each in micrograph.objects:
            assert -0.5 <= each.y < 319.5
            assert -0.5 <= each.x < 399.5
            classes[each.object_class] += 1
            kinds[each.kind] += 1
    assert set(classes) == set(ObjectClass)
    assert {"shell", "globule", "wishbone"} < set(kinds)
    assert {"ice crystal", "ethane", "gold bead"} & set(kinds)
    assert kinds["globule"] > kinds["shell"]


def test_there_are_as_many_particles_as_asked_for_and_none_overlap():
    micrograph = simulate_micrograph(SMALL, 0)
    assert len(micrograph.objects) == pytest.approx(40, abs=12)
    assert {each.object_class for each in micrograph.objects} <= {
        ObjectClass.GOOD,
        ObjectClass.CUT_OFF,
    }
    width = load_library(SMALL).wanted[0].width_A
    distances = pdist([(each.y, each.x) for each in micrograph.objects]) * 4.0
    assert distances.min() >= 1.1 * width


def test_classes_follow_their_definition():
    crowd = replace(PLAIN, particles_per_micrograph=150, overlapping_fraction=0.5)
    micrograph = simulate_micrograph(replace(SMALL, crowd=crowd), 0)
    width = load_library(SMALL).wanted[0].width_A / 4.0
    yx = np.array([(each.y, each.x) for each in micrograph.objects])
    border = np.minimum(yx, np.array([319, 399]) - yx).min(axis=1) + 0.5
    for index, each in enumerate(micrograph.objects):
        distances = np.hypot(*(yx - yx[index]).T)
        distances[index] = np.inf
        if border[index] < width / 2:
            assert each.object_class is ObjectClass.CUT_OFF
        elif distances.min() < width:
            assert each.object_class is ObjectClass.OVERLAPPING
        elif border[index] > 1.5 * width:  # neighbours beyond the frame are not listed
            assert each.object_class is ObjectClass.GOOD


@pytest.mark.slow
def test_particles_keep_off_dirt():
    alone = replace(DIRTY, crowd=replace(PLAIN, particles_per_micrograph=60))
    for index in range(3):
        objects = simulate_micrograph(alone, index).objects
        dirt = [each for each in objects if each.angles is None]
        for each in (each for each in objects if each.angles is not None):
            for piece in dirt:
                away = np.hypot(each.y - piece.y, each.x - piece.x) * 4.0
                assert away > piece.diameter_A / 2


def test_crowded_micrographs_hold_fewer_and_still_finish():
    crowd = replace(PLAIN, particles_per_micrograph=5000)
    tiny = replace(SMALL, shape=(96, 96), crowd=crowd)
    n = len(simulate_micrograph(tiny, 0).objects)
    assert 15 < n < 60


def test_defocus_is_within_its_range():
    optics = Optics(defocus_A=(8000, 12000), astigmatism_A=500)
    bare = replace(
        SMALL,
        shape=(64, 64),
        optics=optics,
        crowd=replace(PLAIN, particles_per_micrograph=0),
    )
    for index in range(10):
        ctf = simulate_micrograph(bare, index).ctf
        assert 8000 <= (ctf.defocus_u_A + ctf.defocus_v_A) / 2 <= 12000
        assert 0 <= ctf.defocus_u_A - ctf.defocus_v_A <= 500
        assert 0 <= ctf.defocus_angle_deg < 180


@pytest.mark.parametrize("detector", [Detector.COUNTING, Detector.INTEGRATING])
@pytest.mark.parametrize("energy_filter", [True, False])
def test_signal_to_noise_is_as_asked(detector, energy_filter):
    """The same micrograph at a dose where noise is nothing tells signal and noise."""
    asked = replace(
        SMALL,
        structures=(Structure(Phantom.SHELL),),
        ice=Ice((200.0, 200.0), 0.0, 0.0, 0.0),
        exposure=Exposure(
            snr=0.2,
            detector=detector,
            energy_filter=energy_filter,
            illumination_gradient=0.0,
        ),
    )
    exposure = replace(asked.exposure, snr=None, dose_e_per_A2=1e7)
    noisy = simulate_micrograph(asked, 0)
    clear = simulate_micrograph(replace(asked, exposure=exposure), 0)
    assert noisy.snr == pytest.approx(0.2, rel=1e-6)
    assert noisy.objects == clear.objects
    signal = clear.image / clear.image.mean()
    noise = noisy.image / noisy.image.mean() - signal
    rows, columns = np.indices(signal.shape)
    inside = np.zeros(signal.shape, bool)
    radius = load_library(asked).wanted[0].width_A / 2 / 4.0
    for each in _of(noisy, ObjectClass.GOOD):
        inside |= np.hypot(rows - each.y, columns - each.x) <= radius
    measured = signal[inside].var() / noise[inside].var()
    assert measured == pytest.approx(0.2, rel=0.15)


def test_a_micrograph_without_particles_has_no_ratio():
    bare = replace(SMALL, crowd=replace(PLAIN, particles_per_micrograph=0))
    bare = replace(bare, exposure=Exposure(snr=0.1, dose_e_per_A2=30.0))
    micrograph = simulate_micrograph(bare, 0)
    assert np.isnan(micrograph.snr)
    assert micrograph.dose_e_per_A2 == 30.0
    assert micrograph.objects == ()


def test_truth_is_read_as_it_was_written(tmp_path):
    micrograph = simulate_micrograph(DIRTY, 0)
    path = tmp_path / "truth.csv"
    write_truth(path, micrograph.objects, micrograph.ctf)
    read = read_truth(path)
    assert len(read) == len(micrograph.objects)
    for one, other in zip(read, micrograph.objects, strict=True):
        assert (one.object_class, one.kind) == (other.object_class, other.kind)
        assert one.y == pytest.approx(other.y, abs=1e-3)
        assert (one.angles is None) == (other.angles is None)
    good = true_coordinates(read, {ObjectClass.GOOD})
    assert len(good) == len(_of(micrograph, ObjectClass.GOOD))
    path.write_text("x,y\n1,2\n")
    with pytest.raises(FileFormatError, match="the truth of a simulated micrograph"):
        read_truth(path)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (SMALL, {"structures": ()}, "at least one"),
        (SMALL, {"shape": (10, 400)}, "shape: it must be 64 or more"),
        (SMALL, {"sampling_rate": 0.0}, "sampling_rate.*must be above 0"),
        (SMALL, {"sampling_rate": float("nan")}, "sampling_rate.*finite number"),
        (SMALL, {"seed": -1}, "seed.*must be 0 or more"),
        (Exposure(), {"snr": 0.0}, "snr.*must be above 0"),
        (Exposure(), {"binning": 0}, "binning.*must be 1 or more"),
        (Crowd(), {"broken_fraction": 1.5}, "broken_fraction.*must be 0 to 1"),
        (Crowd(), {"spacing": 0.1}, "spacing.*must be 0.5 or more"),
        (
            Optics(),
            {"defocus_A": (2.0, 1.0)},
            "least must not be above the most",
        ),
        (Ice(), {"thickness_A": (0.0, 1.0)}, "thickness_A.*must be above 0"),
        (Contamination(), {"gold_beads": -1.0}, "gold_beads.*must be 0 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(part, change, message):
    with pytest.raises(ValueError, match=message):
        replace(part, **change)


def test_a_missing_structure_is_named(tmp_path):
    lost = replace(SMALL, structures=(Structure(path=tmp_path / "lost.pdb"),))
    with pytest.raises(FileNotFoundError, match=r"lost\.pdb: the file"):
        simulate_micrograph(lost, 0)
