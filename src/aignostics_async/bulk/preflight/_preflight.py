"""The preflight of a job: what it would cost, and everything that would fail.

The platform, the store and the slides are checked concurrently. A check that fails is reported, and the
others go on.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from attrs import define, evolve, field, frozen

from ..._client import Client
from ..._core._arguments import as_path, check_async_function, check_kind, check_seconds
from ..._core._portable import free_space
from ..._core._tasks import for_each, plain_task_group
from ..._internals import check_health, contract_facts
from ...errors import AignosticsError, PlatformDown
from ...slides import LeftOutReason
from ...slides.workers._probed_slide import ProbedSlide
from ...slides.workers._prober import Prober
from ...storage._addresses import check_address
from ...transfer.progress._events import call_plain, check_callback
from .._plan import JobPlan, check_server, run_options
from .._store import address_of, open_store
from ..database._samples import Stage
from ..engines._local import LocalEngine
from ..engines._protocol import EngineSetup, StageEngine
from ..engines._tasks import ProbeTask
from ._earlier_runs import EarlierRuns, look_back
from ._findings import Finding, FindingKind
from ._repeats import SampledSlide, billed_again, find_billed, find_copies, sample_slide
from ._report import DiskEstimate, PreflightReport
from ._requirements import Requirements
from ._series import SeriesOnce
from ._slide_probe import as_finding
from ._store_probe import StoreProbe, probe_store
from .sources._discovery import Discovery, discover, shown
from .sources._slide_entry import SlideEntry
from .sources._sources import Sources

if TYPE_CHECKING:
    from ...storage import Store, StoreAddress
    from ..engines._protocol import OpenEngine

_LEFT_OUT = {
    LeftOutReason.HIDDEN: "it is hidden, and left out",
    LeftOutReason.TRASH: "it is in the trash, and left out",
    LeftOutReason.FORMAT: "it is left out",
    LeftOutReason.DUPLICATE: "it is left out",
}


@frozen
class PreflightProgress:
    """The progress of a preflight, as passed to its `progress` callback.

        def show(progress: PreflightProgress) -> None:
            print(progress.done, "of", progress.total, "slides")

        await run_preflight(plan, sources, client, progress=show)

    `done` is the number of slides read so far, those that can't be read included, and `total` that of all
    that are read: not those beyond `Sources.limit`, or without a usable reference.
    """

    done: int
    """Slides read so far."""
    total: int
    """All slides that are read."""


_UNSEEN = (
    "the workers of the cluster don't see it, or see another file",
    "mount its folder on the workers under the same path; until then this machine reads and uploads it",
)

Keep = Callable[[SlideEntry, ProbedSlide | Finding, Sequence[Finding]], Awaitable[None]]


async def run_preflight(
    plan: JobPlan,
    sources: Sources,
    client: Client,
    *,
    store: Store | StoreAddress | str | None = None,
    results: Path | None = None,
    keep: Keep | None = None,
    progress: Callable[[PreflightProgress], None] | None = None,
    seconds_per_slide: float = 60.0,
    engine: StageEngine | None = None,
) -> PreflightReport:
    """Check everything that a job needs, and report what it would do, cost and fail at.

        report = await run_preflight(plan, Sources(places=["slides/"]), client)
        for group in group_findings(report.faults):
            print(group.problem, group.remedy, len(group.slides))

    `store` replaces the plan's own; None, the default, uses that. `results` is the folder for outputs if the
    plan names none; None, the default, is the current one. `progress` is called in the event loop with a
    `PreflightProgress` after each slide that was read; None, the default, reports nothing. Reading one slide
    is given up after `seconds_per_slide`, more than 0 and 60 by default, or after an hour if that is longer
    and the plan decodes slides. `engine` reads the slides; None, the default, is this machine.

    `keep`, an async function, or None, the default, is awaited with three arguments for each slide once it is
    read, and for each line, file or folder that can't be taken, such as a slide without a usable reference:
    an object with the `path` and the `reference`; an object with the `SlideInfo` as `info` and the `size` in
    bytes, or the `Finding` that says why it can't be read; and the sequence of its faults, each a `Finding`.
    Several calls may be under way at once.

    Costs reading each slide's header and samples of its files, with the plan's `decode` decoding every pixel
    of each, which takes minutes for a large slide; at least one request per earlier run (the newest 1000);
    and a small object in the store, which is deleted where the store can. Memory grows with the number of
    slides.

    Faults of slides and of the store are reported, not raised. Raises JobRefused for a client of another
    server than the plan's; NotFound if there is no such application version; NotInContract under contract 1.0
    for metadata of runs or items, a due date, a deadline or a callback context; ConfigurationError for a
    `store` that is neither a store nor an address, if the version needs several inputs per item, lacks the
    plan's `artifact` or has an unusable schema, pseudonyms can't be kept, the `slides` extra is not
    installed, or the processes that read slides can't be started or 20 in a row are lost; UsageError for a
    deadline that has passed, an async `progress`, a `keep` that is not, or an argument of another kind; what
    `progress`, `keep` and `engine` raise; what a store of your own raises that is no AignosticsError; and the
    errors of requests that `Pager` names.
    """
    check_parts(plan, sources, client, store, engine)
    check_callback(progress)
    check_seconds(seconds_per_slide, "seconds_per_slide")
    if keep is not None:
        check_async_function(keep, "keep")
    folder = (plan.results or as_path(Path() if results is None else results, "results")).absolute()
    begun = time.monotonic()
    version = await client.applications.version(plan.application_version)
    requirements = Requirements.of(plan, version)
    contract_facts(client).check_request((), run_options(plan))
    preflight = _Preflight(plan, sources, client, requirements, keep, progress)
    async with plain_task_group() as group:
        group.start_soon(preflight.probe_store, store)
        group.start_soon(preflight.check_health)
        async with Prober(timeout=seconds_per_slide, decode=plan.decode) as prober:
            await preflight.discover(prober)
            entries = preflight.found.entries
            has_custom = any(entry.item_metadata for entry in entries)
            contract_facts(client).check_metadata({} if has_custom else None)
            group.start_soon(preflight.look_back)
        setup = EngineSetup(
            plan=plan,
            client=client,
            store=partial(open_store, client, plan, store),
            store_address=address_of(plan, store),
            job_id=f"plan {secrets.token_hex(8)}",
            is_trial=True,
            results=folder,
            seconds_per_slide=seconds_per_slide,
        )
        async with (engine or LocalEngine()).open(setup) as opened:
            await preflight.read_all(opened)
    await preflight.find_repeats()
    free = await anyio.to_thread.run_sync(_free, folder)
    return preflight.report(_disk(folder, free, preflight.earlier, preflight.ready), time.monotonic() - begun)


def check_parts(
    plan: JobPlan,
    sources: Sources,
    client: Client,
    store: Store | StoreAddress | str | None,
    engine: StageEngine | None,
) -> None:
    """Raise for a part of a job that is of another kind, and JobRefused for a client of another server."""
    check_kind(plan, JobPlan, "plan")
    check_kind(sources, Sources, "sources")
    check_server(client, plan)
    check_address(plan.store if store is None else store)
    check_kind(engine or LocalEngine(), StageEngine, "engine")


@define
class _Preflight:
    """A preflight, and what it has found so far."""

    plan: JobPlan
    sources: Sources
    client: Client
    requirements: Requirements
    keep: Keep | None
    progress: Callable[[PreflightProgress], None] | None
    found: Discovery = field(init=False)
    trial: StoreProbe = field(init=False)
    earlier: EarlierRuns | None = None
    recognized: frozenset[str] = frozenset()
    """References that the index of billed slides has found in earlier runs."""
    engine: str = ""
    done: int = 0
    ready: int = 0
    bytes: int = 0
    sampled: list[SampledSlide] = field(factory=list)
    series: SeriesOnce = field(factory=lambda: SeriesOnce({}))
    faults: list[Finding] = field(factory=list)
    warnings: list[Finding] = field(factory=list)

    async def probe_store(self, store: Store | StoreAddress | str | None) -> None:
        """Make a round trip with the store."""
        try:
            opened = open_store(self.client, self.plan, store)
        except AignosticsError as error:
            fault = Finding(FindingKind.STORE, f"the store can't be opened: {error}")
            self.trial = StoreProbe((), False, 0.0, None, None, (fault,))  # noqa: FBT003
            return
        self.trial = await probe_store(opened, self.client, self.plan.prefix)
        self.warnings += self.trial.warnings

    async def check_health(self) -> None:
        """Warn if the platform says that it is down: a job would wait."""
        try:
            await check_health(self.client)
        except PlatformDown:
            problem = "the platform says that it is DOWN"
            remedy = "a job waits until it is up, for an hour at most; 'bulk resume' continues it"
            self.warnings.append(Finding(FindingKind.PLATFORM, problem, remedy))

    async def discover(self, prober: Prober) -> None:
        """Find the slides."""
        self.found = await discover(self.sources, prober)
        self.faults += self.found.faults
        if self.keep is not None:
            for entry, faults in self.found.rejected:
                await self.keep(entry, faults[0], faults)

    async def look_back(self) -> None:
        """Find slides that were run before, by their references."""
        references = {entry.reference for entry in self.found.entries}
        try:
            self.earlier = await look_back(self.client, self.plan.application_version, references)
        except AignosticsError as error:
            remedy = "what was run before is not known; look again, or compare by hand"
            self.warnings.append(
                Finding(FindingKind.PLATFORM, f"earlier runs can't be listed: {error}", remedy)
            )

    async def read_all(self, engine: OpenEngine) -> None:
        """Read all slides and compare them with what the version asks for."""
        self.engine = engine.description
        self.warnings += [Finding(FindingKind.CLUSTER, *remark) for remark in engine.remarks]

        async def read(numbered: tuple[int, SlideEntry]) -> None:
            number, entry = numbered
            probed = await as_finding(engine.run(ProbeTask(number, entry.slide)), entry.path)
            await self._take(entry, probed)
            self.done += 1
            if self.progress is not None:
                call_plain(self.progress, PreflightProgress(self.done, len(self.found.entries)))

        numbered = list(enumerate(self.found.entries))
        await for_each(numbered, read, limit=engine.window(Stage.PROBE))
        self.warnings += [Finding(FindingKind.CLUSTER, *_UNSEEN, path) for path in engine.unseen]

    async def _take(self, entry: SlideEntry, probed: ProbedSlide | Finding) -> None:
        if isinstance(probed, Finding):
            faults = [probed]
        else:
            self.warnings += self.requirements.warnings(entry, probed.info)
            # A schema is somebody else's, and checking it may take a while.
            check = partial(self.requirements.faults, entry, probed.info)
            faults = await anyio.to_thread.run_sync(lambda: list(check()))
            faults = faults or list(self.series.faults(entry, probed.info))
            if not faults:
                self.ready += 1
                self.bytes += probed.size
                self.sampled += [each for each in [await sample_slide(entry, probed.info)] if each]
        self.faults += faults
        if self.keep is not None:
            await self.keep(entry, probed, faults)

    async def find_repeats(self) -> None:
        """Find slides that would be billed more than once, whatever they are called."""
        self.warnings += find_copies(self.sampled)
        try:
            again = await find_billed(self.sampled, self.plan, self.client, self.requirements)
        except AignosticsError as error:
            self.warnings.append(Finding(FindingKind.PLATFORM, f"an earlier run can't be read: {error}"))
            return
        known = {} if self.earlier is None else self.earlier.again
        new = {reference: run_id for reference, run_id in again.items() if reference not in known}
        self.warnings += billed_again(self.sampled, new)
        if self.earlier is not None:
            self.earlier = evolve(self.earlier, again={**known, **new})
            self.recognized = frozenset(new)

    def report(self, disk: DiskEstimate, seconds: float) -> PreflightReport:
        """Return what was found."""
        jobs_own = [
            *self.trial.faults,
            *_too_few(self.found),
            *_too_full(disk),
        ]
        return PreflightReport(
            plan=self.plan,
            engine=self.engine,
            found=self.found.found,
            ready=self.ready,
            bytes=self.bytes,
            left_out=tuple(self.found.left_out),
            beyond_limit=self.found.beyond_limit,
            store=self.trial,
            earlier=self.earlier,
            disk=disk,
            faults=(*jobs_own, *self.faults),
            warnings=(
                *_too_many(self.plan, self.ready),
                *_left_out(self.found),
                *self._again(),
                *self.warnings,
            ),
            seconds=seconds,
        )

    def _again(self) -> Iterable[Finding]:
        """Give a warning for each slide that would be paid again."""
        if self.earlier is None:
            return
        again, similar = self.earlier.again, self.earlier.similar
        for entry in self.found.entries:
            reference = entry.reference
            if reference in again and reference not in self.recognized:
                problem = f"its reference was run with this version already, in run {again[reference]}"
                yield Finding(FindingKind.COST, problem, "leave it out, or it is billed again", entry.path)
            elif reference in similar and reference not in again:
                problem = "{!r} was run with this version already, in run {}".format(*similar[reference])
                yield Finding(
                    FindingKind.COST, problem, "if it is the same slide, it is billed again", entry.path
                )
        if not self.earlier.is_whole or self.earlier.unread:
            problem = f"only {self.earlier.runs - self.earlier.unread} earlier runs could be looked into"
            yield Finding(FindingKind.COST, problem, "more slides may have been run before")


def _left_out(found: Discovery) -> Iterable[Finding]:
    """Give a warning for each slide, or folder with slides, that was seen and not taken."""
    for each in found.left_out:
        if each.is_slide:
            problem = _LEFT_OUT[each.reason]
            problem = f"{problem}: {each.detail}" if each.detail else problem
            yield Finding(
                FindingKind.SOURCE, problem, "to send it nevertheless, name it explicitly", shown(each.path)
            )


def _too_few(found: Discovery) -> Iterable[Finding]:
    if not found.found and not found.faults:
        yield Finding(
            FindingKind.SOURCE,
            "there are no slides",
            "check the folder, and the patterns if there are any",
        )


def _too_many(plan: JobPlan, ready: int) -> Iterable[Finding]:
    if plan.max_items is not None and ready > plan.max_items:
        problem = f"{ready} slides are ready, and the plan has at most {plan.max_items} of them billed"
        remedy = "the others are not sent, and the job ends with 3; raise --max-items to send more"
        yield Finding(FindingKind.COST, problem, remedy)


def _too_full(disk: DiskEstimate) -> Iterable[Finding]:
    if disk.free is not None and disk.expected is not None and disk.expected > disk.free:
        problem = f"the outputs will take about {disk.expected:,} bytes, and {disk.folder} has {disk.free:,}"
        yield Finding(FindingKind.DISK, problem, "make room, or choose another folder for results")


def _disk(folder: Path, free: int | None, earlier: EarlierRuns | None, items: int) -> DiskEstimate:
    if earlier is None:
        return DiskEstimate(str(folder), free, None, "earlier runs can't be listed")
    if earlier.output_bytes is None:
        basis = "the outputs of no earlier run of this version could be measured"
        return DiskEstimate(str(folder), free, None, basis)
    basis = f"{earlier.output_bytes:,.0f} bytes for an item, the mean of {earlier.samples} of earlier runs"
    return DiskEstimate(str(folder), free, round(earlier.output_bytes * items), basis)


def _free(folder: Path) -> int | None:
    """Return the free bytes where a folder is, or will be."""
    for place in (folder, *folder.parents):
        try:
            return free_space(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
