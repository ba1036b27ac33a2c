"""Storage over HTTP: `POST /storage/sign`, and objects behind signed URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ..._core._crc32c import goog_crc32c
from ..platform._objects import DISPOSITION, STORAGE_PATH, ChecksumRefused, SignatureRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..platform._platform import Platform

_METHODS = ("GET", "HEAD", "PUT", "DELETE")
_MAX_EXPIRES = 7 * 24 * 3600  # the maximum of real stores


class Storage:
    """The endpoints of the storage."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._objects = platform.objects

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{STORAGE_PATH}/sign", self._sign, methods=["POST"]),
            Route(f"{STORAGE_PATH}/objects/{{key:path}}", self._object, methods=list(_METHODS)),
        ]

    async def _sign(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        try:
            order = await request.json()
            method, key, expires = order["method"], order["key"], order["expires_s"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return _refused(422, "give an object with method, key and expires_s")
        if method not in _METHODS:
            return _refused(422, f"method must be one of {', '.join(_METHODS)}")
        if not isinstance(key, str) or not 1 <= len(key) <= 1024 or not _is_unicode(key):
            return _refused(422, "key must be a text of 1 to 1024 characters")
        if any(part in ("", ".", "..") for part in key.split("/")):
            return _refused(422, "key must have no empty part and none that clients of HTTP resolve")
        if not isinstance(expires, int | float) or not 1 <= expires <= _MAX_EXPIRES:
            return _refused(422, f"expires_s must be from 1 to {_MAX_EXPIRES}")
        return JSONResponse({"url": self._platform.origin + self._objects.sign(method, key, expires)})

    async def _object(self, request: Request) -> Response:
        key = request.path_params["key"]
        try:
            self._objects.check(request.method, key, dict(request.query_params))
        except SignatureRefused as refused:
            return _xml(refused.status, refused.code)
        if request.method == "PUT":
            return await self._write(request, key)
        row = self._objects.find(key)
        if row is None:
            return _xml(404, "NoSuchKey")
        if request.method == "DELETE":
            self._objects.delete(key)
            return Response(status_code=204)
        headers = {"x-goog-hash": f"crc32c={row.crc32c}", "etag": f'"{row.crc32c}-{row.size}"'}
        if DISPOSITION in request.query_params:
            headers["content-disposition"] = request.query_params[DISPOSITION]
        return FileResponse(self._objects.path(row), media_type=row.media_type, headers=headers)

    async def _write(self, request: Request, key: str) -> Response:
        media_type = request.headers.get("content-type", "application/octet-stream")
        try:
            row = await self._objects.write(
                key, request.stream(), media_type, goog_crc32c(request.headers.get("x-goog-hash"))
            )
        except ChecksumRefused:
            return _xml(400, "BadDigest")
        return Response(headers={"x-goog-hash": f"crc32c={row.crc32c}", "etag": f'"{row.crc32c}-{row.size}"'})


def _is_unicode(text: str) -> bool:
    return text == text.encode("utf-8", "replace").decode("utf-8")


def _refused(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status_code=status)


def _xml(status: int, code: str) -> Response:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>"
    return Response(body, status_code=status, media_type="application/xml")
