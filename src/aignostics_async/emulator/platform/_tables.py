"""The tables of the emulator's database."""

VERSION = 4
"""Goes up when the tables change; a folder of another version is refused rather than migrated."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (number INTEGER PRIMARY KEY, wall REAL, clock REAL, rate REAL) STRICT;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, file TEXT NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL,
    media_type TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, application_id TEXT NOT NULL, version TEXT NOT NULL,
    submitted_at TEXT NOT NULL, at REAL NOT NULL, deleted_at REAL, scripted INTEGER NOT NULL,
    item_count INTEGER NOT NULL, metadata TEXT, due_date TEXT, deadline TEXT, results_deleted_at REAL,
    submitted_by TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS runs_in_order ON runs (submitted_at, number);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL, reference TEXT NOT NULL, inputs TEXT NOT NULL, metadata TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS items_of_run ON items (run_id, number);
CREATE INDEX IF NOT EXISTS items_by_reference ON items (reference);
CREATE TABLE IF NOT EXISTS transitions (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, run_id TEXT NOT NULL REFERENCES runs (id),
    item_id TEXT NOT NULL, status TEXT NOT NULL, error TEXT, code TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS transitions_in_order ON transitions (run_id, item_id, at, number, status);
CREATE INDEX IF NOT EXISTS transitions_by_time ON transitions (run_id, at);
CREATE TABLE IF NOT EXISTS artifacts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, item_id TEXT NOT NULL REFERENCES items (id),
    name TEXT NOT NULL, key TEXT NOT NULL, metadata TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS artifacts_of_item ON artifacts (item_id, number);
CREATE TABLE IF NOT EXISTS access_tokens (
    digest TEXT PRIMARY KEY, family TEXT NOT NULL, expires_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS refresh_tokens (
    digest TEXT PRIMARY KEY, family TEXT NOT NULL, client_id TEXT NOT NULL, used_at REAL, successor TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS grants (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL,
    subject_type TEXT NOT NULL, subject_id TEXT NOT NULL, relation TEXT NOT NULL, created_at TEXT NOT NULL,
    is_revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS share_tokens (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL, expires_at TEXT, is_revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
"""
