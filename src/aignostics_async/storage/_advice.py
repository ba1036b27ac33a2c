"""What to do about a request that a store refused, where its requests are signed by this client. Pure."""

from __future__ import annotations

from ..errors import UrlRefused
from ..transfer.connections._responses import EXPIRED_CODES, FRESH_URL

_EXPIRED = "the store's credentials have expired; renew them, then repeat it"
_NOT_ACCEPTED = "the store does not accept the key; check its id, its secret and the region"
_NOT_ALLOWED = (
    "the key does not allow this; the least that it must allow is in docs/how-to/stores.md, and without the "
    "right to list, a store may answer this for an object that does not exist"
)
_NO_BUCKET = "there is no such bucket; check its name, and the endpoint"
_CLOCK = "the clock of this machine is wrong; set it"
_UNSUPPORTED = 'the store does not support such a request; for S3 try checksums="when_required"'
_DEFAULT = "check the store's address, its key and what that allows"

_BY_CODE = {
    **dict.fromkeys(EXPIRED_CODES, _EXPIRED),
    **dict.fromkeys(
        (
            "AuthenticationFailed",
            "AuthorizationHeaderMalformed",
            "InvalidAccessKeyId",
            "InvalidAuthenticationInfo",
            "InvalidSecurity",
            "InvalidToken",
            "SignatureDoesNotMatch",
        ),
        _NOT_ACCEPTED,
    ),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
            "InsufficientAccountPermissions",
        ),
        _NOT_ALLOWED,
    ),
    **dict.fromkeys(("NoSuchBucket", "ContainerNotFound", "InvalidBucketName"), _NO_BUCKET),
    "RequestTimeTooSkewed": _CLOCK,
    "NotImplemented": _UNSUPPORTED,
}
_BY_STATUS = {401: _NOT_ACCEPTED, 403: _NOT_ALLOWED, 501: _UNSUPPORTED}


def own_advice(refused: UrlRefused) -> str:
    """Return what to do; "get a fresh URL" is no advice to whoever signs the next one just like it."""
    # What names a region or another place is right for every signer.
    if refused.advice not in ("", FRESH_URL):
        return refused.advice
    by_status = _BY_STATUS.get(refused.status, _DEFAULT)
    return by_status if refused.code is None else _BY_CODE.get(refused.code, by_status)
