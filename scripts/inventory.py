"""Write the inventory of what the façade reads and sends, for `aignostics-async contract check`.

    python scripts/inventory.py [--check] [ROOT]

It is made from the contracts and from the code of their translations. With --check nothing is written, and it
ends with 1 if the shipped one differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from contract import document, lines, usage
from contract.lines import ContractLine

from aignostics_async.contracts._drift import describe, operations

ROOT = Path(__file__).resolve().parent.parent
PATH = Path("src/aignostics_async/contracts/inventory.json")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 if it differs")
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    arguments = parser.parse_args()
    text = made(arguments.root)
    path = arguments.root / PATH
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    if arguments.check:
        print(f"{PATH} differs from the contracts and the code; run scripts/inventory.py")
        return 1
    path.write_text(text, encoding="utf-8")
    print(f"{PATH} was written")
    return 0


def made(root: Path) -> str:
    """Return the text of the inventory for a tree."""
    record = {line.name: of_line(root, line) for line in lines.all_lines(root)}
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def of_line(root: Path, line: ContractLine) -> dict[str, Any]:
    """Return the inventory of one line: its operations, and the names of those that it does not use."""
    contract = document.read(root / line.document)
    used = {
        key
        for key, places in usage.uses(root, contract, line).items()
        if any(f"contracts/v{line.marker}/" in place.file for place in places)
    }
    all_operations = list(operations(contract))
    return {
        "operations": {
            f"{method.upper()} {path}": _operation(contract, method, path, used)
            for method, path in all_operations
            if ("operation", method, path) in used
        },
        "others": sorted(f"{m.upper()} {p}" for m, p in all_operations if ("operation", m, p) not in used),
    }


def _operation(
    contract: dict[str, Any], method: str, path: str, used: set[tuple[str, ...]]
) -> dict[str, Any]:
    told = describe(contract, method, path)
    fields = {(key[1], key[2]) for key in used if key[0] == "field"}
    owners = {
        name: schema.get("properties", {}) for name, schema in contract["components"]["schemas"].items()
    }
    return {
        "sent": {
            name: parameter
            for name, parameter in told["parameters"].items()
            if ("parameter", method, path, name) in used
        },
        "statuses": told["statuses"],
        "success": told["success"],
        "types": told["types"],
        "takes_token": told["takes_token"],
        **{
            side: {
                place: {**field, "used": _is_used(place, told[side], owners, fields)}
                for place, field in told[side].items()
            }
            for side in ("body", "answer")
        },
    }


def _is_used(place: str, side: dict[str, Any], owners: dict[str, Any], fields: set[tuple[str, str]]) -> bool:
    """Whether the code reads or sends a field: one of its name, of a schema with the fields around it."""
    above, _, name = place.rpartition(".")
    around = {each.rpartition(".")[2] for each in side if each.rpartition(".")[0] == above}
    return any(field == name and around <= owners[owner].keys() for owner, field in fields)


if __name__ == "__main__":
    sys.exit(main())
