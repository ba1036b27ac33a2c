"""What the checks of a setup found."""

from __future__ import annotations

import json
from enum import StrEnum

from attrs import asdict, frozen

_FAULTY = 6


class CheckState(StrEnum):
    """The state of a part of the setup, as `SetupCheck.state` has it.

        warnings = [check for check in report.checks if check.state is CheckState.WARNING]

    The values, which JSON reports have, are the names in lower case: `ok`, `warning` (it works, but a person
    should look at it), `fault` (it does not work), `unknown` (it was not checked, or without result) and
    `skipped` (nobody asked for it).
    """

    OK = "ok"
    """It works."""
    WARNING = "warning"
    """It works, but a person should look at it."""
    FAULT = "fault"
    """It does not work, and a submission or a job may fail by it."""
    UNKNOWN = "unknown"
    """It could not be checked, or the check had no result; `detail` says why."""
    SKIPPED = "skipped"
    """Nobody asked for the check: no store was given."""


@frozen
class SetupCheck:
    """One check of the setup, as `SetupReport.checks` lists it.

        for check in report.checks:
            print(check.name, check.state, check.detail, check.remedy)

    `name` is one of those that `check_setup` lists, and `state` the result, a `CheckState`. `detail`, the
    result, and `remedy`, what to do about it, are texts for people; `remedy` is empty by default.
    """

    name: str
    """The name of what was checked, such as `clock`."""
    state: CheckState
    """The result of the check."""
    detail: str
    """The result in words."""
    remedy: str = ""
    """What to do about it; empty by default."""


@frozen
class SetupReport:
    """The result of `check_setup`.

        report = await check_setup(store="platform")
        print(report.is_clear, [check.name for check in report.faults])

    `checks` is a tuple with a `SetupCheck` for each check that `check_setup` lists, in that order.
    """

    checks: tuple[SetupCheck, ...]
    """All checks, in the order that `check_setup` lists."""

    @property
    def faults(self) -> tuple[SetupCheck, ...]:
        """The checks that found a fault, as a tuple of `SetupCheck`; empty if there is none."""
        return tuple(check for check in self.checks if check.state is CheckState.FAULT)

    @property
    def is_clear(self) -> bool:
        """Whether no check found a fault; warnings and unknown states do not count."""
        return not self.faults

    @property
    def exit_status(self) -> int:
        """The exit status of `aignostics-async doctor` for this report: 0 without a fault, else 6."""
        return _FAULTY if self.faults else 0

    def to_json(self) -> str:
        """Return the report as the text of a JSON object.

            Path("setup.json").write_text(report.to_json(), encoding="utf-8")

        Its keys are `checks`, a list of objects with `name`, `state` (a value of `CheckState`), `detail` and
        `remedy`, and `exit_status`.
        """
        checks = [asdict(check) for check in self.checks]
        record = {"checks": checks, "exit_status": self.exit_status}
        return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
