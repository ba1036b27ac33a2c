"""The eight operations of the contract, under `/api`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .._inputs import InputArtifact
from ..models import InputArtifactSpec
from ..submission._preflight import metadata_faults
from ._catalogue import APPLICATIONS, VERSIONS, find_version
from ._history import FINAL, Selection, StoredItem, StoredRun
from ._request_state import LAG
from ._request_validation import (
    API_PATH,
    InvalidRequest,
    RequestValidator,
    validation_error,
)
from ._undocumented import refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from ._platform import Platform

# The sortable fields of listings and their columns. The catalogue sorts by every field it shows.
_RUN_FIELDS = {
    "application_run_id": "id",
    "application_version_id": "application_version_id",
    "organization_id": "NULL",  # the same for all
    "status": "status",
    "triggered_at": "triggered_at",
    "triggered_by": "NULL",
}
_ITEM_FIELDS = {"item_id": "items.id", "reference": "reference", "status": "status", "error": "last.error"}

ORGANIZATION = "emulator"
USER = "emulator|developer"

_APPLICATIONS = "/v1/applications"
_VERSIONS = "/v1/applications/{application_id}/versions"
_RUNS = "/v1/runs"
_RUN = "/v1/runs/{application_run_id}"
_CANCEL = "/v1/runs/{application_run_id}/cancel"
_RESULTS = "/v1/runs/{application_run_id}/results"
_MAX_OFFSET = 2**63 - 1


class Api:
    """The operations of the API, on the platform's state."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._history = platform.history
        self._contract = RequestValidator()

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        table: list[tuple[str, str, Callable[..., Any]]] = [
            (_APPLICATIONS, "get", self._list_applications),
            (_VERSIONS, "get", self._list_versions),
            (_RUNS, "get", self._list_runs),
            (_RUNS, "post", self._create_run),
            (_RUN, "get", self._get_run),
            (_CANCEL, "post", self._cancel_run),
            (_RESULTS, "get", self._list_results),
            (_RESULTS, "delete", self._delete_results),
        ]
        endpoints: dict[str, dict[str, Callable[..., Any]]] = {}
        for path, method, handle in table:
            endpoints.setdefault(path, {})[method.upper()] = self._endpoint(path, method, handle)
        for path, method in self._contract.operations():
            endpoints.setdefault(path, {}).setdefault(method.upper(), self._unserved)
        return [_route(API_PATH + path, by_method) for path, by_method in endpoints.items()]

    def _endpoint(self, path: str, method: str, handle: Callable[..., Any]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            self._platform.tokens.require_bearer(request)
            values = self._contract.parameters(path, method, request.query_params, request.path_params)
            # A lagging replica answers from the past.
            lag = getattr(request.state, LAG, 0.0) if method == "get" else 0.0
            values["at"] = self._platform.clock.now() - lag
            if method == "post" and path == _RUNS:
                values["body"] = await self._contract.body(path, method, request)
            response: Response = handle(values)
            return response

        return endpoint

    async def _unserved(self, request: Request) -> Response:
        """Answer 501 for an operation that the contract has and this emulator does not implement."""
        self._platform.tokens.require_bearer(request)
        raise refusal(501, f"The emulator does not serve {request.method} {request.url.path} yet")

    # Applications

    def _list_applications(self, values: dict[str, Any]) -> Response:
        return JSONResponse(_page(APPLICATIONS, values, known=APPLICATIONS[0]))

    def _list_versions(self, values: dict[str, Any]) -> Response:
        found = [
            version
            for version in VERSIONS
            if version["application_id"] == values["application_id"]
            and values["version"] in (None, version["version"])
        ]
        return JSONResponse(_page(found, values, known=VERSIONS[0]))

    # Runs

    def _list_runs(self, values: dict[str, Any]) -> Response:
        found = self._history.runs(
            values["at"],
            application=values["application_id"],
            version=values["application_version"],
            page=_rows(values, _RUN_FIELDS),
        )
        return JSONResponse([_run_json(run) for run in found])

    def _create_run(self, values: dict[str, Any]) -> Response:
        body = values["body"]
        version = find_version(body["application_version_id"])
        if version is None:
            raise HTTPException(404, "Application version not found")
        if faults := _item_faults(version, body["items"]):
            raise InvalidRequest(faults)
        run_id = self._history.add_run(
            body["application_version_id"],
            self._platform.clock.now(),
            [
                (item["reference"], [self._input(artifact) for artifact in item["input_artifacts"]])
                for item in body["items"]
            ],
        )
        self._platform.lifecycle.start(run_id)
        return JSONResponse({"application_run_id": run_id}, status_code=201)

    def _input(self, artifact: dict[str, Any]) -> dict[str, Any]:
        """Return an input as it is stored: by key if it is an object of this emulator, else by URL.

        A URL of this emulator names a port that may change at the next start.
        """
        parts = urlsplit(artifact["download_url"])
        stored = {"metadata": artifact["metadata"]}
        key = self._platform.objects.own_key(unquote(parts.path))
        if key is None:
            return {**stored, "url": artifact["download_url"]}
        return {**stored, "key": key, "query": parts.query}

    def _get_run(self, values: dict[str, Any]) -> Response:
        return JSONResponse(_run_json(self._run(values)))

    def _cancel_run(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        if not self._history.end_run(run.id, "CANCELED_USER", values["at"]):
            raise refusal(409, f"The run is {run.status} already")
        return JSONResponse(None, status_code=202)

    # Results

    def _list_results(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        found = self._history.items(
            run.id,
            values["at"],
            ids=values["item_id__in"],
            references=values["reference__in"],
            statuses=values["status__in"],
            page=_rows(values, _ITEM_FIELDS),
        )
        return JSONResponse([self._item_json(item) for item in found])

    def _item_json(self, item: StoredItem) -> dict[str, Any]:
        return {
            "application_run_id": item.run_id,
            "item_id": item.id,
            "reference": item.reference,
            "status": item.status,
            "error": item.error,
            "output_artifacts": [
                {
                    "name": artifact.name,
                    "output_artifact_id": artifact.id,
                    "metadata": artifact.metadata,
                    "download_url": artifact.key and self._platform.signed("GET", artifact.key),
                }
                # Pending items, also as seen by a lagging replica, have no artifacts yet.
                for artifact in (self._history.artifacts(item.id) if item.status != "PENDING" else ())
            ],
        }

    def _delete_results(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        if run.status not in FINAL:
            raise refusal(409, f"The run is {run.status}; cancel it first")
        for key in self._history.delete_results(run.id):
            self._platform.objects.delete(key)
        return Response(status_code=204)

    def _run(self, values: dict[str, Any]) -> StoredRun:
        run = self._history.run(values["application_run_id"].lower(), values["at"])
        if run is None:
            raise HTTPException(404, "Application run not found")
        return run


def _route(path: str, endpoints: dict[str, Callable[..., Any]]) -> Route:
    """Return one route for all methods of a path, so that a 405 names them all."""

    async def endpoint(request: Request) -> Response:
        response: Response = await endpoints[request.method](request)
        return response

    route = Route(path, endpoint)
    route.methods = set(endpoints)  # without HEAD, which Starlette adds and the contract lacks
    return route


def _run_json(run: StoredRun) -> dict[str, Any]:
    return {
        "application_run_id": run.id,
        "application_version_id": run.application_version_id,
        "organization_id": ORGANIZATION,
        "status": run.status,
        "triggered_at": run.triggered_at,
        "triggered_by": USER,
        "user_payload": None,
    }


def _rows(values: dict[str, Any], known: Mapping[str, str]) -> Selection:
    """Return the selection of rows for a request; `known` maps the sortable fields to columns."""
    sort = []
    for order in values["sort"] or []:
        # A plus that was not encoded arrives as a space.
        field = order.lstrip("+- ")
        if field not in known:
            names = ", ".join(known)
            raise InvalidRequest(
                [validation_error(["query", "sort"], f"can't sort by {field!r}; there is {names}")]
            )
        sort.append((known[field], order.startswith("-")))
    # SQLite's largest integer; no listing is longer.
    offset = min((values["page"] - 1) * values["page_size"], _MAX_OFFSET)
    return Selection(values["page_size"], offset, sort)


def _page(
    rows: Sequence[dict[str, Any]], values: dict[str, Any], *, known: Iterable[str]
) -> list[dict[str, Any]]:
    """Return one page of the catalogue in the requested order; past the end it is empty."""
    ordered = list(rows)
    page = _rows(values, {field: field for field in known})
    # The last field first: sorting is stable, so the first field decides.
    for field, descends in reversed(page.sort):
        ordered.sort(key=lambda row: str(row[field]), reverse=descends)
    return ordered[page.offset : page.offset + page.limit]


def _item_faults(version: dict[str, Any], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the validation errors of a run's items for this application version."""
    specs = {
        spec["name"]: InputArtifactSpec(spec["name"], spec["mime_type"], spec["metadata_schema"])
        for spec in version["input_artifacts"]
    }
    faults = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        place: list[str | int] = ["body", "items", index]
        if item["reference"] in seen:
            faults.append(validation_error([*place, "reference"], "The reference is not unique"))
        seen.add(item["reference"])
        names = [artifact["name"] for artifact in item["input_artifacts"]]
        if sorted(names) != sorted(specs):
            message = f"The input artifacts must be {sorted(specs)}, not {sorted(names)}"
            faults.append(validation_error([*place, "input_artifacts"], message))
            continue
        for number, artifact in enumerate(item["input_artifacts"]):
            given = InputArtifact(artifact["name"], artifact["download_url"], artifact["metadata"])
            faults += [
                validation_error([*place, "input_artifacts", number, "metadata"], message)
                for message in metadata_faults(specs[artifact["name"]], given)
            ]
    return faults
