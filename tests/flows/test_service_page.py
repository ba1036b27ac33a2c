"""The page of the example service in a real browser, on a narrow and a wide screen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from attrs import define, field
from browser import open_browser
from example_service import ExampleService, Gateway, open_gateway, running_service
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from watching import finish

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("width", [420, 1280]),
    pytest.mark.sampled(test=1, fast=0),
]

USER = "X-Forwarded-User"
PATIENCE = 60_000  # milliseconds
RUNNING = {"items": ["a", "b"], "steps": [(0, None, "RUNNING"), (0, "a", "SUCCEEDED")]}
"""A run without slides, of which one item has succeeded."""
HEAR = """() => {
    window.heard = [];
    new EventSource("/events").onmessage = (message) => heard.push(JSON.parse(message.data));
}"""


@define
class Site:
    """The service behind a gateway, which it may be restarted behind, and pages of one width."""

    emulator: Emulator
    gateway: Gateway
    browser: Browser
    folder: Path
    width: int
    service: ExampleService = field(init=False)
    complaints: list[str] = field(factory=list)
    _exits: ExitStack = field(factory=ExitStack)

    def start(self, *arguments: str) -> None:
        """Start the service."""
        running = running_service(self.emulator, self.folder / "slides", self.folder / "data", *arguments)
        self.service = self._exits.enter_context(running)
        self.gateway.target = self.service.address

    def close(self) -> None:
        self._exits.close()

    async def context(self, user: str | None = None) -> BrowserContext:
        """Return a browser of somebody's own."""
        headers = {} if user is None else {USER: user}
        viewport: Any = {"width": self.width, "height": 800}
        return await self.browser.new_context(viewport=viewport, extra_http_headers=headers)

    async def visit(self, context: BrowserContext | None = None) -> Page:
        """Return the page of the service, connected."""
        page = await (context or await self.context()).new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.gateway.address)
        await expect(page.get_by_role("status")).to_have_text("", timeout=PATIENCE)
        return page

    async def submit(self, page: Page, *names: str) -> str:
        """Submit slides, and return the id of their run once the page tells it."""
        for name in names:
            await page.get_by_label(name).check()
        async with page.expect_response("**/submissions") as submitted:
            await page.get_by_role("button", name="Submit").click()
        answer = await submitted.value
        assert answer.status == 202
        line = page.locator(f"[id='{(await answer.json())['submission']}']")
        await expect(line).to_contain_text("run ", timeout=PATIENCE)
        return (await line.inner_text()).split()[-1]

    async def look(self, page: Page, request: pytest.FixtureRequest) -> None:
        """Take a picture of the page, which fits its screen."""
        assert await page.evaluate("document.documentElement.scrollWidth") <= self.width
        name = re.sub(r"\W+", "-", request.node.name)
        await page.screenshot(path=self.folder / f"{name}.png", full_page=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give one browser to all tests here; each user has a context of its own."""
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def site(emulator: Emulator, browser: Browser, tmp_path: Path, width: int) -> AsyncIterator[Site]:
    """Give the service on three slides and a broken one, not started yet."""
    slides = tmp_path / "slides"
    slides.mkdir()
    for number in range(3):
        write_slide(slides / f"case-{number}.tiff", seed=number, width=300, height=260)
    (slides / "broken.tiff").write_bytes(b"no slide")
    async with open_gateway() as gateway:
        site = Site(emulator, gateway, browser, tmp_path, width)
        try:
            yield site
        finally:
            site.close()
    assert site.complaints == []


def card(page: Page, run_id: str) -> Locator:
    return page.locator(f"article[id='{run_id}']")


async def expect_status(page: Page, run_id: str, status: str) -> None:
    await expect(card(page, run_id).locator(".head b")).to_have_text(status, timeout=PATIENCE)


async def expect_connection(page: Page, words: str) -> None:
    await expect(page.get_by_role("status")).to_have_text(re.compile(words), timeout=PATIENCE)


async def test_submit(site: Site, request: pytest.FixtureRequest) -> None:
    """Slides become a run with a picture for each, which opens; when the service stops, the page says so."""
    site.start()
    page = await site.visit()
    await expect(page.get_by_label("broken.tiff")).to_be_disabled(timeout=PATIENCE)
    button = page.get_by_role("button", name="Submit")
    await expect(button).to_be_disabled()
    run_id = await site.submit(page, "case-0.tiff", "case-1.tiff", "case-2.tiff")
    await expect_status(page, run_id, "COMPLETED")
    await expect(button).to_be_disabled()  # until something is chosen again
    pictures = card(page, run_id).locator("figure:has(b.SUCCEEDED) img")
    await expect(pictures).to_have_count(3, timeout=PATIENCE)
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        opened = await page.request.get(await picture.evaluate("image => image.closest('a').href"))
        assert opened.headers["content-type"] == "image/png"
    await site.look(page, request)

    # The pages' streams are open, and do not hold the service up.
    assert site.service.stop() == "stopped\n", "what had begun was ended"
    await expect_connection(page, "Connection lost")
    await expect(button).to_be_disabled()


@pytest.mark.slow
async def test_a_refused_submission_says_why(site: Site, request: pytest.FixtureRequest) -> None:
    site.start()
    page = await site.visit()
    await page.get_by_label("case-0.tiff").check()
    (site.folder / "slides" / "case-0.tiff").unlink()
    await page.get_by_role("button", name="Submit").click()
    alert = page.locator("#trouble")
    await expect(alert).to_have_text("choose among the slides that there are", timeout=PATIENCE)
    await expect(page.get_by_label("case-0.tiff")).to_be_checked()
    await page.get_by_label("case-0.tiff").uncheck()
    await page.get_by_label("case-1.tiff").check()
    site.emulator.set_faults({"operation": "create_run", "answer": "quota_exceeded"})
    await page.get_by_role("button", name="Submit").click()
    await expect(page.locator("#submissions .FAILED")).to_contain_text("402", timeout=PATIENCE)
    await expect(alert).to_have_text("")
    await site.look(page, request)


async def test_watch(site: Site, request: pytest.FixtureRequest) -> None:
    """A run of somebody else's moves on the page as on the platform; whoever comes later sees the same."""
    site.start()
    page = await site.visit()
    await expect(page.get_by_text("No runs yet.")).to_be_visible()
    (run_id,) = site.emulator.script(RUNNING)
    await expect_status(page, run_id, "RUNNING")
    items = card(page, run_id).locator("figure b")
    await expect(items).to_have_text(["SUCCEEDED", "PENDING"], timeout=PATIENCE)
    await site.look(page, request)
    site.emulator.move(*finish(run_id, "b", status="COMPLETED"))
    for each in (page, await site.visit()):
        await expect_status(each, run_id, "COMPLETED")
        await expect(card(each, run_id).locator("figure b")).to_have_text(["SUCCEEDED", "SUCCEEDED"])


async def test_platform_down_and_back(site: Site, request: pytest.FixtureRequest) -> None:
    site.start()
    page = await site.visit()
    (run_id,) = site.emulator.script(RUNNING)
    await expect_status(page, run_id, "RUNNING")
    site.emulator.set_faults({"path": ".*/api/.*", "status": 503})
    behind = page.locator("#platform")
    await expect(behind).to_contain_text("Behind the platform: the platform answered 503", timeout=PATIENCE)
    assert (await page.request.get(f"{site.gateway.address}/health")).status == 503
    await site.look(page, request)
    site.emulator.move(*finish(run_id, "b", status="COMPLETED"))
    site.emulator.set_faults()
    await expect_status(page, run_id, "COMPLETED")
    await expect(behind).to_be_hidden(timeout=PATIENCE)
    assert (await page.request.get(f"{site.gateway.address}/health")).status == 200


async def test_login_gone_and_back(site: Site, request: pytest.FixtureRequest) -> None:
    """The platform's 401 ends the service; once it is started with a login that works, the page goes on."""
    site.start()
    page = await site.visit()
    (run_id,) = site.emulator.script(RUNNING)
    await expect_status(page, run_id, "RUNNING")
    site.emulator.set_faults({"path": ".*/api/.*", "answer": "jwt_expired"})
    await expect_connection(page, "Connection lost")
    site.gateway.target = None
    assert site.service.process.wait(timeout=60) == 1
    await expect(page.locator("#platform")).to_contain_text("401")
    await site.look(page, request)
    site.emulator.move(*finish(run_id, "b", status="COMPLETED"))
    site.emulator.set_faults()
    site.start()
    await expect_connection(page, "^$")
    await expect_status(page, run_id, "COMPLETED")
    await expect(page.locator("#platform")).to_be_hidden(timeout=PATIENCE)


@pytest.mark.slow
async def test_signed_out_and_back(site: Site, request: pytest.FixtureRequest) -> None:
    """The service's own 401, of a user whose session at the proxy has ended."""
    site.start("--user-header", USER)
    context = await site.context("ada")
    page = await site.visit(context)
    await context.set_extra_http_headers({})
    site.gateway.cut()
    await expect_connection(page, "You are signed out")
    await expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    await site.look(page, request)
    await context.set_extra_http_headers({USER: "ada"})
    await expect_connection(page, "^$")


async def test_restart_with_a_cursor(site: Site, request: pytest.FixtureRequest) -> None:
    """The page that stayed open meets the gateway's 502, and then is told what it has missed, and no more."""
    site.start()
    page = await site.visit()
    run_id, other = site.emulator.script(RUNNING, RUNNING)
    for each in (run_id, other):
        await expect(card(page, each).locator("b.SUCCEEDED")).to_have_count(1, timeout=PATIENCE)
    async with page.expect_response(lambda answer: answer.status == 502):
        site.gateway.target = None
        site.service.stop()
    await expect_connection(page, "Connection lost")
    site.emulator.move(*finish(run_id, "b", status="COMPLETED"))
    site.gateway.heads.clear()
    site.start()
    await expect_connection(page, "^$")
    await expect_status(page, run_id, "COMPLETED")
    await expect_status(page, other, "RUNNING")
    await site.look(page, request)
    streams = [head for head in site.gateway.heads if head.startswith("GET /events")]
    told = [re.search(r"(?i)(?:after=|last-event-id: )(\d+)", head) for head in streams]
    assert streams
    assert all(each is not None and int(each[1]) > 0 for each in told), streams
    seen = await page.request.get(f"{site.gateway.address}/state?after={told[-1][1] if told[-1] else 0}")
    assert {event["group"] for event in await seen.json()} <= {run_id, ""}, "the other has not moved"


@pytest.mark.slow
async def test_two_users(site: Site, request: pytest.FixtureRequest) -> None:
    """Neither is ever sent an event of the other."""
    site.start("--user-header", USER)
    site.emulator.script(RUNNING)  # of nobody
    pages = {user: await site.visit(await site.context(user)) for user in ("ada", "ben")}
    for page in pages.values():
        await page.evaluate(HEAR)
    runs = {user: await site.submit(page, "case-0.tiff") for user, page in pages.items()}
    for user, page in pages.items():
        await expect_status(page, runs[user], "COMPLETED")
        await expect(card(page, runs[user]).locator("img")).to_have_count(1, timeout=PATIENCE)
    for user, page in pages.items():
        await expect(page.locator("article")).to_have_count(1)
        heard = await page.evaluate("heard")
        ident = await page.locator("#submissions p").get_attribute("id")
        assert runs[user] in {event["group"] for event in heard}
        assert {event["group"] for event in heard} <= {ident, runs[user], ""}
        await site.look(page, request)
