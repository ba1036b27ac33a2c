"""A short trial of what `make chaos` tries at length: some crash points, and what must never happen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from chaos._judge import judge, sent_again


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "trial",
    [
        # The slower the clock, the less a busy machine looks like a slow platform.
        ("--trial", "sample", "--rate", "100", "--lanes", "2", "--contract", "1.8"),
        *(
            pytest.param(("--trial", "quick", "--contract", each), marks=pytest.mark.slow)
            for each in ("1.0", "1.8")
        ),
        pytest.param(
            ("--trial", "sample-marks", "--rate", "100", "--contract", "1.8"), marks=pytest.mark.slow
        ),
    ],
    ids=lambda trial: f"{trial[1]}-{trial[-1]}",
)
@pytest.mark.emulator
def test_a_job_that_is_killed_anywhere_pays_no_run_twice_and_loses_nothing(
    root: Path, trial: Sequence[str]
) -> None:
    path = os.pathsep.join(
        [str(root / "tests"), str(root / "tests/helpers"), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    played = subprocess.run(
        [sys.executable, "-m", "chaos", *trial],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert played.returncode == 0, f"{played.stdout}\n{played.stderr}"


LEDGER = [
    (1.0, "one", None, "RECEIVED"),
    (2.0, "two", None, "RECEIVED"),
    (3.0, "one", "a", "SUCCEEDED"),
    (3.0, "one", "b", "SUCCEEDED"),
]
FILES = {"a": Counter(["a's"]), "b": Counter(["b's"])}
STORED = {reference: [files] for reference, files in FILES.items()}


def test_a_whole_job_is_judged_well() -> None:
    judged = judge(["a", "b"], LEDGER, STORED, FILES, [])
    assert (judged.runs, judged.duplicates, judged.lost, judged.wrong) == (1, 0, (), ())


def test_a_second_run_of_a_slide_is_seen_though_it_was_cancelled() -> None:
    cancelled = [*LEDGER, (4.0, "two", "b", "CANCELED_USER")]
    assert judge(["a", "b"], cancelled, STORED, FILES, []).duplicates == 1


def test_a_lost_slide_and_a_wrong_file_are_seen() -> None:
    assert judge(["a", "b", "c"], LEDGER, STORED, FILES, []).lost == ("c",)
    assert judge(["a", "b"], LEDGER, STORED, {"a": FILES["a"]}, []).lost == ("b",)
    swapped = {"a": FILES["b"], "b": FILES["b"]}
    assert judge(["a", "b"], LEDGER, STORED, swapped, []).wrong == ("a",)
    more = {**FILES, "b": Counter(["b's", "a part of b's"])}
    assert judge(["a", "b"], LEDGER, STORED, more, []).wrong == ("b",)


def test_a_file_that_is_sent_again_is_seen() -> None:
    def put(at: float, status: int | None) -> dict[str, object]:
        return {"method": "PUT", "path": "/objects/a", "at": at, "status": status, "answered_at": at + 1}

    assert sent_again([put(1, None), put(3, 503), put(5, 200)]) == [], "none of the first two was stored"
    assert sent_again([put(1, 200), put(1.5, 200)]) == [], "the second one began before"
    assert sent_again([put(1, 200), put(3, 200)]) == ["/objects/a"]
