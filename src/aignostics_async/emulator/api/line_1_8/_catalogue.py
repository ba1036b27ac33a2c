"""Applications, versions, and the documents of versions."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from ...._core._crc32c import read_checksum
from ...platform._catalogue import (
    APPLICATIONS,
    DeclaredArtifact,
    OfferedApplication,
    OfferedVersion,
    find_application,
    find_version,
    version_id,
)
from .._selection import page_of

if TYPE_CHECKING:
    from ...platform._platform import Platform
    from .._endpoints import Handler

_DOCUMENTS = {"release-notes.md": "text/markdown", "instructions-for-use.txt": "text/plain"}
_NAMESPACE = uuid.UUID("a0e1ce50-5ee0-4c0b-9d5c-6f6b7e1b7a18")
_FIELDS = {
    "application_id": lambda each: each.id,
    "name": lambda each: each.name,
    "description": lambda each: each.description,
    "regulatory_classes": lambda each: each.regulatory_classes,
}


class CatalogueHandlers:
    """The operations on applications, versions and documents."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "list_applications": self._list_applications,
            "get_application": self._get_application,
            "get_version": self._get_version,
            "list_documents": self._list_documents,
            "get_document": self._get_document,
            "get_document_file": lambda values: self._redirect(values, saves=True),
            "get_document_content": lambda values: self._redirect(values, saves=False),
        }

    def _list_applications(self, values: dict[str, Any]) -> Response:
        shown = page_of(APPLICATIONS, values, _FIELDS, "page-size")
        return JSONResponse(
            [{**_application_json(each), "latest_version": _number_json(each.versions[-1])} for each in shown]
        )

    def _get_application(self, values: dict[str, Any]) -> Response:
        application = find_application(values["application_id"])
        if application is None:
            raise HTTPException(404, "Application not found")
        versions = [_number_json(version) for version in application.versions]
        return JSONResponse({**_application_json(application), "versions": versions})

    def _get_version(self, values: dict[str, Any]) -> Response:
        version = _version(values)
        return JSONResponse(
            {
                "version_number": version.number,
                "changelog": version.changelog,
                "input_artifacts": [_artifact_json(each) for each in version.inputs],
                "output_artifacts": [
                    {**_artifact_json(each), "scope": "ITEM", "visibility": "EXTERNAL"}
                    for each in version.outputs
                ],
                "released_at": version.released_at,
            }
        )

    # Documents

    def _list_documents(self, values: dict[str, Any]) -> Response:
        version = _version(values)
        return JSONResponse([_document_json(version, name) for name in _DOCUMENTS])

    def _get_document(self, values: dict[str, Any]) -> Response:
        return JSONResponse(_document_json(*_document(values)))

    def _redirect(self, values: dict[str, Any], *, saves: bool) -> Response:
        version, name = _document(values)
        key = f"documents/{version.id}/{name}"
        if self._platform.objects.find(key) is None:
            self._write(key, f"{version.id}, {name}\n\n{version.changelog}\n", _DOCUMENTS[name])
        url = self._platform.signed("GET", key, file_name=name if saves else None)
        return RedirectResponse(url, 307, {"Cache-Control": "no-store"})

    def _write(self, key: str, text: str, media_type: str) -> None:
        with tempfile.TemporaryDirectory(dir=self._platform.scratch) as folder:
            file = Path(folder, "document")
            file.write_text(text, encoding="utf-8")
            self._platform.objects.adopt(key, file, read_checksum(file).wire, media_type)


def _version(values: dict[str, Any]) -> OfferedVersion:
    version = find_version(version_id(values["application_id"], values["version"]))
    if version is None:
        raise HTTPException(404, "Application version not found")
    return version


def _document(values: dict[str, Any]) -> tuple[OfferedVersion, str]:
    version = _version(values)
    if values["name"] not in _DOCUMENTS:
        raise HTTPException(404, "Document not found")
    return version, values["name"]


def _document_json(version: OfferedVersion, name: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{version.id}/{name}")),
        "name": name,
        "mime_type": _DOCUMENTS[name],
        "visibility": "public",
        "created_at": version.released_at,
        "updated_at": version.released_at,
    }


def _application_json(application: OfferedApplication) -> dict[str, Any]:
    return {
        "application_id": application.id,
        "name": application.name,
        "regulatory_classes": list(application.regulatory_classes),
        "description": application.description,
    }


def _number_json(version: OfferedVersion) -> dict[str, str]:
    return {"number": version.number, "released_at": version.released_at}


def _artifact_json(artifact: DeclaredArtifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "mime_type": artifact.media_type,
        "metadata_schema": artifact.metadata_schema,
    }
