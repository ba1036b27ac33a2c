"""A search for secrets in all that a test run lets out: log records, errors, requests to other hosts.

Every secret that the servers of the tests give out is marked, so one pattern finds it wherever it turns up.
The search runs beside every test; what it finds fails the test that let it out.
"""

from __future__ import annotations

import copyreg
import io
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

import aignostics_async
from aignostics_async import AignosticsError

_OURS = str(Path(aignostics_async.__file__).parent)
_LOGGERS = ("aignostics_async", "httpx", "httpcore", "asyncio")
# What takes signed URLs, or addresses that users give, as plain texts, so that their frames show them.
_PASSES_URLS = (
    "/bulk/", "/cli/", "/downloads/", "/resources/", "/storage/", "/submission/", "/transfer/",
    "/_client.py", "/_urls.py",
)  # fmt: skip
_MOST_ERRORS = 200  # of one test: an error holds the frames that it went through

_TOKEN = (
    r"(?:emulator|oidc|small)-(?:access|refresh|code|device|secret)-[\w-]{1,}|\beyJ[\w-]{8,}\.[\w-]{8,}\."
)
TOKENS = re.compile(_TOKEN)
"""Tokens, codes and client secrets, which no other host than their own may see."""
SECRETS = re.compile(
    rf"{_TOKEN}|PLANTED|signature=(?!\[)[\w%-]{{6,}}|[?&](?:sig|X-Amz-Signature)=(?!\[)\w{{6,}}"
)
"""These, and the queries of signed URLs, which go to their storage and nowhere else."""


@define(eq=False, slots=False)
class LeakDetector(logging.Handler):
    """The search. It is a handler of log records too."""

    finds: list[str] = field(factory=list)
    errors: list[AignosticsError] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        logging.Handler.__init__(self, logging.DEBUG)

    def search(self, where: str, text: str, pattern: re.Pattern[str] = SECRETS) -> None:
        """Note each secret in a text."""
        self.finds += [f"{where}: …{around(text, found)}…" for found in pattern.finditer(text)]

    def emit(self, record: logging.LogRecord) -> None:
        """Search a log record: its text, what it was made from, and its traceback."""
        shown = f"{record.getMessage()} {record.args!r}"
        if record.exc_info and record.exc_info[1] is not None:
            shown += "".join(traceback.format_exception(record.exc_info[1]))
        self.search(f"a log record of {record.name}", shown)

    def remember(self, error: AignosticsError) -> None:
        """Take an error that was made, to be searched when the test is over."""
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(error)

    def search_errors(self) -> None:
        """Search the errors of a test, and let go of them."""
        errors, self.errors = self.errors, []
        for error in errors:
            kind = type(error).__name__
            for where, text in shown_by(error):
                self.search(f"{where} of {kind}", text)
            for where, text in variables_of(error):
                is_url = any(part in where for part in _PASSES_URLS)
                self.search(f"{where} of {kind}", text, TOKENS if is_url else SECRETS)

    def watch(self) -> Iterator[None]:
        """Listen to the loggers, and to every error that is made; a generator for a fixture."""
        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self)
            logging.getLogger(name).setLevel(logging.DEBUG)

        def made(cls: type[AignosticsError], *arguments: Any, **_: Any) -> AignosticsError:
            error: AignosticsError = Exception.__new__(cls, *arguments)
            self.remember(error)
            return error

        patch = pytest.MonkeyPatch()
        patch.setattr(AignosticsError, "__new__", made)
        yield
        patch.undo()
        for name, level in levels.items():
            logging.getLogger(name).removeHandler(self)
            logging.getLogger(name).setLevel(level)


DETECTOR = LeakDetector()
"""The one of this session."""


def shown_by(error: BaseException) -> Iterator[tuple[str, str]]:
    """Give all that an error shows: to a person, to a log, to another process."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield "the text", str(link)
        yield "the repr", repr(link)
        link = link.__cause__ or link.__context__
    yield "the pickle", _pickled(error).decode("latin-1")


def _pickled(error: BaseException) -> bytes:
    """Return an error as it pickles itself.

    Dask has every exception of the process pickled with its traceback and context, whatever that holds; no
    error goes to a cluster's workers or comes from them.
    """
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream)
    rules = copyreg.dispatch_table.items()
    pickler.dispatch_table = {kind: rule for kind, rule in rules if not issubclass(kind, BaseException)}
    pickler.dump(error)
    return stream.getvalue()


def variables_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the SDK's variables that a debugger or an error reporter shows with a traceback."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        # The caller's own frames hold what the caller knows.
        if frame.f_code.co_filename.startswith(_OURS):
            for name, value in frame.f_locals.items():
                with suppress(Exception):  # some objects are not whole yet, and can't be shown
                    place = f"{frame.f_code.co_filename}:{line}, {frame.f_code.co_name}"
                    yield f"the variable {name} in {place}", repr(value)


def around(text: str, found: re.Match[str]) -> str:
    """Return a find with what is about it, for a person to see where it came from."""
    return text[max(0, found.start() - 40) : found.end() + 20].replace("\n", " ")
