"""The type check of the façade against a new client, as a list of functions to rewrite."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from contract.lines import ContractLine
from contract.severity import Judged, Severity
from contract.usage import EMULATOR, FACADE, functions, is_of

_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)$")
_GONE = re.compile(r'has no attribute "(\w+)"')
_SECONDS = 600


@frozen
class TypeFault:
    """An error of the type checker, and the function that it is in."""

    file: str
    line: int
    function: str
    text: str


def check(root: Path, line: ContractLine) -> list[TypeFault]:
    """Return mypy's errors in the façade; one of an import is reported where the import is used."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", FACADE],
        cwd=root, capture_output=True, text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    found = [match for text in done.stdout.splitlines() if (match := _LINE.match(text))]
    if done.returncode and not found:
        raise RuntimeError(f"mypy failed to run:\n{done.stdout}{done.stderr}")
    faults = _missing_modules(root, line.package)
    for match in found:
        path, number, text = root / match["file"], int(match["line"]), match["text"]
        around = functions(path)
        if number in around:
            faults.append(TypeFault(match["file"], number, around[number], text))
        else:
            gone = _GONE.search(text)
            faults += _where_used(root, path, number, gone[1] if gone else "", text, package=line.package)
    return faults


def _missing_modules(root: Path, package: str) -> list[TypeFault]:
    """Return the imports of generated modules that no longer exist.

    mypy would find them in the package installed for development.
    """
    faults = []
    for path in sorted((root / FACADE).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and is_of(node.module, f"{package}.api"):
                folder = root / "generated" / str(node.module).replace(".", "/")
                for alias in node.names:
                    if not (folder / f"{alias.name}.py").is_file():
                        text = f"the module {alias.name} is gone from {node.module}"
                        faults += _where_used(root, path, node.lineno, alias.name, text, package=package)
    return faults


def _where_used(root: Path, path: Path, line: int, name: str, text: str, *, package: str) -> list[TypeFault]:
    """Return a fault for each function that uses an imported name, or one for the import itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    file, around = path.relative_to(root).as_posix(), functions(path)
    local = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and is_of(node.module, package)
        for alias in node.names
        if alias.name == name
    }
    used = [
        TypeFault(file, node.lineno, around[node.lineno], text)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id in local and node.lineno in around
    ]
    return used or [TypeFault(file, line, "module level", text)]


def to_rewrite(faults: Iterable[TypeFault], judged: Iterable[Judged]) -> dict[tuple[str, str], list[str]]:
    """Return the reasons to rewrite functions of the façade, by file and function.

    Type errors come first, then the breaking changes that a type checker can't see.
    """
    reasons: dict[tuple[str, str], dict[str, set[int]]] = {}

    def add(file: str, function: str, line: int, text: str) -> None:
        reasons.setdefault((file, function), {}).setdefault(text, set()).add(line)

    for fault in faults:
        add(fault.file, fault.function, fault.line, fault.text)
    for each in judged:
        change = each.change
        for use in each.uses if each.severity is Severity.BREAKING else ():
            if not use.file.startswith(EMULATOR):
                text = f"{change.kind} {change.subject} {change.name} {change.detail}".rstrip()
                add(use.file, use.function, use.line, text)
    return {
        place: [f"{', '.join(map(str, sorted(lines)))}: {text}" for text, lines in texts.items()]
        for place, texts in sorted(reasons.items())
    }
