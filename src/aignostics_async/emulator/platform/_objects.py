"""The object store: files on disk with random names, and the signed URLs that give access to them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import anyio.to_thread

from ..._core._atomic_file import atomic_file
from ..._core._crc32c import Crc32c
from ._state_database import StateDatabase, StoredObject

STORAGE_PATH = "/storage"
DISPOSITION = "response-content-disposition"
"""The parameter of a signed URL that sets the answer's Content-Disposition."""
_OBJECTS_PATH = f"{STORAGE_PATH}/objects/"


class SignatureRefused(Exception):
    """The URL's signature does not allow the request; `code` is an error code of object stores."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class ChecksumRefused(Exception):
    """The received bytes do not match the announced checksum."""


class Objects:
    """The object store of the emulator."""

    def __init__(self, folder: Path, database: StateDatabase, now: Callable[[], float]) -> None:
        self._folder = folder
        self._database = database
        self._now = now
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.sweep()
        self._key = database.secret("signing key", secrets.token_bytes(32))

    # URLs

    def sign(self, method: str, key: str, expires_s: float, *, file_name: str | None = None) -> str:
        """Return the path and query of a URL for one method on one key; the caller adds the origin."""
        expires = int(self._now() + expires_s)
        query: dict[str, object] = {"method": method, "expires": expires}
        if file_name is not None:
            query[DISPOSITION] = f'attachment; filename="{file_name}"'
        query["signature"] = self._signature(method, key, expires, query.get(DISPOSITION, ""))
        return self.url_path(key, urlencode(query))

    def check(self, method: str, key: str, query: dict[str, str]) -> None:
        """Raise SignatureRefused unless the query of a URL allows this method on this key now."""
        try:
            expires = int(query["expires"])
            signature = query["signature"]
        except (KeyError, ValueError):
            raise SignatureRefused(403, "AccessDenied") from None
        expected = self._signature(query.get("method", ""), key, expires, query.get(DISPOSITION, ""))
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise SignatureRefused(403, "SignatureDoesNotMatch")
        if query["method"] != method:
            raise SignatureRefused(403, "SignatureDoesNotMatch")
        if self._now() > expires:
            raise SignatureRefused(400, "ExpiredToken")

    def url_path(self, key: str, query: str) -> str:
        """Return the path and query of an object's URL whose query is known."""
        return f"{_OBJECTS_PATH}{quote(key, safe='/')}?{query}"

    def own_key(self, path: str) -> str | None:
        """Return the key in the unquoted path of an object's URL, or None for any other path."""
        return path.removeprefix(_OBJECTS_PATH) if path.startswith(_OBJECTS_PATH) else None

    def _signature(self, method: str, key: str, expires: int, disposition: object) -> str:
        message = f"{method}\n{key}\n{expires}\n{disposition}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    # Bytes

    async def write(
        self, key: str, pieces: AsyncIterable[bytes], media_type: str, announced: str | None
    ) -> StoredObject:
        """Store an object atomically; raises ChecksumRefused if the bytes do not match `announced`."""
        name, digest = _new_name(), Crc32c()
        with atomic_file(self._folder / name, durable=False) as file:
            async for piece in pieces:
                digest.update(piece)
                await anyio.to_thread.run_sync(file.write, piece)
            if announced is not None and announced != digest.wire:
                raise ChecksumRefused
        row = StoredObject(key, name, digest.length, digest.wire, media_type)
        self._database.put_object(row)
        return row

    def adopt(self, key: str, file: Path, crc32c: str, media_type: str) -> None:
        """Move a file of the emulator into the store."""
        row = StoredObject(key, _new_name(), file.stat().st_size, crc32c, media_type)
        file.replace(self.path(row))
        self._database.put_object(row)

    def find(self, key: str) -> StoredObject | None:
        """Return an object's row if its file exists, else None."""
        row = self._database.find_object(key)
        return row if row is not None and self.path(row).is_file() else None

    def delete(self, key: str) -> None:
        """Delete an object."""
        row = self._database.find_object(key)
        if row is not None:
            self._database.delete_object(key)
            self.path(row).unlink(missing_ok=True)

    def path(self, row: StoredObject) -> Path:
        """Return the path of an object's file."""
        return self._folder / row.file

    def sweep(self) -> None:
        """Delete files that belong to no object: replaced ones, and leftovers of a killed emulator."""
        known = self._database.object_files()
        for file in self._folder.iterdir():
            if file.name not in known:
                file.unlink()


def _new_name() -> str:
    # A key never becomes a path, and a reader of the old object can finish while the object is replaced.
    return secrets.token_hex(16)
