"""Bearer tokens: fetched as documented, kept until they end, and never told to anybody else."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Lock, Thread
from time import sleep
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
import requests

from batches.amili.errors import AmiliError, Busy, KeysRefused, Later, NotUnderstood, Paused
from batches.amili.token import ClientCredentials, ReadyToken, name_of
from batches.amili.transport import AmiliSession, Gate
from tests.answers import Json, Network, Reply

SECRET = "a+secret/of the=client&ø"
NOW = 1_709_300_000.0


class Shelf:
    """A vault in memory, which may be away."""

    def __init__(self) -> None:
        self.value: bytes | None = None
        self.seconds = 0.0
        self.is_away = False

    def load(self) -> bytes | None:
        return None if self.is_away else self.value

    def save(self, value: bytes, seconds: float) -> None:
        if not self.is_away:
            self.value, self.seconds = value, seconds

    def drop(self, expected: bytes | None = None) -> None:
        if expected in (None, self.value):
            self.value = None


class SignIn:
    """Amili's sign-in, our credentials there, and the clock: each call is answered with the next token."""

    def __init__(self, reply: Callable[[int], Reply] | None = None) -> None:
        self.now = NOW
        self.reply = reply or (lambda number: grant(number, expires_in=3600))
        self.network = Network(lambda _: self.reply(self.calls))
        self.vault = Shelf()
        self.told: list[float | None] = []
        self.credentials = self.process()

    def process(
        self,
        alone: Callable[[], AbstractContextManager[None]] = nullcontext,
        gate: Gate | None = None,
        vault: Shelf | None = None,
    ) -> ClientCredentials:
        """The same credentials in another process, which shares nothing but the vault."""
        return ClientCredentials(
            session=self.network.carry(AmiliSession(version="1", gate=gate)),
            auth_url="https://auth.example",
            client_id="the client",
            client_secret=SECRET,
            vault=vault or self.vault,
            alone=alone,
            told=self.told.append,
            clock=lambda: self.now,
        )

    @property
    def calls(self) -> int:
        return len(self.network.requests)


def grant(number: int = 1, **more: Any) -> Reply:
    body: Json = {"access_token": f"token {number}", "token_type": "Bearer", **more}
    return 200, json.dumps(body).encode()


# Asking


def test_a_token_is_asked_for_with_a_form_and_a_time_limit() -> None:
    sign_in = SignIn()
    assert sign_in.credentials.bearer() == "token 1"
    [request] = sign_in.network.requests
    assert (request.method, request.url) == ("POST", "https://auth.example/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert parse_qs(str(request.body)) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the client"],
        "client_secret": [SECRET],
    }
    assert all(sign_in.network.timeouts[0])


def test_the_documented_answer_is_understood() -> None:
    documented = {
        "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9...",
        "token_type": "Bearer",
        "not_before": 1709300000,
        "expires_in": 3600,
        "expires_on": 1709303600,
        "resource": "04468334-ec11-4ef8-9e7c-e124bacbd5c1",
    }
    sign_in = SignIn(lambda _: (200, json.dumps(documented).encode()))
    assert sign_in.credentials.bearer() == documented["access_token"]


# Keeping


@pytest.mark.parametrize(
    ("said", "lasts"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_on": NOW + 1800}, 1800),
        ({"expires_in": 3600, "expires_on": NOW + 600}, 600),
        ({"expires_in": 500, "expires_on": NOW + 3600}, 500),
        ({"expires_in": "3600", "expires_on": str(int(NOW) + 3600)}, 3600),
        ({"expires_in": None, "expires_on": None}, 300),
        ({}, 300),
    ],
    ids=str,
)
def test_a_token_is_kept_until_shortly_before_it_ends(said: Json, lasts: int) -> None:
    sign_in = SignIn(lambda number: grant(number, **said))
    assert sign_in.credentials.bearer() == "token 1"
    sign_in.now = NOW + lasts - 61
    assert sign_in.credentials.bearer() == "token 1"
    sign_in.now = NOW + lasts - 59
    assert sign_in.credentials.bearer() == "token 2"


@pytest.mark.parametrize(
    "said",
    [{"expires_in": 0}, {"expires_in": -5}, {"expires_on": 0}, {"expires_on": 1.5}, {"expires_in": 30}],
    ids=str,
)
def test_a_token_that_has_ended_already_is_not_fetched_anew_for_every_question(said: Json) -> None:
    sign_in = SignIn(lambda number: grant(number, **said))
    assert [sign_in.credentials.bearer() for _ in range(3)] == ["token 1"] * 3
    sign_in.now += 16
    assert sign_in.credentials.bearer() == "token 2"


def test_a_token_of_a_minute_is_used_for_half_of_it() -> None:
    sign_in = SignIn(lambda number: grant(number, expires_in=60))
    sign_in.credentials.bearer()
    sign_in.now += 29
    assert sign_in.credentials.bearer() == "token 1"
    sign_in.now += 2
    assert sign_in.credentials.bearer() == "token 2"


def test_whoever_is_told_hears_when_a_token_ends_and_when_it_is_thrown_away() -> None:
    sign_in = SignIn()
    token = sign_in.credentials.bearer()
    sign_in.credentials.forget(token)
    sign_in.process().bearer()
    sign_in.process().bearer()
    assert sign_in.told == [NOW + 3600, None, NOW + 3600]


def test_a_ready_token_is_sent_as_it_is_and_cannot_be_replaced() -> None:
    token = ReadyToken("made elsewhere")
    assert not token.forget("made elsewhere")
    assert token.bearer() == "made elsewhere"


# Sharing


def test_one_token_serves_all_processes_until_it_ends() -> None:
    sign_in = SignIn()
    assert [sign_in.process().bearer() for _ in range(3)] == ["token 1"] * 3
    assert sign_in.vault.seconds == 3600
    sign_in.now += 3550
    assert [sign_in.process().bearer() for _ in range(3)] == ["token 2"] * 3
    assert sign_in.calls == 2


@pytest.mark.parametrize(
    "value", [b"", b"{", b"\xff", b"[]", b'{"token": 5}', b'{"token": "old", "renew_at": 1}', b'{"failure": {}}']
)
def test_what_is_in_the_vault_and_of_no_use_does_no_harm(value: bytes) -> None:
    sign_in = SignIn()
    sign_in.vault.value = value
    assert sign_in.credentials.bearer() == "token 1"


def test_without_the_vault_each_process_has_a_token_of_its_own() -> None:
    sign_in = SignIn()
    sign_in.vault.is_away = True
    first, second = sign_in.process(), sign_in.process()
    assert [process.bearer() for process in (first, second, first, second)] == ["token 1", "token 2"] * 2


def test_changed_credentials_never_meet_an_old_token() -> None:
    names = {
        name_of(*credential)
        for credential in [("a", "b", "c"), ("a", "b", "d"), ("a", "bc", ""), ("ab", "", "c"), ("a", 'b", "c', "")]
    }
    assert len(names) == 5
    assert SECRET not in name_of("https://auth.example", "id", SECRET)


def test_while_one_fetches_a_token_the_others_wait_for_it() -> None:
    sign_in, turn, ready = SignIn(), Lock(), Barrier(8)
    sign_in.reply = lambda number: (sleep(0.05), grant(number, expires_in=3600))[1]

    @contextmanager
    def alone() -> Iterator[None]:
        with turn:
            yield

    tokens: list[str] = []

    def use(process: ClientCredentials) -> None:
        ready.wait(5)
        tokens.append(process.bearer())

    threads = [Thread(target=use, args=(sign_in.process(alone),)) for _ in range(8)]
    run(threads)
    assert tokens == ["token 1"] * 8
    assert sign_in.calls == 1


def test_threads_of_one_process_fetch_one_token_too() -> None:
    sign_in, ready = SignIn(), Barrier(8)
    sign_in.reply = lambda number: (sleep(0.05), grant(number, expires_in=3600))[1]
    run([Thread(target=lambda: (ready.wait(5), sign_in.credentials.bearer())) for _ in range(8)])
    assert sign_in.calls == 1


def run(threads: list[Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def no_turn() -> Iterator[None]:
    raise Later("Somebody else waits for it already")
    yield


def test_who_waits_too_long_for_others_says_so_and_uses_what_there_is() -> None:
    sign_in = SignIn()
    process = sign_in.process(no_turn)
    with pytest.raises(Later, match="Somebody else"):
        process.bearer()
    sign_in.credentials.bearer()
    assert process.bearer() == "token 1"
    sign_in.now += 3600 - 30
    assert process.bearer() == "token 1"
    sign_in.now += 26
    with pytest.raises(Later, match="Somebody else"):
        process.bearer()
    assert sign_in.calls == 1


class CountingSignIn(ThreadingHTTPServer):
    """A sign-in over real HTTP that takes its time, counts, and gives each caller another token."""

    calls = 0

    class RequestHandlerClass(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.server.calls += 1  # type: ignore[attr-defined]
            body = b'{"access_token": "t%d", "expires_in": 3600}' % self.server.calls  # type: ignore[attr-defined]
            sleep(0.3)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)


PROCESS = """
import fcntl, sys, threading
from contextlib import contextmanager
from batches.amili.token import ClientCredentials, name_of
from batches.amili.transport import AmiliSession
from batches.amili.vault import Vault

auth_url, valkey, client_id, lock = sys.argv[1:]

@contextmanager
def alone():
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

keys = {"auth_url": auth_url, "client_id": client_id, "client_secret": "secret"}
vault = Vault(valkey, ["the key of all processes"], name_of(**keys))
credentials = ClientCredentials(session=AmiliSession(version="1"), vault=vault, alone=alone, **keys)
print("ready", flush=True)
sys.stdin.readline()
tokens = []
threads = [threading.Thread(target=lambda: tokens.append(credentials.bearer())) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*tokens)
"""


def test_processes_with_one_valkey_fetch_one_token(tmp_path: Path) -> None:
    with CountingSignIn() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url, client_id = f"http://127.0.0.1:{server.server_address[1]}", str(uuid4())
        arguments = [sys.executable, "-c", PROCESS, url, os.environ["REDIS_URL"], client_id, str(tmp_path / "lock")]
        processes = [
            subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=20)[0].split() for process in processes]
        server.shutdown()
    assert said == [["t1"] * 4] * 3
    assert server.calls == 1


# Refused tokens


def test_a_token_that_was_refused_is_replaced_by_another() -> None:
    sign_in = SignIn()
    assert sign_in.credentials.forget(sign_in.credentials.bearer())
    assert sign_in.vault.value is None
    assert sign_in.credentials.bearer() == "token 2"
    assert sign_in.process().bearer() == "token 2"


def test_a_token_that_another_has_replaced_already_is_not_fetched_again() -> None:
    sign_in = SignIn()
    first, second, third = (sign_in.process() for _ in range(3))
    tokens = [process.bearer() for process in (first, second, third)]
    for process, token in zip((first, second, third), tokens, strict=True):
        assert process.forget(token)
        assert process.bearer() == "token 2"
    assert sign_in.calls == 2


def test_a_refusal_that_comes_late_does_not_cost_the_new_token() -> None:
    sign_in = SignIn()
    sign_in.credentials.bearer()
    sign_in.credentials.forget("token 1")
    sign_in.credentials.bearer()
    assert sign_in.credentials.forget("token 1")
    assert sign_in.credentials.bearer() == "token 2"


def test_while_every_token_is_refused_one_is_fetched_a_minute_by_all_processes_together() -> None:
    sign_in = SignIn()
    processes = [sign_in.process() for _ in range(4)]
    for _ in range(240):
        for process in processes:
            if process.forget(process.bearer()):
                process.bearer()
        sign_in.now += 1
    assert sign_in.calls in range(4, 7)


def test_a_refused_token_does_not_come_back_from_the_vault() -> None:
    sign_in = SignIn()
    token = sign_in.credentials.bearer()
    kept = sign_in.vault.value
    sign_in.credentials.forget(token)
    sign_in.vault.value = kept
    assert sign_in.credentials.bearer() == "token 2"


# Failing


def failing(status: int) -> Callable[[int], Reply]:
    return lambda _: (status, b'{"error": "of no interest"}')


def broken(problem: type[requests.RequestException]) -> Callable[[int], Reply]:
    def reply(_: int) -> Reply:
        raise problem(f"of no interest: {SECRET}")

    return reply


def saying(body: bytes) -> Callable[[int], Reply]:
    return lambda _: (200, body)


FAILURES = [
    *((failing(status), KeysRefused, f"({status})") for status in (302, 400, 401, 403, 404, 422)),
    *((failing(status), Later, f"answered {status}") for status in (408, 500, 502, 503)),
    (failing(429), Busy, "Amili's sign-in answered 429"),
    (broken(requests.ConnectTimeout), Later, "did not answer in time"),
    (broken(requests.ReadTimeout), Later, "did not answer in time"),
    (broken(requests.ConnectionError), Later, "sign-in could not be reached"),
    *(
        (saying(body), NotUnderstood, "without a token")
        for body in (
            b"",
            b"<html>",
            b"[]",
            b"null",
            b"{}",
            b'{"access_token": ""}',
            b'{"access_token": null}',
            b'{"access_token": 5}',
            b'{"access_token": "\xff"}',
            b'{"access_token": "\\ud800"}',
            b'{"access_token": "two\\r\\nlines"}',
            b'{"access_token": "not Latin: \xe2\x86\x92"}',
            b"[" * 100_000,
        )
    ),
]


@pytest.mark.parametrize(("reply", "kind", "words"), FAILURES)
def test_a_sign_in_that_fails_says_what_to_do_and_no_secret_and_may_be_tried_again(
    reply: Callable[[int], Reply], kind: type[AmiliError], words: str
) -> None:
    sign_in = SignIn(reply)
    with pytest.raises(AmiliError) as caught:
        sign_in.credentials.bearer()
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert sign_in.told == []
    sign_in.reply, sign_in.now = grant, NOW + 61
    assert sign_in.credentials.bearer() == "token 2"


@pytest.mark.parametrize(
    ("reply", "pause"),
    [
        (failing(503), 10),
        (broken(requests.ConnectionError), 10),
        (lambda _: (503, b"", {"Retry-After": "40"}), 40),
        (lambda _: (429, b"", {"Retry-After": "3"}), 3),
        (lambda _: (503, b"", {"Retry-After": "0"}), 1),
        (failing(401), 60),
        (failing(404), 60),
        (saying(b"<html>"), 60),
    ],
)
def test_after_a_failure_nobody_asks_until_the_pause_is_over_and_all_hear_the_same(
    reply: Callable[[int], Reply], pause: float
) -> None:
    sign_in = SignIn(reply)
    first = failure_of(sign_in.credentials)
    sign_in.now += pause - 0.5
    for process in (sign_in.credentials, sign_in.process(), sign_in.process()):
        problem = failure_of(process)
        assert (type(problem), str(problem), problem.status) == (type(first), str(first), first.status)
        assert (first.retry_after, problem.retry_after) == (pause, 0.5)
    assert sign_in.calls == 1
    sign_in.reply, sign_in.now = grant, sign_in.now + 1
    assert [sign_in.process().bearer(), sign_in.credentials.bearer()] == ["token 2"] * 2


def failure_of(credentials: ClientCredentials) -> AmiliError:
    with pytest.raises(AmiliError) as caught:
        credentials.bearer()
    return caught.value


def test_a_token_that_could_not_be_renewed_is_used_to_its_last_seconds() -> None:
    sign_in = SignIn()
    sign_in.credentials.bearer()
    sign_in.reply, sign_in.now = failing(503), NOW + 3545
    assert [process.bearer() for process in (sign_in.credentials, sign_in.process())] == ["token 1"] * 2
    assert sign_in.calls == 2
    sign_in.now += 11
    assert sign_in.process().bearer() == "token 1"
    assert sign_in.calls == 3
    sign_in.now = NOW + 3596
    assert type(failure_of(sign_in.credentials)) is Later
    assert type(failure_of(sign_in.process())) is Later
    assert sign_in.calls == 4


def test_a_failure_that_others_met_costs_nobody_a_token_that_is_still_good() -> None:
    sign_in = SignIn()
    sign_in.credentials.bearer()
    sign_in.vault.value = None
    sign_in.reply, sign_in.now = failing(503), NOW + 3545
    failure_of(sign_in.process())
    assert sign_in.credentials.bearer() == "token 1"
    assert sign_in.calls == 2


class ClosedGate:
    def enter(self) -> None:
        raise Paused("Amili is away", until=7)

    def heard(self, *_: object) -> None:
        raise AssertionError("nothing went out")


def test_a_closed_gate_is_no_failure_of_the_sign_in() -> None:
    sign_in = SignIn()
    problem = failure_of(sign_in.process(gate=ClosedGate()))
    assert isinstance(problem, Paused)
    assert problem.until == 7
    assert sign_in.credentials.bearer() == "token 1"
    sign_in.now += 3545
    assert sign_in.process(gate=ClosedGate()).bearer() == "token 1"
