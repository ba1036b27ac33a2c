"""Errors of commands: their exit statuses, and how they are shown."""

from __future__ import annotations

import re
import sys
from typing import Any

from cyclopts import CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from ..errors import (
    AignosticsError,
    APIStatusError,
    AuthenticationError,
    ClusterLost,
    ConfigurationError,
    InvalidSubmission,
    JobBusy,
    JobRefused,
    JobStateError,
    JobStopped,
    NotFound,
    QuotaExceeded,
    SubmissionUnknown,
    TokenEndpointUnavailable,
    TokenStoreError,
    Unauthorized,
    UsageError,
)
from ._output import err, print_json_line

FAILED = 1
USAGE = 2
SOME_FAILED = 3
_STATUS: tuple[tuple[type[AignosticsError], int], ...] = (
    (ConfigurationError, USAGE),
    (UsageError, USAGE),
    (JobRefused, USAGE),
    (JobStateError, USAGE),
    (SubmissionUnknown, 4),
    (InvalidSubmission, 6),
    # The key ring can be unlocked, and the identity provider recovers: signing in again does not help.
    (TokenEndpointUnavailable, FAILED),
    (TokenStoreError, FAILED),
    (AuthenticationError, 5),
    (Unauthorized, 5),
    (NotFound, 7),
    (QuotaExceeded, 8),
    (ClusterLost, 75),
    (JobBusy, 75),
    (JobStopped, 75),
)
# Parameters of the public API that have an option of the same meaning. One word could be plain English.
_PARAMETER = re.compile(
    r"\b(?:allow_rerun|chunk_size|clock_rate|files_from|max_items|poll_interval|reference_from|reference_tag)\b"
)
_FIRST_WORD = re.compile(
    r"^(currency|endpoint|limit|mpp|organization|prefix|price|reference|store)(?= (?:is|must|has) )"
)
_CONTRACT = re.compile(r"^contract(?= is )")
_COMMANDS = {
    "force=True": "--force",
    "leave out `endpoint`": "leave out --endpoint",
    "local_workers is": "--local-cluster is",
    "application_id is a text": "--application is a text",
    "client.applications.versions(...)": "'aignostics-async applications APPLICATION'",
    "client.runs.find(references=error.references, since=error.sent_at)": "'aignostics-async runs find'",
    "application_id, application_version, reference, metadata or since": (
        "--application, --version, --reference or --since"
    ),
    "of the items to find, or the submission": "of all items of the run",
    "set AWS_REGION, or give `region`": "set AWS_REGION",
    "`aignostics-async login`, or with login_browser or login_device": "`aignostics-async login`",
}


def exit_status(error: AignosticsError) -> int:
    """Return the exit status of a command that ended with an error."""
    # A job that stopped for want of a login stops again if it is merely resumed.
    if isinstance(error, JobStopped) and error.cause is not None:
        status = exit_status(error.cause)
        if status not in (FAILED, 7):
            return status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), FAILED)


def show_error(error: Exception, status: int, *, as_json: bool) -> None:
    """Print an error on standard error: one line of text, or one JSON object with the key `error`.

    The object has `type`, `message` and `exit_status`, and for an answer of the API also `status`, `method`,
    `path`, `request_id` and `retry_after` as far as they are known.
    """
    message = as_options(_in_words(error))
    if isinstance(error, CycloptsError):
        command = " ".join(["aignostics-async", *(error.command_chain or ())])
        message = f"{message} '{command} --help' has its options and examples."
    if not as_json:
        err(f"error: {message}")
        return
    known: dict[str, Any] = {"type": type(error).__name__, "message": message, "exit_status": status}
    if isinstance(error, APIStatusError):
        for name in ("status", "method", "path", "request_id", "retry_after"):
            known[name] = getattr(error, name, None)
    shown = {name: value for name, value in known.items() if value is not None}
    print_json_line({"error": shown}, stream=sys.stderr)


def _in_words(error: Exception) -> str:
    if isinstance(error, UnusedCliTokensError):
        return f"no argument is expected here: {' '.join(error.unused_tokens or ())}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def as_options(message: str) -> str:
    """Return a message of the public API in terms of the command line: options and commands."""
    for call, command in _COMMANDS.items():
        message = message.replace(call, command)
    message = _CONTRACT.sub("--contract, or AIGNOSTICS_CONTRACT,", message)
    message = _FIRST_WORD.sub(r"--\1", message)
    return _PARAMETER.sub(lambda found: f"--{found[0].replace('_', '-')}", message)
