"""Contract 1.0, reconstructed from the API reference: eight operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ..platform._account import ORGANIZATION
from ..platform._catalogue import (
    APPLICATIONS,
    DeclaredArtifact,
    OfferedApplication,
    OfferedVersion,
    find_version,
)
from ..platform._platform import QuotaReached
from ..platform._stored import FINAL, StoredItem, StoredRun, SubmittedItem
from ._inputs import item_faults, stored_inputs
from ._request_validation import InvalidRequest, validation_error
from ._selection import page_of, selection

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..platform._platform import Platform
    from ._endpoints import Handler

# The statuses of items that this contract lacks, as it shows them.
_SHOWN = {"PROCESSING": "PENDING", "SKIPPED": "CANCELED_SYSTEM"}
_STATUS = "coalesce(last.status, 'PENDING')"
_CASES = " ".join(f"WHEN {status!r} THEN {shown!r}" for status, shown in _SHOWN.items())
_SHOWN_STATUS = f"CASE {_STATUS} {_CASES} ELSE {_STATUS} END"
# The sortable fields of listings and their columns. The catalogue sorts by every field it shows.
_RUN_FIELDS = {
    "application_run_id": "runs.id",
    "application_version_id": "application_id || ':v' || version",
    "organization_id": "NULL",  # the same for all
    "status": "status",
    "triggered_at": "submitted_at",
    "triggered_by": "submitted_by",
}
_ITEM_FIELDS = {
    "item_id": "items.id",
    "reference": "reference",
    "status": _SHOWN_STATUS,
    "error": "last.error",
}


class ReferenceTranslation:
    """The operations of contract 1.0, on the platform's state."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._history = platform.history

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "list_applications": self._list_applications,
            "list_versions": self._list_versions,
            "list_runs": self._list_runs,
            "create_run": self._create_run,
            "get_run": self._get_run,
            "cancel_run": self._cancel_run,
            "list_results": self._list_results,
            "delete_results": self._delete_results,
        }

    def authenticate(self, request: Request) -> None:
        """Raise a 401 unless a request has a valid token."""
        self._platform.tokens.require_bearer(request)

    # Applications

    def _list_applications(self, values: dict[str, Any]) -> Response:
        shown = [_application_json(each) for each in APPLICATIONS if each.is_in_reference]
        return JSONResponse(_page(shown, values))

    def _list_versions(self, values: dict[str, Any]) -> Response:
        shown = [
            _version_json(version)
            for application in APPLICATIONS
            for version in application.versions
            if application.is_in_reference
        ]
        found = [
            version
            for version in shown
            if version["application_id"] == values["application_id"]
            and values["version"] in (None, version["version"])
        ]
        return JSONResponse(_page(found, values, known=shown[0]))

    # Runs

    def _list_runs(self, values: dict[str, Any]) -> Response:
        application, version = values["application_id"], None
        if values["application_version"] is not None:
            named, _, version = values["application_version"].partition(":v")
            if application not in (None, named):
                return JSONResponse([])
            application = named
        found = self._history.runs(
            values["at"], application=application, version=version, page=selection(values, _RUN_FIELDS)
        )
        return JSONResponse([_run_json(run) for run in found])

    def _create_run(self, values: dict[str, Any]) -> Response:
        body = values["body"]
        version = find_version(body["application_version_id"])
        if version is None:
            raise HTTPException(404, "Application version not found")
        faults = [
            validation_error(["body", "items", *place], told)
            for place, told in item_faults(version, body["items"], "reference")
        ]
        if faults:
            raise InvalidRequest(faults)
        items = [
            SubmittedItem(
                reference=item["reference"],
                inputs=stored_inputs(self._platform.objects, item["input_artifacts"]),
            )
            for item in body["items"]
        ]
        try:
            run_id = self._platform.submit(version, items)
        except QuotaReached as error:
            raise HTTPException(402, str(error)) from None
        return JSONResponse({"application_run_id": run_id}, status_code=201)

    def _get_run(self, values: dict[str, Any]) -> Response:
        return JSONResponse(_run_json(self._run(values)))

    def _cancel_run(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        if not self._history.end_run(run.id, "CANCELED_USER", values["at"]):
            raise HTTPException(409, f"The run is {run.status} already")
        return JSONResponse(None, status_code=202)

    # Results

    def _list_results(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        found = self._history.items(
            run.id,
            values["at"],
            ids=values["item_id__in"],
            references=values["reference__in"],
            statuses=_statuses(values["status__in"]),
            page=selection(values, _ITEM_FIELDS),
        )
        has_files = run.results_deletion(values["at"]) is None
        return JSONResponse([self._item_json(item, has_files=has_files) for item in found])

    def _item_json(self, item: StoredItem, *, has_files: bool) -> dict[str, Any]:
        status = _SHOWN.get(item.status, item.status)
        return {
            "application_run_id": item.run_id,
            "item_id": item.id,
            "reference": item.reference,
            "status": status,
            "error": item.error,
            "output_artifacts": [
                {
                    "name": artifact.name,
                    "output_artifact_id": artifact.id,
                    "metadata": artifact.metadata,
                    "download_url": self._platform.signed("GET", artifact.key) if has_files else None,
                }
                # Pending items, also as seen by a lagging replica, have no artifacts yet.
                for artifact in (self._history.artifacts(item.id) if status != "PENDING" else ())
            ],
        }

    def _delete_results(self, values: dict[str, Any]) -> Response:
        run = self._run(values)
        if run.status not in FINAL:
            raise HTTPException(409, f"The run is {run.status}; cancel it first")
        self._platform.delete_results(run.id)
        return Response(status_code=204)

    def _run(self, values: dict[str, Any]) -> StoredRun:
        run = self._history.run(values["application_run_id"].lower(), values["at"])
        if run is None:
            raise HTTPException(404, "Application run not found")
        return run


def _statuses(wanted: list[str] | None) -> list[str] | None:
    """Return the statuses that this contract shows as one of the wanted ones."""
    if wanted is None:
        return None
    return [*wanted, *(status for status, shown in _SHOWN.items() if shown in wanted)]


def _page(rows: list[dict[str, Any]], values: dict[str, Any], known: dict[str, Any] | None = None) -> Any:
    fields = {field: lambda row, field=field: row[field] for field in known or rows[0]}
    return page_of(rows, values, fields)


def _application_json(application: OfferedApplication) -> dict[str, Any]:
    return {
        "application_id": application.id,
        "name": application.name,
        "description": application.description,
        "regulatory_classes": list(application.regulatory_classes),
    }


def _version_json(version: OfferedVersion) -> dict[str, Any]:
    return {
        "application_version_id": version.id,
        "application_id": version.application_id,
        "version": version.number,
        "changelog": version.changelog,
        "created_at": version.released_at,
        "flow_id": None,
        "input_artifacts": [_artifact_json(each) for each in version.inputs],
        "output_artifacts": [_artifact_json(each, scope="ITEM") for each in version.outputs],
    }


def _artifact_json(artifact: DeclaredArtifact, **more: str) -> dict[str, Any]:
    kind = {"name": artifact.name, "mime_type": artifact.media_type, **more}
    return {**kind, "metadata_schema": artifact.metadata_schema}


def _run_json(run: StoredRun) -> dict[str, Any]:
    return {
        "application_run_id": run.id,
        "application_version_id": run.version_id,
        "organization_id": ORGANIZATION,
        "status": run.status,
        "triggered_at": run.submitted_at,
        "triggered_by": run.submitted_by,
        "user_payload": None,
    }
