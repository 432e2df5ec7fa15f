"""The stand-in for Amili misbehaves as it is told to, batch by batch or as a whole."""

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from time import perf_counter

import pytest
import requests

from sandbox.server import running_server
from tests.sandboxed import NOON, NORDLYS, SORVEST, Amili, Clock, credentials, demo


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture(scope="module")
def url(clock: Clock) -> Iterator[str]:
    with running_server(clock=clock, token_lifetime=10**6, slow_seconds=0.3) as url:
        yield url


@pytest.fixture(scope="module")
def amili(url: str) -> Iterator[Amili]:
    with Amili(url) as session:
        yield session


# Faults of one batch


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504])
def test_a_batch_that_is_always_an_error_is_so_by_every_path(amili: Amili, status: int) -> None:
    batch = demo(f"Always {status}")
    for path in ("", f"/orgs/{NORDLYS}", f"/orgs/{SORVEST}"):
        answer = amili.ask(f"{path}/batches/{batch}")
        assert answer.status_code == status
        assert ("Retry-After" in answer.headers) == (status == 429)


def test_answers_that_are_wrong_in_their_body(amili: Amili) -> None:
    page = amili.ask(f"/batches/{demo('HTML page')}")
    assert page.status_code == 200
    assert page.text.startswith("<!doctype html>")
    cut = amili.ask(f"/batches/{demo('cut in the middle')}")
    assert cut.status_code == 200
    with pytest.raises(ValueError, match=r"line \d+ column \d+"):
        cut.json()
    asked = demo("another batch")
    assert amili.ask(f"/batches/{asked}").json()["data"]["batchId"] != str(asked)
    empty, text = (amili.ask(f"/batches/{demo(words)}") for words in ("without a body", "calls itself JSON"))
    assert (empty.status_code, empty.content) == (200, b"")
    assert (text.status_code, text.text) == (200, "All is well.")
    assert text.headers["Content-Type"].startswith("application/json")


def test_a_connection_is_reset_in_mid_answer(amili: Amili) -> None:
    with amili.raw(f"/batches/{demo('reset in mid-answer')}") as answer:
        assert answer.status == 200
        assert answer.read1(100).startswith(b'{"summary":')
        with pytest.raises(ConnectionResetError):
            answer.read()
    assert amili.ask("/batches", PageSize=1).status_code == 200


@pytest.mark.timeout(60)
def test_bytes_drip_one_a_second_and_a_stop_does_not_wait_for_the_next() -> None:
    with running_server() as url, Amili(url) as session, session.raw(f"/batches/{demo('One byte a second')}") as answer:
        start = perf_counter()
        assert answer.read(2) == b"  "
        assert perf_counter() - start > 0.9


def test_a_bomb_is_small_on_the_wire_and_unpacks_beyond_every_limit(amili: Amili) -> None:
    with amili.raw(f"/batches/{demo('4 MB of gzip')}") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = answer.read()
    assert len(packed) < 5 * 2**20
    unpacker = zlib.decompressobj(wbits=31)
    size, rest = 0, packed
    while not unpacker.eof:
        size += len(unpacker.decompress(rest, 2**20))
        rest = unpacker.unconsumed_tail
    assert size == 256 * 2**20
    assert len(unpacker.unused_data) == len(packed) * 15 // 16, "as much comes fifteen times more"


def test_gzip_within_gzip_is_smaller_still(amili: Amili) -> None:
    with amili.raw(f"/batches/{demo('gzip within gzip')}") as answer:
        assert answer.headers["Content-Encoding"] == "gzip, gzip"
        packed = answer.read()
    assert len(packed) < 10_000
    assert gzip.decompress(packed)[:2] == b"\x1f\x8b"


def test_a_huge_answer_is_right_but_for_its_size_which_it_does_not_tell(amili: Amili) -> None:
    batch = demo("padded to 96 MiB")
    with amili.raw(f"/batches/{batch}") as answer:
        assert answer.headers["Content-Length"] is None
        size = sum(len(answer.read(2**20)) for _ in range(96))
        assert size > 64 * 2**20
        assert json.loads(answer.read())["data"]["batchId"] == str(batch)


def test_the_slow_batch_takes_its_time(amili: Amili) -> None:
    start = perf_counter()
    assert amili.ask(f"/batches/{demo('a minute')}").status_code == 200
    assert perf_counter() - start >= 0.3


@pytest.mark.timeout(30)
def test_a_stop_does_not_wait_for_a_slow_answer() -> None:
    with running_server() as url, Amili(url) as session, pytest.raises(requests.ReadTimeout):
        session.get(f"{url}/collection/v1/batches/{demo('a minute')}", timeout=0.2)


def test_ordered_misbehaviour_comes_first_and_then_ends(amili: Amili) -> None:
    batch = amili.start(generation="A", fate="success", queued_seconds=0, faults=[503, 429, "html"])["batchId"]
    answers = [amili.ask(f"/batches/{batch}") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [503, 429, 200, 200, 200]
    assert answers[2].headers["Content-Type"].startswith("text/html")
    assert answers[3].json() == answers[4].json()


def test_misbehaviour_may_come_after_good_answers(amili: Amili) -> None:
    started = amili.start(generation="C", queued_seconds=0, faults=["well", "well", 503])
    other, own = f"/batches/{started['batchId']}", f"/orgs/{started['organizationId']}/batches/{started['batchId']}"
    asked = [amili.ask(path).status_code for path in (other, own, own, other, own, own)]
    assert asked == [404, 200, 200, 404, 503, 200], "a path that does not know the batch takes no answer away"


# Moods


@pytest.fixture
def moody(amili: Amili) -> Iterator[Amili]:
    """The sandbox, which answers well again after the test."""
    yield amili
    amili.mood("well")


@pytest.mark.parametrize(("mood", "status"), [("401", 401), ("429", 429), ("503", 503), ("500", 500), ("html", 200)])
def test_a_mood_is_that_of_every_batch_and_list(moody: Amili, mood: str, status: int) -> None:
    moody.mood(mood)
    for path in ("/batches", f"/orgs/{SORVEST}/batches", f"/batches/{demo('example of the documentation')}"):
        answer = moody.ask(path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("text/html") == (mood == "html")
    assert requests.post(f"{moody.url}/token", data=credentials(), timeout=5).status_code == 200


@pytest.mark.parametrize(("mood", "status"), [("sign-in down", 503), ("sign-in refuses", 401)])
def test_a_mood_of_the_sign_in_leaves_the_batches_alone(moody: Amili, mood: str, status: int) -> None:
    moody.mood(mood)
    assert requests.post(f"{moody.url}/token", data=credentials(), timeout=5).status_code == status
    assert moody.ask("/batches", PageSize=1).status_code == 200


@pytest.mark.parametrize("path", ["/token", "/collection/v1/batches"])
def test_in_the_dark_every_connection_is_reset(moody: Amili, path: str) -> None:
    moody.mood("dark")
    connection = http.client.HTTPConnection(moody.url.removeprefix("http://"), timeout=5)
    connection.request("POST", path, "grant_type=client_credentials")
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()


def test_a_slow_mood_answers_right_in_the_end(moody: Amili) -> None:
    moody.mood("slow")
    start = perf_counter()
    assert moody.ask("/batches", PageSize=1).json()["data"]
    assert perf_counter() - start >= 0.3


def test_a_mood_says_when_to_come_again_in_seconds_and_as_a_date(moody: Amili, clock: Clock) -> None:
    moody.mood("429")
    assert moody.ask("/batches").headers["Retry-After"] == "7"
    moody.mood("503", seconds=3)
    told = parsedate_to_datetime(moody.ask("/batches").headers["Retry-After"])
    assert timedelta(seconds=2) <= told - clock.now <= timedelta(seconds=3)


def test_a_mood_tells_its_end_and_ends_by_itself(moody: Amili, clock: Clock) -> None:
    chosen = moody.mood("500", seconds=30)
    assert chosen == {"mood": "500", "until": (clock.now + timedelta(seconds=30)).isoformat()}
    assert requests.get(f"{moody.url}/sandbox/mood", timeout=5).json() == chosen
    clock.advance(30)
    assert requests.get(f"{moody.url}/sandbox/mood", timeout=5).json() == {"mood": "well", "until": None}
    assert moody.ask("/batches", PageSize=1).status_code == 200


@pytest.mark.parametrize(
    "order", [{}, {"mood": "bad"}, {"mood": "dark", "seconds": 0}, {"mood": "dark", "seconds": 3601}]
)
def test_a_mood_that_makes_no_sense_is_refused(url: str, order: object) -> None:
    assert requests.post(f"{url}/sandbox/mood", json=order, timeout=5).status_code == 400


def test_the_page_shows_the_mood_and_ends_it(moody: Amili) -> None:
    page = requests.post(f"{moody.url}/sandbox/mood", data={"mood": "dark", "seconds": "90"}, timeout=5)
    assert page.status_code == 200, "the page itself is never in the dark"
    assert "Dark: resets every connection</strong>" in page.text
    assert "90 seconds from now" in page.text
    page = requests.post(f"{moody.url}/sandbox/mood", data={"mood": "well"}, timeout=5)
    assert "Answer well again" not in page.text
    assert moody.ask("/batches", PageSize=1).status_code == 200
