"""The JSONPath of metadata filters, with the answers that PostgreSQL's `@?` gives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aignostics_async.emulator.platform._json_path import PathSyntaxError, has_match

DOCUMENT: dict[str, Any] = {
    "study": "high",
    "confidence_score": 0.8,
    "tags": ["draft", "old"],
    "resources": {"gpu_count": 4, "memory_gb": 16},
    "nested": {"list": [{"n": 1}, {"n": 5}], "a key": None},
    "flag": True,
    "none": None,
    "quote": 'a"b\\c',
}


@pytest.mark.parametrize(
    "path",
    [
        # the five of the specification
        "$.study",
        '$.study ? (@ == "high")',
        "$.confidence_score ? (@ > 0.75)",
        '$.tags[*] ? (@ == "draft")',
        "$.resources ? (@.gpu_count > 2 && @.memory_gb >= 16)",
        # without the prefix
        "study",
        "resources.gpu_count ? (@ == 4)",
        # combinations
        '$.study ? (@ == "low" || @ starts with "hi")',
        '$.study ? (!(@ == "low"))',
        '$ ? (@.study == "high" && (@.flag == true || @.none == 3))',
        "$ ? (exists(@.nested.list))",
        '$.study ? (@ like_regex "^HI" flag "i")',
        '$."study" ? (@ != "low")',
        "$.none ? (@ == null)",
        "$.resources ? (@.gpu_count < $.resources.memory_gb)",
        '$.quote ? (@ == "a\\"b\\\\c")',
        '$.nested."a key"',
        # arrays are unwrapped
        '$.tags ? (@ == "old")',
        "$.nested.list.n ? (@ >= 5)",
        "$.nested.list[1].n ? (@ == 5)",
        "$.study[0]",
        "$.resources.* ? (@ == 16)",
        "$[*].study",
        # a bare predicate yields an item, whatever it says
        '$.study == "low"',
        "$.nothing > 3",
        "exists($.nothing)",
        '"a literal"',
        "$",
    ],
)
def test_what_matches(path: str) -> None:
    assert has_match(json.dumps(DOCUMENT), path)


@pytest.mark.parametrize(
    "path",
    [
        "$.nothing",
        '$.study ? (@ == "low")',
        "$.study ? (@ > 3)",  # a text and a number can't be compared
        "$.study ? (!(@ > 3))",  # and the opposite of unknown is unknown
        "$.flag ? (@ == 1)",
        "$.confidence_score ? (@ > 0.95)",
        "$.resources ? (@.gpu_count > 2 && @.memory_gb > 16)",
        "$.tags[5]",
        "$.nested.list[*].n ? (@ > 5)",
        '$.tags ? (@ == "none")',
        "$.none.below",
        '$.resources ? (@ like_regex ".*")',
    ],
)
def test_what_does_not_match(path: str) -> None:
    assert not has_match(json.dumps(DOCUMENT), path)


def test_missing_metadata_count_as_null() -> None:
    assert not has_match(None, "$.study")
    assert has_match(None, '$.study == "x"')


NO_PATHS = """
$.
$.a ?
$.a ? ()
$.a ? (@ ==)
$.a ? (@ == "x)
$.a ? (@ = 1)
$ $
$.a[
$.a[x]
$.a b
$ ? (@.a)
$ ? (@ starts 3)
$ ? (@ like_regex 3)
$ ? (@ like_regex "(")
$ ? (@ like_regex "a" flag "z")
&&
"\\x"
"""


@pytest.mark.parametrize("path", ["", "(" * 900, *NO_PATHS.strip().splitlines()])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(PathSyntaxError):
        has_match("{}", path)
