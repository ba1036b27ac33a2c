"""Requests to the 1.8 side of an emulator, by a client that is not ours."""

from __future__ import annotations

from typing import Any

import requests
from support import METADATA

from aignostics_async.emulator.process import Emulator


class Asker:
    """Asks the 1.8 side of an emulator, with its access token."""

    def __init__(self, emulator: Emulator) -> None:
        self.root = emulator.api_roots["1.8"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {emulator.access_token}"
        self.session.trust_env = False

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.root}/api/v1{path}"
        return self.session.request(method, url, timeout=30, allow_redirects=False, **options)

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """Return the JSON of an answer that has the expected status."""
        return self._json("GET", path, status, params=query)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._json("PUT", path, status, json=body)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self._json("POST", path, status, json=body)

    def delete(self, path: str, status: int = 200) -> Any:
        return self._json("DELETE", path, status)

    def _json(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = self(method, path, **options)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def create(self, *references: str, **fields: Any) -> str:
        """Create a run whose inputs are not there, and return its id."""
        run_id: str = self.post("/runs", body_of(*references, **fields))["run_id"]
        return run_id


def body_of(*references: str, metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a request for a run whose inputs are not there."""
    item = {"name": "slide", "download_url": "http://127.0.0.1:9/slide.tiff", "metadata": METADATA}
    return {
        "application_id": "he-tme",
        "version_number": "1.0.0",
        "items": [
            {"external_id": each, "input_artifacts": [{**item, "metadata": {**METADATA, **(metadata or {})}}]}
            for each in references or ("case-1",)
        ],
        **fields,
    }
