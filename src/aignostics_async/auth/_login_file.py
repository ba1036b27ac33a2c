"""The file of a login: its format, and how it is read and written safely."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import msgspec
from attrs import asdict

from .._core._atomic_file import atomic_file
from .._core._portable import close_to_others, open_file
from .._core._secret import Secret
from .._core._token import Token, TokenSet, is_sendable
from ._provider import TokenKey

VERSION = 1
_END_OF_TIME = 253402300800  # the year 10000, in seconds since the epoch
_MAX_BYTES = 256 * 1024  # bytes; a login takes some two thousand


class UnusableFile(Exception):
    """A file holds no login that this release can use; the text says why and quotes nothing."""


class _Head(msgspec.Struct):
    version: int


class _Key(msgspec.Struct):
    issuer: str
    client_id: str
    audience: str
    organization: str
    family: str


class _Login(msgspec.Struct):
    version: int
    key: _Key
    access_token: str
    lifetime: float | None
    issued_at: float
    refresh_token: str | None
    signed_in_at: float


def encode(tokens: TokenSet, key: TokenKey) -> Secret:
    """Return the content of a login's file."""
    refresh = tokens.refresh.reveal() if tokens.refresh is not None else None
    access = tokens.access
    login = _Login(
        VERSION,
        _Key(**asdict(key)),
        access.text,
        access.lifetime,
        access.issued_at,
        refresh,
        tokens.signed_in_at,
    )
    return Secret(msgspec.json.format(msgspec.json.encode(login)).decode() + "\n")


def decode(text: Secret, key: TokenKey) -> TokenSet:
    """Return the login of a key from the content of a file; raises UnusableFile."""
    content = text.reveal()
    try:
        version = msgspec.json.decode(content, type=_Head).version
        if version != VERSION:
            raise UnusableFile(f"its version is {version}, and this release writes {VERSION}")
        login = msgspec.json.decode(content, type=_Login)
        if TokenKey(**msgspec.structs.asdict(login.key)) != key:
            raise UnusableFile("it is another login's")
        if not (is_time(login.issued_at) and is_time(login.signed_in_at)):
            raise UnusableFile("its times are none")
        access = Secret(login.access_token)
        if not is_sendable(access):
            raise UnusableFile("its access token is none")
        return TokenSet(
            access=Token(access, lifetime=login.lifetime, issued_at=login.issued_at),
            refresh=Secret(login.refresh_token) if login.refresh_token else None,
            signed_in_at=login.signed_in_at,
        )
    except (msgspec.DecodeError, RecursionError):
        raise UnusableFile("it is damaged, or no login at all") from None


def is_time(told: float) -> bool:
    """Whether a number that is kept for seconds since the epoch can be a time."""
    return 0 <= told < _END_OF_TIME


def read(path: Path, key: TokenKey) -> tuple[TokenSet, bool] | None:
    """Return the login in a file, and whether other users could read it until now; None if there is no file.

    Raises UnusableFile, and OSError if the file can't be read.
    """
    try:
        # A link may lead to a file that somebody else chose, and a pipe may never end.
        descriptor = open_file(path, os.O_RDONLY, wait=False)
    except FileNotFoundError:
        return None
    except OSError:
        if path.is_symlink():
            raise UnusableFile("it is a link") from None
        raise
    try:
        was_open = _close_to_others(descriptor)
        content = Secret(os.read(descriptor, _MAX_BYTES + 1).decode("utf-8", "replace"))
    finally:
        os.close(descriptor)
    if len(content.reveal()) > _MAX_BYTES:
        raise UnusableFile("it is too large for one")
    return decode(content, key), was_open


def _close_to_others(descriptor: int) -> bool:
    """Make an open file readable by its owner only, and return whether it was not; raises UnusableFile."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UnusableFile("it is no file")
    try:
        return close_to_others(descriptor)
    except PermissionError:
        raise UnusableFile("it belongs to another user") from None


def write(path: Path, tokens: TokenSet, key: TokenKey) -> None:
    """Write the file of a login, atomically and durably.

    Deletes what a killed process left half written; keeps an unusable file at `path` under another name.
    Raises OSError. The caller holds the lock of the key.
    """
    prefix = f".{path.stem}-"
    for left in path.parent.glob(f"{prefix}*"):
        left.unlink(missing_ok=True)
    with atomic_file(path, prefix=prefix) as file:
        file.write(encode(tokens, key).reveal().encode())
        _put_aside_unusable(path, key)


def _put_aside_unusable(path: Path, key: TokenKey) -> None:
    try:
        read(path, key)
    except UnusableFile:
        path.rename(path.with_name(f"{path.stem}.unusable-{time.time_ns()}"))
