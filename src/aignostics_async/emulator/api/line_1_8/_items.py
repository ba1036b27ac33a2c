"""Items of runs and their artifacts."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from ...platform._catalogue import find_version
from ...platform._history import timestamp
from ...platform._stored import StoredArtifact, StoredItem, StoredRun
from .._inputs import input_url
from .._selection import selection
from ._runs import acknowledged, checked_path, find_run
from ._states import ITEM_COLUMNS, ItemCounts, checksum_of, item_message, item_state, statuses_of

if TYPE_CHECKING:
    from ...platform._platform import Platform
    from .._endpoints import Handler

_FIELDS = {
    "item_id": "items.id",
    "external_id": "reference",
    "custom_metadata": "metadata",
    **ITEM_COLUMNS,
}


class ItemHandlers:
    """The operations on items and artifacts."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._history = platform.history

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "list_results": self._list,
            "get_result": self._get,
            "set_item_metadata": self._set_metadata,
            "get_artifact_file": self._get_file,
        }

    def _list(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values, closed=404)  # the contract has no 403 here
        found = self._history.items(
            run.id,
            values["at"],
            ids=values["item_id__in"],
            references=values["external_id__in"],
            statuses=statuses_of(values["state"], values["termination_reason"]),
            path=checked_path(values),
            page=selection(values, _FIELDS),
        )
        return JSONResponse(self._as_json(run, found, values["at"]))

    def _get(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        return JSONResponse(self._as_json(run, [self._item(run, values)], values["at"])[0])

    def _set_metadata(self, values: dict[str, Any]) -> Response:
        item = self._item(find_run(self._platform, values), values)
        metadata = acknowledged(values["body"], item.metadata)
        self._history.set_item_metadata(item, metadata)
        return JSONResponse({"custom_metadata_checksum": checksum_of(metadata)})

    def _item(self, run: StoredRun, values: dict[str, Any]) -> StoredItem:
        found = self._history.items(run.id, values["at"], references=[values["external_id"]])
        if not found:
            raise HTTPException(404, "Item not found")
        return found[0]

    # Artifacts

    def _get_file(self, values: dict[str, Any]) -> Response:
        run = find_run(self._platform, values)
        artifact = self._history.artifact(run.id, values["artifact_id"].lower())
        if artifact is None:
            raise HTTPException(404, "Artifact not found")
        if run.results_deletion(values["at"]) is not None:
            raise HTTPException(410, "The artifact has been deleted")
        if self._platform.conditions.artifact_file == "redirect":
            return RedirectResponse(self._platform.signed("GET", artifact.key), 307)
        return self._file(artifact)

    def _file(self, artifact: StoredArtifact) -> Response:
        row = self._platform.objects.find(artifact.key)
        if row is None:
            raise HTTPException(404, "Artifact not found")
        return FileResponse(self._platform.objects.path(row), media_type=row.media_type)

    # Answers

    def _as_json(self, run: StoredRun, items: list[StoredItem], at: float) -> list[dict[str, Any]]:
        counts = ItemCounts.of(run, self._history.count_items([run.id], at)[run.id])
        done = counts.total - counts.pending
        return [self._item_json(run, item, at, place=max(1, item.position - done + 1)) for item in items]

    def _item_json(self, run: StoredRun, item: StoredItem, at: float, *, place: int) -> dict[str, Any]:
        state, reason = item_state(item)
        queue_place = place if state == "PENDING" else None
        return {
            "item_id": item.id,
            "external_id": item.reference,
            "custom_metadata": item.metadata,
            "custom_metadata_checksum": checksum_of(item.metadata),
            "queue_position_org": queue_place,
            "queue_position_platform": queue_place,
            "state": state,
            "output": "FULL" if reason == "SUCCEEDED" else "NONE",
            "termination_reason": reason,
            "error_code": None,
            "error_message": item_message(item),
            "terminated_at": None if reason is None else timestamp(item.changed_at or at),
            "input_artifacts": [self._input_json(item, each) for each in item.inputs],
            "output_artifacts": self._outputs_json(run, item, at),
        }

    def _input_json(self, item: StoredItem, stored: dict[str, Any]) -> dict[str, Any]:
        return {
            "input_artifact_id": _id_within(item, f"input/{stored['name']}"),
            "name": stored["name"],
            "metadata": stored["metadata"],
            "download_url": input_url(self._platform.objects, self._platform.origin, stored),
        }

    def _outputs_json(self, run: StoredRun, item: StoredItem, at: float) -> list[dict[str, Any]]:
        state, reason = item_state(item)
        if reason == "SUCCEEDED":
            return [self._output_json(run, each, at) for each in self._history.artifacts(item.id)]
        version = find_version(run.version_id)
        if version is None or state == "PENDING" or reason == "SKIPPED":
            return []
        # An item that is processed, or failed, has its artifacts too, without output.
        return [
            {
                "output_artifact_id": _id_within(item, f"output/{declared.name}"),
                "name": declared.name,
                "metadata": None,
                "state": state,
                "termination_reason": reason,
                "output": "NONE",
                "error_code": None,
                "error_message": None,
                "download_url": None,
            }
            for declared in version.outputs
        ]

    def _output_json(self, run: StoredRun, artifact: StoredArtifact, at: float) -> dict[str, Any]:
        deletion = run.results_deletion(at)
        has_url = deletion is None and self._platform.conditions.lists_urls
        return {
            "output_artifact_id": artifact.id,
            "name": artifact.name,
            "metadata": artifact.metadata if deletion is None else None,
            "state": "TERMINATED",
            "termination_reason": "SUCCEEDED",
            "output": "AVAILABLE" if deletion is None else f"DELETED_BY_{deletion}",
            "error_code": None,
            "error_message": None,
            "download_url": self._platform.signed("GET", artifact.key) if has_url else None,
        }


def _id_within(item: StoredItem, name: str) -> str:
    """Return an id that is the same in each answer."""
    return str(uuid.uuid5(uuid.UUID(item.id), name))
