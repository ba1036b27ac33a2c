"""`emulator`: the platform on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import MissingExtra
from ._options import Whole
from ._output import discard, out
from ._signals import interrupting_at_once

if TYPE_CHECKING:
    from ..emulator import ConnectionInfo


async def emulator(
    *,
    host: str = "127.0.0.1",
    port: Whole = 0,
    contract: Annotated[str, Parameter(env_var="AIGNOSTICS_CONTRACT")] = "1.8",
    data: Path = Path("emulator-data"),
    ready_file: Path | None = None,
    static_token: str | None = None,
    speed: float = 1.0,
    clock_rate: float = 1.0,
    token_lifetime: float = 24 * 3600,
    refresh_overlap: float = 0,
    device_lifetime: float = 600,
    device_interval: float = 5,
    url_lifetime: float = 3600,
    remote_inputs: Annotated[bool, Parameter(show_default=False)] = False,
    failed_items_threshold: Whole = 50,
    allow_host: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    violations: Annotated[Path | None, Parameter(env_var="AIGNOSTICS_EMULATOR_VIOLATIONS")] = None,
) -> None:
    """Run an emulator of the platform until it is interrupted. For development, not for an open network.

    Example: `aignostics-async emulator --speed 100`

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on; 0 picks a free one.
    contract
        The contract of the printed commands and of the ready file, 1.0 or 1.8. Both are always served.
    data
        The folder of its state; a later emulator on the same folder resumes there.
    ready_file
        A JSON file to write once requests are accepted, with the addresses and an access token.
    static_token
        The access token to accept, instead of a generated one.
    speed
        Divides the durations of a run's lifecycle.
    clock_rate
        Seconds of the emulator's clock per second; 0 stops it. Runs, tokens, signed URLs and the Date header
        use that clock.
    token_lifetime
        The lifetime of generated access tokens, in seconds.
    refresh_overlap
        Seconds for which a used refresh token works again.
    device_lifetime
        The lifetime of a device code, in seconds.
    device_interval
        The polling interval of a device login, in seconds.
    url_lifetime
        The lifetime of the download URLs of results, in seconds.
    remote_inputs
        Fetch inputs from other machines, too.
    failed_items_threshold
        Cancel a run once this many of its items failed.
    allow_host
        A name under which other machines or containers reach the emulator; repeat it for several. Requests
        with another name in their Host header are refused, except localhost and IP addresses.
    violations
        Check every answer against the contract, and append violations to this file.
    """
    try:
        from ..emulator import EmulatorOptions, serve
    except ModuleNotFoundError as error:
        raise MissingExtra(f"the emulator (module {error.name})", extra="emulator") from None
    options = EmulatorOptions(
        data=data,
        contract=contract,
        speed=speed,
        clock_rate=clock_rate,
        token_lifetime=token_lifetime,
        refresh_overlap=refresh_overlap,
        device_lifetime=device_lifetime,
        device_interval=device_interval,
        url_lifetime=url_lifetime,
        remote_inputs=remote_inputs,
        failed_items_threshold=failed_items_threshold,
        allowed_hosts=allow_host,
        violations=violations,
    )
    with interrupting_at_once():  # the server handles signals itself
        await serve(
            options,
            host=host,
            port=port,
            ready_file=ready_file,
            static_token=static_token,
            on_ready=_announce,
        )


def _announce(ready: ConnectionInfo) -> None:
    try:
        for line in _introduction(ready):
            out(line)
    except OSError:
        discard(sys.stdout)  # its reader is gone; the emulator runs on


def _introduction(ready: ConnectionInfo) -> tuple[str, ...]:
    root = ready.api_roots[ready.contract]
    place = (
        f"  export AIGNOSTICS_API_ROOT={root} AIGNOSTICS_CONTRACT={ready.contract}",
        # Without it, `--store platform` would send slides to Google.
        f"  export STORAGE_EMULATOR_HOST={ready.google_root}",
    )
    return (
        f"emulator ready at {root}, contract {ready.contract}",
        "",
        "To use it from another shell:",
        *place,
        f"  export AIGNOSTICS_ACCESS_TOKEN={ready.access_token}",
        f"  aignostics-async submit he-tme:v1.1.0 SLIDES --store {ready.store_url}",
        "",
        "or, to sign in instead of the access token:",
        *place,
        f"  export AIGNOSTICS_TOKEN_URL={ready.token_url} AIGNOSTICS_CLIENT_ID={ready.client_id}",
        "  aignostics-async login",
    )
