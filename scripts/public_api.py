"""Write down what users may rely on: every public name with its signature, its fields and their types.

    python scripts/public_api.py [--check] [ROOT]

The snapshot is docs/public-api.txt. With `--check` nothing is written, the differences are printed, and it
ends with 1 if there are any: write the snapshot, and name each difference in CHANGELOG.md.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

from tree.surface import Public, public

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = Path("docs/public-api.txt")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 if it differs")
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    options = parser.parse_args()
    snapshot = options.root / SNAPSHOT
    known = snapshot.read_text("utf-8").splitlines() if snapshot.exists() else []
    found = list(surface(options.root))
    if not options.check:
        snapshot.write_text("\n".join(found) + "\n", "utf-8")
        return 0
    compared = difflib.unified_diff(known, found, lineterm="", n=0)
    changed = [line for line in compared if not line.startswith(("---", "+++", "@@"))]
    if changed:
        print("\n".join(changed))
        print("the public API changed: run scripts/public_api.py, and name each difference in CHANGELOG.md")
    return 1 if changed else 0


def surface(root: Path) -> Iterator[str]:
    """Yield a line for each public name, and one for each public field of a class."""
    for each in sorted(public(root), key=lambda each: each.name):
        yield f"{each.name}: {' '.join(each.signature.split())}"
        yield from (f"{each.name}.{field}" for field in fields(each))


def fields(each: Public) -> list[str]:
    """Return the constructor of a class that writes one, and its public annotated fields without values."""
    found = []
    for node in each.node.body if isinstance(each.node, ast.ClassDef) else ():
        match node:
            case ast.FunctionDef(name="__init__", args=arguments):
                found.append(f"__init__({ast.unparse(arguments)})")
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if name[0] != "_":
                found.append(f"{name}: {ast.unparse(annotation)}")
    return found


if __name__ == "__main__":
    sys.exit(main())
