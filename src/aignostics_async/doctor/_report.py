"""What the checks of a setup found."""

from __future__ import annotations

import json
from enum import StrEnum

from attrs import asdict, frozen

_FAULTY = 6


class CheckState(StrEnum):
    """What a check of the setup found; the values are the names in lower case."""

    OK = "ok"
    """It works."""
    WARNING = "warning"
    """It works, and somebody should look at it."""
    FAULT = "fault"
    """It does not work, and neither will a submission or a job."""
    UNKNOWN = "unknown"
    """It was not looked at, or nothing can be said; `detail` says why."""


@frozen
class SetupCheck:
    """One check of the setup, as `SetupReport.checks` lists it.

    for check in report.checks:
        print(check.name, check.state, check.detail, check.remedy)
    """

    name: str
    """What was looked at, such as `clock`."""
    state: CheckState
    """What was found."""
    detail: str
    """What was found, in words."""
    remedy: str = ""
    """What to do about it; empty by default, and where nothing is to be done."""


@frozen
class SetupReport:
    """What `check_setup` found: one entry for each check, in a fixed order.

    report = await check_setup(store="platform")
    print(report.is_clear, [check.name for check in report.faults])
    """

    checks: tuple[SetupCheck, ...]
    """All checks."""

    @property
    def faults(self) -> tuple[SetupCheck, ...]:
        """The checks that found a fault."""
        return tuple(check for check in self.checks if check.state is CheckState.FAULT)

    @property
    def is_clear(self) -> bool:
        """Whether no check found a fault."""
        return not self.faults

    @property
    def exit_status(self) -> int:
        """The exit status of `aignostics-async doctor`: 0, or 6 with a fault."""
        return _FAULTY if self.faults else 0

    def to_json(self) -> str:
        """Return the report as the text of a JSON object.

            Path("setup.json").write_text(report.to_json())

        Its keys are `checks`, a list of objects with `name`, `state`, `detail` and `remedy`, and
        `exit_status`.
        """
        checks = [asdict(check) for check in self.checks]
        record = {"checks": checks, "exit_status": self.exit_status}
        return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
