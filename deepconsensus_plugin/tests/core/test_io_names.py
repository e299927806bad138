# SPDX-License-Identifier: GPL-3.0-or-later
import logging
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pick_files.names import listed, match_names, stem

UID = "006789012345678901234"


@pytest.mark.parametrize(
    ("micrograph", "file"),
    [
        ("mic_1.mrc", "mic_1.box"),
        ("May08_03.05.02.mrc", "May08_03.05.02.csv"),
        ("mic_1.mrc.gz", "mic_1.star"),
        ("mic_1.mrc", "mic_1_info.json"),
        ("mic_1.mrc", "mic_1_autopick.star"),
        ("mic_1.mrc", "run7_mic_1.box"),
        ("mic_1.mrc", "run7-mic_1.mrc_picked.box"),
        ("mic_1.mrc", "12_mic_1.box"),
        ("1.mrc", f"{UID}_1.box"),
        ("mic_1.mrc", f"{UID}_mic_1_patch_aligned_doseweighted.star"),
        (f"{UID}_mic_1_patch_aligned_doseweighted.mrc", "mic_1_autopick.star"),
        (f"{UID}_mic_1_patch_aligned.mrc", f"{UID[::-1]}_mic_1_info.json"),
        ("mic_1_DW.mrc", "mic_1_autopick.star"),
        ("mic_1_DW.mrc", "mic_1.box"),
        ("MotionCorr/job002/mic_1.mrc", "Picks/mic_1.box"),
        ("alpha.mrc", "alpha_picks.box"),
        ("mic_1.mrc", "mic 1.box"),
        ("mic_1.mrc", "mic_1.strange"),
        ("mymic1.mrc", "my mic 1_autopick.star"),
        ("my mic 1.mrc", "mymic1.box"),
        ("g_7.tif.mrc", "g_7.tif_picks.box"),
        ("g_7_fractions_aligned_mic_DW.mrc", f"{UID}_g_7_fractions.tiff_patch.star"),
        ("g_-7.5.mrc", "run2_g_-7.5_autopick.star"),
        ("x" * 235 + ".mrc", "x" * 235 + "_autopick.star"),
    ],
)
def test_names_that_belong_together(micrograph, file):
    assert match_names([micrograph], [Path(file)]) == {micrograph: Path(file)}


@pytest.mark.parametrize(
    ("micrograph", "file"),
    [
        ("mic_1.mrc", "mic_10.box"),
        ("mic_10.mrc", "mic_1.box"),
        ("mic_1.mrc", "mic_01.box"),
        ("mic_1.mrc", "mic_1_2.box"),
        ("mic_1_2.mrc", "mic_1.box"),
        ("mic_1.mrc", "comic_1.box"),
        ("10.mrc", "2_10.box"),
        ("10.mrc", "10_2.box"),
        ("mic_1.mrc", "mic.star"),
        ("mic_1.mrc", "particles.star"),
        ("mic_1.mrc", "autopick.star"),
        ("g_-7.mrc", "g_7.box"),
        ("g_7.mrc", "g_+7.box"),
        ("g_7.mrc", "g_7_-2.box"),
    ],
)
def test_names_that_do_not(micrograph, file, caplog):
    caplog.set_level(logging.INFO)
    assert match_names([micrograph], [Path(file)]) == {}
    assert f"1 without a micrograph: {file}" in caplog.text


def test_the_same_name_wins_over_a_longer_one():
    files = [Path("mic_1_autopick.star"), Path("mic_1.star")]
    assert match_names(["mic_1.mrc"], files) == {"mic_1.mrc": files[1]}


def test_the_more_specific_micrograph_wins():
    names = ["mic_1.mrc", "grid2_mic_1.mrc"]
    file = Path("grid2_mic_1_autopick.star")
    assert match_names(names, [file]) == {names[1]: file}


def test_weighted_and_unweighted_micrographs_are_told_apart():
    names = ["mic_1_DW.mrc", "mic_1_noDW.mrc"]
    files = [Path("mic_1_noDW_autopick.star"), Path("mic_1_DW_autopick.star")]
    assert match_names(names, files) == dict(zip(names, files[::-1], strict=True))


def test_a_file_between_two_micrographs_is_refused():
    names = ["mic_1_DW.mrc", "mic_1_noDW.mrc"]
    with pytest.raises(NameMatchError, match=r"mic_1\.box.*mic_1_DW\.mrc, mic_1_noDW"):
        match_names(names, [Path("mic_1.box")])
    surer = [Path("mic_1_DW.box"), Path("mic_1_noDW.box")]
    matched = match_names(names, [Path("mic_1.box"), *surer])
    assert list(matched.values()) == surer


def test_two_files_for_one_micrograph_are_refused():
    files = [Path("mic_1_autopick.star"), Path("mic_1_manualpick.star")]
    message = r"mic_1\.mrc, received 2 .*mic_1_autopick\.star, mic_1_manualpick\.star"
    with pytest.raises(NameMatchError, match=message):
        match_names(["mic_1.mrc"], files)


def test_micrographs_of_one_name_in_two_folders_are_refused():
    with pytest.raises(NameMatchError, match="received 2"):
        match_names(["a/mic_1.mrc", "b/mic_1.mrc"], [Path("mic_1.box")])


def test_signs_of_numbers_tell_micrographs_apart():
    names = ["g_001_-1.0.mrc", "g_001_1.0.mrc", "g_001_+1.0.mrc"]
    files = [Path(f"{name[:-4]}_autopick.star") for name in names[::-1]]
    assert match_names(names, files) == dict(zip(names, files[::-1], strict=True))


def test_an_inner_extension_tells_micrographs_apart():
    names = ["a.tif.mrc", "a.mrc"]
    assert match_names(names, ["a.tif", "a"]) == {"a.tif.mrc": "a.tif", "a.mrc": "a"}
    files = [Path("a.box"), Path("a.tif.box")]
    assert match_names(names, files) == dict(zip(names, files[::-1], strict=True))


def test_folders_tell_files_of_one_name_apart():
    # Scipion puts the folder before the name of the second file of a name only.
    names = ["001.mrc", "Set2_001.mrc"]
    labels = ["Set1/001.mrc", "Set2/001.mrc"]
    assert match_names(names, labels) == dict(zip(names, labels, strict=True))
    files = [Path(f"AutoPick/job3/Set{i}/001_autopick.star") for i in (1, 2)]
    assert match_names(names, files) == dict(zip(names, files, strict=True))
    both = ["Set1_001.mrc", "Set2_001.mrc"]
    assert match_names(both, labels) == dict(zip(both, labels, strict=True))


def test_the_folder_of_a_file_does_not_outweigh_its_own_name():
    names = ["2.mrc", "1_2.mrc"]
    files = [Path("picks/1/2.box"), Path("picks/1/1_2.box")]
    assert match_names(names, files) == dict(zip(names, files, strict=True))


def test_the_file_that_a_micrograph_is_a_link_to_tells_its_folder():
    names = ["001.mrc", "other.mrc"]
    targets = {name: Path("/data/Set2/001.mrc") for name in names[:1]}
    labels = ["Set1/001.mrc", "Set2/001.mrc"]
    with pytest.raises(NameMatchError, match="received 2"):
        match_names(names, labels)
    assert match_names(names, labels, targets=targets) == {"001.mrc": "Set2/001.mrc"}
    renamed = {"grid A 7.mrc": Path("/data/Set1/001.mrc"), **targets}
    assert match_names(list(renamed), labels, targets=renamed) == {
        "grid A 7.mrc": "Set1/001.mrc",
        "001.mrc": "Set2/001.mrc",
    }


def test_names_of_a_merged_file_and_order_of_micrographs():
    matched = match_names(["b.mrc", "a.mrc", "c.mrc"], ["Import/a.mrc", "Import/b.mrc"])
    assert list(matched.items()) == [
        ("b.mrc", "Import/b.mrc"),
        ("a.mrc", "Import/a.mrc"),
    ]


def test_nothing():
    assert match_names([], [Path("a.box")]) == {}
    assert match_names(["a.mrc"], []) == {}


def test_stem_takes_known_extensions_only():
    assert stem("x/May08_03.05.02.mrc.bz2") == "May08_03.05.02"
    assert stem("May08_03.05.02") == "May08_03.05.02"


def test_a_list_for_a_message():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


@pytest.mark.slow
def test_ten_thousand_names_take_seconds():
    def name(i):
        return f"FoilHole_{i}_Data_{i * 7}_{i % 10}_20181202_{i:05d}"

    names = [f"{name(i)}_fractions.mrc" for i in range(10_000)]
    files = [Path(f"{UID}_{name(i)}_autopick.star") for i in range(10_000)]
    start = time.process_time()
    matched = match_names(names, files)
    assert list(matched.values()) == files
    assert time.process_time() - start < 10


words = st.sampled_from(["grid", "a", "1", "10", "2", "b3"])
stems = st.lists(words, min_size=1, max_size=4).map("_".join)


def slowly_fits(name, label):
    """Look for one name at every place in the other, by its rules in words."""
    images, files = name.split("_"), label.split("_")
    for long, short in ((files, images), (images, files)):
        names_a_number = any(re.search(r"\d", word) for word in short)
        for start in range(len(long) - len(short) + 1):
            before, after = long[:start], long[start + len(short) :]
            number_after = bool(after) and after[0].isdigit()
            number_before = bool(before) and before[-1].isdigit()
            only_numbers = all(word.isdigit() for word in short)
            if (
                long[start : start + len(short)] == short
                and not number_after
                and not (number_before and only_numbers)
                and (long is files or names_a_number)
            ):
                return True
    return False


@settings(deadline=None)
@given(stems, stems)
def test_one_pair_against_a_search_at_every_place(name, label):
    expected = {name: label} if slowly_fits(name, label) else {}
    assert match_names([name], [label]) == expected


@settings(deadline=None)
@given(st.sets(stems, min_size=1), st.randoms(use_true_random=False))
def test_same_names_always_match_in_any_order(names, random):
    names = sorted(names)
    files = [Path(f"{name}.box") for name in names]
    expected = dict(zip((f"{name}.mrc" for name in names), files, strict=True))
    shuffled = random.sample(files, len(files))
    assert match_names([f"{name}.mrc" for name in names], shuffled) == expected
