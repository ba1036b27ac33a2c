"""The example service in a process of its own, and a gateway in front of it, as it is deployed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from attrs import define, field

from aignostics_async.emulator.process import Emulator

_SCRIPT = Path(__file__).resolve().parents[2] / "examples/service/service.py"
_NOBODY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@define
class ExampleService:
    """A running service: its process and its address."""

    process: subprocess.Popen[str]
    address: str

    def stop(self) -> str:
        """Stop it as a supervisor does, and return what it printed after its address."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=60)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running_service(
    emulator: Emulator, slides: Path, data: Path, *arguments: str
) -> Iterator[ExampleService]:
    """Run the service on a folder of slides, and kill it at the end."""
    command = [sys.executable, str(_SCRIPT), str(slides), "--store", emulator.store_url]
    command += ["--data", str(data), "--port", "0", "--poll-interval", "0.1", *arguments]
    environment = {**os.environ, **emulator.environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield ExampleService(process, process.stdout.readline().strip())
        finally:
            process.kill()


@define
class Gateway:
    """Passes connections on to a service that may be restarted, and answers 502 while there is none."""

    address: str = ""
    target: str | None = None
    """The address of the service; None while there is none."""
    heads: list[str] = field(factory=list)
    """The heads of the requests that began a connection."""
    _writers: set[asyncio.StreamWriter] = field(factory=set)

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._pass_on(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode("latin-1"))
        if self.target is None:
            writer.write(_NOBODY)
            await writer.drain()
            return
        # One request for each connection, so that each has its head seen.
        head = re.sub(rb"(?i)connection: keep-alive", b"Connection: close", head)
        host, port = self.target.removeprefix("http://").split(":")
        answers, requests = await asyncio.open_connection(host, int(port))
        self._writers.add(requests)
        try:
            requests.write(head)
            async with asyncio.TaskGroup() as both:
                sending = both.create_task(_copy(reader, requests))
                await _copy(answers, writer)
                sending.cancel()
        except* ConnectionError:
            pass
        finally:
            self._writers.discard(requests)
            requests.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def open_gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield gateway
    finally:
        server.close()
        gateway.cut()
