"""The example service in a real browser: slides are submitted, and their pictures come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.async_api import Browser, expect

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slides

SIX = 6


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    write_slides(tmp_path / "slides", SIX)
    (tmp_path / "slides" / "broken.tiff").write_bytes(b"no slide")
    return tmp_path / "slides"


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
    names = [name for name in requests.get(f"{address}/slides", timeout=30).json() if name != "broken.tiff"]
    assert len(names) == SIX
    for name in names[:4]:
        await page.get_by_label(name).check()
    async with page.expect_response(f"{address}/runs", timeout=60_000) as submitted:
        await page.get_by_role("button", name="Submit").click()
    # The page shows the runs of everybody.
    run_id = (await (await submitted.value).json())["run_id"]
    card = page.locator(f"article[id='{run_id}']")
    await expect(card.locator(".head b")).to_have_text("COMPLETED", timeout=60_000)
    await expect(card.locator("figure b.SUCCEEDED")).to_have_count(4)
    pictures = card.locator("figure img")
    await expect(pictures).to_have_count(4, timeout=60_000)
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        width = await picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
        assert width > 100, "it is a picture"

    # Who comes later sees the same.
    other = await browser.new_page()
    await other.goto(address)
    await expect(other.locator(f"article[id='{run_id}'] img")).to_have_count(4)

    await page.get_by_label(names[0]).uncheck()
    await page.get_by_label("broken.tiff").check()
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("alert")).to_contain_text("broken.tiff", timeout=30_000)
    assert troubles == []
    # The pages' streams are open, and do not hold the service up.
    service.send_signal(signal.SIGTERM)
    rest, _ = service.communicate(timeout=30)
    assert rest == "stopped\n", "what had begun was ended"


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
    refused = requests.post(f"{address}/runs", json={"names": ["../secret.png"]}, timeout=30)
    assert refused.status_code == 422
