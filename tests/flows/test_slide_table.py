"""A table of files and folders, and what find_slides, inspect, submit and bulk plan say: the same words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen
from misnamed_files import MISNAMED
from slide_cases import CASES, Case, make_cases

from aignostics_async import InvalidSubmission, Item, LeftOutReason, SlideError, find_slides, read_slides
from aignostics_async.bulk import JobPlan, Sources, inspect_slides, run_preflight
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

VERSION = "he-tme:v1.1.0"
_ABOUT_POLICY = "its header names the patient"


@frozen
class Said:
    """What each of them says: by path below the root, the problems; and what is left out."""

    find: dict[str, set[str]]
    inspect: dict[str, set[str]]
    submit: dict[str, set[str]]
    plan: dict[str, set[str]]
    left_out: list[dict[str, tuple[LeftOutReason, str]]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


async def said(root: Path, emulator: Emulator) -> Said:
    find, submit, inspect, plan = (defaultdict[str, set[str]](set) for _ in range(4))

    def below(path: str | Path) -> str:
        return Path(path).relative_to(root).as_posix()

    found = find_slides(root)
    items = []
    for slide, outcome in zip(found, await read_slides(found), strict=True):
        name = below(slide.path)
        find[name] = {outcome.problem} if isinstance(outcome, SlideError) else set()
        items.append(Item(name, slide=slide))
    inspection = await inspect_slides(root)
    for inspected in inspection.slides:
        inspect[below(inspected.path)] = {fault.problem for fault in inspected.faults}
    async with emulator.client() as client:
        with pytest.raises(InvalidSubmission) as caught:
            await client.runs.submit(VERSION, items, store=emulator.store_url)
        job = JobPlan(api_root=emulator.root, application_version=VERSION, store=emulator.store_url)
        report = await run_preflight(job, Sources(places=[root]), client)
    submit |= {item.reference: set() for item in items}
    for fault in caught.value.faults:
        submit[fault.reference or ""].add(fault.problem)
    plan |= {below(slide.path): set() for slide in inspection.slides}
    for finding in report.faults:
        plan[below(finding.slide or root)].add(finding.problem)
        assert finding.remedy, finding
    left_out = [
        {below(each.path): (each.reason, each.detail) for each in source}
        for source in (found.left_out, inspection.left_out, report.left_out)
    ]
    return Said(find, inspect, submit, plan, left_out)


@pytest.mark.parametrize(
    "cases", [CASES, pytest.param(MISNAMED, marks=pytest.mark.slow)], ids=["faults", "names"]
)
async def test_all_say_the_same_words(emulator: Emulator, tmp_path: Path, cases: Mapping[str, Case]) -> None:
    assert len(cases) >= 60
    folders = make_cases(tmp_path, cases)
    told = await said(tmp_path, emulator)
    assert told.left_out[0] == told.left_out[1] == told.left_out[2]
    assert told.find.keys() == told.inspect.keys() == told.submit.keys() == told.plan.keys()
    wrong: list[object] = []
    for name, case in cases.items():
        prefix = f"{folders[name].name}/"
        problems = {path: problem for path, problem in told.plan.items() if path.startswith(prefix)}
        left = {path: each for path, each in told.left_out[0].items() if path.startswith(prefix)}
        if case.says.startswith("left out: "):
            words = [f"{reason} {detail}" for reason, detail in left.values()]
            fits = not problems and any(re.search(case.says[10:], each) for each in words)
        else:
            everything = "; ".join(each for problem in problems.values() for each in problem)
            fits = bool(problems) and bool(re.search(case.says, everything) if case.says else not everything)
        if not fits:
            wrong.append((name, problems, left))
        for path, problem in problems.items():
            # A policy is nothing that reading a slide knows of.
            of_file = {each for each in problem if each != _ABOUT_POLICY}
            in_submit = {each.partition("; ")[0] for each in told.submit[path]}
            in_submit = {re.sub(r"^/\S+: ", "", each) for each in in_submit}
            same = told.find[path] == of_file and told.inspect[path] == problem
            heads = {each.partition("; ")[0] for each in problem}
            if not same or in_submit != heads:
                wrong.append((name, told.find[path], told.inspect[path], problem, told.submit[path]))
    assert not wrong, "\n".join(map(str, wrong))
