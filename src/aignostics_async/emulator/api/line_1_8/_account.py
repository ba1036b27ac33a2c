"""`GET /v1/me`: the user, the organization, and the keys of its bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from ...platform._account import BUCKET, ORGANIZATION, ORGANIZATION_NAME, USER, USER_EMAIL, USER_NAME
from ...storage._buckets import hmac_key

if TYPE_CHECKING:
    from ...platform._platform import Platform
    from .._endpoints import Handler


def account_handlers(platform: Platform) -> dict[str, Handler]:
    """Return the handlers of the operations on the caller's account."""

    def get_me(_values: dict[str, Any]) -> Response:
        key = hmac_key(platform)
        return JSONResponse(
            {
                "user": {"id": USER, "email": USER_EMAIL, "email_verified": True, "name": USER_NAME},
                "organization": {
                    "id": ORGANIZATION,
                    "name": ORGANIZATION,
                    "display_name": ORGANIZATION_NAME,
                    "aignostics_bucket_hmac_access_key_id": key.name,
                    "aignostics_bucket_hmac_secret_access_key": key.secret,
                    "aignostics_bucket_name": BUCKET,
                    "aignostics_bucket_protocol": "gs",
                    # No service stands behind these.
                    "aignostics_logfire_token": "",
                    "aignostics_sentry_dsn": "",
                },
            }
        )

    return {"get_me": get_me}
