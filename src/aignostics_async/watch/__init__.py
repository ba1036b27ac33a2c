"""Watching runs: polling their states, and reporting what changes.

All watchers of a client share one poller. From the user down to the requests:

- `_watcher`: `Watcher`, the async iterator that users hold; `_start` creates watchers.
- `_poller`: decides when requests are sent. The first waiting watcher leads, the others follow.
- `_run_poller`, `_results_poller`: send the requests for runs and for their results.
- `_requests_in_flight`: the tasks that these requests run in.
- `_subscriptions`: which watcher follows which runs.
- `_run_state`, `_watcher_state`, `_scope`: what is known of a run, and what each watcher reported. No I/O.
- `_run_scan`, `_results_scan`: which requests show the state of all runs, or of a run's items. Pure.
- `_schedule`, `_outage`: polling interval, rate limit, fair queue; how long failures are tolerated.
- `_cursor`, `_transitions`, `_status_order`: cursors, snapshots and changes, the order of statuses. Pure.
"""

from ._transitions import Change
from ._watcher import Watcher

__all__ = ["Change", "Watcher"]
