"""A real browser before the whole real stack: `manage.py up` with its sandbox, in processes of their own.

Not pytest-playwright's fixtures: theirs keep an event loop running until the session ends, and Django refuses to touch
its database in a thread with one. Ours end with these tests.
"""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
import requests
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

from tests.stack import Run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
PASSWORD = "amili-demo"

expect.set_options(timeout=10_000)

type OpenPage = Callable[..., Page]


@dataclass(frozen=True)
class Amili:
    """The sandbox of the stack, as Amili's customers see it."""

    url: str
    headers: dict[str, str]

    def start(self, **order: object) -> UUID:
        """Start a batch there, such as `start(fate="partial", objects=80, queued_seconds=6)`."""
        response = requests.post(f"{self.url}sandbox/batches", json=order, timeout=5)
        response.raise_for_status()
        return UUID(response.json()["batchId"])

    def answer(self, batch_id: UUID | str) -> bytes:
        """What it answers about a batch of the first generation, byte for byte."""
        response = requests.get(f"{self.url}collection/v1/batches/{batch_id}", headers=self.headers, timeout=5)
        response.raise_for_status()
        return response.content

    def data(self, batch_id: UUID | str) -> dict[str, Any]:
        """The same, read."""
        data: dict[str, Any] = json.loads(self.answer(batch_id))["data"]
        return data


@pytest.fixture(scope="package")
def stack() -> Iterator[Run]:
    # Not below pytest's own directory: another pytest would close that one to PostgreSQL's user.
    with TemporaryDirectory() as directory:
        run = Run(Path(directory) / "var", AMILI_DISCOVERY_DAYS="5")  # of the weeks that the sandbox lists
        try:
            yield run.started()
        finally:
            run.end(signal.SIGTERM)


@pytest.fixture(scope="package")
def amili(stack: Run) -> Amili:
    url = stack.settings()["SANDBOX_URL"]
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "any"}
    token = requests.post(f"{url}token", data=form, timeout=5).json()["access_token"]
    return Amili(url, {"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, stack: Run) -> StorageState:
    """What the browser keeps of a sign-in as support. Once for all tests: the form is limited to some tries a minute."""
    with browser.new_context(base_url=stack.url) as context:
        sign_in(context.new_page())
        return context.storage_state()


def sign_in(page: Page) -> None:
    """Through the form, from wherever it appears."""
    if not page.url.startswith("http"):
        page.goto("/accounts/login/")
    page.locator("[name=login]").fill("support")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Batches", exact=True).first).to_be_visible()


def watch_polls(page: Page) -> list[str]:
    """The addresses of the polls that the page sends from now on."""
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "stamp=" in request.url else None)
    return polls


@pytest.fixture
def expected_complaints() -> list[str]:
    """Beginnings of console messages that a test provokes; it adds them itself."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, stack: Run, signed_in: StorageState, expected_complaints: list[str]
) -> Iterator[OpenPage]:
    """Open a window of its own, signed in. Afterwards its console must be empty, or our CSP and scripts disagree."""
    contexts, complaints = [], []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"base_url": stack.url, "storage_state": signed_in, **options})
        context.on("console", lambda message: complaints.append(message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert [said for said in complaints if not said.startswith(tuple(expected_complaints))] == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()
