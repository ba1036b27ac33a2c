"""Write the map of lazy exports from the list of public names.

    python scripts/public_names.py [--check] [ROOT]

`__init__.pyi` is the one list of a package's public names, which type checkers read. `_exports.py` beside it,
which the package reads at run time, is made from it. With `--check` nothing is written, and it ends with 1 if
one differs.
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SOURCE = Path("src/aignostics_async")
PACKAGES = (_SOURCE, _SOURCE / "bulk", _SOURCE / "services", _SOURCE / "emulator")

_HEAD = '''"""Each public name and its module, made from `__init__.pyi` by scripts/public_names.py."""

HOMES = {
'''


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 if a map differs")
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    options = parser.parse_args()
    stale = [package for package in PACKAGES if not is_current(options.root / package)]
    for package in stale:
        if options.check:
            print(f"{package}/_exports.py differs from __init__.pyi; run scripts/public_names.py")
        else:
            (options.root / package / "_exports.py").write_text(made(options.root / package), "utf-8")
            print(f"{package}/_exports.py was written")
    return 1 if options.check and stale else 0


def is_current(package: Path) -> bool:
    exports = package / "_exports.py"
    return exports.exists() and exports.read_text("utf-8") == made(package)


def made(package: Path) -> str:
    """Return the text of `_exports.py` for the `__init__.pyi` of a package."""
    homes = dict(sorted(read_stub(package / "__init__.pyi").items()))
    return _HEAD + "".join(f'    "{name}": "{home}",\n' for name, home in homes.items()) + "}\n"


def read_stub(stub: Path) -> dict[str, str]:
    """Return the names that a stub exports, each with its module; a module of the package has no other.

    Raises SystemExit for a line that is no `from .module import name as name`.
    """
    homes: dict[str, str] = {}
    for line in ast.parse(stub.read_text("utf-8")).body:
        if isinstance(line, ast.Expr):
            continue  # the docstring
        if not isinstance(line, ast.ImportFrom) or line.level != 1:
            sys.exit(f"{stub}:{line.lineno}: only `from .module import name as name` is allowed")
        for alias in line.names:
            if alias.asname != alias.name or alias.name in homes:
                sys.exit(f"{stub}:{line.lineno}: write `{alias.name} as {alias.name}`, once")
            homes[alias.name] = line.module or ""
    return homes


if __name__ == "__main__":
    sys.exit(main())
