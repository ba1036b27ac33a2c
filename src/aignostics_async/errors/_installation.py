"""How this package was installed, and the command that adds an extra to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import unquote, urlsplit

_NAME = "aignostics-async"


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this package, from where the package came.

    An index is named only if the package came from one: elsewhere anybody may have registered its name. The
    source is in the record that installers keep (https://peps.python.org/pep-0610/).
    """
    try:
        record = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:  # sources that are only on the path
        return _pip(f".[{extra}]")
    return _command(extra, {} if record is None else json.loads(record))


def _command(extra: str, source: Mapping[str, Any]) -> str:
    url = source.get("url")
    if url is None:
        return _pip(f"{_NAME}[{extra}]")
    if "dir_info" in source:
        folder = unquote(urlsplit(url).path)
        if folder[2:3] == ":":  # file:///C:/...
            folder = folder[1:]
        return _pip(f"{folder}[{extra}]", editable=source["dir_info"].get("editable", False))
    return _pip(f"{_NAME}[{extra}] @ {_address(url, source.get('vcs_info'))}")


def _pip(requirement: str, *, editable: bool = False) -> str:
    # In quotes always: shells expand brackets.
    return f"pip install {'-e ' if editable else ''}'{requirement}'"


def _address(url: str, vcs: Mapping[str, Any] | None) -> str:
    parts = urlsplit(url)
    # Some installers leave a password in it.
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return address if vcs is None else f"{vcs['vcs']}+{address}@{vcs['commit_id']}"
