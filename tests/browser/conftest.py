"""A real browser before the real application: headless Chromium, driven by Playwright, over HTTP on loopback.

Each picture a test takes is kept in artefacts/screens, to be looked at.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from config.settings import Settings
from web.app import create_app

SCREENS = Path("artefacts/screens")
PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 900}
# A closed network refuses what Chromium asks of its maker at every start.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

OpenAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's or the user's own Chromium; without one these tests cannot be run, which is said."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on PATH; install it (Debian: apt-get install chromium) to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def web_settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    return Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'steward.db'}", web_login="development")


@pytest.fixture
def address(web_settings: Settings) -> Iterator[str]:
    """Where the application runs, on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(create_app(web_settings), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the application did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def open_as(browser: Browser, address: str) -> Iterator[OpenAs]:
    """Log in as a rep or manager by id, or as "ops", and open a path; each call is a browser of its own."""
    contexts = []

    def open_(who: str, path: str = "/", *, screen: dict[str, int] = DESK, dark: bool = False) -> Page:
        context = browser.new_context(base_url=address, viewport=screen, color_scheme="dark" if dark else "light")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/login?next={path}")
        page.select_option("#who", who)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda url: "/login" not in url)  # and until it is loaded
        return page

    yield open_
    for context in contexts:
        context.close()


def keep_picture(page: Page, name: str) -> None:
    """Keep what the page looks like now."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
