"""The report of a job: its audit, its three forms, and what none of them may hold or be broken by."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from bulk_jobs import BEGUN, MadeUpJob, made_up_job
from hypothesis import example, given, strategies as st
from leak_detector import SECRETS

from aignostics_async import JobDatabaseError, JobError, UsageError
from aignostics_async._core._display_text import harmless, human_size, shorten, visible
from aignostics_async._core._redaction import redact
from aignostics_async.bulk.database._states import IntentState, ItemState
from aignostics_async.bulk.report import _formatting
from aignostics_async.bulk.report._audit import ItemOutcome, JobStatus
from aignostics_async.bulk.report._consistent_view import consistent_view
from aignostics_async.bulk.report._data_files import write_csv, write_json
from aignostics_async.bulk.report._expiry import ALARM, KEPT
from aignostics_async.bulk.report._formatting import percent
from aignostics_async.bulk.report._next_steps import next_steps
from aignostics_async.bulk.report._results_table import write_results_table
from aignostics_async.bulk.report._rows import remedy
from aignostics_async.bulk.report._sanitizing import named, told
from aignostics_async.bulk.report._summary import Summary, read_summary
from aignostics_async.bulk.report._write import ReportFormat, write_forms, write_report
from aignostics_async.bulk.report.html import _page as html
from aignostics_async.bulk.report.html._overview import audit_line, headline

JPEG = b"\xff\xd8 a picture \xff\xd9"
ALL = {Path(f"report.{form}"): form for form in ReportFormat}


@contextmanager
def job(folder: Path) -> Iterator[MadeUpJob]:
    """Give a job of six slides: two done, two at the platform, one failed, one quarantined."""
    with made_up_job(folder) as made:
        numbers = made.add("a", "b", "c", "d", "e", "f")
        made.upload(numbers[:5])
        intent, _ = made.submit(numbers[:5])
        made.finish(numbers[:2])
        made.move([5], ItemState.FAILED, status="ERROR_USER", error="no tissue was found")
        made.move([6], ItemState.QUARANTINED, fault="it has no resolution", remedy="give one with --mpp")
        made.end_run(intent, BEGUN + 5000)
        yield made


def summary_of(database: Path, now: datetime | None = None) -> Summary:
    with consistent_view(database) as execute:
        return read_summary(execute, now)


def report(database: Path, pictures: dict[int, bytes] | None = None) -> dict[ReportFormat, str]:
    """Return the three forms of a report as texts."""
    targets = {database.parent / path: form for path, form in ALL.items()}
    write_forms(database, targets, pictures or {})
    return {form: path.read_bytes().decode("utf-8-sig") for path, form in targets.items()}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# What it says


def test_every_slide_is_accounted_for(tmp_path: Path) -> None:
    with job(tmp_path):
        pass
    summary = summary_of(tmp_path / "job.sqlite3")
    assert summary.audit.taken_in == summary.audit.accounted_for == 6
    assert summary.audit.outcomes == {
        ItemOutcome.DONE: 2, ItemOutcome.UNDER_WAY: 2, ItemOutcome.FAILED: 1, ItemOutcome.QUARANTINED: 1
    }  # fmt: skip
    assert summary.status is JobStatus.UNFINISHED
    assert headline(summary) == "2 of 6 slides are done so far, 2 need attention"
    assert audit_line(summary) == ("6 in = 6 accounted for: 2 done, 2 under way, 1 failed, 1 quarantined")
    assert (summary.uploads.stored_items, summary.uploads.stored_bytes) == (5, 5_000_000)
    assert (summary.outputs.verified, summary.outputs.bytes) == (4, 20_000)
    assert summary.job.application_version == "h-e-tme:v1.2.3"
    assert summary.job.server == "https://platform.example.com"


def test_all_forms_say_the_same(tmp_path: Path) -> None:
    with job(tmp_path):
        pass
    forms = report(tmp_path / "job.sqlite3", {1: JPEG})
    rows, told = rows_of(forms[ReportFormat.CSV]), json.loads(forms[ReportFormat.JSON])
    assert list(rows[0]) == list(told["items"][0])
    assert [[value or None for value in row.values()] for row in rows] == [
        [None if value is None else str(value) for value in item.values()] for item in told["items"]
    ]
    assert [(row["account"], row["fault"], row["remedy"]) for row in rows[4:]] == [
        ("FAILED", "no tissue was found", remedy(ItemOutcome.FAILED, "ERROR_USER", None)),
        ("SET_ASIDE", "it has no resolution", "give one with --mpp"),
    ]
    assert rows[0] | {"run_id": "", "changed_at": ""} == {
        "number": "1", "reference": "a", "path": "/slides/a.svs", "size": "1000000", "crc32c": "4waSgw==",
        "uri": "s3://bucket/slides/object", "run_id": "", "item_id": "", "account": "DONE", "state": "DONE",
        "status": "SUCCEEDED", "fault": "", "remedy": "", "attempts": "0", "outputs": "2",
        "verified_outputs": "2", "submitted_at": "2026-11-24T06:10:00Z", "ended_at": "2026-11-24T07:23:20Z",
        "changed_at": "", "intent": "1", "identifying": "",
    }  # fmt: skip
    assert told["summary"]["verdict"] == "UNFINISHED"
    assert told["summary"]["exit_status"] == 75
    assert told["summary"]["audit"]["taken_in"] == told["summary"]["audit"]["accounted_for"] == 6
    assert [(run["items"], run["done"], run["failed"]) for run in told["runs"]] == [(5, 2, 1)]
    page = forms[ReportFormat.HTML]
    for words in ("2 need attention", "6 in = 6 accounted for", "no tissue was found", "give one with --mpp"):
        assert words in page
    for fact in (*told["summary"]["job"].values(), "0.1.0"):
        assert fact in (None, False) or str(fact)[:10] in page


def test_an_item_that_goes_on_shows_no_old_fault(tmp_path: Path) -> None:
    with job(tmp_path) as made:
        made.move([6], ItemState.FOUND)
    rows = rows_of(report(tmp_path / "job.sqlite3")[ReportFormat.CSV])
    assert (rows[5]["account"], rows[5]["fault"], rows[5]["remedy"]) == ("UNDER_WAY", "", "")


# The audit


def forget(made: MadeUpJob, number: int) -> None:
    made.execute("PRAGMA defer_foreign_keys = ON")
    made.execute("DELETE FROM members WHERE item = ?", number)
    made.execute("DELETE FROM outputs WHERE item = ?", number)
    made.execute("DELETE FROM items WHERE number = ?", number)


def strand(made: MadeUpJob) -> None:
    made.add("g")
    made.upload([7])
    made.submit([7])
    made.execute("UPDATE items SET state = 'ASSIGNED' WHERE number = 7")


def leave(made: MadeUpJob) -> None:
    made.add("g")
    made.upload([7])
    made.doubt([7])
    made.execute("UPDATE members SET is_live = 0 WHERE item = 7")


LOSSES: dict[str, tuple[Callable[[MadeUpJob], Any], str]] = {
    "a row is gone": (lambda made: forget(made, 2), "1 slide missing from the database"),
    "the last row is gone": (lambda made: forget(made, 6), "1 slide missing from the database"),
    "a row too many": (
        lambda made: made.execute("UPDATE job SET taken_in = 5"),
        "1 slide more in the database than were added",
    ),
    "an unknown state": (
        lambda made: made.execute("UPDATE items SET state = 'LIMBO' WHERE number = 1"),
        "this release does not know its state",
    ),
    "assigned to a run that is there": (strand, "it waits for a run that will never be requested"),
    "assigned and no member": (leave, "it waits for a run that will never be requested"),
    "submitted to no run": (
        lambda made: made.execute("UPDATE items SET run_id = NULL WHERE number = 3"),
        "it counts as submitted, but its run is not that of its chunk",
    ),
    "submitted to another's run": (
        lambda made: made.execute("UPDATE items SET run_id = 'other' WHERE number = 5"),
        "it counts as submitted, but its run is not that of its chunk",
    ),
    "closed too early": (
        lambda made: made.execute("UPDATE intents SET state = 'CLOSED'"),
        "its run was closed before its results were downloaded",
    ),
    "done without an output": (
        lambda made: made.execute("UPDATE outputs SET status = 'FAILED' WHERE artifact_id = '2-1'"),
        "it counts as done, but some of its outputs are missing",
    ),
    "quarantined for no reason": (
        lambda made: made.execute("UPDATE items SET fault = NULL WHERE number = 6"),
        "it is quarantined without a recorded reason",
    ),
}


@pytest.mark.parametrize("what", LOSSES)
def test_a_lost_item_is_found(tmp_path: Path, what: str) -> None:
    lose, words = LOSSES[what]
    with job(tmp_path) as made:
        lose(made)
    forms = report(tmp_path / "job.sqlite3")
    summary = summary_of(tmp_path / "job.sqlite3")
    assert not summary.audit.is_whole
    assert summary.status is JobStatus.LOST
    assert summary.status.exit_status == 1
    first = next(iter(next_steps(summary)))
    assert words in first.what
    assert "≠" in audit_line(summary)
    assert "can&#x27;t be accounted for</h1>" in forms[ReportFormat.HTML]
    assert words in forms[ReportFormat.HTML]
    assert json.loads(forms[ReportFormat.JSON])["summary"]["verdict"] == "LOST"
    lost = [row["fault"] for row in rows_of(forms[ReportFormat.CSV]) if row["account"] == "LOST"]
    assert lost == [words] * sum(summary.audit.lost.values())


def test_what_is_whole_has_no_loss(tmp_path: Path) -> None:
    """Every state that commands lead to is accounted for."""
    with job(tmp_path) as made:
        made.add("g", "h", "i", "j", "k", "l", "m")
        made.move([7], ItemState.READY)
        made.move([8], ItemState.READY, ItemState.SENDING)
        made.upload([9, 10, 11, 12])
        made.doubt([10])
        sealed = made.apply(lambda execute: seal(execute, [11]))
        asked = made.apply(lambda execute: seal(execute, [12]))
        made.execute("UPDATE intents SET state = 'UNKNOWN' WHERE number = ?", asked)
        assert sealed != asked
    summary = summary_of(tmp_path / "job.sqlite3")
    assert summary.audit.is_whole
    assert summary.audit.outcomes[ItemOutcome.UNDECIDED] == 1
    assert summary.audit.outcomes[ItemOutcome.UNDER_WAY] == 8
    assert set(summary.states) == set(ItemState) - {ItemState.SUCCEEDED}


def seal(execute: Any, numbers: list[int]) -> int:
    from aignostics_async.bulk.database import _commands

    return _commands.seal(numbers)(execute)


# The verdict


def end(made: MadeUpJob) -> None:
    """Let the two slides that are under way be done, and close their run."""
    made.finish([3, 4])
    made.execute("UPDATE intents SET state = 'CLOSED'")


def mend(made: MadeUpJob) -> None:
    end(made)
    for number in (5, 6):
        made.execute(
            "UPDATE items SET state = 'DONE', intent = 1, run_id = ? WHERE number = ?",
            *(made.execute("SELECT run_id FROM intents").fetchone()[0], number),
        )


def doubt(made: MadeUpJob) -> None:
    made.add("g")
    made.upload([7])
    made.doubt([7])


def double(made: MadeUpJob) -> None:
    mend(made)
    made.duplicate(1)


def double_and_cancel(made: MadeUpJob) -> None:
    mend(made)
    made.duplicate(1, "it was cancelled")


VERDICTS: dict[str, tuple[Callable[[MadeUpJob], None], JobStatus, str]] = {
    "all done": (mend, JobStatus.DONE, "All 6 slides are done"),
    "some failed": (end, JobStatus.SOME_FAILED, "2 of 6 slides need attention"),
    "under way": (lambda _: None, JobStatus.UNFINISHED, "2 of 6 slides are done so far, 2 need attention"),
    "ambiguous": (doubt, JobStatus.UNDECIDED, "One decision waits for you"),
    "a duplicate": (double, JobStatus.UNDECIDED, "One decision waits for you"),
    "a duplicate that is dealt with": (double_and_cancel, JobStatus.DONE, "All 6 slides are done"),
}


@pytest.mark.parametrize("what", VERDICTS)
def test_the_verdict(tmp_path: Path, what: str) -> None:
    change, verdict, words = VERDICTS[what]
    with job(tmp_path) as made:
        change(made)
    summary = summary_of(tmp_path / "job.sqlite3")
    assert (summary.status, headline(summary)) == (verdict, words)
    page = report(tmp_path / "job.sqlite3")[ReportFormat.HTML]
    assert ('class="verdict attention"' in page) == (verdict is not JobStatus.DONE)
    assert ("There is nothing to do" in page) == (verdict is JobStatus.DONE)
    assert ('<h2 id="decisions">' in page) == ("duplicate" in what or what == "ambiguous")


def test_exit_statuses_are_those_of_the_command_line() -> None:
    expected = {"DONE": 0, "SOME_FAILED": 3, "UNDECIDED": 4, "QUOTA_EXCEEDED": 8, "UNFINISHED": 75, "LOST": 1}
    assert {status.name: status.exit_status for status in JobStatus} == expected


def test_a_job_without_slides(tmp_path: Path) -> None:
    with made_up_job(tmp_path):
        pass
    forms = report(tmp_path / "job.sqlite3")
    assert "There is no slide in this job" in forms[ReportFormat.HTML]
    assert rows_of(forms[ReportFormat.CSV]) == []
    assert json.loads(forms[ReportFormat.JSON])["items"] == []
    assert summary_of(tmp_path / "job.sqlite3").status is JobStatus.DONE


def test_duplicates_and_ambiguous_runs_are_loud(tmp_path: Path) -> None:
    with job(tmp_path) as made:
        made.add("g")
        made.upload([7])
        intent = made.doubt([7], "these may be its run, and can't be read whole: 123")
        second = made.duplicate(1)
    forms = report(tmp_path / "job.sqlite3")
    page = forms[ReportFormat.HTML]
    assert page.index('id="decisions"') < page.index('id="failures"') < page.index('id="runs"')
    assert f"Chunk {intent}, of 1 slide, may or may not have a run" in page
    assert "can&#x27;t be read whole: 123" in page
    assert f"Run 1 was created a second time</strong><span>The second one is <code>{second}" in page
    assert json.loads(forms[ReportFormat.JSON])["duplicates"][0]["run_id"] == second


def test_results_that_end_soon_are_told(tmp_path: Path) -> None:
    with job(tmp_path):
        pass
    ended = BEGUN + 5000
    for seconds, is_due in ((KEPT - ALARM - 1, False), (KEPT - ALARM + 1, True), (KEPT + 1, True)):
        summary = summary_of(tmp_path / "job.sqlite3", datetime.fromtimestamp(ended + seconds, UTC))
        assert summary.expiry.items == (2 if is_due else 0), "those that are not here"
        assert any("deleted soon" in each.what for each in next_steps(summary)) == is_due
    assert summary.expiry.first == datetime.fromtimestamp(ended + KEPT, UTC)


def test_an_output_without_a_checksum_is_told(tmp_path: Path) -> None:
    with job(tmp_path) as made:
        mend(made)
        made.execute("UPDATE outputs SET status = 'UNVERIFIED' WHERE artifact_id = '1-1'")
    summary = summary_of(tmp_path / "job.sqlite3")
    assert (summary.status, summary.outputs.verified, summary.outputs.unverified) == (JobStatus.DONE, 7, 1)
    assert [each.what for each in next_steps(summary)] == ["1 output without a checksum"]
    assert rows_of(report(tmp_path / "job.sqlite3")[ReportFormat.CSV])[0]["verified_outputs"] == "1"


@pytest.mark.parametrize("account", ItemOutcome)
@pytest.mark.parametrize(
    "status", [None, "ERROR_USER", "error_system", "CANCELED_USER", "CANCELED_SYSTEM", "NEW"]
)
def test_every_trouble_has_a_remedy(account: ItemOutcome, status: str | None) -> None:
    assert (remedy(account, status, None) is not None) == account.is_trouble
    if account.is_trouble and account is not ItemOutcome.LOST:
        assert remedy(account, status, "do this") == "do this"


def test_failures_are_counted_by_cause(tmp_path: Path) -> None:
    with made_up_job(tmp_path) as made:
        for number in made.add(*(f"case-{number}" for number in range(12))):
            name = f"/slides/case-{number - 1}.svs"
            made.move(
                [number], ItemState.QUARANTINED, fault=f"{name}: it has no resolution", remedy=f"mend {name}"
            )
        made.move(made.add("a", "b"), ItemState.QUARANTINED, fault="it is empty", remedy="copy it again")
    page = report(tmp_path / "job.sqlite3")[ReportFormat.HTML]
    assert "<tr><td>12<td>it has no resolution<td>mend …" in page
    groups = re.findall(r'scope="rowgroup">(.*)', page)
    assert groups == ["12 slides: it has no resolution", "2 slides: it is empty"], "the most frequent first"
    assert page.index("2 slides: it is empty") < page.index("/slides/a.svs") < page.index('id="items"')


# Hostile texts

# All characters that XML, spreadsheets, scripts and terminals may trip over, and any other.
HOSTILE = (
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    *"=+-@\t\r\n\"'<>&;,|`$\\/ \0\x1b\x7f\x85\u2028\u202e\u200f\u2066\ufeff\U000e0041",
                    *"＝＋－＠",
                    "<script>alert(1)</script>",
                    "<img src=x onerror=alert(1)>",
                    "</td></table></style></script>",
                    "]]>",
                    "<!--",
                    "&lt;",
                    "javascript:alert(1)",
                    '" onmouseover="alert(1)',
                    "=cmd|' /C calc'!A0",
                    "é\u0301\u0301",
                    "名前",
                ]
            ),
            st.text(max_size=5).filter(lambda text: "\0" not in text),
            st.just("x" * 300),
        ),
        min_size=1,
        max_size=8,
    )
    .map("".join)
    .filter(bool)
)


class Structure(HTMLParser):
    """The tags of a page, with the names of their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.texts += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_comment(self, data: str) -> None:
        self.tags.append((f"comment {data}", ()))

    def unknown_decl(self, data: str) -> None:
        self.tags.append((f"declaration {data}", ()))


def of_texts(reference: str, path: str, fault: str, remedy: str) -> dict[ReportFormat, str]:
    """Return the report of a job whose texts are all these."""
    csv_file, json_file, page = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with TemporaryDirectory() as folder, made_up_job(Path(folder)) as made:
        made.add("plain", reference, paths=["/plain.svs", path])
        made.upload([1, 2])
        made.execute("UPDATE items SET uri = ? WHERE number = 1", path)
        made.doubt([1], fault)
        intent, _ = made.submit([2])
        made.move([2], ItemState.FAILED, status=fault, error=fault, remedy=remedy, item_id=remedy)
        made.end_run(intent, BEGUN, fault)
        made.duplicate(intent, remedy)
        execute = made.connection.execute
        write_csv(execute, csv_file)
        write_json(execute, read_summary(execute), json_file)
        html.write_html(execute, read_summary(execute), {1: JPEG, 2: JPEG}, page)
    forms = {ReportFormat.CSV: csv_file, ReportFormat.JSON: json_file, ReportFormat.HTML: page}
    return {form: file.getvalue().decode("utf-8-sig") for form, file in forms.items()}


# The item with the texts is the first or the second by its reference.
PLAIN = [
    Structure(of_texts(each, "/a.svs", "fault", "remedy")[ReportFormat.HTML]).tags for each in ("a", "z")
]


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_breaks_out(reference: str, path: str, fault: str, remedy: str) -> None:
    if reference == "plain":
        return
    forms = of_texts(reference, path, fault, remedy)
    page = Structure(forms[ReportFormat.HTML])
    place = int(reference.encode() > b"plain")
    assert page.tags == PLAIN[place], "the same elements, whatever they say"
    shown = visible(shorten(named(reference), 600)).strip()
    assert shown in page.texts
    assert "\0" not in forms[ReportFormat.HTML]

    lines = forms[ReportFormat.CSV].split("\r\n")
    assert (len(lines), lines[-1]) == (4, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]|\n", "".join(lines))
    row = rows_of(forms[ReportFormat.CSV])[place]
    assert None not in row
    for cell in row.values():
        assert not any(part.startswith(tuple("=+-@＝＋－＠\t\r")) for part in cell.split(";"))
    assert row["reference"].replace("'", "") == visible(named(reference)).replace("'", "")

    item = json.loads(forms[ReportFormat.JSON])["items"][place]
    assert (item["reference"], item["path"]) == (named(reference), named(path))
    assert (item["fault"], item["remedy"]) == (told(fault), told(remedy))


@pytest.mark.parametrize("start", "=+-@＝＋－＠")
def test_a_formula_is_a_text(start: str) -> None:
    assert harmless(f"{start}1") == f"'{start}1"
    assert harmless(f"a;{start}1") == f"a;'{start}1"
    assert harmless(f"a{start}1") == f"a{start}1"


def test_what_steers_a_text_is_shown() -> None:
    assert (
        visible("a\u202eb\tc\r\nd\u200f\ufeff\0")
        == "a‹U+202E›b‹U+0009›c‹U+000D›‹U+000A›d‹U+200F›‹U+FEFF›‹U+0000›"
    )
    assert visible("Größe 名前 é ½µm") == "Größe 名前 é ½µm"


# Secrets

TOKEN = "eyJhbGciOiJSUzI1NiIs.eyJzdWIiOiJwZXJzb24ifQ.c2ln"
SECRET_TEXTS = (
    "https://bucket.example.com/a.svs?X-Amz-Signature=0123456789abcdef&X-Amz-Credential=abc",
    "GET /a?signature=0123456789abcdef failed",
    f"refused: Authorization: Bearer {TOKEN}",
    f"token {TOKEN}",
    "https://user:PLANTED@host/a",
    "https://host/a#PLANTED",
)


@pytest.mark.parametrize("secret", SECRET_TEXTS)
def test_no_secret_is_in_a_report(tmp_path: Path, secret: str) -> None:
    with job(tmp_path) as made:
        made.execute("UPDATE items SET error = ?, uri = ?, path = ? WHERE number = 5", secret, secret, secret)
        made.execute("UPDATE items SET fault = ?, remedy = ?, status = ? WHERE number = 6", *[secret] * 3)
        if "://" in secret or "eyJ" in secret:
            made.execute("UPDATE items SET reference = ? WHERE number = 1", secret)
        made.add("g")
        made.upload([7])
        made.doubt([7], secret)
        made.duplicate(1, secret)
        plan = {"api_root": "https://PLANTED@host/?signature=0123456789", "application_version": secret}
        made.execute("UPDATE job SET plan = ?, identity = 'PLANTED'", json.dumps(plan))
    for form, text in report(tmp_path / "job.sqlite3").items():
        found = SECRETS.search(text)
        assert found is None, f"{form}: {text[found.start() - 50 : found.end() + 50]}"
        assert "redacted" in text


FRAGMENTS = st.sampled_from(
    ["https://", "http:\\/\\/", "h/a", "?", "#", "\\u003f", "x=1", "sig=abc", "SIGNATURE%3dabc", "u:p@", " ",
     "eyJaaaa.bb.cc", "Bearer abc", "bearer\tx", "a", '"', "code=7", "/data/code"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=8).map("".join))
@example("http://h/a\\u003fb")
@example("http://h/a?b")
@example("http://h/a#b")
@example("http://u:p@h/a")
@example("SIGNATURE%3Dabc")
@example("sig=abc")
@example("eyJaaaa.bb.cc")
@example("BEARER abc")
def test_the_shortcut_past_redaction_skips_nothing(text: str) -> None:
    assert told(text) == redact(text)
    if "://" in text or "eyJ" in text:
        assert named(text) == redact(text)


def test_a_path_of_one_s_own_is_kept() -> None:
    assert named("/data/code=7/sig=a/token=b.svs") == "/data/code=7/sig=a/token=b.svs"


# Files


def test_reports_are_their_owner_s(tmp_path: Path) -> None:
    with job(tmp_path):
        pass
    report(tmp_path / "job.sqlite3")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ALL} == {0o600}


def test_a_report_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with job(tmp_path):
        pass
    before = report(tmp_path / "job.sqlite3")
    names = sorted(path.name for path in tmp_path.iterdir())

    def break_off(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aignostics_async.bulk.report.html._page._write_items", break_off)
    targets = {tmp_path / path: form for path, form in ALL.items()}
    with pytest.raises(JobError, match=r"can't be written \(No space left on device\); the previous files"):
        write_forms(tmp_path / "job.sqlite3", targets, {})
    assert {form: path.read_bytes().decode("utf-8-sig") for path, form in targets.items()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_place_that_is_none(tmp_path: Path) -> None:
    with job(tmp_path):
        pass
    for target in (tmp_path / "none" / "report.csv", tmp_path):
        with pytest.raises(JobError, match="choose another folder"):
            write_forms(tmp_path / "job.sqlite3", {target: ReportFormat.CSV}, {})
    with pytest.raises(UsageError, match=r"\.csv, \.json, \.html"):
        ReportFormat.of(Path("report.pdf"))
    assert ReportFormat.of(Path("REPORT.HTML")) is ReportFormat.HTML


def test_what_is_no_job(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="there is no job in"):
        summary_of(tmp_path / "job.sqlite3")
    (tmp_path / "job.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(JobDatabaseError, match="can't be read"):
        summary_of(tmp_path / "job.sqlite3")
    (tmp_path / "job.sqlite3").unlink()
    with made_up_job(tmp_path) as made:
        made.execute("DELETE FROM job")
    with pytest.raises(JobError, match="create it again"):
        summary_of(tmp_path / "job.sqlite3")


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_report_is_of_one_moment_and_nobody_waits_for_it(tmp_path: Path, journal: str) -> None:
    with job(tmp_path):
        pass
    writer = sqlite3.connect(tmp_path / "job.sqlite3", isolation_level=None, timeout=0)
    writer.execute(f"PRAGMA journal_mode = {journal}")
    with consistent_view(tmp_path / "job.sqlite3") as execute:
        before = read_summary(execute)
        writer.execute("UPDATE items SET state = 'FOUND'")
        writer.execute("UPDATE job SET taken_in = 100")
        after = read_summary(execute)
        assert (after.audit, after.states) == (before.audit, before.states)
    assert summary_of(tmp_path / "job.sqlite3").audit.taken_in == 100
    writer.close()


# The size of a page


@pytest.mark.long
def test_a_page_of_long_texts_has_its_limit(tmp_path: Path) -> None:
    """More than twenty megabytes of names: the page says what it leaves out, and the CSV file has it."""
    with made_up_job(tmp_path) as made:
        numbers = made.add(*(f"{number:05d}{'&' * 295}" for number in range(12_000)))
        made.move(numbers[:6000], ItemState.QUARANTINED, fault="<" * 1000, remedy="mend it")
    picture = b"x" * 30_000
    forms = report(tmp_path / "job.sqlite3", dict.fromkeys(range(1, 400), picture))
    page = forms[ReportFormat.HTML]
    assert 15_000_000 < len(page.encode()) <= html.MAX_SIZE == 20_000_000
    assert page.endswith("</html>\n")
    left = [
        int(found.replace(",", ""))
        for found in re.findall(r"<strong>([\d,]+) slides more have no room", page)
    ]
    assert left == [6000 - page.count("</small><td><span class=bad>"), 12_000 - page.count("<th scope=row>")]
    assert min(left) > 0
    assert len(rows_of(forms[ReportFormat.CSV])) == 12_000


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_234_567, "1.23 MB"),
        (999_700_000, "1,000 MB"),
        (5 * 10**12, "5 TB"),
    ],
)
def test_bytes_are_read_in_three_digits(size: int, words: str) -> None:
    assert human_size(size) == words


def test_a_share_is_all_only_if_it_is() -> None:
    assert [percent(part, 100_000) for part in (0, 1, 50_000, 99_999, 100_000)] == [
        "0 %", "0.1 %", "50.0 %", "99.9 %", "100 %"
    ]  # fmt: skip
    assert percent(0, 0) == "0 %"


def test_words_are_there_for_every_state(tmp_path: Path) -> None:

    assert set(_formatting.OUTCOMES) == set(ItemOutcome)
    assert set(_formatting.INTENTS) == set(IntentState)
    under_way = {ItemState(state) for state in _formatting._UNDER_WAY}
    assert under_way == {state for state in ItemState if not state.is_final}


async def test_a_report_is_asked_for_by_the_job_s_folder_or_its_database(tmp_path: Path) -> None:
    with made_up_job(tmp_path) as job:
        job.add("a")
    for place in (str(tmp_path), tmp_path / "job.sqlite3"):
        target = tmp_path / "report.csv"
        assert (await write_report(place, str(target))).audit.taken_in == 1
        assert "a.svs" in target.read_text(encoding="utf-8")
        target.unlink()


@pytest.mark.parametrize("wrong", [5, "a\0b.csv"])
async def test_what_is_no_path_is_refused(tmp_path: Path, wrong: Any) -> None:
    for write in (write_report, write_results_table):
        for arguments in ((tmp_path, wrong), (wrong, "report.csv")):
            with pytest.raises(UsageError, match="is a path"):
                await write(*arguments)
