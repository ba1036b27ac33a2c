"""What contract 1.8 allows is decoded, and harm to an answer raises only what costs that answer alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import response_strategies
from aignostics_api_1_8.models import ApplicationVersion as ReleasedVersion
from attrs import asdict
from hypothesis import given, settings, strategies as st
from response_strategies import harm, nodes, valid, wire
from rounds import rounds

from aignostics_async._core._json import NoJson, decode_json
from aignostics_async.contracts._decoding import DECODE_ERRORS
from aignostics_async.contracts.v1_8 import _decoding
from aignostics_async.models import RunDetails

RUN_ID = "00000000-0000-0000-0000-000000000001"
DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ApplicationReadShortResponse": _decoding.application,
    "ApplicationReadResponse": _decoding.released_versions,
    "VersionReadResponse": partial(_decoding.version, "app"),
    "RunReadResponse": _decoding.run,
    "RunCreationResponse": _decoding.new_run,
    "ItemResultReadResponse": partial(_decoding.item, RUN_ID),
}


@pytest.fixture
def document(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give the contract, and make bodies from it as long as the test runs."""
    found: dict[str, Any] = json.loads((root / "contracts/1.8/openapi.json").read_text(encoding="utf-8"))
    for schema in found["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            field.pop("pattern", None)  # of versions: they are texts for the client
            for each in (field, *field.get("anyOf", ())):
                each.pop("additionalProperties", None)  # true, which says nothing
    monkeypatch.setattr(response_strategies, "CONTRACT", found)
    return found


@pytest.mark.parametrize("name", DECODERS)
def test_every_answer_that_is_allowed_is_decoded(document: dict[str, Any], name: str) -> None:
    @given(body=valid({"$ref": f"#/components/schemas/{name}"}))
    @settings(max_examples=rounds(200, sample=10))
    def decoded(body: dict[str, Any]) -> None:
        DECODERS[name](body)

    decoded()


@pytest.mark.parametrize("name", DECODERS)
def test_harm_costs_no_more_than_the_answer(document: dict[str, Any], name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}"}

    @given(data=st.data())
    @settings(max_examples=rounds(200, sample=10))
    def harmed(data: st.DataObject) -> None:
        body = data.draw(valid(schema, full=True))
        places = [place for place, _ in nodes(schema, body)]
        bad = data.draw(st.sampled_from(places).flatmap(lambda at: st.sampled_from(list(harm(body, at)))))
        try:
            told = DECODERS[name](decode_json(wire(bad)))
        except (NoJson, *DECODE_ERRORS):
            return
        check_types(told)

    harmed()


def check_types(value: Any) -> None:
    """Check that nothing of another type than promised is given to users."""
    if isinstance(value, RunDetails):
        assert value.statistics is not None
        assert all(isinstance(each, int) for each in asdict(value.statistics).values())
    if isinstance(value, list):
        assert all(isinstance(each, ReleasedVersion) and isinstance(each.number, str) for each in value)
