"""Ten thousand runs with twenty items each, watched by one process, next to one loop per run.

For each number of RUNNING runs, the emulator's clock first stands still, and the cost of watching itself is
measured in real seconds. Then runs start, finish their items and end, on a clock that is N times as fast,
with a client with an interval N times shorter and a rate limit N times higher; these figures are in seconds
and minutes of that clock. The delay is from the transition in the emulator's ledger to the event. It is
shown beside its bound, RUNNING / rate + interval, and beside the same with the rate that is left after one
reading of each run that starts or ends. At the end the clock stands still until every event has arrived or
is missing.

One loop per run requests the details and the results of its run every five seconds.

With `--contracts`, and at the end of the whole, both contracts watch the same 200 RUNNING runs side by side,
for a minute. Without counts in the listing every run has to be read in every interval to know of an item as
soon.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from attrs import define, field, frozen

from aignostics_async import Client, Hooks, RequestEvent, RunStatus, Settings
from aignostics_async.emulator.process import Emulator
from benchmarks.figures import Results, Target, parser_of, recording

RUNS, ITEMS = 10_000, 20
INTERVAL, BUDGET = 5.0, 600.0
REFERENCES = [f"case-{number}" for number in range(ITEMS)]
Key = tuple[str, str | None, str]


@frozen
class Size:
    """The number of RUNNING runs, the duration of each, and the time that they are watched."""

    running: int
    lasts_s: float
    watched_s: float
    scale: float

    @property
    def bound_s(self) -> float:
        """Return the bound that the documentation states."""
        return self.running / BUDGET * 60 + INTERVAL

    @property
    def busy_bound_s(self) -> float:
        """Return the bound with the rate that starts and ends leave."""
        return self.running / (BUDGET / 60 - 2 * self.running / self.lasts_s) + INTERVAL


SIZES = [Size(200, 1_800, 400, 2), Size(2_000, 3_600, 800, 4), Size(10_000, 14_400, 1_800, 5)]
BESIDE = Size(200, 1_800, 60, 2)
MOST_OF_1_0 = 1 / 5
"""Of the item requests of 1.0, how many may 1.8 need at the same delay."""


@define
class Seen:
    """The received statuses, with the emulator's time, and the requests."""

    now: Callable[[], float]
    at: dict[Key, float] = field(factory=dict)
    repeated: int = 0
    asked: Counter[str] = field(factory=Counter)

    def state(self, run_id: str, reference: str | None, status: str) -> None:
        """Record a status that was reported."""
        key = (run_id, reference, status)
        self.repeated += key in self.at
        self.at[key] = self.now()

    def request(self, event: RequestEvent) -> None:
        """Record a request."""
        self.asked[event.operation] += 1


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--running", type=int, nargs="*", help="only these numbers of RUNNING runs")
    parser.add_argument("--idle", type=float, default=60, help="seconds in which nothing moves")
    parser.add_argument("--no-loops", action="store_true", help="without one loop per run")
    parser.add_argument("--contract", choices=("1.0", "1.8"), default="1.8", help="by default 1.8")
    parser.add_argument("--contracts", action="store_true", help="only both contracts side by side: a minute")
    arguments = parser.parse_args()
    with recording("watch", arguments.json) as results:
        if not arguments.contracts:
            measure(arguments, results)
        with tempfile.TemporaryDirectory() as data, Emulator(Path(data), clock_rate=0) as emulator:
            asyncio.run(side_by_side(results, emulator, BESIDE))


def measure(arguments: argparse.Namespace, results: Results) -> None:
    """Measure one poller for each number of runs, and one loop per run."""
    options = {"clock_rate": 0, "contract": arguments.contract}
    print(f"contract {arguments.contract}, {RUNS:,} runs of {ITEMS} items")
    print(f"interval {INTERVAL:.0f} s, budget {BUDGET:.0f} readings a minute")
    for size in SIZES:
        if arguments.running and size.running not in arguments.running:
            continue
        with tempfile.TemporaryDirectory() as data, Emulator(Path(data), **options) as emulator:
            asyncio.run(watch(results, emulator, size, arguments.idle))
    if not arguments.no_loops:
        for running in (200, 2_000):
            with tempfile.TemporaryDirectory() as data, Emulator(Path(data)) as emulator:
                asyncio.run(one_loop_per_run(results, emulator, running))


async def watch(results: Results, emulator: Emulator, size: Size, idle_s: float) -> None:
    results.row(f"{size.running:,} RUNNING, one poller")
    run_ids = create(emulator, size, RUNS)
    await nothing_moves(results, emulator, run_ids, size, idle_s)
    emulator.set_clock(rate=size.scale)
    seen = Seen(clock(emulator, size.scale))
    settings = Settings(
        poll_interval=INTERVAL / size.scale,
        results_rate_limit=BUDGET * size.scale,
        hooks=Hooks(on_request=seen.request),
    )
    begin = seen.now()
    async with emulator.client(settings) as client, asyncio.TaskGroup() as group:
        following = group.create_task(follow(client, run_ids, seen))
        await asyncio.sleep(size.watched_s / size.scale)
        show_asked(seen, seen.now() - begin)
        emulator.set_clock(rate=0)
        happened = final_transitions(emulator, begin)
        for _ in range(int(2 * size.busy_bound_s / size.scale)):
            if happened.keys() <= seen.at.keys():
                break
            await asyncio.sleep(1)
        following.cancel()
    show_delays(results, happened, seen, size)


async def side_by_side(results: Results, emulator: Emulator, size: Size) -> None:
    """Print what watching the same runs costs under each contract at the same delay."""
    results.row(f"{size.running:,} RUNNING of {ITEMS} items, both contracts at the same delay")
    run_ids = create(emulator, size, 2 * size.running)
    budgets = {"1.0": 1.2 * size.running * 60 / INTERVAL, "1.8": BUDGET}
    seen = {contract: Seen(clock(emulator, 0)) for contract in budgets}
    async with asyncio.TaskGroup() as group, AsyncExitStack() as stack:
        for contract, told in seen.items():
            settings = Settings(
                poll_interval=INTERVAL / size.scale,
                results_rate_limit=budgets[contract] * size.scale,
                hooks=Hooks(on_request=told.request),
            )
            client = await stack.enter_async_context(emulator.client(settings, contract=contract))
            stack.callback(group.create_task(follow(client, run_ids, told)).cancel)
        while any(len(told.at) < size.running * (ITEMS + 1) for told in seen.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        emulator.set_clock(rate=size.scale)
        for told in seen.values():
            told.now = clock(emulator, size.scale)
            told.asked.clear()
        begin = emulator.now()
        await asyncio.sleep(size.watched_s / size.scale)
        asked = {contract: told.asked["list results"] for contract, told in seen.items()}
        last = emulator.now()
        await asyncio.sleep(3 * INTERVAL / size.scale)  # what has happened last is seen by then
    happened = {key: at for key, at in final_transitions(emulator, begin).items() if at <= last and key[1]}
    for contract, told in seen.items():
        delays = [told.at[key] - at for key, at in happened.items() if key in told.at]
        print(
            f"  {contract}: {asked[contract] * 60 / (last - begin):,.0f} item requests a minute; delay of "
            f"{len(delays):,} of {len(happened):,} items: p50 {percentile(delays, 50):.1f} s, "
            f"p99 {percentile(delays, 99):.1f} s"
        )
    ratio = asked["1.8"] / asked["1.0"]
    results.add("item requests of 1.8 / of 1.0", ratio, target=Target(at_most=MOST_OF_1_0))


def create(emulator: Emulator, size: Size, runs: int) -> list[str]:
    """Create runs of which `size.running` are RUNNING at any time; the others start later."""
    dice = random.Random(size.running)
    starts = [-dice.uniform(0, size.lasts_s) for _ in range(size.running)]
    starts += [number * size.lasts_s / size.running for number in range(runs - size.running)]
    scripts = [script(start, size.lasts_s, dice) for start in starts]
    run_ids: list[str] = []
    for first in range(0, runs, 500):
        run_ids += emulator.script(*scripts[first : first + 500])
    return run_ids


def script(start: float, lasts_s: float, dice: random.Random) -> dict[str, object]:
    created = lasts_s + 60
    ends = sorted(dice.uniform(0.02, 1) * lasts_s for _ in REFERENCES)
    order = dice.sample(REFERENCES, ITEMS)
    steps = [
        (0, None, "SCHEDULED"),
        (created + start, None, "RUNNING"),
        *((created + start + end, item, "SUCCEEDED") for end, item in zip(ends, order, strict=True)),
        (created + start + lasts_s, None, "COMPLETED"),
    ]
    return {"items": REFERENCES, "after_s": -created, "steps": steps}


def clock(emulator: Emulator, rate: float) -> Callable[[], float]:
    """Return a reading of the emulator's clock that costs no request."""
    then, since = emulator.now(), time.monotonic()
    return lambda: then + (time.monotonic() - since) * rate


async def follow(client: Client, run_ids: Iterable[str], seen: Seen) -> None:
    async for change in client.watch(run_ids):
        seen.state(change.run_id, change.reference, change.new)


async def for_a_while(seconds: float, work: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


async def nothing_moves(
    results: Results, emulator: Emulator, run_ids: list[str], size: Size, seconds: float
) -> None:
    """Print the cost of watching while nothing happens, after the first statuses."""
    seen = Seen(time.monotonic)
    settings = Settings(poll_interval=INTERVAL, hooks=Hooks(on_request=seen.request))
    async with emulator.client(settings) as client, asyncio.TaskGroup() as group:
        following = group.create_task(follow(client, run_ids, seen))
        # The first reading of every run takes its time, in which something is new.
        await asyncio.sleep(min(size.bound_s, 60) + 5)
        seen.asked.clear()
        cpu = await cpu_share(seconds)
        asked = {name: number * 60 / seconds for name, number in seen.asked.items()}
        lags = await loop_lags(seconds / 2)
        following.cancel()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  nothing moves: {asked.get('list runs', 0):,.0f} list and {asked.get('list results', 0):,.0f} "
        f"result requests a minute; CPU {cpu:.1%} of a core; peak RSS {memory:.0f} MB; "
        f"loop lag p99 {percentile(lags, 99) * 1000:.1f} ms"
    )
    results.add("share of a core, nothing moves", cpu)
    results.add("peak memory", memory, "MB")
    results.add("lag of the loop, p99", percentile(lags, 99) * 1000, "ms")


async def cpu_share(seconds: float) -> float:
    begin, before = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    return (time.process_time() - before) / (time.monotonic() - begin)


async def loop_lags(seconds: float) -> list[float]:
    """Return how late the loop wakes a task, measured a hundred times a second."""
    lags = []
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.01)
        lags.append(time.monotonic() - now - 0.01)
    return lags


def show_asked(seen: Seen, seconds: float) -> None:
    listed, read = seen.asked["list runs"] * 60 / seconds, seen.asked["list results"] * 60 / seconds
    others = sum(seen.asked.values()) - seen.asked["list runs"] - seen.asked["list results"]
    print(f"  runs move: {listed:,.0f} list and {read:,.0f} result requests a minute, {others} others in all")


def final_transitions(emulator: Emulator, begin: float) -> dict[Key, float]:
    """Return the final statuses, with their times."""
    return {
        (run_id, reference, status): at
        for at, run_id, reference, status in emulator.ledger()
        if at > begin and status not in ("RECEIVED", "SCHEDULED", "RUNNING")
    }


def show_delays(results: Results, happened: dict[Key, float], seen: Seen, size: Size) -> None:
    """Compare the received statuses with the ledger."""
    for what, are_items in (("items", True), ("runs", False)):
        delays = [
            seen.at[key] - at
            for key, at in happened.items()
            if key in seen.at and (key[1] is not None) == are_items
        ]
        print(
            f"  delay of {len(delays):,} {what} that became final: p50 {percentile(delays, 50):.1f} s, "
            f"p99 {percentile(delays, 99):.1f} s; bound {size.bound_s:.1f} s, {size.busy_bound_s:.1f} s with "
            "starts and ends"
        )
        if len(delays) > 1:
            share = percentile(delays, 99) / size.busy_bound_s
            results.add(f"p99 delay of {what} / bound with starts and ends", share)
    missed = len(happened) - len(happened.keys() & seen.at.keys())
    print(f"  of {len(happened):,} final transitions {missed} missed; {seen.repeated} states repeated")
    results.add("final transitions missed", missed, target=Target(at_most=0))
    results.add("states repeated", seen.repeated, target=Target(at_most=0))


async def one_loop_per_run(results: Results, emulator: Emulator, running: int, seconds: float = 60) -> None:
    results.row(f"{running:,} RUNNING, and no other runs, one loop per run")
    dice = random.Random(running)
    scripts = [script(-dice.uniform(0, 200), 200, dice) for _ in range(running)]
    run_ids = [
        run_id
        for first in range(0, running, 500)
        for run_id in emulator.script(*scripts[first : first + 500])
    ]
    seen = Seen(clock(emulator, 1))
    begin = seen.now()
    before, since = time.process_time(), time.monotonic()
    async with emulator.client(Settings(hooks=Hooks(on_request=seen.request))) as client:
        lags: list[float] = []

        async def all_loops() -> None:
            async with asyncio.TaskGroup() as group:
                for run_id in run_ids:
                    group.create_task(one_loop(client, run_id, seen))
                lags.extend(await loop_lags(seconds - 1))

        await for_a_while(seconds, all_loops())
    taken = time.monotonic() - since
    wanted = 2 * running * 60 / INTERVAL
    print(
        f"  {sum(seen.asked.values()) * 60 / taken:,.0f} of {wanted:,.0f} requests a minute; "
        f"CPU {(time.process_time() - before) / taken:.1%} of a core; "
        f"loop lag p99 {percentile(lags, 99) * 1000:.1f} ms"
    )
    happened = [row for row in emulator.ledger() if begin < row[0] < seen.now() and row[3] == "SUCCEEDED"]
    delays = [seen.at[row[1:]] - row[0] for row in happened if row[1:] in seen.at]
    print(
        f"  delay of {len(delays):,} items that became final: p50 {percentile(delays, 50):.1f} s, "
        f"p99 {percentile(delays, 99):.1f} s; {len(happened) - len(delays):,} not seen yet"
    )
    results.add("requests made / wanted", sum(seen.asked.values()) * 60 / taken / wanted)
    results.add("items not seen yet", len(happened) - len(delays))


async def one_loop(client: Client, run_id: str, seen: Seen) -> None:
    run, known = client.run(run_id), set()
    await asyncio.sleep(random.uniform(0, INTERVAL))
    while True:
        details = await run.details()
        if details.status == RunStatus.RUNNING:
            async for item in run.results():
                if (item.item_id, item.status) not in known:
                    known.add((item.item_id, item.status))
                    seen.state(run_id, item.reference, item.status)
        await asyncio.sleep(INTERVAL)


def percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100)[share - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    main()
