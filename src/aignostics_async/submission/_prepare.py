"""From items with slides on this machine to items with URLs: read, check, upload, sign."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from .._crc32c import checksum_file
from .._errors import AignosticsError, InvalidSubmission, SlideError, TransferError
from .._tasks import run_all
from ..models import ApplicationVersion, Fault, InputArtifact, Item, Slide
from ..slides import SlideInfo, packed, read_slide
from ..transfer._names import safe_name
from ..transfer._progress import Progress, TransferEvent, ignore
from ._metadata import slide_metadata
from ._preflight import find_faults

if TYPE_CHECKING:
    from .._config import Settings
    from ..storage import Store, Stored

# Stand for what is known only after the upload, so that all the rest can be checked before it.
_SOME_CHECKSUM = "AAAAAA=="
_SOME_URL = "https://not.uploaded.yet/"


@frozen(eq=False)  # a slide's metadata can't be hashed
class _Input:
    """One slide on its way to one artifact of one item."""

    item: int
    """The item's place in the request; references may be equal until that was checked."""
    reference: str
    artifact: str
    slide: Slide

    def as_artifact(
        self, version: ApplicationVersion, info: SlideInfo, url: str, checksum: str
    ) -> InputArtifact:
        schemas = {spec.name: spec.metadata_schema for spec in version.input_artifacts}
        facts = slide_metadata(schemas.get(self.artifact, {}), info, checksum)
        return InputArtifact(self.artifact, url, {**facts, **self.slide.metadata})


async def prepare_items(
    version: ApplicationVersion,
    items: Sequence[Item],
    store: Store,
    *,
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[Item, ...]:
    """Return the items with every slide uploaded and signed for; nothing is uploaded if one has a fault."""
    inputs = [
        _Input(number, item.reference, name, slide)
        for number, item in enumerate(items)
        for name, slide in _slides(item, version).items()
    ]
    limit = settings.limits.transfers
    read = await run_all([partial(_read, each) for each in inputs], limit=limit)
    infos = {each: info for each, info in zip(inputs, read, strict=True) if isinstance(info, SlideInfo)}
    faults = [fault for fault in read if isinstance(fault, Fault)]
    draft = {each: each.as_artifact(version, info, _SOME_URL, _SOME_CHECKSUM) for each, info in infos.items()}
    told = {(fault.reference, fault.artifact) for fault in faults}
    faults += [
        fault
        for fault in find_faults(version, _with_artifacts(items, draft), settings.limits.items_per_run)
        if (fault.reference, fault.artifact) not in told  # it is missing, and why is told already
    ]
    if faults:
        raise InvalidSubmission(faults)
    # Fixed before anything is sent, and never shared: two slides of one name can't meet.
    prefix = f"aignostics-async/{uuid.uuid4().hex}"

    async def deliver(number: int, each: _Input) -> InputArtifact:
        stored, checksum = await _upload(store, f"{prefix}/{number:05d}", each, infos[each], progress)
        url = await store.presign_get(stored.uri, settings.url_lifetime)
        return each.as_artifact(version, infos[each], url, checksum)

    jobs = [partial(deliver, number, each) for number, each in enumerate(inputs)]
    artifacts = await run_all(jobs, limit=limit)
    return _with_artifacts(items, dict(zip(inputs, artifacts, strict=True)))


async def _read(each: _Input) -> SlideInfo | Fault:
    try:
        return await read_slide(each.slide)
    except SlideError as error:
        return Fault(str(error), each.reference, each.artifact)


def _slides(item: Item, version: ApplicationVersion) -> Mapping[str, Slide]:
    if isinstance(item.slide, Mapping):
        return item.slide
    if item.slide is None:
        return {}
    # One slide goes to the one input there is; which of several it is meant for is not guessed.
    names = [spec.name for spec in version.input_artifacts]
    return {names[0] if len(names) == 1 else "slide": item.slide}


def _with_artifacts(items: Sequence[Item], artifacts: Mapping[_Input, InputArtifact]) -> tuple[Item, ...]:
    added: dict[int, list[InputArtifact]] = {}
    for each, artifact in artifacts.items():
        added.setdefault(each.item, []).append(artifact)
    return tuple(
        evolve(item, slide=None, artifacts=[*item.artifacts, *added.get(number, ())])
        for number, item in enumerate(items)
    )


async def _upload(
    store: Store, key: str, each: _Input, info: SlideInfo, progress: Progress | None
) -> tuple[Stored, str]:
    with tempfile.TemporaryDirectory(prefix="aignostics-async-") as scratch:
        try:
            source = await packed(info, Path(scratch))
            size = source.stat().st_size
        except OSError as error:
            raise TransferError(
                f"it can't be read, or packed in {scratch} ({error.strerror})", name=str(each.slide.path)
            ) from None
        event = TransferEvent("started", "upload", each.reference, source.name, total=size)
        tell = progress or ignore
        tell(event)
        try:
            stored = await store.put(
                f"{key}/{safe_name(source.name)}",
                source,
                progress=lambda done: tell(evolve(event, kind="advanced", done=done)),
            )
            # A store that can't tell leaves that to one more reading of the file.
            checksum = stored.crc32c or (await checksum_file(source)).wire
        except AignosticsError:
            tell(evolve(event, kind="failed"))
            raise
        tell(evolve(event, kind="finished", done=size))
        return stored, checksum
