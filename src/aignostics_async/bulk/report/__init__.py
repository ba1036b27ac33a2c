"""The report of a job: what became of every item, for a person, a spreadsheet and a script."""

from ._audit import Account, Audit, Verdict
from ._summary import Summary, read_expiry, read_summary
from ._write import Form, write_forms, write_report

__all__ = [
    "Account",
    "Audit",
    "Form",
    "Summary",
    "Verdict",
    "read_expiry",
    "read_summary",
    "write_forms",
    "write_report",
]
