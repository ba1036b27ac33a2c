"""Names of files and folders that are hidden, in the trash, or a system's own. Pure."""

from __future__ import annotations

_TRASH = frozenset(
    {
        "$recycle.bin", "recycler", "recycled", "#recycle", "@recycle", "@recently-snapshot", "@eadir",
        "#snapshot", "~snapshot", "lost+found", "system volume information", "network trash folder",
        "temporary items", "__macosx",
    }
)  # fmt: skip
_HIDDEN_TRASH = (".trash", ".trashes", ".snapshot", ".zfs", ".appledouble", ".temporaryitems")
# Files that systems write, which nobody would look for among slides.
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".directory", ".localized"})


def is_system_file(name: str) -> bool:
    """Whether a system wrote a file for itself."""
    return name.lower() in _SYSTEM_FILES or name.startswith("._")


def is_trash(folder: str) -> bool:
    """Whether a folder of this name holds what was deleted, or snapshots."""
    return folder.lower() in _TRASH or folder.lower().startswith(_HIDDEN_TRASH)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not shown to people."""
    return name.startswith(".")
