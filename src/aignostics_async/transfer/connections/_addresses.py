"""TCP connections: addresses that no storage has are refused, and the others are raced."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from ..._core._portable import POLLOUT, new_poll

if TYPE_CHECKING:
    from .._cancel_token import CancelToken

Address = tuple[socket.AddressFamily, Any]
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_HEAD_START = 0.25  # seconds that an address has before the next one is tried, as RFC 8305 advises
_CHECK_EVERY = 0.1  # seconds between two looks at the cancel token
_IN_PROGRESS = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR})
# Where clouds keep the credentials of their machines, outside of the link-local networks.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """An address where clouds keep the credentials of their machines, and where no storage is."""


def is_refused(address: str) -> bool:
    """Whether an address is link-local or of a cloud's metadata, also as IPv4 inside IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return any(each.is_link_local or each in _METADATA for each in (ip, *_embedded(ip)))


def check_literal(host: str) -> None:
    """Raise AddressRefused if a host is written as such an address; names are not looked up.

    A proxy looks names up itself, so this is all that can be checked behind one.
    """
    with suppress(ValueError):
        if is_refused(host):
            raise AddressRefused
    with suppress(OSError):  # 2852039166 and 0xa9.254.43518 are addresses, too
        if is_refused(socket.inet_ntoa(socket.inet_aton(host))):
            raise AddressRefused


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host that may be connected to, IPv6 and IPv4 in turn.

    Raises AddressRefused if there are only others, and OSError if the host has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [(family, address) for family, *_, address in found if not is_refused(str(address[0]))]
    if found and not allowed:
        raise AddressRefused
    first = [each for each in allowed if each[0] == allowed[0][0]]
    other = [each for each in allowed if each[0] != allowed[0][0]]
    pairs = zip_longest(first, other)
    return [each for each in chain.from_iterable(pairs) if each is not None]


def connect(addresses: Sequence[Address], deadline: float, token: CancelToken) -> socket.socket:
    """Return a connection to the address that answers first.

    An address gets a head start of 250 ms, or until it fails, before the next one is tried beside it. Raises
    OSError when all failed, TimeoutError at the deadline of the monotonic clock, and Cancelled.
    """
    race = _Race(addresses)
    try:
        return race.run(deadline, token)
    finally:
        race.close()


def dial(host: str, port: int, deadline: float, token: CancelToken) -> socket.socket:
    """Return a socket that is connected to a host and held by `token`; raises Cancelled and OSError."""
    addresses = resolve(host, port)
    token.check()  # a resolver can't be interrupted
    sock = connect(addresses, deadline, token)
    try:
        token.hold(sock)
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
    except BaseException:
        token.release()
        sock.close()
        raise
    return sock


class _Race:
    """The attempts to connect that are under way."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._waiting = deque(addresses)
        self._sockets: dict[int, socket.socket] = {}
        self._poll = new_poll()
        self._next_start = 0.0
        self._failure: OSError = OSError("the host has no address")

    def run(self, deadline: float, token: CancelToken) -> socket.socket:
        while self._waiting or self._sockets:
            token.check()
            now = time.monotonic()
            if now >= deadline:
                raise TimeoutError("no connection was made in time")
            if self._waiting and (now >= self._next_start or not self._sockets):
                self._start(*self._waiting.popleft())
                self._next_start = now + _HEAD_START
            until = min(now + _CHECK_EVERY, deadline, self._next_start if self._waiting else deadline)
            if (winner := self._connected(max(0.0, until - now))) is not None:
                winner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return winner
        raise self._failure

    def close(self) -> None:
        """Close the sockets that did not win."""
        for sock in self._sockets.values():
            sock.close()

    def _start(self, family: socket.AddressFamily, address: Any) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no IPv6 here
            self._failure = error
            return
        self._sockets[sock.fileno()] = sock
        sock.settimeout(0)
        code = sock.connect_ex(address)
        if code in _IN_PROGRESS:
            self._poll.register(sock, POLLOUT)
        else:
            self._fail(sock.fileno(), code)

    def _connected(self, seconds: float) -> socket.socket | None:
        if not self._sockets:
            return None
        for descriptor, _ in self._poll.poll(seconds * 1000):
            self._poll.unregister(descriptor)
            code = self._sockets[descriptor].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return self._sockets.pop(descriptor)
            self._fail(descriptor, code)
        return None

    def _fail(self, descriptor: int, code: int) -> None:
        self._sockets.pop(descriptor).close()
        self._failure = OSError(code, os.strerror(code))
        self._next_start = 0.0


def _embedded(ip: _IP) -> list[_IP]:
    """Return the IPv4 addresses that an address of IPv6 stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    inner: list[_IP | None] = [ip.ipv4_mapped, ip.sixtofour]
    low = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _NAT64 or int(ip) >> 32 == 0:  # the latter is the old IPv4-compatible form
        inner.append(low)
    if ip.teredo is not None:
        inner.append(ip.teredo[1])
    return [each for each in inner if each is not None]
