"""Replace files of the tree: all of them or none.

The new files are written to a staging folder first, and a journal marks them as complete. An interruption
before that leaves the old tree. After it, the next command completes the replacement, since each script that
reads or writes these files calls `finish` first.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_STAGING = ".incoming"
_JOURNAL = "ready.json"


def put(root: Path, sources: Mapping[str, Path]) -> None:
    """Replace files and folders of the tree by copies; `sources` maps names in the tree to them."""
    finish(root)
    staging = root / _STAGING
    for name, source in sources.items():
        target = staging / "new" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    os.sync()
    draft = staging / "draft"
    draft.write_text(json.dumps(sorted(sources)), encoding="utf-8")
    draft.rename(staging / _JOURNAL)
    finish(root)


def finish(root: Path) -> None:
    """Complete an interrupted replacement if its files were complete, else discard them."""
    staging = root / _STAGING
    journal = staging / _JOURNAL
    if journal.is_file():
        for name in json.loads(journal.read_text(encoding="utf-8")):
            _move(root, staging, name)
        journal.unlink()
    if staging.is_dir():
        shutil.rmtree(staging)


def _move(root: Path, staging: Path, name: str) -> None:
    """Move one new file to its place, unless that was done before."""
    source, target, old = staging / "new" / name, root / name, staging / "old" / name
    if not source.exists():
        return
    if target.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        target.rename(old)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
