"""Logins that are under way: codes that wait for their program, device codes that wait for their person."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal

from attrs import define, field, frozen

from ._tokens import CODE, DEVICE, fresh

_CODE_SECONDS = 60.0
# Without vowels, so that no code is a word, and without what looks like something else.
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
State = Literal["pending", "approved", "denied"]


@frozen
class Code:
    """What an authorization code is bound to."""

    client_id: str
    redirect_uri: str
    challenge: str
    with_refresh: bool
    expires_at: float


@define
class Device:
    """A device that waits for a person."""

    client_id: str
    user_code: str
    with_refresh: bool
    expires_at: float
    interval: float
    state: State = "pending"
    asked_at: float = field(factory=time.monotonic)

    def is_hurried(self) -> bool:
        """Whether it asks sooner than it may; if so it has to be slower for good."""
        now = time.monotonic()
        hurried = now < self.asked_at + self.interval
        self.asked_at = now
        if hurried:
            self.interval += 5
        return hurried


class Logins:
    """All that is under way. Kept in memory: a login does not outlive the emulator that it began at."""

    def __init__(self, device_lifetime_s: float, device_interval_s: float, now: Callable[[], float]) -> None:
        self._device_lifetime_s = device_lifetime_s
        self._device_interval_s = device_interval_s
        self.now = now
        self._codes: dict[str, Code] = {}
        self._families: dict[str, str] = {}
        self._devices: dict[str, Device] = {}

    def issue_code(self, client_id: str, redirect_uri: str, challenge: str, *, with_refresh: bool) -> str:
        """Return a code for who knows the verifier of the challenge."""
        code = fresh(CODE)
        self._codes[code] = Code(client_id, redirect_uri, challenge, with_refresh, self.now() + _CODE_SECONDS)
        return code

    def redeem_code(self, text: str, client_id: str, redirect_uri: str, verifier: str) -> Code | None:
        """Return what a code is bound to, once; None for one that is not good for this program."""
        code = self._codes.pop(text, None)
        if code is None or self.now() > code.expires_at:
            return None
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        fits = hmac.compare_digest(digest, code.challenge.encode())
        return code if fits and (code.client_id, code.redirect_uri) == (client_id, redirect_uri) else None

    def remember_family(self, code: str, family: str) -> None:
        """Remember what a code gave, to end it should the code come back."""
        self._families[code] = family

    def family_of(self, code: str) -> str | None:
        """Return what a used code gave, or None."""
        return self._families.get(code)

    def add_device(self, client_id: str, *, with_refresh: bool) -> tuple[str, Device]:
        """Return a new device code and what is known of it."""
        letters = [secrets.choice(_USER_CODE_LETTERS) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        expires_at = self.now() + self._device_lifetime_s
        device = Device(client_id, user_code, with_refresh, expires_at, self._device_interval_s)
        device_code = fresh(DEVICE)
        self._devices[device_code] = device
        return device_code, device

    def device(self, device_code: str) -> Device | None:
        """Return the device of a device code, or None."""
        return self._devices.get(device_code)

    def forget_device(self, device_code: str) -> None:
        """End a device code."""
        self._devices.pop(device_code, None)

    def waiting(self, user_code: str) -> Device | None:
        """Return the device that waits with a user code, as a person may type it, or None."""
        typed = user_code.upper().replace("-", "").replace(" ", "")
        for device in self._devices.values():
            if device.user_code.replace("-", "") == typed and device.state == "pending":
                return device if self.now() <= device.expires_at else None
        return None
