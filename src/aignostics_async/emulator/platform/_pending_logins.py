"""Logins in flight: authorization codes that were not redeemed yet, device codes that wait for approval."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal

from attrs import define, field, frozen

from ._token_registry import CODE, DEVICE, fresh

_CODE_SECONDS = 60.0
# No vowels, so no code spells a word; no letters that resemble digits.
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
DeviceState = Literal["pending", "approved", "denied"]


@frozen
class AuthorizationCode:
    """The binding of an authorization code."""

    client_id: str
    redirect_uri: str
    challenge: str
    with_refresh: bool
    expires_at: float


@define
class PendingDevice:
    """A device that waits for a user to approve it."""

    client_id: str
    user_code: str
    with_refresh: bool
    expires_at: float
    interval: float
    state: DeviceState = "pending"
    polled_at: float = field(factory=time.monotonic)

    def polls_too_fast(self) -> bool:
        """Return whether this poll came before the interval was over, and lengthen the interval if so."""
        now = time.monotonic()
        too_fast = now < self.polled_at + self.interval
        self.polled_at = now
        if too_fast:
            self.interval += 5
        return too_fast


class PendingLogins:
    """The logins in flight. Kept in memory: a login does not survive a restart of the emulator."""

    def __init__(self, device_lifetime_s: float, device_interval_s: float, now: Callable[[], float]) -> None:
        self._device_lifetime_s = device_lifetime_s
        self._device_interval_s = device_interval_s
        self.now = now
        self._codes: dict[str, AuthorizationCode] = {}
        self._families: dict[str, str] = {}
        self._devices: dict[str, PendingDevice] = {}

    def issue_code(self, client_id: str, redirect_uri: str, challenge: str, *, with_refresh: bool) -> str:
        """Return a code; redeeming it takes the verifier of the PKCE challenge."""
        code = fresh(CODE)
        self._codes[code] = AuthorizationCode(
            client_id, redirect_uri, challenge, with_refresh, self.now() + _CODE_SECONDS
        )
        return code

    def redeem_code(
        self, text: str, client_id: str, redirect_uri: str, verifier: str
    ) -> AuthorizationCode | None:
        """Return the binding of a code, once; None if the code is unknown, expired or bound differently."""
        code = self._codes.pop(text, None)
        if code is None or self.now() > code.expires_at:
            return None
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        fits = hmac.compare_digest(digest, code.challenge.encode())
        return code if fits and (code.client_id, code.redirect_uri) == (client_id, redirect_uri) else None

    def remember_family(self, code: str, family: str) -> None:
        """Remember the token family that a code issued, to revoke it if the code is used again."""
        self._families[code] = family

    def family_of(self, code: str) -> str | None:
        """Return the token family that a used code issued, or None."""
        return self._families.get(code)

    def add_device(self, client_id: str, *, with_refresh: bool) -> tuple[str, PendingDevice]:
        """Return a new device code and its state."""
        letters = [secrets.choice(_USER_CODE_LETTERS) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        expires_at = self.now() + self._device_lifetime_s
        device = PendingDevice(client_id, user_code, with_refresh, expires_at, self._device_interval_s)
        device_code = fresh(DEVICE)
        self._devices[device_code] = device
        return device_code, device

    def device(self, device_code: str) -> PendingDevice | None:
        """Return the device of a device code, or None."""
        return self._devices.get(device_code)

    def forget_device(self, device_code: str) -> None:
        """End a device code."""
        self._devices.pop(device_code, None)

    def waiting(self, user_code: str) -> PendingDevice | None:
        """Return the pending device of a user code, or None. Case, hyphens and spaces do not matter."""
        typed = user_code.upper().replace("-", "").replace(" ", "")
        for device in self._devices.values():
            if device.user_code.replace("-", "") == typed and device.state == "pending":
                return device if self.now() <= device.expires_at else None
        return None
