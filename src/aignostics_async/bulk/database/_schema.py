"""The tables of a job. A release adds steps at the end of MIGRATIONS and changes none that was released."""

from __future__ import annotations

_FIRST = """
CREATE TABLE job (
    id TEXT PRIMARY KEY, created_at REAL NOT NULL, -- by the server's clock
    plan TEXT NOT NULL, epoch INTEGER NOT NULL DEFAULT 0,
    identity TEXT, is_paused INTEGER NOT NULL DEFAULT 0, finished_at REAL,
    baseline INTEGER NOT NULL DEFAULT 0, -- the rows of `seen` up to this one are older than the job
    taken_in INTEGER NOT NULL DEFAULT 0 -- items, counted as they came: an audit holds their rows to it
) STRICT;

CREATE TABLE items (
    number INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE,
    turn INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'FOUND', fault TEXT, remedy TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    path TEXT NOT NULL, overrides TEXT NOT NULL DEFAULT '{}', size INTEGER, fingerprint TEXT, info TEXT,
    key TEXT, uri TEXT, etag TEXT, crc32c TEXT, stored_size INTEGER, is_store_verified INTEGER,
    intent INTEGER REFERENCES intents (number), run_id TEXT, item_id TEXT, status TEXT, error TEXT,
    changed_at REAL NOT NULL
) STRICT;
CREATE INDEX items_by_state ON items (state, turn);
CREATE INDEX items_by_intent ON items (intent, state) WHERE intent IS NOT NULL;

CREATE TABLE intents (
    number INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, state TEXT NOT NULL DEFAULT 'SEALED',
    tag TEXT NOT NULL DEFAULT '', sealed_at REAL NOT NULL, known_before INTEGER NOT NULL,
    size INTEGER NOT NULL, -- items
    run_id TEXT UNIQUE, how TEXT, reason TEXT
) STRICT;
CREATE INDEX intents_by_state ON intents (state);

-- An item belongs to one intent that may still become a run.
CREATE TABLE members (
    intent INTEGER NOT NULL REFERENCES intents (number), item INTEGER NOT NULL REFERENCES items (number),
    is_live INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (intent, item)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_live_intent ON members (item) WHERE is_live;

-- Before a request leaves, it is here; `outcome` says what became of it.
CREATE TABLE attempts (
    number INTEGER PRIMARY KEY, intent INTEGER NOT NULL REFERENCES intents (number), sent_at REAL NOT NULL,
    server_date REAL, outcome TEXT, told TEXT
) STRICT;
CREATE INDEX attempts_by_intent ON attempts (intent);
CREATE UNIQUE INDEX one_attempt_at_a_time ON attempts (intent) WHERE outcome IS NULL;

-- Every run of the application version that was seen, in the order in which it was.
CREATE TABLE seen (
    number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, triggered_at REAL NOT NULL, status TEXT NOT NULL,
    intent INTEGER REFERENCES intents (number), is_duplicate INTEGER NOT NULL DEFAULT 0, done TEXT,
    ended_at REAL
) STRICT;

CREATE TABLE outputs (
    item INTEGER NOT NULL REFERENCES items (number), artifact_id TEXT NOT NULL, name TEXT NOT NULL,
    path TEXT, size INTEGER, crc32c TEXT, status TEXT NOT NULL DEFAULT 'KNOWN', fault TEXT,
    PRIMARY KEY (item, artifact_id)
) STRICT, WITHOUT ROWID;

-- What a stage has moved since its sample before, for the plot of the report.
CREATE TABLE samples (
    at REAL NOT NULL, stage TEXT NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT;
"""

_SECOND = """
ALTER TABLE items ADD COLUMN billed_run TEXT; -- an earlier run of the same slide: a person decides
ALTER TABLE items ADD COLUMN may_be_rebilled INTEGER NOT NULL DEFAULT 0; -- a person has decided that it may
ALTER TABLE job ADD COLUMN stopped_at REAL;
ALTER TABLE job ADD COLUMN stop_kind TEXT; -- the type of the error
ALTER TABLE job ADD COLUMN stop_reason TEXT;
ALTER TABLE job ADD COLUMN cancelled_at REAL;

-- Files that were seen when the job was made, and not taken.
CREATE TABLE left_out (
    path TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    is_slide INTEGER NOT NULL -- by its content or its suffix
) STRICT;
"""

_THIRD = """
-- What the request has marked its run with, and the process that has sent it; NULL for one without a mark.
ALTER TABLE attempts ADD COLUMN mark TEXT;
ALTER TABLE attempts ADD COLUMN holder TEXT;
CREATE UNIQUE INDEX attempts_by_mark ON attempts (mark) WHERE mark IS NOT NULL;
"""

_FOURTH = """
-- What was said of all slides as JSON, and where references come from, for corrections.
ALTER TABLE job ADD COLUMN sources TEXT NOT NULL DEFAULT '{}';
UPDATE job SET sources = '{"reference_from": "pseudonyms"}'
    WHERE EXISTS (SELECT 1 FROM items WHERE json_extract(overrides, '$.is_pseudonym'));
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD, _FOURTH)

_WITHOUT_SOURCES = """
CREATE TEMP VIEW job AS SELECT *, '{}' AS sources FROM main.job;
"""
_WITHOUT_MARKS = """
CREATE TEMP VIEW attempts AS SELECT *, NULL AS mark, NULL AS holder FROM main.attempts;
"""
_WITHOUT_DECISIONS = """
CREATE TEMP VIEW items AS SELECT *, NULL AS billed_run, 0 AS may_be_rebilled FROM main.items;
CREATE TEMP VIEW job AS SELECT *, NULL AS stopped_at, NULL AS stop_kind, NULL AS stop_reason,
    NULL AS cancelled_at, '{}' AS sources FROM main.job;
CREATE TEMP VIEW left_out AS SELECT '' AS path, '' AS reason, '' AS detail, 0 AS is_slide WHERE 0;
"""
VIEWS = {
    3: _WITHOUT_SOURCES,
    2: _WITHOUT_MARKS + _WITHOUT_SOURCES,
    1: _WITHOUT_MARKS + _WITHOUT_DECISIONS,
}
"""By the version of a database that may not be migrated: views that show it as the current version."""
