"""What people meet while a part of our own is away: Valkey (sessions' copies, queue), or the database."""

import hashlib
import hmac
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from batches import tasks
from batches.models import Batch, Delivery
from sandbox.servers import embedded_servers, free_port
from sandbox.up import WEB
from staff.models import Person
from tests.answers import BATCH, of_today, succeeded
from tests.conftest import Amili, Record, Work
from tests.pages import HTMX, seen
from tests.stack import ROOT, until

PASSWORD = "long enough and of no list"
SECRET = "a secret of the tests alone"


def lead_to(settings: Settings, url: str) -> None:
    """Have this process look for Valkey there."""
    settings.REDIS_URL = url
    settings.CACHES = {**settings.CACHES, "sessions": {**settings.CACHES["sessions"], "LOCATION": url}}


@pytest.fixture(params=["hanging", "gone"])
def dead_end(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address at which nobody answers: connections are taken and left alone, or refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "hanging":
            listener.listen(100)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def no_valkey(settings: Settings, dead_end: str) -> None:
    """Valkey is away, for pages and for all that they put into the queue."""
    lead_to(settings, f"redis://{dead_end}/0")


@pytest.fixture
def own_valkey(settings: Settings) -> Iterator[int]:
    """A Valkey of this test alone, which it may stop: gives the number of its process."""
    with TemporaryDirectory() as directory, embedded_servers(Path(directory), ["REDIS_URL"], durable=False) as servers:
        lead_to(settings, servers["REDIS_URL"])
        pid = int((Path(directory) / "valkey" / "valkey.pid").read_text())
        yield pid
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def kari(person: Person, settings: Settings) -> Person:
    """The same person, with a password, whose hash is a quick one."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def waits(dead_end: str, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Of each connection to the dead end, how long its opener would wait, in seconds."""
    waits: list[float] = []
    host, port = dead_end.split(":")
    connect = socket.socket.connect

    def noted(here: socket.socket, address: tuple[str, int]) -> None:
        if address == (host, int(port)):
            waits.append(here.gettimeout() or math.inf)
        connect(here, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    return waits


def sign_in(browser: Client, password: str = PASSWORD) -> int:
    return browser.post("/accounts/login/", {"login": "kari", "password": password}).status_code


def copies(valkey: Redis) -> list[bytes]:
    """The keys of the sessions that are there."""
    return [key for key in valkey.scan_iter() if b"session" in key]


# Valkey is away


def test_the_first_page_finds_out_and_the_others_leave_it_alone(
    client: Client, recorded: Record, no_valkey: None, waits: list[float]
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    for path in ("/", f"/batches/{BATCH}/", "/batches/", "/amili/banner/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "The queue of this dashboard is away" in seen(page)
    assert 0 < sum(waits) <= 1


def test_who_asks_amili_is_told_that_it_is_noted_and_a_worker_that_is_back_does_it(
    client: Client,
    amili: Amili,
    work: Work,
    settings: Settings,
    dead_end: str,
    waits: list[float],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    batch_id = amili.start(fate="success", queued_seconds=0)
    here = settings.REDIS_URL
    lead_to(settings, f"redis://{dead_end}/0")
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post("/", {"q": str(batch_id)}, follow=True)
    assert "Your question is noted. Nobody can ask Amili at the moment" in seen(page)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/batches/{batch_id}/ask/")
    assert 0 < sum(waits) <= 1
    lead_to(settings, here)
    tasks.refresh_due_batches()
    assert work() == 1
    assert "Succeeded" in seen(client.get(f"/batches/{batch_id}/"))


def test_people_sign_in_and_out(visitor: Client, kari: Person, no_valkey: None, waits: list[float]) -> None:
    assert sign_in(visitor) == 302
    assert visitor.get("/").status_code == 200
    visitor.post("/accounts/logout/")
    assert 0 < sum(waits) <= 1.5  # a sign-out insists
    assert visitor.get("/").status_code == 302


def test_guessing_is_slowed_down_all_the_same(visitor: Client, kari: Person, no_valkey: None) -> None:
    for _ in range(10):
        sign_in(visitor, "wrong")
    assert sign_in(visitor) != 302
    assert visitor.get("/").status_code == 302


def test_a_sign_out_reaches_a_valkey_that_is_just_back(client: Client, own_valkey: int, settings: Settings) -> None:
    client.get("/")
    valkey = Redis.from_url(settings.REDIS_URL)
    assert copies(valkey)
    os.kill(own_valkey, signal.SIGSTOP)
    client.get("/")
    os.kill(own_valkey, signal.SIGCONT)
    client.post("/accounts/logout/")
    assert not copies(valkey)


def test_a_sign_out_that_valkey_missed_is_not_undone_for_long(
    client: Client, own_valkey: int, settings: Settings
) -> None:
    """Its copy of the session ends by itself."""
    client.get("/")
    valkey = Redis.from_url(settings.REDIS_URL)
    assert [valkey.ttl(key) <= 300 for key in copies(valkey)] == [True]


# The real web server, whose every part may be elsewhere


@contextmanager
def web(**settings: str) -> Iterator[str]:
    """granian as `manage.py up` starts it, on the database of the tests if nothing else is said."""
    port = free_port()
    command = [sys.executable, *WEB, "--host", "127.0.0.1", "--port", str(port), "amili_dashboard.wsgi:application"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "DATABASE_URL": database_url(), **settings}, start_new_session=True
    )
    try:
        until(lambda: answers(port), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def database_url(host: str = "") -> str:
    """The tests' database, or another way to it."""
    here = connection.settings_dict
    place = f"{host}/{here['NAME']}" if host else f"{here['HOST'] if '/' not in here['HOST'] else ''}/{here['NAME']}"
    query = f"?host={here['HOST']}" if "/" in here["HOST"] and not host else ""
    return f"postgresql://{here['USER']}@{place}{query}"


@pytest.fixture
def cookies(transactional_db: None, person: Person) -> dict[str, str]:
    """Those of somebody signed in, whom other processes know too."""
    browser = Client()
    browser.force_login(person)
    return {"sessionid": browser.cookies["sessionid"].value}


def test_no_caller_of_the_webhook_waits_for_a_queue_that_has_just_begun_to_hang(
    cookies: dict[str, str], own_valkey: int, settings: Settings, collected: None
) -> None:
    body = json.dumps({"type": "BATCH_COMPLETED", "data": {"batchId": str(BATCH)}}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Webhook-Signature": signature}
    with web(REDIS_URL=settings.REDIS_URL, AMILI_WEBHOOK_SECRETS=SECRET) as url:
        assert requests.post(f"{url}/hooks/amili/", body, headers=headers, timeout=10).ok
        os.kill(own_valkey, signal.SIGSTOP)
        for _ in range(2):
            assert requests.post(f"{url}/hooks/amili/", body, headers=headers, timeout=10).ok
    assert Delivery.objects.filter(verdict="rung").count() == 3
    assert Batch.objects.due(timezone.now()).filter(pk=BATCH).exists()


# The database is away


ASKED: list[Callable[[str, dict[str, str]], requests.Response]] = [
    lambda url, cookies: requests.get(url, cookies=cookies, timeout=10),
    lambda url, cookies: requests.get(f"{url}/batches/{BATCH}/", cookies=cookies, timeout=10),
    lambda url, cookies: requests.get(f"{url}/batches/?stamp=1", cookies=cookies, headers=HTMX, timeout=10),
    lambda url, cookies: requests.get(f"{url}/amili/banner/", cookies=cookies, headers=HTMX, timeout=10),
    lambda url, cookies: requests.post(f"{url}/hooks/amili/", b"{}", headers={"Content-Type": "application/json"}),
    lambda url, cookies: _try_to_sign_in(url),
    lambda url, cookies: requests.get(f"{url}/admin/", cookies=cookies, timeout=10),
]


def _try_to_sign_in(url: str) -> requests.Response:
    with requests.Session() as browser:
        browser.get(f"{url}/accounts/login/", timeout=10)
        form = {"login": "kari", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(f"{url}/accounts/login/", form, timeout=10)


def test_every_page_says_kindly_that_the_database_is_away_and_when_to_come_again(
    collected: None, dead_end: str
) -> None:
    nowhere = f"postgresql://nobody@{dead_end}/none"
    with web(DATABASE_URL=nowhere, AMILI_WEBHOOK_SECRETS=SECRET) as url, ThreadPoolExecutor(len(ASKED)) as pool:
        pages = list(pool.map(lambda ask: ask(url, {"sessionid": "x" * 32}), ASKED))
        health = requests.get(f"{url}/health/", timeout=10)
    for page in pages:
        assert (page.status_code, page.headers["Retry-After"]) == (503, "10"), page.url
        assert "database does not answer" in page.text
        assert "no-store" in page.headers["Cache-Control"]
        assert not any(word in page.text for word in ("Traceback", "psycopg", "OperationalError", dead_end, "nobody"))
    assert (health.status_code, health.text) == (503, "the database does not answer\n")
    assert health.headers["Retry-After"] == "10"
    assert health.headers["Content-Type"] == "text/plain"


class Way:
    """A way to the database that can be cut and mended, as when its server is restarted."""

    def __init__(self) -> None:
        self.port = free_port()
        self.ends = ExitStack()

    def mend(self) -> None:
        listener = self.ends.enter_context(socket.create_server(("127.0.0.1", self.port)))
        self.ends.callback(listener.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        self.ends.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                for here, there in (pair := (caller, _database())), pair[::-1]:
                    self.ends.callback(_hang_up, here)
                    threading.Thread(target=_carry, args=(here, there), daemon=True).start()


def _database() -> socket.socket:
    here = connection.settings_dict
    if "/" not in here["HOST"]:
        return socket.create_connection((here["HOST"], int(here["PORT"] or 5432)))
    way = socket.socket(socket.AF_UNIX)
    way.connect(f"{here['HOST']}/.s.PGSQL.{here['PORT'] or 5432}")
    return way


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _carry(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
    _hang_up(there)


def test_a_database_that_comes_back_is_found_again(cookies: dict[str, str], collected: None) -> None:
    way = Way()
    way.mend()
    with closing(way.ends), web(DATABASE_URL=database_url(f"127.0.0.1:{way.port}")) as url:
        status = lambda: requests.get(url, cookies=cookies, timeout=10).status_code  # noqa: E731
        assert status() == 200
        way.cut()
        assert status() == 503
        until_away = time.monotonic() + 12  # long enough for the pauses between attempts to have grown
        while time.monotonic() < until_away:
            assert status() == 503
        way.mend()
        until(lambda: status() == 200, 6)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_answers_but_cannot_do_it_is_a_fault_like_any_other(client: Client) -> None:
    client.raise_request_exception = False
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor, connection.cursor() as ours:
            other.set_autocommit(False)
            cursor.execute("LOCK TABLE staff_person")
            ours.execute("SET lock_timeout = '50ms'")
            page = client.get("/")
            ours.execute("SET lock_timeout = DEFAULT")
    finally:
        other.close()
    assert page.status_code == 500
    assert "Something went wrong on our side" in seen(page)
