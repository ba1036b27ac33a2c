"""What the preflight found: what would run and cost, and everything that would fail."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from attrs import field, frozen

from ...slides import LeftOut
from .._plan import JobPlan
from ._earlier_runs import EarlierRuns
from ._findings import Finding, group_findings
from ._store_probe import StoreProbe
from .sources._discovery import shown


@frozen
class DiskEstimate:
    """The space for output files, as `PreflightReport.disk` has it.

        print(report.disk.folder, report.disk.free, report.disk.expected, report.disk.basis)

    `folder` is the path of the folder for output files. `free` is its free space in bytes, None if the system
    does not tell. `expected` is the estimated size of all outputs in bytes, None if those of no earlier run
    could be measured. `basis` says how it was estimated, for people.
    """

    folder: str
    """The folder for output files."""
    free: int | None
    """Free bytes; None if the system does not say."""
    expected: int | None
    """Bytes of all outputs; None if those of no earlier run could be measured."""
    basis: str
    """How the estimate was made, for people."""


@frozen(kw_only=True)
class PreflightReport:
    """The result of a preflight, which uploads only small test objects and creates no run.

        report = await run_preflight(plan, Sources(places=["slides/"]), client)
        print(report.ready, "slides in", report.runs, "runs,", len(report.faults), "faults")

    `plan` is the plan that was checked. `found` is the number of slides up to `Sources.limit`, `beyond_limit`
    the number beyond it, and `ready` the number without a fault; `bytes` is the size of the files of the
    ready ones. `faults` keep a slide, or the whole job, from being sent; `warnings` prevent nothing, but a
    person should read them. Each is a tuple of `Finding`, empty if there is none. `left_out` is a tuple of
    `LeftOut`: files and folders that were seen and are no slides of the job. `store` is the `StoreProbe`,
    `disk` the `DiskEstimate`, and `earlier` the `EarlierRuns`; None if earlier runs can't be listed. `engine`
    describes what read the slides, `this machine` by default. `seconds` is how long the preflight took.
    """

    plan: JobPlan
    """The plan that was checked."""
    found: int
    """The number of slides that were found, up to the limit."""
    ready: int
    """The number of slides without a fault: the most items that would be billed.

    Fewer are, if the plan has `max_items`, or if the job holds slides that were analysed before.
    """
    bytes: int
    """The bytes of the files of these slides."""
    left_out: tuple[LeftOut, ...] = field(repr=False)
    """Files and folders that were seen and are not slides of the job, with the reason."""
    beyond_limit: int
    """The number of slides beyond `Sources.limit`."""
    store: StoreProbe
    """The result of a round trip with the store: the `steps` that succeeded, whether it `is_verified`, and
    more.
    """
    earlier: EarlierRuns | None
    """What was found in earlier runs, such as `again`, which maps the references of slides that were run
    before to run ids; None if they can't be listed.
    """
    disk: DiskEstimate
    """The space for output files: the `folder`, and the `free` and `expected` bytes."""
    faults: tuple[Finding, ...] = field(repr=False)
    """What was found to fail, of the job and of every slide."""
    warnings: tuple[Finding, ...] = field(repr=False)
    """Findings that prevent nothing, but that a person should read."""
    seconds: float
    """How long the preflight took, in seconds."""
    engine: str = "this machine"
    """What read the slides, in words, such as `dask: 4 workers with 16 threads`."""

    @property
    def runs(self) -> int:
        """The approximate number of runs of the job: `ready` by the plan's `chunk_size`, rounded up."""
        return math.ceil(self.ready / self.plan.chunk_size)

    @property
    def cost(self) -> Decimal | None:
        """The cost of the slides that are `ready`, up to the plan's `max_items`, by its `price`; None without
        a price.
        """
        items = self.ready if self.plan.max_items is None else min(self.ready, self.plan.max_items)
        return None if self.plan.price is None else self.plan.price * items

    @property
    def is_clear(self) -> bool:
        """Whether the preflight found no fault; warnings do not count."""
        return not self.faults

    @property
    def exit_status(self) -> int:
        """The exit status of `bulk plan` for this report: 0 without faults, else 6."""
        return 0 if self.is_clear else 6

    def to_json(self) -> str:
        """Return the report as the text of a JSON object.

            Path("preflight.json").write_text(report.to_json(), encoding="utf-8")

        Its keys are

        - `is_clear`; `plan`, as `JobPlan.to_json` writes it; `engine`; and `seconds`;
        - `slides`: `found`, `ready`, `bytes`, `beyond_limit`, `left_out` (the number of slides that were left
          out, by suffix) and `not_taken` (the attribute `left_out`: a list of objects with `reason`,
          `detail`, `count` and `files`);
        - `billing`: `items` (as `ready`), `runs`, `most_items` (the plan's `max_items`), `cost` (a decimal
          number as text) and `currency`;
        - `store`: `steps`, `is_verified`, `seconds`, `credentials_end` (ISO 8601), `left`, `tells_missing`
          and `checksums`, as in `StoreProbe`;
        - `earlier_runs`, null if unknown: `runs`, `unread`, `is_whole` and `again`, the run id by reference;
        - `disk`: `folder`, `free_bytes`, `expected_bytes` and `basis`;
        - `faults` and `warnings`, grouped by `group_findings`: lists of objects with `kind`, `problem`,
          `remedy` and `slides`.

        What is None is null.
        """
        return json.dumps(self._told(), indent=2, ensure_ascii=False) + "\n"

    def _told(self) -> dict[str, Any]:
        return {
            "is_clear": self.is_clear,
            "plan": json.loads(self.plan.to_json()),
            "engine": self.engine,
            "slides": {
                "found": self.found,
                "ready": self.ready,
                "bytes": self.bytes,
                "left_out": _by_suffix(self.left_out),
                "not_taken": _by_reason(self.left_out),
                "beyond_limit": self.beyond_limit,
            },
            "billing": {
                "items": self.ready,
                "runs": self.runs,
                "most_items": self.plan.max_items,
                "cost": None if self.cost is None else str(self.cost),
                "currency": self.plan.currency,
            },
            "store": _store(self.store),
            "earlier_runs": None if self.earlier is None else _earlier(self.earlier),
            "disk": {
                "folder": self.disk.folder,
                "free_bytes": self.disk.free,
                "expected_bytes": self.disk.expected,
                "basis": self.disk.basis,
            },
            "faults": _groups(self.faults),
            "warnings": _groups(self.warnings),
            "seconds": round(self.seconds, 3),
        }


def _by_suffix(left_out: Iterable[LeftOut]) -> dict[str, int]:
    """Return how many slides are left out, by suffix."""
    return dict(Counter(PurePath(each.path).suffix.lower() for each in left_out if each.is_slide))


def _by_reason(left_out: Iterable[LeftOut]) -> list[dict[str, Any]]:
    """Return everything that is left out, by reason and what is said about it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in left_out:
        groups.setdefault((each.reason, each.detail), []).append(shown(each.path))
    return [
        {"reason": reason, "detail": detail, "count": len(files), "files": files}
        for (reason, detail), files in groups.items()
    ]


def _store(trial: StoreProbe) -> dict[str, Any]:
    end = trial.credentials_end
    return {
        "steps": list(trial.steps),
        "is_verified": trial.is_verified,
        "seconds": round(trial.seconds, 3),
        "credentials_end": None if end is None else end.isoformat(),
        "left": trial.left,
        "tells_missing": trial.tells_missing,
        "checksums": trial.checksums,
    }


def _earlier(earlier: EarlierRuns) -> dict[str, Any]:
    return {
        "runs": earlier.runs,
        "unread": earlier.unread,
        "is_whole": earlier.is_whole,
        "again": dict(earlier.again),
    }


def _groups(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "kind": group.kind.value,
            "problem": group.problem,
            "remedy": group.remedy,
            "slides": list(group.slides),
        }
        for group in group_findings(findings)
    ]
