"""A real browser for pages: Debian's Chromium, driven by Playwright.

`make browser` installs it. Each browser has a profile of its own that goes with it, and reaches
this machine only: every name and address but 127.0.0.1 and localhost is unknown to it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = [
    "--headless",
    "--no-sandbox",  # it can't be had by root, and what is looked at is our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Give a browser; without Chromium the test is skipped, or fails where it must be there."""
    if not CHROMIUM.is_file():
        reason = f"there is no browser at {CHROMIUM}; `make browser` as root installs it on Debian"
        if os.environ.get("AIGNOSTICS_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()
