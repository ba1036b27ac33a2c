"""What a night's work needs, looked at before it begins.

`_report` is what was found, `_platform` looks at the deployment, the account and the store, `_machine` at
this machine, and `_setup` puts them together. Each check asks what the work itself will ask.
"""

from ._report import CheckState as CheckState, SetupCheck as SetupCheck, SetupReport as SetupReport
from ._setup import check_setup as check_setup

__all__ = ["CheckState", "SetupCheck", "SetupReport", "check_setup"]
