"""Questions to Amili: which roads are walked, what each answer means, and what is never sent or told."""

import gzip
import socket
import struct
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
import requests

from batches.amili.client import AmiliClient
from batches.amili.errors import AmiliError, Forbidden, KeysRefused, Later, NotThere, NotUnderstood, Refused
from batches.amili.payload import read_batch
from batches.amili.token import ClientCredentials, ReadyToken
from batches.amili.transport import MOST_BYTES, AmiliSession
from sandbox import world
from sandbox.rows import CREDITORS
from sandbox.server import running_server
from tests.answers import BATCH, ORGANISATION, OTHER, Network, Reply

TOKEN = "eyJ.a-ready.token"
SECRET = "the-secret-of-the-client"
THIRD = UUID("0b9d2f7e-51c8-4a36-9e1d-7f40c2b86a53")

PLAIN = f"/collection/v1/batches/{BATCH}"
FIRST_ROAD, SECOND_ROAD, THIRD_ROAD = (
    f"/collection/v1/orgs/{organisation}/batches/{BATCH}" for organisation in (ORGANISATION, OTHER, THIRD)
)


def ask(
    answer: Callable[[requests.PreparedRequest], Reply],
    *,
    organisation: UUID | None = None,
    organisations: Iterable[UUID] = (),
    signed_in: bool = False,
) -> tuple[bytes | AmiliError, Network]:
    """What comes of a question about the batch, and the network that it went through."""
    network = Network(answer)
    session = network.carry(AmiliSession(version="1"))
    keys = ClientCredentials(session=session, auth_url="https://auth.example", client_id="id", client_secret=SECRET)
    client = AmiliClient(
        session=session,
        api_url="https://api.example/collection/v1",
        token=keys if signed_in else ReadyToken(TOKEN),
        organization_ids=organisations,
    )
    return outcome(client, organisation), network


def outcome(client: AmiliClient, organisation: UUID | None = None, batch: UUID = BATCH) -> bytes | AmiliError:
    try:
        return client.get_batch(batch, organisation)
    except AmiliError as problem:
        return problem


def always(status: int) -> Callable[[requests.PreparedRequest], Reply]:
    return lambda _: (status, b"of no interest")


def only(*roads: str, otherwise: int = 404) -> Callable[[requests.PreparedRequest], Reply]:
    """Knows the batch on these roads alone."""
    return lambda request: (200, b"found") if request.path_url in roads else (otherwise, b"")


# Roads


def test_a_batch_whose_organisation_is_known_is_asked_for_there_alone() -> None:
    answer, network = ask(only(FIRST_ROAD, PLAIN), organisation=ORGANISATION, organisations=[OTHER])
    assert answer == b"found"
    assert network.paths == [FIRST_ROAD]


def test_a_batch_of_an_unknown_organisation_is_asked_for_without_one() -> None:
    answer, network = ask(only(PLAIN, FIRST_ROAD), organisations=[ORGANISATION])
    assert answer == b"found"
    assert network.paths == [PLAIN]


@pytest.mark.parametrize("closed", [403, 404, 410])
def test_where_a_road_is_closed_the_organisations_of_the_settings_are_tried_in_order(closed: int) -> None:
    answer, network = ask(only(SECOND_ROAD, otherwise=closed), organisations=[ORGANISATION, OTHER, THIRD])
    assert answer == b"found"
    assert network.paths == [PLAIN, FIRST_ROAD, SECOND_ROAD]


def test_no_road_is_walked_twice() -> None:
    answer, network = ask(only(THIRD_ROAD), organisation=OTHER, organisations=[ORGANISATION, OTHER, THIRD])
    assert answer == b"found"
    assert network.paths == [SECOND_ROAD, PLAIN, FIRST_ROAD, THIRD_ROAD]


@pytest.mark.parametrize(
    ("plain", "first", "second", "kind"),
    [(404, 404, 404, NotThere), (403, 403, 403, Forbidden), (403, 404, 403, NotThere), (410, 403, 403, NotThere)],
)
def test_a_batch_is_forbidden_only_where_no_road_was_ours_to_walk(
    plain: int, first: int, second: int, kind: type[AmiliError]
) -> None:
    statuses = {PLAIN: plain, FIRST_ROAD: first, SECOND_ROAD: second}
    answer, network = ask(lambda request: (statuses[request.path_url], b""), organisations=[ORGANISATION, OTHER])
    assert type(answer) is kind
    assert len(network.paths) == 3


@pytest.mark.parametrize("status", [400, 401, 409, 429, 500, 503])
def test_any_other_problem_ends_the_walk_at_once(status: int) -> None:
    answer, network = ask(always(status), organisations=[ORGANISATION, OTHER])
    assert isinstance(answer, AmiliError)
    assert network.paths == [PLAIN]


# What each answer means


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, Refused),
        (400, Refused),
        (401, KeysRefused),
        (403, Forbidden),
        (404, NotThere),
        (408, Later),
        (409, Refused),
        (410, NotThere),
        (418, Refused),
        (422, Refused),
        (423, Refused),
        (425, Later),
        (429, Later),
        (500, Later),
        (501, Later),
        (502, Later),
        (503, Later),
        (504, Later),
        (599, Later),
    ],
)
def test_every_status_says_what_to_do_and_nothing_of_the_body(status: int, kind: type[AmiliError]) -> None:
    answer, _ = ask(always(status))
    assert type(answer) is kind
    assert str(answer) == f"Amili answered {status}"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (requests.ConnectTimeout, "Amili did not answer in time"),
        (requests.ReadTimeout, "Amili did not answer in time"),
        (requests.ConnectionError, "Amili could not be reached (ConnectionError)"),
        (requests.exceptions.SSLError, "Amili could not be reached (SSLError)"),
        (requests.exceptions.ChunkedEncodingError, "Amili could not be reached (ChunkedEncodingError)"),
    ],
)
def test_a_network_that_fails_means_later(problem: type[Exception], words: str) -> None:
    def fail(_: requests.PreparedRequest) -> Reply:
        raise problem(f"Bearer {TOKEN}")

    answer, network = ask(fail, organisations=[ORGANISATION])
    assert type(answer) is Later
    assert str(answer) == words
    assert network.paths == [PLAIN]
    assert TOKEN not in "".join(traceback.format_exception(answer))


# Tokens


def test_a_token_that_is_refused_is_replaced_once() -> None:
    refused = {"Bearer t1"}
    answer, network = ask(signing_in(lambda request: 401 if bearer_of(request) in refused else 200), signed_in=True)
    assert answer == b"body"
    assert [bearer_of(request) for request in network.requests] == ["", "Bearer t1", "", "Bearer t2"]


def test_keys_are_refused_when_a_fresh_token_is_refused_too() -> None:
    answer, network = ask(signing_in(lambda _: 401), organisations=[ORGANISATION], signed_in=True)
    assert type(answer) is KeysRefused
    assert network.paths == ["/token", PLAIN, "/token", PLAIN]


def test_a_ready_token_that_is_refused_is_not_sent_again() -> None:
    answer, network = ask(always(401), organisations=[ORGANISATION])
    assert type(answer) is KeysRefused
    assert network.paths == [PLAIN]


def test_one_token_serves_all_roads() -> None:
    answer, network = ask(signing_in(lambda _: 404), organisations=[ORGANISATION, OTHER], signed_in=True)
    assert type(answer) is NotThere
    assert network.paths == ["/token", PLAIN, FIRST_ROAD, SECOND_ROAD]


@pytest.mark.parametrize("status", [401, 403, 409, 422, 500])
def test_no_secret_stands_in_what_a_failure_tells(status: int) -> None:
    answer, _ = ask(signing_in(lambda _: status), signed_in=True)
    assert isinstance(answer, AmiliError)
    told = "".join(traceback.format_exception(answer)) + repr(answer)
    assert SECRET not in told
    assert "t1" not in told


def bearer_of(request: requests.PreparedRequest) -> str:
    header = request.headers.get("Authorization", b"")
    return header.decode() if isinstance(header, bytes) else header


def signing_in(status: Callable[[requests.PreparedRequest], int]) -> Callable[[requests.PreparedRequest], Reply]:
    """Gives out t1, t2 and so on, and answers every other question with that status."""
    given: list[str] = []

    def answer(request: requests.PreparedRequest) -> Reply:
        if request.path_url != "/token":
            return status(request), b"body"
        given.append(f"t{len(given) + 1}")
        return 200, b'{"access_token": "%b", "expires_in": 3600}' % given[-1].encode()

    return answer


# What goes out


def test_every_request_has_the_bearer_time_limits_and_our_name() -> None:
    _, network = ask(always(404), organisations=[ORGANISATION, OTHER])
    assert [bearer_of(request) for request in network.requests] == [f"Bearer {TOKEN}"] * 3
    assert all(connect and read for connect, read in network.timeouts)
    assert all(
        str(request.headers["User-Agent"]).startswith("amili-batch-dashboard/1 ") for request in network.requests
    )
    assert {request.method for request in network.requests} == {"GET"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    answer, network = ask(lambda _: (status, b"", {"Location": f"https://elsewhere.example{FIRST_ROAD}"}))
    assert type(answer) is Refused
    assert network.paths == [PLAIN]


def test_a_netrc_file_does_not_replace_the_bearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    _, network = ask(always(200))
    assert bearer_of(network.requests[0]) == f"Bearer {TOKEN}"


# Over real HTTP


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server() as url:
        yield url


def client_of(url: str, token: str = "", client_id: str = "sandbox", read_timeout: float = 5) -> AmiliClient:
    session = AmiliSession(version="1", timeout=(5, read_timeout))
    keys = ClientCredentials(session=session, auth_url=url, client_id=client_id, client_secret=SECRET)
    return AmiliClient(
        session=session,
        api_url=f"{url}/collection/v1",
        token=ReadyToken(token) if token else keys,
        organization_ids=[creditor.id for creditor in CREDITORS],
    )


def demo(words: str) -> UUID:
    return next(batch for batch, description in world.DEMO.items() if words in description)


@pytest.mark.parametrize("batch", world.SHOWN, ids=lambda batch: world.DEMO[batch])
def test_every_batch_of_the_sandbox_is_found_and_read(url: str, batch: UUID) -> None:
    answer = client_of(url).get_batch(batch)
    assert read_batch(answer, batch).batch_id == batch


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Always 401", KeysRefused),
        ("Always 403", Forbidden),
        ("Always 404", NotThere),
        ("Always 409", Refused),
        ("Always 422", Refused),
        ("Always 429", Later),
        ("Always 500", Later),
        ("Always 503", Later),
    ],
)
def test_every_error_of_the_sandbox_is_understood(url: str, words: str, kind: type[AmiliError]) -> None:
    assert type(outcome(client_of(url), batch=demo(words))) is kind


@pytest.mark.parametrize("words", ["An HTML page", "JSON that is cut", "about another batch"])
def test_every_answer_of_the_sandbox_that_is_none_is_not_understood(url: str, words: str) -> None:
    batch = demo(words)
    answer = client_of(url).get_batch(batch)
    with pytest.raises(NotUnderstood):
        read_batch(answer, batch)


def test_a_slow_answer_is_not_waited_for(url: str) -> None:
    answer = outcome(client_of(url, read_timeout=0.2), batch=demo("Takes a minute"))
    assert str(answer) == "Amili did not answer in time"


@pytest.mark.parametrize("token", ["not a token", "æøå", "not Latin: →"])
def test_whatever_stands_in_the_settings_as_a_token_is_refused_by_amili(url: str, token: str) -> None:
    assert type(outcome(client_of(url, token))) is KeysRefused


def test_wrong_keys_are_refused_by_the_sign_in(url: str) -> None:
    answer = outcome(client_of(url, client_id="somebody"))
    assert str(answer) == "Amili's sign-in refused our client id and secret (401)"


@pytest.mark.parametrize("sent", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_a_connection_that_breaks_off_means_later(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=break_off, args=(listener, sent))
        thread.start()
        answer = outcome(client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN))
        thread.join()
    assert type(answer) is Later


def break_off(listener: socket.socket, sent: bytes) -> None:
    """Answers with this and a reset."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_server_that_is_away_means_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = outcome(client_of(f"http://127.0.0.1:{port}", TOKEN))
    assert str(answer) == "Amili could not be reached (ConnectionError)"


class Upstream:
    """A server on loopback that sends what it is told to, byte by byte if need be."""

    def __init__(self, send: Callable[[socket.socket], None]) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = Thread(target=self._serve, args=(send,), daemon=True)
        self.thread.start()

    def _serve(self, send: Callable[[socket.socket], None]) -> None:
        connection, _ = self.server.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            send(connection)

    def ask(self, **limits: float) -> bytes:
        with self.server:
            session = AmiliSession(version="1", **limits)  # type: ignore[arg-type]
            client = AmiliClient(session=session, api_url=self.url, token=ReadyToken(TOKEN))
            return client.get_batch(BATCH)


def test_an_answer_that_unpacks_to_more_than_we_take_is_turned_away_in_small_pieces() -> None:
    bomb = gzip.compress(b" " * (MOST_BYTES + 1), 9)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with pytest.raises(NotUnderstood, match="larger than 64 MiB"):
        Upstream(lambda connection: connection.sendall(head + bomb)).ask()


def test_an_answer_that_drips_is_not_waited_for() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(50):
            connection.sendall(b" ")
            time.sleep(0.05)

    with pytest.raises(Later, match="did not answer in time"):
        Upstream(drip).ask(whole_timeout=0.3)


def test_a_redirect_to_nowhere_is_an_error_of_ours() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(AmiliError):
        Upstream(lambda connection: connection.sendall(head)).ask()
