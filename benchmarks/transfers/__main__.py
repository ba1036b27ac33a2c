"""Transfers beside curl, aria2c, requests in the official SDK's style, aiohttp, obstore and plain httpx.

All sides take turns in one run against an nginx on this machine. Ours verifies each file and moves it under
its name whole; curl and aria2c check nothing.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from aignostics_async import Transfers
from aignostics_async._core._crc32c import read_checksum
from benchmarks.figures import Estimate, Results, Target, parser_of, recording

from .contestants import MIB, Order, aria2c, aria2c_many, curl, limit
from .machine import busy_share, idle_ticks
from .rows import GIB, WITHOUT_TARGET, Measured, dearer, faster, row
from .servers import NoServer, Servers, servers

PROGRAMS: dict[str, Callable[[Order], dict[str, Any]]] = {
    "curl": curl,
    "aria2c": aria2c,
    "aria2c -j16": aria2c_many,
    "limit.c": limit,
}


class Contestant:
    """A process that moves files on order."""

    def __init__(self, name: str) -> None:
        command = [sys.executable, "-m", "benchmarks.transfers.contestants", name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, order: Order) -> dict[str, Any]:
        """Let it do its work once."""
        self.begin(order)
        return self.end()

    def begin(self, order: Order) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Wait until it is done, and return what it took."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a contestant failed; its words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


class Bench:
    """The files, the servers and the contestants of one run, and its figures."""

    def __init__(self, place: Servers, files: Path, target: Path, results: Results) -> None:
        self.place = place
        self.results = results
        self.files = files
        self.target = target
        self._contestants: dict[str, Contestant] = {}
        self._checksums: dict[str, str] = {}

    def file(self, name: str, size: int, *, sparse: bool = False) -> str:
        """Make a file to serve, and return its name."""
        path = self.files / name
        if not path.exists():
            with path.open("wb") as file:
                if sparse:
                    file.truncate(size)
                    file.write(name.encode())
                else:
                    block = random.Random(name).randbytes(MIB)
                    for number in range(size // MIB):
                        file.write(number.to_bytes(8, "big") + block[8:])
            self._checksums[name] = read_checksum(path).wire
        return name

    def small_file(self, name: str, size: int) -> str:
        """Make a small file to serve, and return its name."""
        path = self.files / name
        if not path.exists():
            path.write_bytes(random.Random(name).randbytes(size))
            self._checksums[name] = read_checksum(path).wire
        return name

    def order(self, root: str, names: Iterable[str], **more: Any) -> Order:
        """Return an order for files, and clear what an earlier one brought."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()
        names = list(names)
        query = f"?rate={more.pop('rate')}" if "rate" in more else ""
        return {
            "urls": [f"{root}/{name}{query}" for name in names],
            "paths": [str(self.target / f"{number}") for number in range(len(names))],
            "crc32c": [self._checksums[name] for name in names],
            "pem": str(self.place.pem),
            **more,
        }

    def run(self, who: str, order: Order) -> dict[str, Any]:
        """Let somebody do an order, and note how busy the machine was meanwhile."""
        before = idle_ticks()
        took = PROGRAMS[who](order) if who in PROGRAMS else self.contestant(who)(order)
        return {**took, "busy": busy_share(before, idle_ticks())}

    def contestant(self, who: str) -> Contestant:
        """Return somebody's process."""
        if who not in self._contestants:
            self._contestants[who] = Contestant(who)
        return self._contestants[who]

    def close(self) -> None:
        """End all processes."""
        for each in self._contestants.values():
            each.close()
        self._contestants.clear()


def compare(bench: Bench, names: list[str], rounds: int, few: int, order: Any) -> Measured:
    """Let everybody do the same in turn; those without a target of their own take part in `few` rounds."""
    measured: Measured = {name: [] for name in names}
    for number in range(rounds):
        # Whoever goes first finds the other caches; so everybody does in turn.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if number < few or name not in WITHOUT_TARGET:
                measured[name].append(bench.run(name, order()))
    return measured


PEERS = ["ours", "curl", "official style", "aria2c", "aiohttp", "obstore", "httpx"]


def single(bench: Bench, rounds: int, few: int, *, tls: bool) -> None:
    """One stream of 1 GiB to a verified file."""
    name = bench.file("1g", GIB)
    root = bench.place.https if tls else bench.place.http
    kind = "TLS 1.3" if tls else "plain"
    with row(bench.results, f"One stream, {kind}, 1 GiB to a file") as told:
        # One connection each: a second one is another row's matter.
        measured = compare(
            bench, PEERS, rounds, few, lambda: bench.order(root, [name], limits={"transfers": 1})
        )
        told.table(measured, GIB)
        against = faster(measured, "curl")
        if tls:
            told.verdict("speed / curl", against, Target(at_least=0.85), measured["ours"])
        else:
            told.verdict("speed / curl", against, Target(at_least=1.0, low=0.85), measured["ours"])
            style = faster(measured, "official style")
            told.verdict("speed / official style", style, Target(at_least=0.95), measured["ours"])
        cpu, most = dearer(measured, "curl"), 1.3 if tls else 1.25
        told.verdict("CPU / curl", cpu, Target(at_most=most), measured["ours"])


def machine(bench: Bench, rounds: int) -> None:
    """1 GiB to a file beside a C program that does nothing else, over one connection and over four."""
    name = bench.file("1g", GIB)
    for connections in (1, 4):
        with row(
            bench.results, f"The limit of this machine, plain, 1 GiB, {connections} connections and threads"
        ) as told:
            order = partial(
                bench.order, bench.place.http, [name], limits={"transfers": connections}, size=GIB
            )
            measured = compare(bench, ["ours", "limit.c"], rounds, 0, order)
            told.table(measured, GIB)
            figure = faster(measured, "limit.c")
            told.verdict("speed / limit.c", figure, Target(at_least=0.9), measured["ours"])


def small(bench: Bench, rounds: int) -> None:
    """3,000 outputs of 10 kB, each request 10 ms late, sixteen at once."""
    count, size = 3000, 10_000
    names = [bench.small_file(f"10k-{number}", size) for number in range(count)]
    with row(bench.results, "3,000 outputs of 10 kB, each 10 ms late, sixteen at once") as told:
        measured = compare(
            bench,
            ["ours", "curl", "aria2c -j16"],
            rounds,
            0,
            lambda: bench.order(bench.place.soon, names, limits={"transfers": 16}),
        )
        for who, runs in measured.items():
            seconds = statistics.median(each["seconds"] for each in runs)
            cpu = statistics.median(each["cpu"] for each in runs) / count * 1000
            ratio = "" if who == "ours" else f"   ours is {faster(measured, who)} times as fast"
            print(f"  {who:16}{count / seconds:6.0f} files/s {cpu:6.2f} CPU ms/file{ratio}")
        shares = {
            part: statistics.median(each[part] / each["cpu"] for each in measured["ours"])
            for part in ("loop", "kernel")
        }
        print(
            f"  {shares['loop']:.0%} of it in the event loop's thread, {shares['kernel']:.0%} in the kernel"
        )
        cost = Estimate.of([each["cpu"] / count * 1000 for each in measured["ours"]])
        told.verdict("CPU for each file", cost, Target(at_most=0.8), measured["ours"], "ms")


def sixteen(bench: Bench, rounds: int, *, tls: bool) -> None:
    """Sixteen files of 64 MiB at once."""
    names = [bench.file(f"64m-{number}", 64 * MIB) for number in range(16)]
    root = bench.place.https if tls else bench.place.http
    with row(bench.results, f"Sixteen files of 64 MiB at once, {'TLS 1.3' if tls else 'plain'}") as told:
        measured = compare(bench, ["ours", "curl"], rounds, 0, lambda: bench.order(root, names))
        told.table(measured, GIB)
        cpu = dearer(measured, "curl")
        told.verdict("CPU / curl -Z", cpu, Target(at_most=1.6), measured["ours"])


def throttled(bench: Bench, rounds: int) -> None:
    """One file over connections of 10 MB/s each, as many storages give, against one connection."""
    name = bench.file("900m", 900 * MIB)
    root = bench.place.http
    with row(bench.results, "900 MiB over connections of 10 MB/s each: sixteen against one") as told:
        ratios, runs = [], []
        for _ in range(rounds):
            one = bench.run("ours", bench.order(root, [name], rate=10_000_000, limits={"transfers": 1}))
            many = bench.run("ours", bench.order(root, [name], rate=10_000_000))
            ratios.append(one["seconds"] / many["seconds"])
            runs.append(many)
            print(f"  one {one['seconds']:.1f} s, sixteen {many['seconds']:.1f} s", flush=True)
        figure = Estimate.of(ratios)
        told.verdict("speed of sixteen / one", figure, Target(at_least=14), runs)


def outputs(bench: Bench, rounds: int, *, tls: bool) -> None:
    """200 outputs of 5 MB, each request 30 ms late."""
    names = [bench.file(f"5m-{number}", 5 * MIB) for number in range(200)]
    root = bench.place.late(tls=tls)
    with row(
        bench.results, f"200 outputs of 5 MiB, each 30 ms late, {'TLS 1.3' if tls else 'plain'}"
    ) as told:
        measured = compare(bench, ["ours", "official style"], rounds, 0, lambda: bench.order(root, names))
        told.table(measured, 1000 * MIB)
        figure = faster(measured, "official style")
        told.verdict(
            "speed / official style, one after another", figure, Target(at_least=6), measured["ours"]
        )


def upload(bench: Bench, rounds: int) -> None:
    """1 GiB up with its CRC32C."""
    name = bench.file("1g", GIB)
    with row(bench.results, "Upload of 1 GiB with its CRC32C, plain") as told:
        source = str(bench.files / name)
        measured = compare(
            bench,
            ["ours", "requests + crc"],
            rounds,
            0,
            lambda: {**bench.order("", [name]), "urls": [bench.place.sink], "source": source},
        )
        told.table(measured, GIB)
        figure = faster(measured, "requests + crc")
        told.verdict("speed / requests with a CRC pass", figure, Target(at_least=1.9), measured["ours"])


def lag(bench: Bench, rounds: int) -> None:
    """The loop's lag during sixteen throttled transfers, against an idle loop beside curl -Z."""
    names = [bench.file(f"64m-{number}", 64 * MIB) for number in range(16)]
    root = bench.place.http
    with row(bench.results, "Lag of the loop, sixteen transfers throttled to half the CPU") as told:
        free = bench.run("ours", bench.order(root, names))
        rate = int(GIB / free["seconds"] / 16 / 2)
        above, share, runs = [], [], []
        for _ in range(rounds):
            mine = bench.run("ours", bench.order(root, names, rate=rate, lag=True))
            runs.append(mine)
            control = bench.contestant("idle")
            order = bench.order(root, names, rate=rate)
            control.begin({"seconds": mine["seconds"] * 0.9, "lag": True})
            curl(order)
            above.append(p99(mine["lag"]) - p99(control.end()["lag"]))
            share.append(mine["cpu"] / mine["seconds"] / (os.cpu_count() or 1))
        figure = Estimate.of([each * 1000 for each in above])
        print(
            f"  each connection at {rate / 1e6:.0f} MB/s; ours took {statistics.median(share):.0%} of the CPU"
        )
        told.verdict("p99 above the idle loop beside curl -Z", figure, Target(at_most=5), runs, "ms")


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(values)[int(len(values) * 0.99)]


def memory(bench: Bench) -> None:
    """Two files of 5 GB, sixteen of 256 MiB, and one of 5 GB up in parts, each in a fresh process."""
    with row(bench.results, "Memory: two files of 5 GB, sixteen of 256 MiB, and 5 GB up in parts") as told:
        root = bench.place.http
        big = [bench.file(f"5g-{number}", 5_000_000_000, sparse=True) for number in range(2)]
        many = [bench.file(f"256m-{number}", 256 * MIB, sparse=True) for number in range(16)]
        up = {"urls": [bench.place.sink], "source": str(bench.files / big[0]), "parts": True}
        in_flight = Transfers().max_concurrency * Transfers().part_size
        for what, order, more in (
            ("two of 5 GB", bench.order(root, big), len(big) * 2 * MIB),
            ("sixteen of 256 MiB", bench.order(root, many), len(many) * 2 * MIB),
            ("5 GB up in parts", {**bench.order("", big[:1]), **up}, in_flight),
        ):
            fresh = Contestant("ours")
            took = fresh(order)
            fresh.close()
            told.memory(what, took["memory"], 150 * MIB + more)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of the single streams and the upload")
    parser.add_argument("--few", type=int, default=5, help="rounds of the rows that take long")
    parser.add_argument("--only", nargs="*", default=[], help="names of rows")
    arguments = parser.parse_args()
    few = min(arguments.few, arguments.rounds)
    rows = {
        "plain": lambda bench: single(bench, arguments.rounds, few, tls=False),
        "tls": lambda bench: single(bench, arguments.rounds, few, tls=True),
        "limit": lambda bench: machine(bench, arguments.rounds),
        "small": lambda bench: small(bench, few),
        "sixteen": lambda bench: sixteen(bench, few, tls=False),
        "sixteen-tls": lambda bench: sixteen(bench, few, tls=True),
        "throttled": lambda bench: throttled(bench, max(1, few // 2)),
        "outputs": lambda bench: outputs(bench, few, tls=False),
        "outputs-tls": lambda bench: outputs(bench, few, tls=True),
        "upload": lambda bench: upload(bench, arguments.rounds),
        "lag": lambda bench: lag(bench, few),
        "memory": memory,
    }
    # Files in memory on both sides: a disk would be measured instead of the transfer.
    memory_disk = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory_disk if memory_disk.is_dir() else None) as scratch:
        files, settings = Path(scratch, "files"), Path(scratch, "nginx")
        for folder in (files, settings):
            folder.mkdir()
        Path(scratch).chmod(0o755)  # nginx's workers are somebody else
        try:
            with recording("transfers", arguments.json) as results, servers(settings, files) as place:
                bench = Bench(place, files, Path(scratch, "target"), results)
                for name in arguments.only or rows:
                    rows[name](bench)
                bench.close()
        except NoServer as error:
            sys.exit(f"nothing was measured: {error}")


if __name__ == "__main__":
    main()
