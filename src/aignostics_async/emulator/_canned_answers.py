"""Answers that the platform and its gateway give in production, by name, for the `answer` of a fault rule.

Statuses and texts are those of later contracts (402, 409, 410, 412) and of the gateway in front of the API,
which answers in plain text instead of JSON.
"""

from __future__ import annotations

import json

from attrs import frozen


@frozen
class CannedAnswer:
    """Status, media type and body of an answer."""

    status: int
    media_type: str
    body: str


def _api(status: int, detail: str) -> CannedAnswer:
    return CannedAnswer(status, "application/json", json.dumps({"detail": detail}))


def _gateway(status: int, text: str) -> CannedAnswer:
    return CannedAnswer(status, "text/plain", text)


CANNED_ANSWERS = {
    "quota_exceeded": _api(402, "The run would exceed the quota of slides per month: 12 of 500 are left"),
    "forbidden": _api(403, "The user may not access this resource"),
    "conflict": _api(409, "The run is terminated already"),
    "gone": _api(410, "The results were deleted already"),
    "checksum_mismatch": _api(412, "The checksum does not match the stored value; read it again"),
    "jwt_missing": _gateway(401, "Jwt is missing"),
    "jwt_expired": _gateway(401, "Jwt is expired"),
    "jwt_wrong_audience": _gateway(403, "Audiences in Jwt are not allowed"),
    "no_healthy_upstream": _gateway(503, "no healthy upstream"),
}
