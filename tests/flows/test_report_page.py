"""The page of a report in a real browser: seen, sorted, searched, printed, and attacked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from browser import open_browser
from bulk_jobs import BEGUN, made_up_job, write_large_job
from playwright.async_api import Browser, BrowserContext, Page
from support import Answer, storage

from aignostics_async.bulk.database._states import ItemState
from aignostics_async.bulk.report._write import ReportFormat, write_forms

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROWS = 2_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the page of a job of many slides."""
    return page_of(write_large_job(tmp_path_factory.mktemp("large"), ROWS))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Give the page of a job that has something to say in every section."""
    with made_up_job(tmp_path) as job:
        numbers = job.add(*(f"case-{number}" for number in range(20)))
        job.upload(numbers)
        intent, _ = job.submit(numbers[:10])
        job.finish(numbers[:5])
        job.move([6, 7], ItemState.FAILED, status="ERROR_USER", error="no tissue was found")
        job.end_run(intent, BEGUN + 5000)
        job.doubt(numbers[10:15])
        job.duplicate(intent)
        job.move([20], ItemState.QUARANTINED, fault="it changed", remedy="wait")
        job.execute(
            "INSERT INTO samples VALUES (?, 'ANALYSIS', 50000, 0), (?, 'UPLOAD', 2, 30)", BEGUN, BEGUN + 60
        )
    return page_of(tmp_path / "job.sqlite3")


def page_of(database: Path) -> Path:
    target = database.with_name("report.html")
    write_forms(database, {target: ReportFormat.HTML}, {})
    return target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give one browser to all tests here; each has a context of its own."""
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    async with await browser.new_context() as opened:
        yield opened


async def visit(context: BrowserContext, path: Path) -> tuple[Page, list[str], list[str]]:
    """Return a page, what it asks for, and what it complains of."""
    page = await context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(path.as_uri())
    return page, requests, complaints


# How it looks

# The contrast of each text with what is behind it, as WCAG 2 counts it, and the texts that have too little.
CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  let count = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const own = Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || element.closest("script") || !element.getClientRects().length) continue;
    const colour = parse(element.closest("svg") ? style.fill : style.color);
    const [low, high] = [light(colour), light(behind(element))].sort((a, b) => a - b);
    count += 1;
    if ((high + 0.05) / (low + 0.05) < 4.5) faint.push(element.outerHTML.slice(0, 80));
  }
  return [count, faint];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_readable_in_light_and_dark(browser: Browser, small: Path, scheme: Any) -> None:
    async with await browser.new_context(color_scheme=scheme) as context:
        page, _, complaints = await visit(context, small)
        background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 21, 27)"}[scheme]
        count, faint = await page.evaluate(CONTRAST)
        assert count > 150
        assert faint == []
        assert complaints == []


async def test_the_verdict_is_seen_at_once(context: BrowserContext, small: Path) -> None:
    page, *_ = await visit(context, small)
    await page.set_viewport_size({"width": 1280, "height": 720})
    verdict = page.locator(".verdict.attention")
    box = await verdict.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 300
    assert await page.locator("h1").text_content() == "2 decisions wait for you"
    assert await page.locator(".todo").first.locator("li").count() == 5
    links = [await each.get_attribute("href") for each in await page.locator("header a").all()]
    assert links
    for link in links:
        assert await page.locator(link or "none").count() == 1, link


# Tables that are wider than their place, and labels of plots that are outside of theirs.
CUT = """() => [
  ...Array.from(document.querySelectorAll(".scroll")).filter((each) => each.scrollWidth > each.clientWidth),
  ...Array.from(document.querySelectorAll(".plot text")).filter((each) => {
    const [text, plot] = [each, each.closest("svg")].map((part) => part.getBoundingClientRect());
    return text.width && (text.left < plot.left - 1 || text.right > plot.right + 1);
  }),
].map((each) => each.outerHTML.slice(0, 80))"""


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("width", [360, 800, 1400])
async def test_it_fits_any_window(browser: Browser, small: Path, width: int) -> None:
    async with await browser.new_context(viewport={"width": width, "height": 800}) as context:
        page, *_ = await visit(context, small)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate(CUT) == []


async def test_it_prints_without_what_paper_can_t_do(
    context: BrowserContext, small: Path, large: Path
) -> None:
    page, *_ = await visit(context, small)
    assert await page.locator("#filter").is_visible()
    await page.emulate_media(media="print", color_scheme="dark")
    assert not await page.locator("#filter").is_visible()
    assert not await page.locator("nav").is_visible()
    assert (
        await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    long, *_ = await visit(context, large)
    await long.locator("#filter").wait_for()
    await long.emulate_media(media="print")
    told = await long.evaluate("getComputedStyle(document.getElementById('all'), '::before').content")
    assert told == '"2,000 of 2,000 slides, 1 to 200 here"', "paper says what it leaves out"
    assert (await page.pdf()).count(b"/Type /Page\n") in range(2, 6)


# What it does


async def shown(page: Page, column: int = 1) -> list[str]:
    """Return the cells of a column of the rows that are found, from all pages of them."""
    await page.wait_for_selector("#all:not([aria-busy])")
    cells: list[str] = await page.evaluate(
        """column => {
          const next = document.querySelector(".pager button + button");
          const cells = [];
          for (;;) {
            const rows = Array.from(document.querySelectorAll("#all tbody tr"));
            cells.push(...rows.map((row) => row.cells[column - 1].textContent.trim()));
            if (!next || next.disabled) break;
            next.click();
          }
          document.querySelector("#filter").dispatchEvent(new Event("input"));
          return cells;
        }""",
        column,
    )
    return cells


async def test_many_rows_are_searched_a_page_at_a_time(context: BrowserContext, large: Path) -> None:
    page, requests, complaints = await visit(context, large)
    await page.get_by_label("Find").fill("")
    everything = await shown(page)
    assert len(everything) == len(set(everything)) == ROWS
    assert await page.locator("#all tbody tr").count() == 200
    told = page.locator("#shown")
    assert await told.text_content() == "2,000 of 2,000 slides, 1 to 200 here"
    await page.get_by_role("button", name="Next").first.click()
    assert await told.text_content() == "2,000 of 2,000 slides, 201 to 400 here"
    await page.get_by_label("Find").fill("s26-00012")
    assert await shown(page) == everything[120:130], "in any case of letters"
    await page.get_by_label("State").select_option("failed")
    assert set(await shown(page, 2)) <= {"failed"}
    await page.get_by_label("Find").fill("")
    failed = await shown(page)
    assert set(await shown(page, 2)) == {"failed"}
    assert await told.text_content() == f"{len(failed)} of 2,000 slides"
    assert not await page.locator(".pager").first.is_visible()
    option = await page.locator("#filter option[value=failed]").text_content()
    assert option == f"failed ({len(failed)})"
    await page.get_by_label("Find").press("Enter")
    await page.get_by_label("State").select_option("")
    assert await shown(page) == everything
    assert requests == [large.as_uri()]
    assert complaints == []


async def test_many_rows_are_sorted(context: BrowserContext, large: Path) -> None:
    page, *_ = await visit(context, large)
    await page.get_by_label("Find").fill("")
    everything = await shown(page)
    head = page.locator("#all th", has_text="MB")
    sizes = [float(each.replace(",", "") or -1) for each in await shown(page, 3)]
    for order, is_down in (("ascending", False), ("descending", True)):
        await head.get_by_role("button").click()
        await page.wait_for_selector(f"#all th[aria-sort={order}]")
        found = [float(each.replace(",", "") or -1) for each in await shown(page, 3)]
        assert found == sorted(sizes, reverse=is_down)
        assert sorted(await shown(page)) == sorted(everything)
    await page.locator("#all th", has_text="Slide").get_by_role("button").click()
    await page.wait_for_selector("#all th[aria-sort]:first-child")
    assert await head.get_attribute("aria-sort") is None
    assert await shown(page) == sorted(everything)


async def test_numbers_in_names_are_sorted_as_numbers(context: BrowserContext, small: Path) -> None:
    page, *_ = await visit(context, small)
    button = page.locator("#all th", has_text="Slide").get_by_role("button")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#all th[aria-sort=ascending]")
    assert await shown(page) == [f"case-{number}" for number in range(20)]
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#all th[aria-sort=descending]")
    assert await shown(page) == [f"case-{number}" for number in reversed(range(20))]


async def test_a_slide_leads_to_its_run(context: BrowserContext, small: Path) -> None:
    page, *_ = await visit(context, small)
    await page.locator("#all tbody a").first.click()
    assert page.url.endswith("#r1")
    row = page.locator("#r1")
    assert await row.evaluate("row => getComputedStyle(row).backgroundColor") == "rgb(251, 238, 242)"
    assert await row.evaluate("row => row.getBoundingClientRect().top < innerHeight")


async def test_without_scripts_it_lacks_nothing_but_the_search(browser: Browser, large: Path) -> None:
    async with await browser.new_context(java_script_enabled=False) as context:
        page, _, complaints = await visit(context, large)
        assert await page.locator("#all tbody tr").count() == ROWS
        assert not await page.locator("#filter").is_visible()
        assert await page.locator("#all th button").count() == 0
        assert await page.locator("h1").is_visible()
        assert complaints == []


# What it refuses

HOSTILE = (
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "</td></table><iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
    '" autofocus onfocus="document.title = \'taken\'" x="',
    "<svg onload=\"document.title = 'taken'\">",
    "<meta http-equiv=refresh content='0;url=https://example.com/'>",
    "<style>body { display: none }</style>",
    "</script><script>document.title = 'taken'</script>",
    "</title></style></head><base href=https://example.com/>",
    "\u202egnp.exe\u202c",
    "javascript:document.title='taken'",
)


async def test_a_hostile_reference_is_a_text(context: BrowserContext, tmp_path: Path) -> None:
    with made_up_job(tmp_path) as job:
        numbers = job.add(*HOSTILE, paths=[f"/{name}" for name in HOSTILE])
        for number, text in zip(numbers, HOSTILE, strict=True):
            job.move([number], ItemState.QUARANTINED, fault=text, remedy=text)
    path = page_of(tmp_path / "job.sqlite3")
    page, requests, complaints = await visit(context, path)
    title = await page.title()
    assert title.startswith("11 of 11 slides need attention")
    assert await shown(page) == [
        text.replace("\u202e", "‹U+202E›").replace("\u202c", "‹U+202C›") for text in sorted(HOSTILE)
    ]
    assert await page.locator("img, iframe, base, #all svg, td style, td script").count() == 0
    assert await page.locator("h1").is_visible()
    await page.get_by_label("Find").fill("<script>")
    assert len(await shown(page)) == 3
    assert await page.title() == title
    assert requests == [path.as_uri()]
    assert complaints == []


async def test_markup_that_got_in_would_neither_run_nor_ask(context: BrowserContext, small: Path) -> None:
    """The content security policy is a second defence: here the first one is removed by hand."""
    async with storage() as outside:
        at = outside.url(
            "/x", Answer(b"document.title = 'taken'", headers={"Content-Type": "text/javascript"})
        )
        smuggled = (
            f"<script>document.title = 'taken'</script><script src='{at}'></script><img src='{at}'>"
            f"<img src=x onerror=\"document.title = 'taken'\"><link rel=stylesheet href='{at}'>"
            f"<iframe src='{at}'></iframe><object data='{at}'></object><video src='{at}'></video>"
            f"<style>body {{ background: url('{at}') }}</style><p id=styled style='display:none'>here</p>"
            f"<form action='{at}'><button id=send>Send</button></form><base href='{outside.origin}/'>"
        )
        content = small.read_text(encoding="utf-8")
        assert content.count("<main>") == 1
        small.write_text(content.replace("<main>", f"<main>{smuggled}"), encoding="utf-8")
        page, _, complaints = await visit(context, small)
        title = await page.title()
        assert await page.locator("#styled").is_visible(), "the style was refused"
        await page.evaluate("document.getElementById('send').click()")
        assert await page.evaluate("document.title") == title
        assert title.startswith("2 decisions")
        assert outside.requests == []
        assert len([each for each in complaints if "Content Security Policy" in each]) >= 8
        assert await page.locator("#all th button").count() == 6, "its own script runs"


async def test_the_policy_names_no_place_and_no_exception(small: Path) -> None:
    content = small.read_text(encoding="utf-8")
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', content)
    assert found is not None
    policy = dict(each.strip().split(" ", 1) for each in found[1].split(";"))
    assert {name: re.sub(r"[\w+/=]{44}", "DIGEST", value) for name, value in policy.items()} == {
        "default-src": "'none'",
        "style-src": "'sha256-DIGEST'",
        "script-src": "'sha256-DIGEST'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "http" not in re.sub(r"https://platform\.example\.com|http-equiv", "", content)
