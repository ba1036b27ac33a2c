"""Requests to workers and their answers, as they are before they are sealed and after they were opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from ..._config import Settings
    from ...errors import AignosticsError
    from ...storage import Checksums
    from ...transfer.progress._events import TransferEvent
    from ..engines._protocol import StageTask
    from ._sealed import Sealed


@frozen(kw_only=True)
class WorkerSetup:
    """What a worker needs to know of a job; its credentials come from its own environment."""

    api_root: str
    contract: str
    store: str | None
    """The address of the store; None if only the coordinator can open it."""
    store_endpoint: str | None
    checksums: Checksums
    decode: bool
    seconds_per_slide: float
    settings: Settings
    salt: str
    """What the name of a user is hashed with."""
    mark: Path
    """A file in the folder for outputs; for a preflight, that folder or one that is there above it."""
    mark_content: str
    """What a worker finds there if it sees the coordinator's folder."""


@frozen(kw_only=True)
class TaskRequest:
    """A task for a worker."""

    setup: Sealed
    task: StageTask[Any]
    token: str
    """Repeated in the answer, so that no other answer is taken for it."""
    bandwidth: float | None
    """Bytes per second of all tasks in the worker's process."""
    topic: str
    """Where progress is reported."""
    progress_interval: float
    """Seconds between two reports."""


@frozen(kw_only=True)
class TaskAnswer:
    """What became of a task."""

    token: str
    value: Any = None
    error: AignosticsError | None = None
    is_unseen: bool = False
    """Whether the worker does not see the files, or not the same ones, so that nothing was done."""
    events: Sequence[TransferEvent] = ()
    """The last event of each file."""


@frozen(kw_only=True)
class WorkerFacts:
    """What a worker is able to do for a job."""

    api: str | None
    """Why it can't ask the platform; None if it can."""
    user: str | None
    """Its user, hashed; None if not known."""
    store: str | None
    """Why it can't open the store; None if it can."""
    sees_results: bool
