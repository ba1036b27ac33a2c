"""The way to a scheduler. It runs anybody's code, so it is protected by TLS, or on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
from attrs import field, frozen
from attrs.converters import optional

from ..._core._arguments import as_path
from ..._core._urls import is_loopback
from ...errors import AignosticsError, ClusterLost, ClusterRefused, MissingExtra

CONNECT_SECONDS = 30.0
CLOSE_SECONDS = 5.0
_THREADS = 8
_UNPROTECTED = (
    "runs the code of anybody who reaches it, so off this machine it must use TLS with certificates: "
    "start scheduler and workers with --protocol tls, --tls-ca-file, --tls-cert and --tls-key, and give the "
    "address as tls://...; see docs/how-to/clusters.md"
)


def _certificate(path: str | os.PathLike[str]) -> Path:
    return as_path(path, "a certificate or key")


@frozen(kw_only=True)
class ClusterTls:
    """The certificates for a cluster, as paths of PEM files.

        DaskEngine("tls://head:8786", tls=ClusterTls(ca="ca.pem", cert="client.pem", key="client-key.pem"))

    `ca` is that of the authority that has signed those of scheduler and workers, `cert` that of this process,
    and `key` its private key; None, the default, if it is in `cert`. Creating it does no I/O, and raises
    UsageError for what is no path. `DaskEngine.open` reads the files, and raises ClusterRefused if it can't.
    """

    ca: Path = field(converter=_certificate)
    """The certificate of the authority that has signed those of scheduler and workers."""
    cert: Path = field(converter=_certificate)
    """The certificate of this process."""
    key: Path | None = field(default=None, converter=optional(_certificate))
    """Its private key; None, the default, if it is in `cert`."""


def load_distributed() -> Any:
    """Return the module; raises MissingExtra."""
    try:
        import distributed
    except ImportError:
        raise MissingExtra("a Dask cluster", extra="cluster") from None
    return distributed


def read_scheduler_file(path: str | os.PathLike[str]) -> str:
    """Return the address in a file that a scheduler has written; raises ClusterRefused."""
    try:
        return str(json.loads(Path(path).read_text("utf-8"))["address"])
    except OSError as error:
        raise ClusterRefused(
            f"the scheduler's file {path} can't be read ({error.strerror}); has the scheduler been started?"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ClusterRefused(
            f"{path} is no file that a Dask scheduler has written with --scheduler-file"
        ) from None


def check_addresses(scheduler: str, workers: Iterable[str] = ()) -> None:
    """Raise ClusterRefused unless each address uses TLS or is this machine's. Pure."""
    for name, address in (("the scheduler", scheduler), *(("a worker", each) for each in workers)):
        if not is_protected(address):
            raise ClusterRefused(f"{name} at {address} {_UNPROTECTED}")


def is_protected(address: str) -> bool:
    """Whether an address uses TLS, or can be reached from this machine only. Pure."""
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
    except ValueError:
        return False
    return parts.scheme in ("tls", "inproc") or (parts.scheme == "tcp" and is_loopback(parts.hostname or ""))


@asynccontextmanager
async def connect(address: str, security: Any) -> AsyncIterator[Any]:
    """Give a connected client of a scheduler; raises ClusterRefused and ClusterLost."""
    distributed = load_distributed()
    check_addresses(address)
    try:
        client = distributed.Client(
            address,
            security=security,
            asynchronous=True,
            set_as_default=False,
            timeout=CONNECT_SECONDS,
            name="aignostics-async",
        )
    except OSError as error:
        raise ClusterRefused(
            f"the certificates for {address} can't be used ({error.strerror}); check the PEM files"
        ) from None
    failure: AignosticsError | None = None
    try:
        await client
    except (OSError, TimeoutError) as error:
        failure = ClusterLost(
            f"no scheduler answers at {address} ({type(error).__name__}); is it there, and do the "
            "certificates fit?"
        )
    except (RuntimeError, ValueError) as error:
        # An address without a port, or without TLS although there are certificates.
        failure = ClusterRefused(f"{address} can't be used ({error}); give one such as tls://head:8786")
    try:
        if failure is not None:
            raise failure
        yield client
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_SECONDS):
            await client.close(timeout=CLOSE_SECONDS)


def security_for(address: str, tls: ClusterTls | None) -> Any:
    """Return Dask's security for an address; raises ClusterRefused where certificates are missing."""
    distributed = load_distributed()
    if tls is None:
        security = distributed.Security()
        if address.startswith("tls") and not (security.tls_ca_file and security.tls_client_cert):
            raise ClusterRefused(
                f"{address} needs certificates: give --tls-ca, --tls-cert and --tls-key, or set Dask's "
                "distributed.comm.tls"
            )
        return security
    # Unlike `Path.is_file`, it raises nothing for a path that can't be looked at.
    if missing := [str(path) for path in (tls.ca, tls.cert, tls.key) if path and not os.path.isfile(path)]:  # noqa: PTH113
        raise ClusterRefused(f"there is no file {missing[0]}")
    return distributed.Security(
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=str(tls.key or tls.cert),
        require_encryption=True,
    )


@asynccontextmanager
async def local_cluster(workers: int) -> AsyncIterator[tuple[str, Any]]:
    """Give address and security of a cluster of processes on this machine, which ends with the block.

    Raises ClusterLost if they can't be started.
    """
    distributed = load_distributed()
    # Other users of the machine reach its loopback, too.
    security = distributed.Security.temporary()
    cluster = distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=_THREADS,
        processes=True,
        host="127.0.0.1",
        protocol="tls://",
        dashboard_address=None,
        security=security,
        asynchronous=True,
    )
    try:
        try:
            await cluster
        except Exception as error:  # noqa: BLE001 - whatever Dask makes of a process that does not start
            raise ClusterLost(
                f"the workers on this machine can't be started ({type(error).__name__}); their errors are on "
                "standard error"
            ) from None
        yield cluster.scheduler_address, security
    finally:
        with anyio.CancelScope(shield=True):
            await cluster.close()
