"""TLS on blocking sockets: the handshake, and reading what has arrived."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ..._core._redaction import excerpt

if TYPE_CHECKING:
    from .._cancel_token import CancelToken


class CertificateUntrusted(Exception):
    """The certificate of a storage is not trusted."""


def secure(
    sock: socket.socket, context: ssl.SSLContext, host: str, deadline: float, token: CancelToken
) -> ssl.SSLSocket:
    """Return a connection with TLS; `deadline` is a time of the monotonic clock in seconds.

    `token` holds the plain socket before and the new one afterwards, and can interrupt the handshake. Raises
    OSError if the handshake fails.
    """
    token.release()  # wrapping takes the descriptor away from the plain socket
    secured = context.wrap_socket(
        sock,
        server_hostname=host,
        do_handshake_on_connect=False,
        suppress_ragged_eofs=False,  # else whoever cuts the connection ends a file without a length
    )
    try:
        token.hold(secured)
        secured.settimeout(max(deadline - time.monotonic(), 0.001))
        secured.do_handshake()
    except BaseException:
        token.release()
        secured.close()
        raise
    return secured


def untrusted(host: str, error: ssl.SSLCertVerificationError) -> CertificateUntrusted:
    """Return the error for a certificate that was not trusted, which says what to do."""
    return CertificateUntrusted(
        f"the certificate of {host} is not trusted ({excerpt(str(error), 120)}); if a proxy inspects TLS "
        "here, or the storage has a private CA, set SSL_CERT_FILE to its certificate, or pass ssl_context"
    )


def receive_records(sock: socket.socket, view: memoryview) -> int:
    """Read into `view` what has arrived on a socket that does not block, and return the number of bytes.

    It is 0 at the end. A read of TLS brings one record, 16 KiB; as many as have arrived are read, because a
    call through all layers for each takes a fifth more CPU. Raises what `socket.recv_into` raises.
    """
    count = filled = sock.recv_into(view)
    if isinstance(sock, ssl.SSLSocket):
        with suppress(OSError):  # the next read fails, too: a body has no end but the one that TLS tells
            while count and filled < len(view):
                count = sock.recv_into(view[filled:])
                filled += count
    return filled
