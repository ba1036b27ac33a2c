"""`emulator`: the platform on your laptop."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..emulator._host import ConnectionInfo


async def emulator(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
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
    remote_inputs: bool = False,
    failed_items_threshold: int = 50,
    allow_host: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    violations: Annotated[Path | None, Parameter(env_var="AIGNOSTICS_EMULATOR_VIOLATIONS")] = None,
) -> None:
    """Run the platform on this machine until it is interrupted. For development, not for the open network.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on; 0 takes a free one.
    data
        The folder of its state; the next start on it goes on where this one ends.
    ready_file
        Where to write, once requests are taken, the addresses and an access token as JSON.
    static_token
        An access token that never expires, instead of a generated one.
    speed
        Scales the life of runs, and nothing else.
    clock_rate
        So many seconds pass in one: for runs, tokens, signed URLs and the Date header alike.
    token_lifetime
        Seconds that a generated access token lives.
    refresh_overlap
        Seconds in which a refresh token may be used again.
    device_lifetime
        Seconds that the code of a login on another device lives.
    device_interval
        Seconds between two questions of a program that waits for such a login.
    url_lifetime
        Seconds that the download URLs of results live.
    remote_inputs
        Fetch inputs from other machines too.
    failed_items_threshold
        So many failed items, and a run is given up.
    allow_host
        A name under which other machines or containers reach the emulator; repeat it for several. Requests
        with another name in their Host header are refused, except localhost and IP addresses.
    violations
        Check every answer against the contract, and append violations to this file.
    """
    try:
        from ..emulator._options import EmulatorOptions
        from ..emulator._server import serve
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the emulator needs its extra, {error.name} is missing: pip install 'aignostics-async[emulator]'"
        ) from None
    options = EmulatorOptions(
        data=data,
        speed=speed,
        clock_rate=clock_rate,
        token_lifetime=token_lifetime,
        refresh_overlap=refresh_overlap,
        device_lifetime=device_lifetime,
        device_interval=device_interval,
        url_lifetime=url_lifetime,
        remote_inputs=remote_inputs,
        failed_items_threshold=failed_items_threshold,
        violations=violations,
        allowed_hosts=allow_host,
    )
    if sys.platform != "win32":
        # The server has an order of its own to end in; both at once would cut it short.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    await serve(
        options,
        host=host,
        port=port,
        ready_file=ready_file,
        static_token=static_token,
        on_ready=_announce,
    )


def _announce(ready: ConnectionInfo) -> None:
    print(f"emulator ready at {ready.api_root}", flush=True)
    print("\nTo use it from another shell:")
    print(f"  export AIGNOSTICS_API_ROOT={ready.api_root}")
    print(f"  export AIGNOSTICS_ACCESS_TOKEN={ready.access_token}")
    print(f"  aignostics-async submit he-tme:v1.1.0 SLIDES --store {ready.store_url}")
    print("\nor, to sign in instead of the access token:")
    print(f"  export AIGNOSTICS_API_ROOT={ready.api_root}")
    print(f"  export AIGNOSTICS_TOKEN_URL={ready.token_url} AIGNOSTICS_CLIENT_ID={ready.client_id}")
    print("  aignostics-async login", flush=True)
