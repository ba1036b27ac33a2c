"""The example service in a real browser: slides are submitted, and their pictures come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.async_api import Browser, expect

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

SIX = 6


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    for number in range(SIX):
        write_slide(folder / f"case-{number}.tiff", seed=number, width=300, height=260)
    (folder / "broken.tiff").write_bytes(b"no slide")
    return folder


@pytest.fixture
def service(root: Path, emulator: Emulator, slides: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script, data = str(root / "examples/service/service.py"), str(tmp_path / "service-data")
    command = [
        *(sys.executable, script, str(slides), "--store", emulator.store_url),
        *("--data", data, "--port", "0", "--poll-interval", "0.1"),
    ]
    environment = {**os.environ, **emulator.environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process
        process.kill()


@pytest.fixture
def address(service: subprocess.Popen[str]) -> str:
    assert service.stdout is not None
    return service.stdout.readline().strip()


async def test_pictures_come_to_the_page_as_items_succeed(
    browser: Browser, service: subprocess.Popen[str], address: str, tmp_path: Path
) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 760})
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    await page.goto(address)
    listed = requests.get(f"{address}/slides", timeout=30).json()
    names = [each["name"] for each in listed if not each["problem"]]
    assert len(names) == SIX
    assert [each["name"] for each in listed if each["problem"]] == ["broken.tiff"]
    await expect(page.get_by_label("broken.tiff")).to_be_disabled()
    for name in names[:4]:
        await page.get_by_label(name).check()
    async with page.expect_response(f"{address}/submissions", timeout=60_000) as submitted:
        await page.get_by_role("button", name="Submit").click()
    # The page shows the runs of everybody.
    ident = (await (await submitted.value).json())["submission"]
    line = page.locator(f"[id='{ident}']")
    await expect(line).to_contain_text("4 slides: run ", timeout=60_000)
    run_id = (await line.inner_text()).removeprefix("4 slides: run ")
    card = page.locator(f"article[id='{run_id}']")
    await expect(card.locator(".head b")).to_have_text("COMPLETED", timeout=60_000)
    await expect(card.locator("figure b.SUCCEEDED")).to_have_count(4)
    pictures = card.locator("figure img")
    await expect(pictures).to_have_count(4, timeout=60_000)
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        width = await picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
        assert width > 100, "it is a picture"
        link = await picture.evaluate("image => image.closest('a').href")
        assert requests.get(link, timeout=30).headers["content-type"] == "image/png"

    # Who comes later sees the same, on a narrow screen too.
    other = await browser.new_page(viewport={"width": 420, "height": 760})
    await other.goto(address)
    await expect(other.locator(f"article[id='{run_id}'] img")).to_have_count(4)
    assert await other.evaluate("document.documentElement.scrollWidth") <= 420
    assert troubles == []

    # The pages' streams are open, and do not hold the service up.
    service.send_signal(signal.SIGTERM)
    rest, _ = service.communicate(timeout=30)
    assert rest == "stopped\n", "what had begun was ended"
    await expect(page.get_by_role("status")).to_contain_text("Connection lost")
    await expect(page.get_by_role("button", name="Submit")).to_be_disabled()


def test_an_outage_is_told_to_pages_while_it_lasts(emulator: Emulator, address: str) -> None:
    def wait_for(trouble: str, status: int) -> None:
        end = time.monotonic() + 60
        while True:
            told = list(requests.get(f"{address}/state", timeout=30).json())
            shown = [each["trouble"] for each in told if each["kind"] == "platform"]
            ready = requests.get(f"{address}/ready", timeout=30).status_code
            if trouble in "".join(shown[-1:]) and ready == status and bool(trouble) == bool("".join(shown)):
                return
            assert time.monotonic() < end, (told, ready)
            time.sleep(0.05)

    wait_for("", 200)
    emulator.set_faults({"path": ".*/api/.*", "status": 503})
    wait_for("503", 503)
    emulator.set_faults()
    wait_for("", 200)


def test_a_login_that_has_ended_ends_the_service(
    emulator: Emulator, service: subprocess.Popen[str], address: str
) -> None:
    assert requests.get(f"{address}/health", timeout=30).json() == {"status": "ok", "reason": ""}
    emulator.set_faults({"path": "/api/.*", "answer": "jwt_expired"})
    assert service.wait(timeout=60) == 1


def test_a_stream_continues_after_the_last_event_that_was_sent(emulator: Emulator, address: str) -> None:
    steps = [(0, None, "RUNNING"), (0, "a", "SUCCEEDED")]
    emulator.script({"items": ["a"], "steps": steps})

    def read(last: str, ids: int) -> list[int]:
        headers = {"Last-Event-ID": last}
        with requests.get(f"{address}/events", headers=headers, stream=True, timeout=60) as answer:
            lines = (line for line in answer.iter_lines(decode_unicode=True) if line.startswith("id: "))
            return [int(next(lines).removeprefix("id: ")) for _ in range(ids)]

    first, second = read("0", 2)
    assert read(str(first), 1) == [second]
    assert read("no number", 2) == read("999999", 2) == [first, second]


@pytest.mark.process
def test_the_tests_of_the_service_pass(root: Path) -> None:
    """They show how to test a program that uses the SDK."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"],
        cwd=root / "examples/service", capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_nothing_but_pictures_is_given_out(address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"a secret")
    for path in (
        "../secret.png",
        "%2e%2e/secret.png",
        "x/%2e%2e/%2e%2e/secret.png",
        "x/..%2f..%2fsecret.png",
    ):
        asked = requests.Request("GET", f"{address}/pictures/").prepare()
        asked.url = f"{address}/pictures/{path}"
        with requests.Session() as session:
            assert session.send(asked, timeout=30).status_code == 404, path
    refused = requests.post(f"{address}/submissions", json={"names": ["../secret.png"]}, timeout=30)
    assert refused.status_code == 422
