"""An object store that calls every upload a success and keeps something else: on real sockets.

It speaks like S3, Google Cloud Storage, Azure Blob Storage or a plain server behind signed URLs, as the
request does, and takes any signature. What it says about an object is true of what it keeps.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import define, field

from aignostics_async import checksum_bytes

Lie = Literal["none", "flipped", "half", "absent", "stale", "late", "no result", "failing completion"]
"""What it keeps: the bytes, other ones, half of them, nothing, those of another object of the same size; or
the bytes, which it has only when it is asked for the third time. The last two are lies of the completion of
an upload in parts: 200 with an empty body, and 200 with an error inside, and no object."""
Tells = Literal["crc32c", "md5", "size", "nothing"]


@define
class Trouble:
    """What happens to the first `times` requests of a method with `part` in their path or query."""

    method: str
    part: str = ""
    times: int = 1
    status: int | None = None
    """What is answered, without doing anything; None to do what was asked and answer nothing."""
    body: bytes = b""
    header: str | None = None
    """Only requests with this header."""
    answered: int = 0


@define
class LyingStore:
    """What a store keeps and tells; `lie` and `tells` may be changed between uploads."""

    origin: str = ""
    lie: Lie = "none"
    tells: Tells = "crc32c"
    objects: dict[str, bytes] = field(factory=dict, repr=False)
    parts: dict[str, dict[int, bytes]] = field(factory=dict, repr=False)
    part_sizes: dict[str, int] = field(factory=dict)
    """By key, for objects that came in parts: their number."""
    asked: dict[str, int] = field(factory=dict)
    puts: int = 0
    answers_early: bool = False
    """Whether it answers 200 to a PUT before it has read the body, and hangs up."""
    troubles: list[Trouble] = field(factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(factory=list, repr=False)
    """Method, path with query, and headers."""
    lock: threading.Lock = field(factory=threading.Lock)

    def keep(self, key: str, body: bytes, parts: int = 0) -> None:
        """Keep what the lie makes of an upload."""
        self.asked.pop(key, None)
        self.objects.pop(key, None)
        self.part_sizes[key] = parts
        if self.lie == "flipped":
            body = bytes([body[0] ^ 1]) + body[1:]
        elif self.lie == "half":
            body = body[: len(body) // 2]
        elif self.lie == "stale":
            body = bytes(len(body))
        elif self.lie in ("absent", "no result", "failing completion"):
            return
        self.objects[key] = body

    def find(self, key: str) -> bytes | None:
        """Return what is kept under a key."""
        self.asked[key] = self.asked.get(key, 0) + 1
        return None if self.lie == "late" and self.asked[key] < 3 else self.objects.get(key)

    def told(self, key: str, body: bytes, kind: str) -> dict[str, str]:
        """Return what it says about an object, besides its size."""
        if self.tells == "crc32c":
            wire = checksum_bytes(body).wire
            name, value = {
                "gs": ("x-goog-hash", f"crc32c={wire}"),
                "azure": ("content-md5", base64.b64encode(_md5(body)).decode()),  # it knows no CRC32C
            }.get(kind, ("x-amz-checksum-crc32c", wire))
            return {"ETag": '"opaque"', name: value}
        if self.tells == "md5":
            parts = self.part_sizes.get(key, 0)
            if kind == "azure":
                return {"content-md5": base64.b64encode(_md5(body)).decode()}
            if kind == "gs":
                return {"x-goog-hash": f"md5={base64.b64encode(_md5(body)).decode()}"}
            if parts:
                size = 5 * 1024 * 1024
                pieces = [body[start : start + size] for start in range(0, len(body), size)]
                return {"ETag": f'"{_md5(b"".join(map(_md5, pieces))).hex()}-{parts}"'}
            return {"ETag": f'"{_md5(body).hex()}"'}
        return {"ETag": '"opaque"'}


def _md5(body: bytes) -> bytes:
    return hashlib.md5(body, usedforsecurity=False).digest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _is_mute = False

    def handle_one_request(self) -> None:
        """Handle a request, unless it meets trouble."""
        self._is_mute = False
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the head of a request, and let trouble strike."""
        if not super().parse_request():
            return False
        store = self.server.store
        told = {name.lower(): value for name, value in self.headers.items()}
        with store.lock:
            store.requests.append((self.command, self.path, told))
            trouble = next((each for each in store.troubles if self._meets(each)), None)
            if trouble is None:
                return True
            trouble.answered += 1
        if trouble.status is None:
            self._is_mute = True
            return True
        self._body()
        self._answer(trouble.status, trouble.body)
        return False

    def _meets(self, trouble: Trouble) -> bool:
        return (
            trouble.answered < trouble.times
            and trouble.method == self.command
            and trouble.part in self.path
            and (trouble.header is None or trouble.header in self.headers)
        )

    def do_PUT(self) -> None:
        if self.server.store.answers_early:
            self.close_connection = True
            self._answer(200, headers={"ETag": '"early"'})
            return
        store, body = self.server.store, self._body()
        query, key = self._query(), self._key()
        with store.lock:
            store.puts += 1
            if "partNumber" in query:
                store.parts.setdefault(query["uploadId"][0], {})[int(query["partNumber"][0])] = body
            elif query.get("comp") == ["block"]:
                ident = base64.b64decode(query["blockid"][0]).decode()
                store.parts.setdefault(ident.partition("-")[0], {})[int(ident.partition("-")[2])] = body
            elif query.get("comp") == ["blocklist"]:
                blocks = [
                    base64.b64decode(each).decode() for each in re.findall(r"<Latest>(.*?)<", body.decode())
                ]
                parts = [
                    store.parts[ident.partition("-")[0]][int(ident.partition("-")[2])] for ident in blocks
                ]
                store.keep(key, b"".join(parts), len(parts))
            else:
                store.keep(key, body)
        self._answer(201 if self._kind() == "azure" else 200, headers={"ETag": '"opaque"'})

    def do_POST(self) -> None:
        store, query, key = self.server.store, self._query(), self._key()
        self._body()
        if "uploads" in query:
            xml = f"<UploadId>{key.replace('/', '-')[-40:]}-{len(store.parts)}</UploadId>"
            self._answer(
                200, f"<InitiateMultipartUploadResult>{xml}</InitiateMultipartUploadResult>".encode()
            )
            return
        with store.lock:
            parts = store.parts[query["uploadId"][0]]
            store.keep(key, b"".join(parts[number] for number in sorted(parts)), len(parts))
        if store.lie == "no result":
            self._answer(200)
        elif store.lie == "failing completion":
            self._answer(200, b"<?xml version='1.0'?><Error><Code>InternalError</Code></Error>")
        else:
            result = b"<CompleteMultipartUploadResult><ETag>&quot;opaque&quot;</ETag>"
            self._answer(200, result + b"</CompleteMultipartUploadResult>")

    def do_HEAD(self) -> None:
        store, key = self.server.store, self._key()
        if store.tells == "nothing":
            self._answer(403)
            return
        with store.lock:
            body = store.find(key)
        if body is None:
            self._answer(404)
        else:
            self._answer(200, body, store.told(key, body, self._kind()))

    def do_GET(self) -> None:
        store, key = self.server.store, self._key()
        with store.lock:
            body = store.find(key)
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif self.headers.get("range") == "bytes=0-0":
            if store.tells == "nothing":
                self._answer(403)
                return
            told = store.told(key, body, self._kind())
            headers = {**told, "Content-Range": f"bytes 0-0/{len(body)}"}
            self._answer(206, body[:1], headers)
        else:
            told = {} if store.tells == "nothing" else store.told(key, body, self._kind())
            self._answer(200, body, told)

    def do_DELETE(self) -> None:
        if "uploadId" not in self._query():
            self.server.store.objects.pop(self._key(), None)
        self._answer(204)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _kind(self) -> str:
        query = urlsplit(self.path).query
        if "X-Goog-" in query:
            return "gs"
        return "azure" if "sig=" in query else "s3"

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        if self._is_mute:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: LyingStore) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store

    def handle_error(self, *_args: object) -> None:
        """Say nothing of a client that hung up."""


@contextmanager
def lying_store() -> Iterator[LyingStore]:
    """Give a lying store on a free port."""
    store = LyingStore()
    with _Server(store) as server:
        store.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()
