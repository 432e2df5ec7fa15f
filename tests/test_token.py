"""Bearer tokens: fetched as documented, kept until they end, and never told to anybody else."""

import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from batches.amili.errors import AmiliError, KeysRefused, Later, NotUnderstood
from batches.amili.token import ClientCredentials, ReadyToken
from batches.amili.transport import AmiliSession
from tests.answers import Json, Network, Reply

SECRET = "a+secret/of the=client&ø"
NOW = 1_709_300_000.0


class SignIn:
    """Amili's sign-in, our credentials there, and the clock: each call is answered with the next token."""

    def __init__(self, reply: Callable[[int], Reply] | None = None) -> None:
        self.now = NOW
        self.reply = reply or (lambda number: grant(number, expires_in=3600))
        self.network = Network(lambda _: self.reply(self.calls))
        self.credentials = ClientCredentials(
            session=self.network.carry(AmiliSession(version="1")),
            auth_url="https://auth.example",
            client_id="the client",
            client_secret=SECRET,
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
    sign_in.now = NOW + lasts - 31
    assert sign_in.credentials.bearer() == "token 1"
    sign_in.now = NOW + lasts - 29
    assert sign_in.credentials.bearer() == "token 2"


@pytest.mark.parametrize(
    "said", [{"expires_in": 0}, {"expires_in": -5}, {"expires_on": 0}, {"expires_on": 1.5}], ids=str
)
def test_a_token_that_has_ended_already_is_used_once(said: Json) -> None:
    sign_in = SignIn(lambda number: grant(number, **said))
    assert [sign_in.credentials.bearer() for _ in range(2)] == ["token 1", "token 2"]


def test_a_token_that_was_refused_is_replaced_by_another() -> None:
    sign_in = SignIn()
    sign_in.credentials.bearer()
    assert sign_in.credentials.forget()
    assert sign_in.credentials.bearer() == "token 2"


def test_a_ready_token_is_sent_as_it_is_and_cannot_be_replaced() -> None:
    token = ReadyToken("made elsewhere")
    assert not token.forget()
    assert token.bearer() == "made elsewhere"


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
    *((failing(status), Later, f"answered {status}") for status in (408, 429, 500, 502, 503)),
    (broken(requests.ConnectTimeout), Later, "did not answer in time"),
    (broken(requests.ReadTimeout), Later, "did not answer in time"),
    (broken(requests.ConnectionError), Later, "(ConnectionError)"),
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
    sign_in.reply = grant
    assert sign_in.credentials.bearer() == "token 2"
