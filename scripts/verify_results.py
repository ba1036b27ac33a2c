"""Verify a folder of results against its report.json, with another CRC32C library than the SDK's.

    python scripts/verify_results.py RESULTS

Ends with 1 if a file is missing, unlisted, of another size, or of another checksum than the report says.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

import google_crc32c


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    results = parser.parse_args().results
    listed = {file["path"]: file for file in json.loads((results / "report.json").read_text())["files"]}
    there = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    wrong = [f"not in the report: {path}" for path in sorted(there - listed.keys() - {"report.json"})]
    for path, file in listed.items():
        wrong += verify(results / path, file)
    for line in wrong:
        print(line)
    print(f"{len(listed)} files, {len(wrong)} wrong")
    return 1 if wrong or not listed else 0


def verify(path: Path, file: dict[str, Any]) -> list[str]:
    """Return what is wrong with one file."""
    if not path.is_file():
        return [f"missing: {file['path']}"]
    content = path.read_bytes()
    if len(content) != file["size"]:
        return [f"{len(content)} bytes instead of {file['size']}: {file['path']}"]
    wire = base64.b64encode(int(google_crc32c.value(content)).to_bytes(4, "big")).decode()
    if wire != file["checksum_base64_crc32c"]:
        return [f"CRC32C {wire} instead of {file['checksum_base64_crc32c']}: {file['path']}"]
    return []


if __name__ == "__main__":
    sys.exit(main())
