"""The browser that pages are tested in."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Error

from aignostics_async.emulator.process import Emulator


async def test_it_shows_this_machine_and_no_other(browser: Browser, emulator: Emulator) -> None:
    page = await browser.new_page()
    answer = await page.goto(f"{emulator.api_root}/api/v1/runs")
    assert answer is not None
    assert answer.status == 401
    # Refused would mean that it was tried.
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("http://127.0.0.2/")
