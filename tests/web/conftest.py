"""The web application over a database of its own, with people logged in to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from tests.policies import read_policy
from web.app import create_app

LogIn = Callable[[str], TestClient]


@pytest.fixture
def web_settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    return Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path / 'steward.db'}",
        web_login="development",
        public_url="http://testserver",
    )


@pytest.fixture
def visitor(web_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Somebody who has not logged in."""
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    with TestClient(create_app(web_settings), follow_redirects=False) as client:
        yield client


@pytest.fixture
def logged_in(visitor: TestClient) -> LogIn:
    """Log in as a rep or manager of the roster, by id, or as "ops"; the browser is the same one each time."""

    def log_in(who: str) -> TestClient:
        visitor.cookies.clear()
        assert visitor.post("/login/development", data={"who": who}).status_code == 303
        return visitor

    return log_in


def form_token(client: TestClient) -> str:
    """What the forms of the page that is open would send."""
    page = client.get("/").text
    return page.split('name="form_token" value="')[1].split('"')[0]
