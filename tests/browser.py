"""A real browser for the tests of the page: Debian's Chromium, headless, driven by playwright; it minds what the page complains of.

The fixtures are of a module's scope and synchronous: playwright's own loop must not be there when other tests run theirs.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from mailwatch.desk.passwords import Passwords
from page_site import ADMIN, PASSWORD, Site
from patience import PATIENT_TOASTS, WAIT_MILLISECONDS
from servers.presence import need_program

CHROMIUM: Final = "/usr/bin/chromium"
expect.set_options(timeout=WAIT_MILLISECONDS)
#: The server's refusals are shown by the browser as errors of its own; tests that make them say so.
_STATUS: Final = "Failed to load resource: the server responded with a status of "


class Complaints(list[str]):
    """What pages said on the console, threw, or were refused by their policy."""

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.append(f"thrown: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.type}: {message.text}")

    def forgive(self, *statuses: int) -> None:
        """The test made the server refuse with these."""
        self[:] = [each for each in self if not any(f"{_STATUS}{status}" in each for status in statuses)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, once a module."""
    need_program(CHROMIUM, "chromium")
    with sync_playwright() as playwright:
        # the sandbox needs a user namespace, which root does not get; the pages are our own
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options, timeout=2 * WAIT_MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Any complaint fails the test."""
    heard = Complaints()
    yield heard
    assert not heard, f"the page complained: {list(heard)}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An application with an administrator and no mailboxes; argon2 with little memory, since it is not what is tested."""
    with Site(tmp_path, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))) as running:
        running.add_user()
        yield running


Browse = Callable[..., AbstractContextManager[BrowserContext]]


@pytest.fixture
def browse(chromium: Browser, site: Site, complaints: Complaints) -> Browse:
    """`with browse(name="rita", color_scheme="dark") as context:` is a browser of its own; `name=None`: nobody is signed in."""

    @contextmanager
    def opened_browser(*, name: str | None = ADMIN, **options: Any) -> Iterator[BrowserContext]:
        context = chromium.new_context(**({"viewport": {"width": 1360, "height": 900}} | options))
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.add_init_script(PATIENT_TOASTS)
        context.on("page", complaints.watch)
        if name is not None:
            context.add_cookies([{"name": "mailwatch", "value": site.cookie(name, PASSWORD), "url": site.url}])
        try:
            yield context
        finally:
            context.close()

    return opened_browser


@pytest.fixture
def context(browse: Browse) -> Iterator[BrowserContext]:
    """A browser in which the administrator is signed in."""
    with browse() as opened_browser:
        yield opened_browser


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of it."""
    return context.new_page()


@pytest.fixture
def opened(page: Page, site: Site) -> Callable[[str], Page]:
    """`opened("/mailboxes")`: the tab, with this page loaded and its scripts at work."""

    def go(path: str) -> Page:
        page.goto(site.url + path)
        page.wait_for_selector("html[data-script]", state="attached")
        return page

    return go
