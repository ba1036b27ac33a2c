"""The command line in this process: the answers of a process, without the second that one takes to start."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from aignostics_async.cli._app import run


def run_here(
    arguments: Sequence[str | Path], environment: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one command with pipes for its streams, in an environment of its own; `given` is its input."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = run([str(each) for each in arguments])
    told = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(list(arguments), status, *told)
