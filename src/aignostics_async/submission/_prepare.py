"""From items with slides on this machine to items with URLs: read, check, upload, sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve, frozen

from .._core._tasks import run_all
from .._inputs import InputArtifact, Item, Slide
from ..errors import InvalidSubmission, SlideError
from ..models import ApplicationVersion, Fault
from ..slides import SlideInfo, read_slide
from ._delivery import Delivery, Parcel, check_credentials
from ._metadata import slide_metadata
from ._preflight import find_faults

if TYPE_CHECKING:
    from .._config import Settings, Uploads
    from ..storage import Store
    from ..transfer._progress import Progress

# Stand for what is known only after the upload, so that all the rest can be checked before it.
SOME_CHECKSUM = "AAAAAA=="
SOME_URL = "https://not.uploaded.yet/"


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
    uploads: Uploads,
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
    draft = {each: each.as_artifact(version, info, SOME_URL, SOME_CHECKSUM) for each, info in infos.items()}
    told = {(fault.reference, fault.artifact) for fault in faults}
    drafts, max_items = _with_artifacts(items, draft), settings.limits.items_per_run
    faults += [
        fault
        for fault in await to_thread.run_sync(find_faults, version, drafts, max_items)
        if (fault.reference, fault.artifact) not in told  # it is missing, and why is told already
    ]
    if faults:
        raise InvalidSubmission(faults)
    await check_credentials(store, settings.url_lifetime)
    delivery = Delivery(store, settings, uploads, progress)
    parcels = [
        Parcel(each.item, each.reference, each.artifact, each.slide.path, infos[each]) for each in inputs
    ]
    sent = await delivery.send_all(parcels)
    # Signed when all files are there: their time runs from now.
    urls = await run_all([partial(delivery.sign, stored) for stored, _ in sent], limit=limit)
    artifacts = [
        each.as_artifact(version, infos[each], url, checksum)
        for each, url, (_, checksum) in zip(inputs, urls, sent, strict=True)
    ]
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
