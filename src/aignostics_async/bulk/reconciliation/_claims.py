"""Which process may decide about a run: the one whose word is in the run's mark.

A job that has found a run takes it, and a job that has a second run cancels it. Two copies of a job's folder,
or a process and the one that has resumed its job, may want both of the same run. So each writes into the mark
first what it is about to do, under the checksum of what it has read: of two, one is refused.

The process that has sent the request of a run and has its answer needs no word: nobody else may cancel it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internals import replace_sdk_metadata
from ...errors import BadRequest, Forbidden, PreconditionFailed, UnprocessableRequest
from ...submission._marks import RunMark

if TYPE_CHECKING:
    from ..._client import Client
    from ...models import RunDetails

_NEVER = (BadRequest, Forbidden, UnprocessableRequest)
"""Answers by which nobody can write into a mark, so that nobody withdraws a run either."""


async def claim_run(client: Client, run_id: str, holder: str) -> bool:
    """Take a run for a job, and return whether no other process may cancel it any more.

    Costs two requests, and one for a run that the same process has sent or taken. Raises as requests do.
    """
    details = await client.run(run_id).details()
    mark = RunMark.read(details.sdk_metadata)
    if mark is None or holder in (mark.holder, mark.claimed) or details.metadata_checksum is None:
        return True
    return mark.withdrawn is None and await _write(client, details, mark.claimed_by(holder), on_never=True)


async def withdraw_run(client: Client, run_id: str, attempt: str, holder: str) -> bool:
    """Announce that a run is cancelled, and return whether nobody has taken it nor can take it any more.

    Costs two requests, and one for a run that was withdrawn before. Raises as requests do.
    """
    details = await client.run(run_id).details()
    mark = RunMark.read(details.sdk_metadata)
    if mark is None or mark.attempt != attempt or mark.claimed is not None:
        return False
    if mark.withdrawn is not None:
        return True
    # Without a checksum, who takes it at the same moment would be overwritten.
    return details.metadata_checksum is not None and await _write(
        client, details, mark.withdrawn_by(holder), on_never=False
    )


async def _write(client: Client, details: RunDetails, mark: RunMark, *, on_never: bool) -> bool:
    try:
        await replace_sdk_metadata(client, details, mark.as_json())
    except PreconditionFailed:
        return False
    except _NEVER:
        return on_never
    return True
