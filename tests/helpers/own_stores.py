"""Object stores of a user's own, which do not do what the protocol asks of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from aignostics_async import Stored


class Forgetful:
    """A store of a user's own that says of each object what it is told to say, after some looks."""

    def __init__(self, *told: Any, looks: int = 0) -> None:
        self.told = told
        self.puts = 0
        self.looks = looks

    async def put(self, key: str, source: Path, *, progress: object = None) -> Stored:
        self.puts += 1
        return cast("Stored", self.told[0])

    async def stat(self, key: str) -> Stored | None:
        self.looks -= bool(self.puts)
        return self.told[-1] if self.puts and self.looks <= 0 else None

    async def presign_get(self, uri: str, expires: float) -> str:
        return "https://h/a"

    async def credentials_expire_at(self) -> None:
        return None


class Losing(Forgetful):
    """A store that tells nothing of an object, and whose user deletes the file once it was sent."""

    async def put(self, key: str, source: Path, *, progress: object = None) -> Stored:
        self.source = source
        return Stored("uri", source.stat().st_size)

    async def stat(self, key: str) -> None:
        self.source.unlink()
        raise NotImplementedError
