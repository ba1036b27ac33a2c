"""From items with slides on this machine to items with URLs: read, check, upload, sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import evolve

from .._core._logging import get_logger
from .._core._tasks import run_all
from .._inputs import InputArtifact, Item, Slide
from ..errors import InvalidSubmission, UsageError
from ..models import ApplicationVersion, Fault
from ..slides import IdentifyingKind, IdentifyingPolicy, SlideInfo
from ..slides.privacy._identifying import as_policies
from ..slides.workers._probed_slide import ProbedSlide
from ..transfer.progress._events import call_plain, check_callback
from ._billing import SubmissionBilling, sample_slide_files
from ._billing_index import SlideIdentity
from ._metadata import slide_metadata
from ._preflight import find_faults
from ._pseudonyms import PseudonymMap
from ._slide_uploads import PendingSlide, SlideUploads, check_credentials
from ._slides import (
    SlideInput,
    Warn,
    check_unchanged,
    copy_warnings,
    read_inputs,
    slide_faults,
    slide_warnings,
)

if TYPE_CHECKING:
    from .._config import Settings, Uploads
    from ..storage import Store
    from ..transfer.progress._events import Progress

_log = get_logger("aignostics_async.submission")

_REFERENCES = ("given", "pseudonyms")

# Stand for what is known only after the upload, so that all the rest can be checked before it.
SOME_CHECKSUM = "AAAAAA=="
SOME_URL = "https://not.uploaded.yet/"


async def prepare_items(
    version: ApplicationVersion,
    items: Sequence[Item],
    store: Store,
    *,
    settings: Settings,
    uploads: Uploads,
    billing: SubmissionBilling,
    progress: Progress | None = None,
    identifying: str | Mapping[str, str] | None = None,
    pack: bool = False,
    decode: bool = False,
    references: str = "given",
    warn: Warn | None = None,
) -> tuple[Item, ...]:
    """Return the items with every slide uploaded and signed for; nothing is uploaded if one has a fault.

    `billing` is told the slides that a request for the items is for.
    """
    check_callback(progress)
    check_callback(warn)
    if references not in _REFERENCES:
        raise UsageError(f"references is one of {', '.join(_REFERENCES)}, not {references!r}")
    policies = as_policies(identifying)
    if references == "pseudonyms":
        policies[IdentifyingKind.NAME] = IdentifyingPolicy.ALLOW  # no name leaves
    inputs = [
        SlideInput(number, item.reference, name, slide)
        for number, item in enumerate(items)
        for name, slide in _slides(item, version).items()
    ]
    limit = settings.limits.transfers
    read = await read_inputs(inputs, decode=decode)
    slides = {each: slide for each, slide in zip(inputs, read, strict=True) if isinstance(slide, ProbedSlide)}
    faults = [fault for fault in read if isinstance(fault, Fault)]
    faults += slide_faults(slides, version.input_artifacts, policies, pack=pack)
    draft = {
        each: _as_artifact(each, version, slide.info, SOME_URL, SOME_CHECKSUM)
        for each, slide in slides.items()
    }
    told = {(fault.reference, fault.artifact) for fault in faults}
    drafts, max_items = _with_artifacts(items, draft), settings.limits.items_per_run
    faults += [
        fault
        for fault in await to_thread.run_sync(find_faults, version, drafts, max_items)
        if (fault.reference, fault.artifact) not in told  # it is missing, and why is told already
    ]
    if faults:
        raise InvalidSubmission(faults)
    identities = {
        each: SlideIdentity(metadata=draft[each].metadata, sample=await sample_slide_files(slide.info.files))
        for each, slide in slides.items()
    }
    warn = warn or _log_warning
    for warning in (
        *slide_warnings(slides, policies),
        *await copy_warnings(slides),
        *await billing.warnings(identities),
    ):
        call_plain(warn, warning)
    await check_credentials(store, settings.url_lifetime)
    slide_uploads = SlideUploads(store, settings, uploads, progress)
    aliases = await _aliases(items, inputs) if references == "pseudonyms" else {}
    items = [evolve(item, reference=aliases.get(item.reference, item.reference)) for item in items]
    pending = [
        PendingSlide(
            each.item,
            aliases.get(each.reference, each.reference),
            each.artifact,
            each.slide.path,
            slides[each].info,
            aliases.get(each.reference),
        )
        for each in inputs
    ]
    sent = await slide_uploads.send_all(pending)
    identities = {
        each: evolve(identities[each], content=(stored.size, checksum))
        for each, (stored, checksum) in zip(inputs, sent, strict=True)
    }
    for warning in await billing.warnings(identities):
        call_plain(warn, warning)
    billing.slides = [
        (aliases.get(each.reference, each.reference), identity) for each, identity in identities.items()
    ]
    # Signed when all files are there: their time runs from now.
    urls = await run_all([partial(slide_uploads.sign, stored) for stored, _ in sent], limit=limit)
    artifacts = [
        _as_artifact(each, version, slides[each].info, url, checksum)
        for each, url, (_, checksum) in zip(inputs, urls, sent, strict=True)
    ]
    await check_unchanged(slides)
    return _with_artifacts(items, dict(zip(inputs, artifacts, strict=True)))


async def _aliases(items: Sequence[Item], inputs: Sequence[SlideInput]) -> Mapping[str, str]:
    """Return a pseudonym for each reference; raises ConfigurationError where they can't be kept."""
    paths = {each.reference: str(each.slide.path.absolute()) for each in reversed(inputs)}
    slides = [(item.reference, paths.get(item.reference, "")) for item in items]
    assigned = await to_thread.run_sync(PseudonymMap().assign, slides)
    return {reference: pseudonym for (reference, _), pseudonym in assigned.items()}


def _log_warning(warning: Fault) -> None:
    _log.warning("%s", warning)


def _as_artifact(
    each: SlideInput, version: ApplicationVersion, info: SlideInfo, url: str, checksum: str
) -> InputArtifact:
    schemas = {spec.name: spec.metadata_schema for spec in version.input_artifacts}
    facts = slide_metadata(schemas.get(each.artifact, {}), info, checksum)
    return InputArtifact(each.artifact, url, {**facts, **each.slide.metadata})


def _slides(item: Item, version: ApplicationVersion) -> Mapping[str, Slide]:
    if isinstance(item.slide, Mapping):
        return item.slide
    if item.slide is None:
        return {}
    # One slide goes to the one input there is; which of several it is meant for is not guessed.
    names = [spec.name for spec in version.input_artifacts]
    return {names[0] if len(names) == 1 else "slide": item.slide}


def _with_artifacts(items: Sequence[Item], artifacts: Mapping[SlideInput, InputArtifact]) -> tuple[Item, ...]:
    added: dict[int, list[InputArtifact]] = {}
    for each, artifact in artifacts.items():
        added.setdefault(each.item, []).append(artifact)
    return tuple(
        evolve(item, slide=None, artifacts=[*item.artifacts, *added.get(number, ())])
        for number, item in enumerate(items)
    )
