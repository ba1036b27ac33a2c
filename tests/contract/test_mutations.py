"""Every answer that the contract allows is decoded as it says, and harm to it costs no more than itself.

Bodies are made from the schemas of openapi.json and changed in one place; each goes through the whole client
except its sockets. What comes out is the values that the body says, or an error of our tree.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import pkgutil
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import httpx
import pytest
from aignostics_api.api import public
from aignostics_api.api.public import (
    cancel_run,
    create_run,
    delete_run_results,
    get_run,
    list_application_versions,
    list_applications,
    list_run_results,
    list_runs,
)
from aignostics_api.models import RunCreationRequest
from attrs import define, evolve, field
from hypothesis import Phase, given, settings, strategies as st
from response_strategies import (
    RAW,
    SIGNED_URL,
    WRONG,
    Place,
    Schema,
    answers,
    at,
    harm,
    internal,
    nodes,
    put,
    resolved,
    says,
    valid,
    wire,
    without,
)
from rounds import rounds

from aignostics_async import (
    AignosticsError,
    Application,
    ApplicationVersion,
    Client,
    InputArtifact,
    InputArtifactSpec,
    InvalidItems,
    InvalidResponse,
    Item,
    ItemResult,
    Page,
    Pager,
    RunDetails,
)
from aignostics_async.contracts.v1_0._requests import Bridge10

RUN_ID = str(uuid.UUID(int=1))
OWN = {"application_run_id": RUN_ID}  # of the run that is asked for, and no other one
RUNS, RUN = "/v1/runs", "/v1/runs/{application_run_id}"
RESULTS = f"{RUN}/results"
VERSIONS = "/v1/applications/{application_id}/versions"
VERSION = ApplicationVersion(
    "app:v1.0.0",
    "app",
    "1.0.0",
    "",
    datetime(2026, 1, 1, tzinfo=UTC),
    (InputArtifactSpec("slide", "image/tiff", {}),),
    (),
)
ITEM = Item("a", artifacts=[InputArtifact("slide", "https://host/a", {})])
MODULES: dict[str, ModuleType] = {
    each.__name__.rpartition(".")[2]: each
    for each in (
        cancel_run,
        create_run,
        delete_run_results,
        get_run,
        list_application_versions,
        list_applications,
        list_run_results,
        list_runs,
    )
}

Call = Callable[[Client], Awaitable[Any]]
LISTS: dict[str, tuple[type[Any], Callable[[Client], Pager[Any]]]] = {
    "/v1/applications": (Application, lambda client: client.applications.list()),
    VERSIONS: (ApplicationVersion, lambda client: client.applications.versions("app")),
    RUNS: (RunDetails, lambda client: client.runs.list()),
    RESULTS: (ItemResult, lambda client: client.run(RUN_ID).results()),
}
ONES: dict[str, tuple[type[Any], str, str, Call]] = {
    "runs.get": (RunDetails, "GET", RUN, lambda client: client.runs.get(RUN_ID)),
    "run.details": (RunDetails, "GET", RUN, lambda client: client.run(RUN_ID).details()),
}
REST: dict[str, tuple[str, str, Call]] = {
    "applications.version": ("GET", VERSIONS, lambda client: client.applications.version("app:v1.0.0")),
    "runs.find": ("GET", RUNS, lambda client: client.runs.find(references=["a"])),
    "runs.find, results": ("GET", RESULTS, lambda client: client.runs.find(references=["a"])),
    "runs.create": ("POST", RUNS, lambda client: client.runs.create(VERSION, [ITEM])),
    "run.cancel": ("POST", f"{RUN}/cancel", lambda client: client.run(RUN_ID).cancel()),
    "run.delete_results": ("DELETE", RESULTS, lambda client: client.run(RUN_ID).delete_results()),
}
READABLE = [marker for marker in RAW if marker not in ("@deep@", "@deep object@", "@no JSON@")]
BAD_BYTES = [
    b"",
    b" ",
    b"\xff\xfe\xff",
    b"\x00",
    b"[",
    b"[{}",
    b"[1,]",
    b"[1] 2",
    b"{",
    b"nul",
    b"<html></html>",
]

# Few bodies, each harmed in every place and way.
thorough = settings(max_examples=rounds(2, sample=1), phases=[Phase.generate])
quick = settings(max_examples=rounds(40), phases=[Phase.generate, Phase.shrink])


@define
class Wire:
    """Stands where the pool of connections stands, and answers with one body for all questions but one."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)  # as the pool shows no body
    path: str = ""
    elsewhere: bytes = field(default=b"[]", repr=False)

    async def send(self, operation: str, *, url: str, **request: Any) -> httpx.Response:
        asked = bool(re.fullmatch(re.sub(r"{\w+}", "[^/]+", self.path), url))
        return httpx.Response(self.status, content=self.body if asked else self.elsewhere)


@define
class Platform:
    """A client whose answers are made here."""

    client: Client
    wire: Wire
    runner: asyncio.Runner

    def ask(self, call: Call, path: str, body: bytes, status: int = 200) -> Any:
        """Return what a call gives when one path has this answer."""
        self.wire.path, self.wire.body, self.wire.status = path, body, status
        return self.runner.run(_awaited(call(self.client)))

    def page(self, path: str, body: bytes) -> Page[Any]:
        """Return the one page of a listing."""

        async def pages(client: Client) -> list[Page[Any]]:
            return [page async for page in LISTS[path][1](client).pages()]

        given = self.ask(pages, path, body)
        return given[0] if given else Page(1, ())


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with asyncio.Runner() as runner:
        client = Client("https://host.example.com", "token")
        place = Wire()

        async def enter() -> None:
            await client.__aenter__()
            connections = client._session.connections
            connections._opened = evolve(connections.opened, bridge=Bridge10(place))  # type: ignore[arg-type]

        runner.run(enter())
        yield Platform(client, place, runner)
        runner.run(client.__aexit__(None, None, None))


def schema_of(method: str, path: str) -> Schema:
    schema = answers()[method, path][1]
    return {} if schema is None else schema


def entry_of(path: str) -> Schema:
    return resolved(schema_of("GET", path)["items"])


def check_error(error: AignosticsError) -> None:
    assert "PLANTED" not in f"{error} {error!r} {vars(error)}"
    str(error).encode()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_every_operation_is_tried() -> None:
    facade = {("GET", path) for path in LISTS}
    facade |= {(method, path) for _, method, path, _ in ONES.values()}
    facade |= {(method, path) for method, path, _ in REST.values()}
    assert {door(name)[:2] for name in MODULES} == facade
    assert facade <= answers().keys()
    assert MODULES.keys() <= {each.name for each in pkgutil.iter_modules(public.__path__)}
    if newer := sorted(" ".join(each) for each in answers().keys() - facade):
        pytest.skip(f"in the contract, and not used by the façade yet: {', '.join(newer)}")


def door(name: str) -> tuple[str, str, Call]:
    """Return method, path and call of a generated operation."""
    module = MODULES[name]
    given: dict[str, Any] = {"body": RunCreationRequest("app:v1.0.0", [])}
    needed = inspect.signature(module._get_kwargs).parameters.values()
    arguments = {each.name: given.get(each.name, RUN_ID) for each in needed if each.default is each.empty}
    request = module._get_kwargs(**arguments)
    method = request["method"].upper()
    (path,) = [
        path
        for verb, path in answers()
        if verb == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), request["url"])
    ]
    return method, path, lambda client: client.call(module, **arguments)


# What the contract allows


@pytest.mark.parametrize("path", LISTS)
@given(data=st.data())
@quick
def test_a_page_says_what_its_body_says(platform: Platform, path: str, data: st.DataObject) -> None:
    body = data.draw(valid(schema_of("GET", path)))
    page = platform.page(path, wire(body))
    assert page.invalid == ()
    assert says(page.items, body)


@pytest.mark.parametrize("name", ONES)
@given(data=st.data())
@quick
def test_one_says_what_its_body_says(platform: Platform, name: str, data: st.DataObject) -> None:
    kind, method, path, call = ONES[name]
    body = data.draw(valid(schema_of(method, path))) | OWN
    given = platform.ask(call, path, wire(body))
    assert type(given) is kind
    assert says(given, body)


@given(run_id=st.uuids())
@quick
def test_a_created_run_has_the_id_that_its_body_says(platform: Platform, run_id: uuid.UUID) -> None:
    _, path, call = REST["runs.create"]
    (field,) = resolved(schema_of("POST", path))["properties"]
    run = platform.ask(call, path, wire({field: str(run_id)}), 201)
    assert run.id == str(run_id)


@pytest.mark.parametrize("name", MODULES)
@given(data=st.data())
@quick
def test_the_door_gives_all_that_its_body_says(platform: Platform, name: str, data: st.DataObject) -> None:
    method, path, call = door(name)
    status, schema = answers()[method, path]
    if schema is None:
        assert platform.ask(call, path, b"", status) is None
        return
    body = data.draw(valid(schema))
    if "$ref" in schema:
        body = {**body, "novelty": [SIGNED_URL]}
    given = platform.ask(call, path, wire(body), status)
    several = given if isinstance(given, list) else [given]
    plain = [each.to_dict() if hasattr(each, "to_dict") else each for each in several]
    bodies = body if isinstance(given, list) else [body]
    assert [said(each) for each in plain] == [said(each) for each in bodies]


def said(value: Any) -> Any:
    # A time may be written with Z or with +00:00.
    return json.loads(re.sub(r"(\d\d:\d\d[\d.:]*)\+00:00", r"\1Z", json.dumps(value)))


# What costs nothing


def harmless(kind: type[Any], body: dict[str, Any], schema: Schema) -> Iterator[dict[str, Any]]:
    """Give copies of a body with something more, something unknown, or something missing that may be."""
    for place, each in nodes(schema, body):
        if "enum" in each:
            text = at(body, place)
            for other in ("ASLEEP", "asleep", "", text.lower(), text.title()):
                yield put(body, place, other)
        if "properties" in each:
            for value in [None, {"a": [1]}, SIGNED_URL, *READABLE]:
                yield put(body, (*place, "novelty"), value)
            for name, inner in each["properties"].items():
                if is_free(inner) or {"type": "null"} in inner.get("anyOf", ()):
                    nothing = put(body, (*place, name), None)
                    yield nothing
                    yield without(nothing, (*place, name))
    for name in internal(kind, resolved(schema)):
        for value in [*WRONG, *READABLE]:
            yield put(body, (name,), value)


def is_free(schema: Schema) -> bool:
    return schema.get("type") == "object" and not {"properties", "additionalProperties"} & schema.keys()


def external(kind: type[Any], body: Any, schema: Schema) -> list[Place]:
    """Return the places of a body that are ours to read, as deep as the contract describes them."""
    hidden = internal(kind, schema)
    described = [place for place, each in nodes(schema, body) if each]
    return [place for place in described if not place or place[0] not in hidden]


@pytest.mark.parametrize("path", LISTS)
@given(data=st.data())
@thorough
def test_what_is_new_or_may_be_missing_costs_nothing(
    platform: Platform, path: str, data: st.DataObject
) -> None:
    schema = entry_of(path)
    first, second = data.draw(valid(schema, full=True)), data.draw(valid(schema))
    for changed in harmless(LISTS[path][0], first, schema):
        body = [changed, second]
        page = platform.page(path, wire(body))
        assert page.invalid == ()
        assert says(page.items, body)


@pytest.mark.parametrize("name", ONES)
@given(data=st.data())
@thorough
def test_what_is_new_or_may_be_missing_costs_nothing_alone(
    platform: Platform, name: str, data: st.DataObject
) -> None:
    kind, method, path, call = ONES[name]
    schema = schema_of(method, path)
    for body in harmless(kind, data.draw(valid(schema, full=True)) | OWN, schema):
        assert says(platform.ask(call, path, wire(body)), body)


# What costs one entry


@pytest.mark.long
@pytest.mark.parametrize("path", LISTS)
@given(data=st.data())
@thorough
def test_a_bad_entry_costs_itself(platform: Platform, path: str, data: st.DataObject) -> None:
    kind, schema = LISTS[path][0], entry_of(path)
    good = [data.draw(valid(schema, full=True)) for _ in range(3)]
    bad = data.draw(st.integers(0, 2))
    for place in external(kind, good[bad], schema):
        for harmed in harm(good[bad], place):
            body = put(good, (bad,), harmed)
            check_page(platform.page(path, wire(body)), body, bad)


def check_page(page: Page[Any], body: list[Any], bad: int) -> None:
    """Check that all entries but one are what the body says, and that one too, or that it is told."""
    lost = {entry.index for entry in page.invalid}
    assert lost <= {bad}
    assert page.size == len(body)
    kept = [entry for index, entry in enumerate(body) if index not in lost]
    for ours, entry in zip(page.items, kept, strict=True):
        raw = entry is body[bad] and any(json.dumps(marker) in json.dumps(entry) for marker in RAW)
        assert raw or says(ours, entry)
    for invalid in page.invalid:
        assert "PLANTED" not in invalid.reason + invalid.excerpt
        check_error(InvalidItems("list", [invalid]))


# What costs the answer


def everything() -> dict[str, tuple[str, str, Call]]:
    """Return method, path and call of all that can be asked."""

    def listed(path: str) -> Call:
        async def call(client: Client) -> list[Any]:
            return [entry async for entry in LISTS[path][1](client)]

        return call

    return {
        **{f"list {path}": ("GET", path, listed(path)) for path in LISTS},
        **{name: (method, path, call) for name, (_, method, path, call) in ONES.items()},
        **REST,
        **{f"call {name}": door(name) for name in MODULES},
    }


@pytest.mark.parametrize("name", everything())
@given(data=st.data())
@quick
def test_anything_else_is_a_value_or_an_error_of_ours(
    platform: Platform, name: str, data: st.DataObject
) -> None:
    method, path, call = everything()[name]
    status, schema = answers()[method, path]
    body = data.draw(valid(schema or {}))
    places = [place for place, _ in nodes(schema or {}, body)]
    harmed = st.sampled_from(places).flatmap(lambda place: st.sampled_from(list(harm(body, place))))
    content = data.draw(harmed.map(wire) | st.sampled_from(BAD_BYTES))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    # A run to look into, where its results are what is harmed.
    run = data.draw(valid(entry_of(RUNS))) if path == RESULTS else None
    platform.wire.elsewhere = wire([] if run is None else [run])
    caught: AignosticsError | None = None
    try:
        platform.ask(call, path, content, data.draw(st.sampled_from([status, status, 200, 204, 299])))
    except AignosticsError as error:
        caught = error
    if caught is not None:
        check_error(caught)
    if isinstance(caught, InvalidResponse):
        assert caught.operation
        assert caught.status // 100 == 2
