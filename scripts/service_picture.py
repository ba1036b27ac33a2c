"""Make docs/images/service.png from a real run: an emulator, the example service, and a browser.

    python scripts/service_picture.py [FILE]

Two runs are submitted through the page; the picture is taken when the first is completed and pictures of the
second have come. Needs Chromium (`make browser`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slides

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
PATIENCE = 60_000  # milliseconds


async def submit(page: Page, *names: str) -> str:
    """Submit slides through the page, and return the id of their run."""
    for name in names:
        await page.get_by_label(name).check()
    lines = page.locator("#submissions p")
    line = lines.nth(await lines.count())
    await page.get_by_role("button", name="Submit").click()
    await expect(line).to_contain_text("run ", timeout=PATIENCE)
    return (await line.inner_text()).split()[-1]


async def take(address: str, emulator: Emulator, file: Path) -> None:
    """Take the picture of the page at an address."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 760})
        await page.goto(address)
        first = await submit(page, "case-01.tiff", "case-02.tiff", "case-03.tiff")
        await expect(page.locator(f"[id='{first}'] .head b")).to_have_text("COMPLETED", timeout=PATIENCE)
        await expect(page.locator(f"[id='{first}'] img")).to_have_count(3, timeout=PATIENCE)
        emulator.set_clock(rate=20)
        second = await submit(page, "case-04.tiff", "case-05.tiff", "case-06.tiff")
        await expect(page.locator(f"[id='{second}'] img").first).to_be_visible(timeout=PATIENCE)
        emulator.set_clock(rate=0.001)
        for picture in await page.locator("img").all():
            await picture.evaluate("image => image.decode()")
        await page.screenshot(path=file)
        await browser.close()


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/service.png"
    with tempfile.TemporaryDirectory() as name, Emulator(Path(name) / "emulator") as emulator:
        slides = Path(name) / "slides"
        write_slides(slides, 6)
        command = [sys.executable, str(ROOT / "examples/service/service.py"), str(slides)]
        command += ["--store", emulator.store_url, "--data", f"{name}/data", "--port", "0"]
        command += ["--poll-interval", "0.2"]
        variables = {**os.environ, **emulator.environment}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as service:
            try:
                assert service.stdout is not None  # noqa: S101
                asyncio.run(take(service.stdout.readline().strip(), emulator, file))
            finally:
                service.terminate()
                service.communicate(timeout=30)
    print(file)


if __name__ == "__main__":
    main()
