"""Runs: listing, creation, cancellation, custom metadata, deletion of results."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ...platform._account import ORGANIZATION, USER
from ...platform._catalogue import OfferedVersion, find_application, find_version, version_id
from ...platform._history import timestamp
from ...platform._json_path import PathSyntaxError, compile_path
from ...platform._platform import QuotaReached
from ...platform._stored import Scheduling, StoredRun, SubmittedItem
from .._inputs import item_faults, stored_inputs
from .._request_validation import InvalidRequest, validation_error
from .._selection import selection
from ._states import RUN_COLUMNS, ItemCounts, checksum_of, is_over, run_state

if TYPE_CHECKING:
    from ...platform._platform import Platform
    from .._endpoints import Handler

_FIELDS = {
    "run_id": "runs.id",
    "application_id": "application_id",
    "version_number": "version",
    "custom_metadata": "metadata",
    "submitted_at": "submitted_at",
    "submitted_by": "submitted_by",
    "organization_id": "NULL",
    **RUN_COLUMNS,
}
_MAX_CONTEXT_BYTES = 1024


class RunHandlers:
    """The operations on runs."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._history = platform.history

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "list_runs": self._list,
            "create_run": self._create,
            "get_run": self._get,
            "cancel_run": self._cancel,
            "set_run_metadata": self._set_metadata,
            "delete_results": self._delete_results,
        }

    def _list(self, values: dict[str, Any]) -> Response:
        page = selection(values, _FIELDS)
        path = checked_path(values)
        path = path if self._platform.conditions.filters_metadata else None
        found = []
        if _is_of_organization(values):
            found = self._history.runs(
                values["at"],
                application=values["application_id"],
                version=values["application_version"],
                user=USER if values["submitted_by"] == "me" else values["submitted_by"],
                reference=values["external_id"],
                path=path,
                page=page,
            )
        found = [run for run in found if path is None or self._shows_metadata(run, values["at"])]
        if not found and self._platform.conditions.empty_runs == "404":
            raise HTTPException(404, "Run not found")
        return JSONResponse(self._as_json(found, values["at"]))

    def _create(self, values: dict[str, Any]) -> Response:
        body = values["body"]
        version = _version(body)
        faults = list(item_faults(version, body["items"], "external_id"))
        if faults:
            told = "; ".join(
                f"items{''.join(f'[{each!r}]' for each in place)}: {text}" for place, text in faults
            )
            raise HTTPException(400, f"Input validation failed: {told}")
        if len(json.dumps(body.get("callback_context")).encode()) > _MAX_CONTEXT_BYTES:
            raise InvalidRequest(
                [
                    validation_error(
                        ["body", "callback_context"], f"it has more than {_MAX_CONTEXT_BYTES} bytes"
                    )
                ]
            )
        scheduling = body.get("scheduling") or {}
        try:
            run_id = self._platform.submit(
                version,
                [self._item(item) for item in body["items"]],
                metadata=body.get("custom_metadata"),
                scheduling=Scheduling(scheduling.get("due_date"), scheduling.get("deadline")),
            )
        except QuotaReached as error:
            raise HTTPException(402, str(error)) from None
        return JSONResponse({"run_id": run_id}, 201)

    def _item(self, item: dict[str, Any]) -> SubmittedItem:
        return SubmittedItem(
            reference=item["external_id"],
            inputs=stored_inputs(self._platform.objects, item["input_artifacts"]),
            metadata=item.get("custom_metadata"),
        )

    def _get(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        return JSONResponse(self._as_json([run], values["at"])[0])

    def _cancel(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        if not self._history.end_run(run.id, "CANCELED_USER", values["at"]):
            raise HTTPException(409, "The run is terminated already")
        return JSONResponse(None, 202)

    def _set_metadata(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        metadata = acknowledged(values["body"], run.metadata)
        self._history.set_run_metadata(run.id, metadata)
        return JSONResponse({"custom_metadata_checksum": checksum_of(metadata)})

    def _delete_results(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        if not is_over(run):
            raise HTTPException(409, "The run has not terminated yet")
        if run.results_deletion(values["at"]) is not None:
            raise HTTPException(410, "The artifacts of the run have been deleted already")
        self._platform.delete_results(run.id)
        return JSONResponse(None)

    def _as_json(self, runs: list[StoredRun], at: float) -> list[dict[str, Any]]:
        statuses = self._history.count_items([run.id for run in runs], at)
        shown = [run if self._shows_metadata(run, at) else evolve(run, metadata=None) for run in runs]
        return [_run_json(run, ItemCounts.of(run, statuses[run.id])) for run in shown]

    def _shows_metadata(self, run: StoredRun, at: float) -> bool:
        late_s = self._platform.conditions.metadata_late_s
        return not late_s or at >= datetime.fromisoformat(run.submitted_at).timestamp() + late_s


def find_run(platform: Platform, values: dict[str, Any], *, closed: int = 403) -> StoredRun:
    """Return the run of a request; raises a 404, or `closed` where a share token does not open it."""
    run_id = values["run_id"].lower()
    run = platform.history.run(run_id, values["at"])
    if run is None:
        raise HTTPException(404, "Run not found")
    token = values.get("share_token")
    if token is not None and not platform.access.opens(token, run_id, values["at"]):
        raise HTTPException(closed, "The share token does not open this run")
    return run


def checked_path(values: dict[str, Any]) -> str | None:
    """Return the JSONPath of a filter by custom metadata; raises InvalidRequest if it can't be read."""
    path: str | None = values["custom_metadata"]
    try:
        if path is not None:
            compile_path(path)
    except PathSyntaxError as error:
        raise InvalidRequest([validation_error(["query", "custom_metadata"], str(error))]) from None
    return path


def acknowledged(body: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the custom metadata of an update; raises a 412 if its checksum is not the current one."""
    told = body.get("custom_metadata_checksum")
    if told is not None and told != checksum_of(current):
        raise HTTPException(412, "The checksum is not that of the current custom metadata; read them again")
    metadata: dict[str, Any] | None = body.get("custom_metadata")
    return metadata


def _is_of_organization(values: dict[str, Any]) -> bool:
    """Return whether a listing asks for runs of this organization, of which all runs are."""
    return values["organization_id"] in (None, "my_org", ORGANIZATION) and values["for_organization"] in (
        None,
        ORGANIZATION,
    )


def _version(body: dict[str, Any]) -> OfferedVersion:
    application = find_application(body["application_id"])
    if application is None:
        raise HTTPException(404, "Application not found")
    number = body.get("version_number")
    version = application.versions[-1] if number is None else find_version(version_id(application.id, number))
    if version is None:
        raise HTTPException(404, "Application version not found")
    return version


def _run_json(run: StoredRun, counts: ItemCounts) -> dict[str, Any]:
    state, reason = run_state(run, counts)
    # Each run is a queue of its own: no item of another run goes before one of its items.
    preceding = None if state == "TERMINATED" else 0
    return {
        "run_id": run.id,
        "application_id": run.application_id,
        "version_number": run.version,
        "state": state,
        "output": counts.output,
        "termination_reason": reason,
        "error_code": run.code,
        "error_message": run.error,
        "statistics": counts.as_json(),
        "custom_metadata": run.metadata,
        "custom_metadata_checksum": checksum_of(run.metadata),
        "submitted_at": run.submitted_at,
        "submitted_by": run.submitted_by,
        "organization_id": ORGANIZATION,
        "terminated_at": None if run.ended_at is None else timestamp(run.ended_at),
        "num_preceding_items_org": preceding,
        "num_preceding_items_platform": preceding,
        "scheduling": _scheduling_json(run),
    }


def _scheduling_json(run: StoredRun) -> dict[str, Any] | None:
    if run.due_date is None and run.deadline is None:
        return None
    return {"due_date": run.due_date, "deadline": run.deadline}
