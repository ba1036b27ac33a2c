"""Errors in words for users of a service: useful, and without what is on its machine."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import (
    ConfigurationError,
    ConnectionFailed,
    Fault,
    InvalidSubmission,
    LocalFileChanged,
    QuotaExceeded,
    SlideError,
    SubmissionUnknown,
)
from aignostics_async.services import public_message

ROOT = Path("/srv/lab data/slides")
API: Any = {"method": "POST", "path": "/api/v1/runs"}
UNKNOWN = SubmissionUnknown(
    references=["a"], application_version_id="he-tme:v1.0.0", sent_at=datetime.now(UTC), reason="lost"
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SlideError("no header", path=f"{ROOT}/b/a.svs", remedy="copy it"), ["a.svs: no header; copy it"]),
        (SlideError(f"can't open '{ROOT}/b/a.dat'", path=f"{ROOT}/b/a.svs"), ["a.svs", "'a.dat'"]),
        (InvalidSubmission([Fault(f"{ROOT}/b/a.svs: it is empty", "a")]), ["item 'a': b/a.svs: it is empty"]),
        (UNKNOWN, ["unknown", "within minutes"]),
        (QuotaExceeded(402, **API), ["402", "quota"]),
        (ConnectionFailed("10.1.2.3 refused", **API, request_sent=False), ["can't be reached"]),
        (LocalFileChanged("it changed", name=f"{ROOT}/b/a.svs"), ["a.svs", "LocalFileChanged"]),
        (ConfigurationError(f"set it in {ROOT}"), ["ConfigurationError", "log"]),
        (OSError(28, "No space left", f"{ROOT}/x"), ["OSError", "log"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_it_says_what_is_wrong_without_paths(error: Exception, words: list[str]) -> None:
    told = public_message(error, root=ROOT)
    assert all(word in told for word in words), told
    assert "/srv" not in told
    assert "10.1.2.3" not in told


def test_a_root_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fault = Fault(f"{tmp_path / 'slides' / 'a.svs'}: it is empty")
    assert public_message(InvalidSubmission([fault]), root="slides") == "a.svs: it is empty"
    assert os.fspath(tmp_path) in public_message(InvalidSubmission([fault])), "as the docstring says"


def test_a_folder_whose_path_ends_like_the_root_is_named_whole() -> None:
    fault = Fault("/mnt/data/a.svs and /data/b.svs differ")
    assert public_message(InvalidSubmission([fault]), root="/data") == "/mnt/data/a.svs and b.svs differ"


def test_a_working_directory_that_is_gone_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    assert public_message(InvalidSubmission([Fault("slides/a.svs: empty")]), root="slides") == "a.svs: empty"
