"""Patterns of files, of which the last one that fits wins."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pathspec import GitIgnoreSpec

from aignostics_async import UsageError
from aignostics_async.bulk.preflight.sources._selection_rules import SelectionRule, counts, split_pattern


def rules(*given: str) -> list[SelectionRule]:
    return [SelectionRule(text[1:], counts=text[0] == "+") for text in given]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.svs", "a.svs", True),
        ("*.svs", "lung/deep/a.svs", True),
        ("*.svs", "a.svs.txt", False),
        ("*.SVS", "lung/a.svs", True),
        ("a?.svs", "a1.svs", True),
        ("a?.svs", "a/.svs", False),
        ("[ab].svs", "b.svs", True),
        ("[!ab].svs", "b.svs", False),
        ("lung", "lung/a.svs", True),
        ("lung", "deep/lung/a.svs", True),
        ("lung", "lungs/a.svs", False),
        ("lung/", "lung/a.svs", True),
        ("lung/", "lung", False),
        ("/a.svs", "a.svs", True),
        ("/a.svs", "lung/a.svs", False),
        ("lung/*.svs", "lung/a.svs", True),
        ("lung/*.svs", "lung/deep/a.svs", False),
        ("lung/*.svs", "x/lung/a.svs", False),
        ("lung/**", "lung/deep/a.svs", True),
        ("lung/**/a.svs", "lung/a.svs", True),
        ("lung/**/a.svs", "lung/x/y/a.svs", True),
        ("**/deep/*.svs", "lung/deep/a.svs", True),
        ("./lung/*.svs", "lung/a.svs", True),
        ("caf\u00e9.svs", "cafe\u0301.svs", True),
    ],
)
def test_what_fits_a_pattern(pattern: str, path: str, fits: bool) -> None:
    assert SelectionRule(pattern, counts=True).fits(path) is fits


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        ([], "a.svs", True),
        (["-*.tmp.svs"], "a.svs", True),
        (["-*.tmp.svs"], "a.tmp.svs", False),
        (["+lung/**"], "skin/a.svs", False),
        (["+lung/**", "-old/"], "lung/old/a.svs", False),
        (["-old/", "+lung/**"], "lung/old/a.svs", True),
        (["-lung/**", "+lung/keep.svs"], "lung/keep.svs", True),
        (["-lung/**", "+lung/keep.svs"], "skin/a.svs", True),
    ],
)
def test_the_last_rule_that_fits_wins(given: list[str], path: str, expected: bool) -> None:
    assert counts(rules(*given), path) is expected


def test_what_is_no_pattern_is_refused() -> None:
    for text in ("", "/", "../a.svs", "a/../b"):
        with pytest.raises(UsageError, match="is no pattern of files"):
            SelectionRule(text, counts=True)


def test_a_pattern_is_searched_from_the_folder_in_front_of_it() -> None:
    assert split_pattern("*.svs") == (".", "/*.svs")
    assert split_pattern("/data/lung/**/a?.svs") == ("/data/lung", "/**/a?.svs")
    assert split_pattern("/*/a.svs") == ("/", "/*/a.svs")


NAME = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)
PART = st.one_of(st.text("ab.*?", min_size=1, max_size=3), st.sampled_from(["**", "*", "[ab]*"]))
PATTERN = st.builds(
    lambda front, parts, back: front + "/".join(parts) + back,
    st.sampled_from(["", "/"]),
    st.lists(PART.filter(lambda part: part not in ("", ".", "..", "***")), min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
).filter(lambda pattern: "***" not in pattern)


@given(PATTERN, PATH)
def test_patterns_mean_what_they_mean_in_lists_of_ignored_files(pattern: str, path: str) -> None:
    theirs = GitIgnoreSpec.from_lines([pattern]).match_file(path)
    assert SelectionRule(pattern, counts=True).fits(path) is bool(theirs)


@given(st.lists(st.tuples(st.booleans(), PATTERN), max_size=6), PATH)
def test_the_last_fitting_rule_alone_decides(given: list[tuple[bool, str]], path: str) -> None:
    several = [SelectionRule(pattern, counts=takes) for takes, pattern in given]
    fitting = [rule for rule in several if rule.fits(path)]
    expected = fitting[-1].counts if fitting else not several or not several[0].counts
    assert counts(several, path) is expected
