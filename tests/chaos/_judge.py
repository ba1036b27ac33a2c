"""What is left of the promise after a round, by what the emulator has seen and stored.

Nothing here believes the job's database. A run counts for the references that its items have in the ledger;
files are held to the bytes in the emulator's own store; uploads to the requests that it has answered.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

_FINAL = frozenset({"COMPLETED", "COMPLETED_WITH_ERROR", "REJECTED", "CANCELED_SYSTEM", "CANCELED_USER"})
Ledger = Sequence[tuple[float, str, str | None, str]]


@frozen(kw_only=True)
class Judgement:
    """What was seen of one job."""

    runs: int
    duplicates: int
    """Runs beyond the first one of a slide, cancelled ones too."""
    lost: tuple[str, ...]
    """Slides without a run that succeeded, or without any file of it here."""
    wrong: tuple[str, ...]
    """Files that are not the platform's bytes, are missing, or are more than there should be."""
    uploaded_again: tuple[str, ...]
    """Keys that were sent although the store had answered that it has them."""


def judge(
    references: Iterable[str],
    ledger: Ledger,
    stored: Mapping[str, Sequence[Counter[str]]],
    here: Mapping[str, Counter[str]],
    requests: Iterable[Mapping[str, Any]],
) -> Judgement:
    """Return what is left of the promise. Pure.

    `stored` are the digests of an item's outputs in the emulator's store, by reference, for each of its runs;
    `here` those of the files in its folder.
    """
    wanted = frozenset(references)
    begun = {run: at for at, run, reference, _ in reversed(ledger) if reference is None}
    runs: dict[str, set[str]] = {}
    for _, run, reference, _ in ledger:
        if reference in wanted:
            runs.setdefault(reference, set()).add(run)
    second = {run for each in runs.values() for run in sorted(each, key=lambda run: begun[run])[1:]}
    succeeded = {reference for _, _, reference, status in ledger if status == "SUCCEEDED"}
    lost = {each for each in wanted if each not in succeeded or not here.get(each)}
    wrong = {each for each in wanted - lost if here[each] not in stored.get(each, ())}
    return Judgement(
        runs=len({run for each in runs.values() for run in each}),
        duplicates=len(second),
        lost=tuple(sorted(lost)),
        wrong=tuple(sorted(wrong | {each for each in here if each not in wanted})),
        uploaded_again=tuple(sorted(sent_again(requests))),
    )


def sent_again(requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of which a PUT began after another one was answered with success. Pure.

    An answer that the emulator was told not to give, and one whose request was cut off, is none.
    """
    answered: dict[str, float] = {}
    again = []
    puts = [each for each in requests if each["method"] == "PUT" and "/objects/" in each["path"]]
    for each in sorted(puts, key=lambda put: float(put["at"])):
        if each["path"] in answered and each["at"] > answered[each["path"]]:
            again.append(each["path"])
        if each["status"] == 200:
            answered.setdefault(each["path"], each["answered_at"])
    return again


def cancelled_wrongly(
    ledger: Ledger, own: Mapping[str, frozenset[str]], taken: frozenset[str]
) -> frozenset[str]:
    """Return the cancelled runs that are no second ones, or that a database has taken. Pure.

    `own` are the references of the runs that the job or a copy of it has created.
    """
    cancelled = {
        run for _, run, reference, status in ledger if reference is None and status == "CANCELED_USER"
    }
    kept = {reference for run, its in own.items() if run not in cancelled for reference in its}
    return frozenset(run for run in cancelled if run in taken or run not in own or not own[run] <= kept)


def all_over(ledger: Ledger) -> bool:
    """Whether every run is over. Pure."""
    over = {run for _, run, reference, status in ledger if reference is None and status in _FINAL}
    return all(run in over for _, run, _, _ in ledger)


def stored_outputs(
    data: Path, references: frozenset[str], plain: Callable[[str], str]
) -> dict[str, list[Counter[str]]]:
    """Return the digests of the outputs in an emulator's data folder, by reference, for each of its runs."""
    query = (
        "SELECT reference, run_id, file FROM items JOIN artifacts ON item_id = items.id "
        "JOIN objects ON objects.key = artifacts.key"
    )
    connection = sqlite3.connect(f"{(data / 'emulator.sqlite3').as_uri()}?mode=ro", uri=True)
    rows = [(plain(row[0]), *row[1:]) for row in connection.execute(query) if plain(row[0]) in references]
    connection.close()
    found: dict[tuple[str, str], Counter[str]] = {}
    for reference, run, file in rows:
        found.setdefault((reference, run), Counter())[_digest(data / "objects" / file)] += 1
    by_reference: dict[str, list[Counter[str]]] = {}
    for (reference, _), digests in found.items():
        by_reference.setdefault(reference, []).append(digests)
    return by_reference


def files_here(results: Path) -> dict[str, Counter[str]]:
    """Return the digests of all files below the results, by the folders of items."""
    found: dict[str, Counter[str]] = {}
    for path in results.rglob("*"):
        if path.is_file():
            found.setdefault(path.relative_to(results).parts[0], Counter())[_digest(path)] += 1
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
