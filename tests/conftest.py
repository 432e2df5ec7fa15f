"""What most tests need: somebody signed in, answers recorded, a worker, and a stand-in for Amili over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from queue import Empty
from typing import Any
from uuid import UUID

import pytest
import requests
from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from batches import broker, sync, upstream
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import Batch, Worker
from sandbox import world
from sandbox.server import running_server
from staff import valkey
from staff.models import Person
from tests.answers import BATCH, Json, body


@pytest.fixture(scope="session")
def collected() -> None:
    """The static files under the names that pages give them, as after an installation."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def quick_browsers() -> Iterator[None]:
    """A browser of the tests is a web server too: it looks for a static file when asked, and not for all of them before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "WHITENOISE_AUTOREFRESH", True, raising=False)
        yield


@pytest.fixture(autouse=True)
def clean_cache() -> None:
    """Nothing in Valkey: no session cached, no task queued. What is in the database goes with the test's transaction."""
    caches["sessions"].clear()
    # Nor is remembered that it was away in the test before.
    valkey._away_until.clear()
    broker._looks.clear()


@pytest.fixture
def worker(db: None) -> None:
    """A worker has just given a sign of life, so that no page says that it is away."""
    Worker.objects.give_pulse("tests", timezone.now())


@pytest.fixture
def person(worker: None) -> Person:
    """A member of staff. Without a password, whose hash would take longer than most tests."""
    return Person.objects.create(username="kari", email="kari@example.no", first_name="Kari", last_name="Nordmann")


class Browser(Client):
    """Breaks off what it has not read to the end when it is closed: a web server ends such a file, which Django's does not."""

    def __init__(self) -> None:
        super().__init__()
        self._files: list[StreamingHttpResponse] = []

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if isinstance(response, StreamingHttpResponse):
            self._files.append(response)
        return response

    def break_off(self, file: StreamingHttpResponse) -> None:
        request_finished.disconnect(close_old_connections)  # the test's own is still in use
        file.close()
        request_finished.connect(close_old_connections)

    def close(self) -> None:
        for file in self._files:
            self.break_off(file)


@pytest.fixture
def client(person: Person, collected: None) -> Iterator[Browser]:
    """The browser of that person, signed in."""
    with closing(Browser()) as browser:
        browser.force_login(person)
        yield browser


@pytest.fixture
def visitor(db: None, collected: None) -> Client:
    """The browser of somebody who is not signed in."""
    return Client()


type Record = Callable[..., Batch]
type Work = Callable[[], int]


@pytest.fixture
def recorded(db: None) -> Record:
    """Follow a batch and record an answer about it, given as its `data` or as bytes: just asked for, or `at` some time."""

    def record(data: Json | bytes, at: datetime | None = None) -> Batch:
        batch_id = BATCH if isinstance(data, bytes) else UUID(data["batchId"])
        asked_at = at or timezone.now()
        Batch.objects.follow([batch_id], asked_at)
        Batch.objects.filter(pk=batch_id, next_check_at__gt=asked_at).update(next_check_at=asked_at)
        return sync.record(batch_id, Reply(200, data if isinstance(data, bytes) else body(data)), Question(asked_at))

    return record


@pytest.fixture
def work() -> Work:
    """Do what a worker does, in this thread: take every message from the broker and run its task. Gives their number."""

    def run_all() -> int:
        done = 0
        with current_app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
            while True:
                try:
                    message = queue.get(block=False)
                except Empty:
                    return done
                arguments, named, _ = message.payload
                current_app.tasks[message.headers["task"]].apply(arguments, named, throw=True)
                message.ack()
                done += 1

    return run_all


class Amili:
    """A running sandbox, with a clock that can be moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.url = ""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def start(self, **order: object) -> UUID:
        """Start a batch there, such as `start(fate="partial", objects=80, queued_seconds=6)`."""
        response = requests.post(f"{self.url}/sandbox/batches", json=order, timeout=5)
        response.raise_for_status()
        return UUID(response.json()["batchId"])


@pytest.fixture
def amili(settings: Settings) -> Iterator[Amili]:
    """The stand-in for Amili, and our client pointed at it."""
    amili = Amili()
    with running_server(clock=amili.now) as amili.url:
        settings.AMILI_API_URL, settings.AMILI_AUTH_URL = f"{amili.url}/collection/v1", amili.url
        settings.AMILI_CLIENT_ID, settings.AMILI_CLIENT_SECRET = "sandbox", "any"
        settings.AMILI_HOSTS = {"127.0.0.1"}
        settings.AMILI_ORGANIZATIONS = world.ORGANISATIONS
        upstream.forget_client()
        yield amili
    upstream.forget_client()


@pytest.fixture
def nobody_answers() -> Iterator[None]:
    """Amili is away: the addresses of the tests' settings refuse every connection."""
    upstream.forget_client()
    yield
    upstream.forget_client()
