"""JSON of answers: the fast parser, the pieces of a long list, and what only the standard library reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from rounds import rounds

from aignostics_async._core import _json
from aignostics_async._core._json import (
    BrokenEntry,
    NoJson,
    beginning,
    decode_json,
    entries,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ['{"', "}, {", "],", "\\"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.fixed_dictionaries({"id": st.integers(0, 9), "parts": st.lists(ANY, max_size=2)}) | ANY)
STYLES: list[dict[str, Any]] = [{}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}]


@pytest.fixture(
    autouse=True,
    scope="module",
    params=[(24, 16), (24, 1 << 18), (1 << 20, 1 << 18)],
    ids=["in parts", "split", "short"],
)
def _at_once(request: pytest.FixtureRequest) -> Any:
    """Read every body as a long one, in parts or split into entries, and as a short one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("AT_ONCE", "_PART"), request.param, strict=True):
            patch.setattr(_json, name, size)
        yield


@given(body=ENTRIES, style=st.sampled_from(STYLES))
@settings(max_examples=rounds(600, sample=100))
def test_the_entries_are_those_of_the_standard_library(body: list[Any], style: dict[str, Any]) -> None:
    content = json.dumps(body, **style).encode()
    assert repr(list(entries(content))) == repr(json.loads(content))
    assert repr(decode_json(content)) == repr(json.loads(content))


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list that gets the sizes of what is parsed at once."""
    found: list[int] = []
    decoded = _json._decoded

    def noted(piece: bytes) -> Any:
        found.append(len(piece))
        return decoded(piece)

    monkeypatch.setattr(_json, "_decoded", noted)
    return found


def test_a_long_list_is_parsed_entry_by_entry(sizes: list[int]) -> None:
    """Between two entries the event loop can run; a short list is parsed at once."""
    body = [{"id": number, "parts": [{"name": "a"}, {"name": "b"}]} for number in range(40)]
    for style in STYLES:
        sizes.clear()
        content = json.dumps(body, **style).encode()
        reading = entries(content)
        assert [next(reading), *reading] == body
        assert len(sizes) == (40 if len(content) > _json.AT_ONCE else 1)


def test_a_part_stays_small_where_few_entries_begin_alike(sizes: list[int]) -> None:
    body = [{"id": 0}, *({"name": "a" * 20} for _ in range(100)), {"id": 1}]
    content = json.dumps(body, separators=(",", ":")).encode()
    assert list(entries(content)) == body
    assert max(sizes) <= max(_json.AT_ONCE, 5 * _json._PART)


@pytest.mark.parametrize(
    "inner",
    [
        [{"id": 1, "parts": []}, {"id": 2, "parts": []}],
        '},{"id":',
        ['}]},{"id":0,"parts":[{"', {"id": '},{"id":'}],
        {"id": [{"id": 1}, {"id": [{"id": 2}, {"id": 3}]}]},
    ],
)
def test_a_list_is_not_cut_where_an_entry_only_seems_to_begin(inner: Any) -> None:
    body = [{"id": number, "parts": inner} for number in range(4)]
    content = json.dumps(body, separators=(",", ":")).encode()
    assert list(entries(content)) == body
    broken = list(entries(content.replace(b'"id":2', b'"id":nope', 1)))
    assert len(broken) == 4
    assert sum(isinstance(each, BrokenEntry) for each in broken) == 1


@pytest.mark.parametrize("levels", range(1, 12))
def test_what_is_nested_a_little_more_is_read_alike(levels: int) -> None:
    value: Any = [1, 2.5, 2**70, "a", None, True]
    for level in range(levels):
        value = {"id": value} if level % 2 else [value]
    content = json.dumps([value]).encode()
    assert repr(list(entries(content))) == repr(json.loads(content))
    assert repr(decode_json(content)) == repr(json.loads(content))


def test_no_entry_is_given_twice() -> None:
    nested: Any = 1
    for _ in range(20):
        nested = {"id": [nested]}
    body = [{"id": 0}, {"id": 0}, {"id": 0}, nested]
    assert list(entries(json.dumps(body).encode())) == body


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"]}":', "}]")])
def test_the_depth_has_a_bound_on_every_python(opened: str, closed: str, size: int) -> None:
    def nested(levels: int) -> bytes:
        times = levels // len(closed)
        return f'{{"x": "{"[" * size}", "y": {opened * times}1{closed * times}}}'.encode()

    # Depth of lists and objects counts; brackets in texts do not.
    assert decode_json(nested(100))["x"] == "[" * size
    (entry,) = entries(b"[" + nested(100) + b"]")
    assert entry["x"] == "[" * size
    with pytest.raises(NoJson):
        decode_json(nested(900))
    (broken,) = entries(b"[" + nested(900) + b"]")
    assert isinstance(broken, BrokenEntry)
    assert "nested too deeply" in str(broken)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("NaN", "nan"),
        ("-1e999", "-inf"),
        ("1" * 5000, "inf"),
        ('"\\ud800"', repr("\ud800")),
        ('"a\x01b"', repr("a\x01b")),
        ("[" * 9000 + "]" * 9000, "nested too deeply"),
        ('{"x": {"y": [nope, "]\\"}"]}}', "no JSON"),
    ],
)
def test_what_one_entry_says_is_its_own_matter(place: int, raw: str, read: str) -> None:
    texts = [f'{{"id": {number}, "parts": []}}' for number in range(3)]
    texts[place] = f'{{"id": {place}, "parts": {raw}}}'
    given = list(entries(f"[{' , '.join(texts)}]".encode()))
    assert len(given) == 3
    bad = given.pop(place)
    assert [entry["parts"] for entry in given] == [[], []]
    if isinstance(bad, BrokenEntry):
        assert read in str(bad)
        assert beginning(bad) == texts[place][:6000]
    else:
        assert repr(bad["parts"]) == read


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b" ",
            b"[",
            b"[1",
            b"[1,",
            b"[1,]",
            b"[,]",
            b"[1 2]",
            b"[1]]",
            b"[1] [2]",
            b"[nope]",
            b"<html>",
        ),
        *(b"{}", b'{"a": [1, 2, 3, 4, 5, 6, 7, 8]}', b"3", b"null", b'"[]"', b"\xff"),
        *(b'[{"a": "}]', b'[{"a": nope]'),
    ],
)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(NoJson):
        list(entries(content))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_other_encodings_of_json_are_read(encoding: str) -> None:
    content = '[{"id": "µ"}]'.encode(encoding)
    assert list(entries(content)) == decode_json(content) == [{"id": "µ"}]


def test_an_excerpt_needs_only_the_beginning() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert beginning(deep).startswith("[[[[")
    assert len(beginning(["x" * 10] * 1_000_000)) < 7000
    assert beginning({"a": "µ"}) == '{"a": "µ"}'
