"""The road to Amili: what may go out, what is taken in, how long is waited and when a question is asked once more."""

import gzip
import os
import socket
import ssl
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from threading import Thread
from typing import Any, Self

import pytest
import requests

from batches.amili.errors import (
    AmiliError,
    Busy,
    Conflict,
    Forbidden,
    Gone,
    KeysRefused,
    Later,
    NotThere,
    NotUnderstood,
    Paused,
    Refused,
)
from batches.amili.heads import retry_after
from batches.amili.transport import AmiliSession, Reply
from tests.answers import Network

MIB = 2**20
type Send = bytes | Callable[[socket.socket], None]


class Upstream:
    """A server on loopback that sends what it is told to, byte by byte if need be: the next answer to each request."""

    def __init__(self, *answers: Send) -> None:
        self.answers = list(answers)
        self.heads: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self.server, *self.connections):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                self.connections.append(connection)
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while head := connection.recv(65_536):
                self.heads.append(head)
                answer = self.answers[min(len(self.heads), len(self.answers)) - 1]
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)


def http(body: bytes = b"", status: int = 200, **headers: object) -> bytes:
    """An answer as it comes over the wire."""
    lines = {"Content_Length": len(body), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode() + body


def reset(connection: socket.socket) -> None:
    """Break off with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class Door:
    """A gate that notes what passes, and closes after a number of requests."""

    def __init__(self, open_for: int = 100) -> None:
        self.open_for = open_for
        self.heard_of: list[tuple[str, str, str, str]] = []

    def enter(self) -> None:
        if self.open_for <= 0:
            raise Paused("Not now", until=5)
        self.open_for -= 1

    def heard(self, kind: str, subject: str, problem: AmiliError | None, request_id: str) -> None:
        self.heard_of.append((kind, subject, problem.trouble if problem else "", request_id))


class Sleep:
    """Takes no time, and notes how much it should have been."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def ask(url: str, *, method: str = "GET", **options: Any) -> Reply:
    session = AmiliSession(version="1", **{"sleep": lambda _: None, **options})
    return session.ask(method, f"{url}/batches/1", kind="batch", subject="1")


def problem_of(url: str, **options: Any) -> AmiliError:
    with pytest.raises(AmiliError) as caught:
        ask(url, **options)
    return caught.value


# Where a question may go


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "ftp://127.0.0.1",
        "api.example",
        "",
        "https://",
        "https://[::1",
        "https://elsewhere.example",
        "https://api.example.elsewhere",
        "https://api.example@elsewhere.example",
        "https://elsewhere.example\\@api.example",
        "https://somebody:secret@api.example",
    ],
)
def test_nothing_goes_out_to_a_strange_address(url: str) -> None:
    network = Network(lambda _: (200, b""))
    door = Door()
    session = network.carry(AmiliSession(version="1", hosts=["api.example"], gate=door))
    session.mount("http://", network)
    with pytest.raises(Refused) as caught:
        session.ask("GET", url, kind="batch")
    assert "secret" not in str(caught.value)
    assert (network.requests, door.open_for) == ([], 100)


@pytest.mark.parametrize(
    "url", ["https://api.example", "https://API.example:8443/x", "http://localhost:9", "http://[::1]"]
)
def test_amili_and_this_machine_may_be_asked(url: str) -> None:
    network = Network(lambda _: (200, b"well"))
    session = network.carry(AmiliSession(version="1", hosts={"api.example", "localhost", "::1"}))
    session.mount("http://", network)
    assert session.ask("GET", url, kind="batch").body == b"well"


def test_what_is_not_encrypted_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(http(b"well")) as upstream, Upstream(http(b"proxied")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("all_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert ask(upstream.url).body == b"well"


def test_the_proxy_of_the_environment_is_used_for_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(http(status=407)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        assert str(problem_of("https://api.example")) == "Amili could not be reached"
    assert proxy.heads[0].startswith(b"CONNECT api.example:443 ")


@pytest.mark.parametrize("header", ["https://elsewhere.example/", "http://[::1", "/batches/2"])
def test_a_redirect_is_neither_followed_nor_unpacked(header: str) -> None:
    bomb = of_zeros(512, GZIP)
    with Upstream(http(bomb, 302, Location=header, Content_Encoding="gzip")) as upstream, bounded_memory(8):
        reply = ask(upstream.url)
    assert type(reply.problem) is Refused
    assert len(upstream.heads) == 1


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that nobody has signed but itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(1), now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    signed = builder.sign(key, hashes.SHA256())
    file.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def tls_server(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    with (
                        suppress(ssl.SSLError),
                        context.wrap_socket(server.accept()[0], server_side=True) as connection,
                    ):
                        connection.recv(65_536)
                        connection.sendall(http(b"well", Connection="close"))

        Thread(target=serve, daemon=True).start()
        yield f"https://localhost:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"REQUESTS_CA_BUNDLE": ""},
        {"CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0"},
        {"SSL_CERT_FILE": "/dev/null"},
    ],
    ids=str,
)
def test_a_certificate_is_checked_whatever_the_environment_says(
    certificate: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    door = Door()
    with tls_server(certificate) as url:
        assert str(problem_of(url, gate=door)) == "No secure connection to Amili could be made"
    assert len(door.heard_of) == 1  # asked once: a certificate does not get better in a moment


def test_a_bundle_of_our_own_may_be_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with tls_server(certificate) as url:
        assert ask(url).body == b"well"


def test_no_caller_can_turn_the_limits_off() -> None:
    session = AmiliSession(version="1")
    for option in ({"verify": False}, {"timeout": None}, {"allow_redirects": True}, {"stream": False}):
        with pytest.raises(TypeError, match="multiple values"):
            session.ask("GET", "https://api.example/", kind="batch", **option)


# What an answer means


@pytest.mark.parametrize(
    ("status", "kind", "trouble"),
    [
        (300, Refused, "refused"),
        (304, Refused, "refused"),
        (400, Refused, "refused"),
        (401, KeysRefused, "keys_refused"),
        (403, Forbidden, "forbidden"),
        (404, NotThere, "not_there"),
        (408, Later, "unreachable"),
        (409, Conflict, "conflict"),
        (410, Gone, "gone"),
        (418, Refused, "refused"),
        (422, Refused, "refused"),
        (425, Later, "unreachable"),
        (429, Busy, "busy"),
        (500, Later, "unreachable"),
        (502, Later, "unreachable"),
        (503, Later, "unreachable"),
        (504, Later, "unreachable"),
        (599, Later, "unreachable"),
    ],
)
def test_every_status_says_what_to_do(status: int, kind: type[AmiliError], trouble: str) -> None:
    with Upstream(http(b"of no interest", status, X_Request_Id="r-1", Retry_After=7)) as upstream:
        reply = ask(upstream.url)
    problem = reply.problem
    assert type(problem) is kind
    assert (problem.trouble, str(problem)) == (trouble, f"Amili answered {status}")
    assert (problem.status, problem.request_id, problem.retry_after) == (status, "r-1", 7)


@pytest.mark.parametrize("status", [200, 201, 204, 206])
def test_a_success_is_no_problem(status: int) -> None:
    with Upstream(http(status=status)) as upstream:
        assert ask(upstream.url).problem is None


@pytest.mark.parametrize(
    "answer",
    [
        http(b"\0" * 99, 503, Content_Encoding="br", Retry_After=9),
        http(b"no gzip", 503, Content_Encoding="gzip", Retry_After=9),
        http(b"{", 503, Content_Length=2**40, Retry_After=9),
        b"HTTP/1.1 503 Any\r\nTransfer-Encoding: chunked\r\nRetry-After: 9\r\n\r\nnonsense\r\n",
    ],
    ids=["packed", "garbage", "huge", "no chunks"],
)
def test_a_failure_is_what_its_status_says_whatever_its_body_is(answer: bytes) -> None:
    with Upstream(answer) as upstream:
        reply = ask(upstream.url, timeout=(1, 0.3))
    assert type(reply.problem) is Later
    assert reply.problem.status == 503


@pytest.mark.parametrize(
    ("headers", "known_as"),
    [
        ({"X-Amili-Request-Id": "a-1", "X-Request-Id": "x-1"}, "a-1"),
        ({"X-Request-Id": "x-1"}, "x-1"),
        ({"X-Amili-Request-Id": "", "x-request-id": "x-1"}, "x-1"),
        ({"X-Request-Id": "æ\tx\x7f1\x1b[31m"}, "x1[31m"),
        ({"X-Request-Id": "y" * 500}, "y" * 100),
        ({}, ""),
    ],
)
def test_the_id_of_a_request_is_kept_as_far_as_it_can_be_printed(headers: dict[str, str], known_as: str) -> None:
    network = Network(lambda _: (200, b"", headers))
    session = network.carry(AmiliSession(version="1"))
    assert session.ask("GET", "https://api.example/", kind="batch").request_id == known_as


NOON = 1_772_020_800.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("-5", 0),
        ("86400", 3600),
        ("9" * 40, 3600),
        ("9" * 5000, None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("7, 9", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 9998 07:28:00 GMT", 3600),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        (formatdate(NOON, usegmt=True), 90),
        (formatdate(NOON), 90),
        (formatdate(NOON).replace("-0000", ""), 90),
        (formatdate(NOON).replace("-0000", "+0100"), 0),
    ],
)
def test_how_long_amili_wants_us_to_wait(header: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": header}, now=NOON - 90) == seconds


# Size


@contextmanager
def bounded_memory(mebibytes: float) -> Iterator[None]:
    """Fails where the block takes more than that at any moment."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MIB, f"{peak / MIB:.1f} MiB"


def test_an_answer_as_large_as_may_be_is_taken() -> None:
    body = os.urandom(MIB)
    with Upstream(http(body), http(gzip.compress(body), Content_Encoding="gzip")) as upstream:
        assert [ask(upstream.url, most_bytes=MIB + 1000).body for _ in range(2)] == [body, body]


def test_an_answer_that_says_that_it_is_too_large_is_not_read_at_all() -> None:
    with Upstream(lambda connection: connection.sendall(http(b"{", Content_Length=2**20 + 1))) as upstream:
        problem = problem_of(upstream.url, most_bytes=MIB)
    assert type(problem) is NotUnderstood
    assert str(problem) == "The answer is larger than 1 MiB"


def endless(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return send


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
ENDLESS = {
    "plain": endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536),
    "in chunks": endless(CHUNKED + b"\r\n", b"8000\r\n" + b" " * 32_768 + b"\r\n"),
    "of members that hold nothing": endless(
        CHUNKED + b"Content-Encoding: gzip\r\n\r\n", b"2800\r\n" + gzip.compress(b"") * 512 + b"\r\n"
    ),
    "of blocks that hold nothing": endless(
        CHUNKED + b"Content-Encoding: deflate\r\n\r\n", b"5000\r\n" + b"\0\0\0\xff\xff" * 4096 + b"\r\n"
    ),
    "of chunks with notes": endless(CHUNKED + b"\r\n", b"1;" + b"x" * 60_000 + b"\r\n \r\n"),
    "of interim heads": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
}


@pytest.mark.parametrize("way", ENDLESS)
def test_an_answer_without_an_end_is_turned_away_in_small_pieces(way: str) -> None:
    with Upstream(ENDLESS[way]) as upstream, bounded_memory(6):
        problem = problem_of(upstream.url, most_bytes=MIB)
    assert str(problem) == "The answer is larger than 1 MiB"


def of_zeros(mebibytes: int, wbits: int) -> bytes:
    """So much nothing, packed. Each block stands for itself, so that one is made and repeated; the end is never reached."""
    packer = zlib.compressobj(9, wbits=wbits)
    head = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (mebibytes - 1)


GZIP, ZLIB, RAW = 31, 15, -15


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", of_zeros(2048, GZIP)),
        ("deflate", of_zeros(512, ZLIB)),
        ("deflate", of_zeros(512, RAW)),
        ("gzip", gzip.compress(bytes(MIB)) * 64),
    ],
    ids=["gzip", "deflate", "raw deflate", "members"],
)
def test_an_answer_that_unpacks_to_more_than_we_take_is_turned_away_in_small_pieces(encoding: str, bomb: bytes) -> None:
    with Upstream(http(bomb, Content_Encoding=encoding)) as upstream, bounded_memory(12):
        problem = problem_of(upstream.url, most_bytes=4 * MIB)
    assert str(problem) == "The answer is larger than 4 MiB"
    assert problem.status == 200


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip,gzip", "gzip\r\nContent-Encoding: gzip", "gzip, identity", "br", "zstd", "x-gzip"]
)
def test_what_is_packed_more_than_once_or_in_another_way_is_not_unpacked(encoding: str) -> None:
    bomb = gzip.compress(of_zeros(256, GZIP))
    answer = http(bomb, Content_Encoding=encoding, X_Request_Id="r-1")
    with Upstream(answer) as upstream, bounded_memory(4):
        problem = problem_of(upstream.url)
    assert type(problem) is NotUnderstood
    assert (str(problem), problem.request_id) == ("The answer is packed in a way that we did not ask for", "r-1")


def test_what_is_packed_within_what_is_packed_stays_as_it_is() -> None:
    inner = gzip.compress(bytes(64 * MIB))
    with Upstream(http(gzip.compress(inner), Content_Encoding="gzip")) as upstream, bounded_memory(4):
        assert ask(upstream.url).body == inner


def test_an_answer_that_cannot_be_unpacked_is_not_understood() -> None:
    with Upstream(http(b"no gzip at all", Content_Encoding="gzip")) as upstream:
        problem = problem_of(upstream.url)
    assert type(problem) is NotUnderstood
    assert str(problem) == "The answer cannot be unpacked"


MEASURED = """
import resource, sys
from batches.amili.errors import NotUnderstood
from batches.amili.transport import AmiliSession
session = AmiliSession(version="1")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    session.ask("GET", sys.argv[1], kind="batch")
except NotUnderstood:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("encoding", "most"), [("gzip", 64 * 2.2 + 16), ("gzip, gzip", 8)])
def test_a_bomb_of_gigabytes_costs_a_worker_hardly_more_than_the_largest_answer(encoding: str, most: float) -> None:
    bomb = of_zeros(3072, GZIP)
    answer = http(gzip.compress(bomb) if "," in encoding else bomb, Content_Encoding=encoding)
    with Upstream(answer) as upstream:
        grown = subprocess.run(
            [sys.executable, "-c", MEASURED, upstream.url], capture_output=True, text=True, check=True, timeout=60
        )
    assert float(grown.stdout) < most


# Time


def drip(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return send


@pytest.mark.parametrize(
    "send",
    [
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: x\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
        drip(CHUNKED + b"\r\n", b"1\r\n \r\n"),
        drip(CHUNKED + b"\r\n1;", b"x"),
        drip(CHUNKED + b"Content-Encoding: gzip\r\n\r\n", b"14\r\n" + gzip.compress(b"") + b"\r\n"),
        drip(b"HTTP/1.1 503 Any\r\nContent-Length: 1000\r\n\r\n", b" "),
    ],
    ids=["status", "header", "headers", "body", "chunks", "chunk", "packed", "failure"],
)
@pytest.mark.timeout(60)
def test_an_answer_that_drips_is_not_waited_for(send: Callable[[socket.socket], None]) -> None:
    with Upstream(send) as upstream:
        session = AmiliSession(version="1", timeout=(1, 1), whole_timeout=0.4)
        with suppress(Later):
            assert type(session.ask("GET", upstream.url, kind="batch").problem) is Later
    assert len(upstream.heads) == 1


def test_a_slow_answer_is_waited_for_as_long_as_it_keeps_coming() -> None:
    def slowly(connection: socket.socket) -> None:
        for piece in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 4\r\n\r\n", b"we", b"ll"):
            connection.sendall(piece)
            time.sleep(0.15)

    with Upstream(slowly) as upstream:
        assert ask(upstream.url, timeout=(1, 0.4)).body == b"well"


@pytest.mark.parametrize(
    "fault",
    [reset, lambda _: None, lambda connection: connection.sendall(http(b"{", Content_Length=99))],
    ids=["reset", "closed", "cut"],
)
def test_a_connection_that_breaks_off_is_called_so(fault: Send) -> None:
    with Upstream(fault) as upstream:
        assert str(problem_of(upstream.url)) == "The connection to Amili broke off"


def test_silence_is_not_waited_for_and_not_asked_for_twice() -> None:
    with Upstream(lambda _: time.sleep(1)) as upstream:
        problem = problem_of(upstream.url, timeout=(1, 0.2))
    assert type(problem) is Later
    assert str(problem) == "Amili did not answer in time"
    assert len(upstream.heads) == 1


# Once more


@pytest.mark.parametrize(
    "fault",
    [
        reset,
        lambda connection: None,
        lambda connection: (connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), reset(connection)),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        lambda connection: connection.sendall(CHUNKED + b"\r\n5\r\nab"),
        lambda connection: connection.sendall(b"nonsense\r\n\r\n"),
        http(status=502),
        http(status=503),
        http(status=504),
        http(status=503, Retry_After=1),
    ],
    ids=["reset", "closed", "reset later", "cut", "cut chunk", "nonsense", "502", "503", "504", "503 for a second"],
)
def test_what_may_pass_is_asked_again_at_once_but_twice_at_most(fault: Send) -> None:
    sleep, door = Sleep(), Door()
    with Upstream(fault, fault, http(b"{}", X_Request_Id="r-3")) as upstream:
        assert ask(upstream.url, sleep=sleep, gate=door).body == b"{}"
    assert 0.2 <= sleep.pauses[0] <= 1
    assert 0.5 <= sleep.pauses[1] <= 1
    assert [heard[:3] for heard in door.heard_of] == [("batch", "1", "unreachable")] * 2 + [("batch", "1", "")]
    assert (door.heard_of[-1][3], door.open_for) == ("r-3", 97)
    with Upstream(fault) as upstream, suppress(Later):
        assert ask(upstream.url).problem
    assert len(upstream.heads) == 3


def test_a_server_that_is_away_is_asked_three_times() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    door = Door()
    assert str(problem_of(f"http://127.0.0.1:{port}", gate=door)) == "Amili could not be reached"
    assert len(door.heard_of) == 3


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 409, 410, 422, 425, 429, 500, 501])
def test_all_other_answers_are_asked_for_once(status: int) -> None:
    with Upstream(http(status=status)) as upstream:
        ask(upstream.url)
    assert len(upstream.heads) == 1


def test_amilis_wish_to_be_left_alone_for_long_is_granted() -> None:
    with Upstream(http(status=503, Retry_After=2)) as upstream:
        assert ask(upstream.url).retry_after == 2
    assert len(upstream.heads) == 1


@pytest.mark.parametrize("fault", [reset, http(status=503)], ids=["reset", "503"])
def test_only_what_changes_nothing_is_asked_again(fault: Send) -> None:
    with Upstream(fault) as upstream, suppress(Later):
        ask(upstream.url, method="POST")
    assert len(upstream.heads) == 1


def test_there_is_no_retry_without_the_time_for_an_answer() -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.3)

    with Upstream(late) as upstream:
        problem_of(upstream.url, timeout=(1, 1), whole_timeout=1.2)
    assert len(upstream.heads) == 1


def test_where_the_gate_closes_meanwhile_the_problem_stands_that_there_was() -> None:
    with Upstream(http(status=503, X_Request_Id="r-1")) as upstream:
        reply = ask(upstream.url, gate=Door(open_for=1))
        problem = problem_of(upstream.url, gate=Door(open_for=0))
    assert (reply.status, reply.request_id, len(upstream.heads)) == (503, "r-1", 1)
    assert isinstance(problem, Paused)
    assert problem.until == 5


# Connections


def test_a_connection_stays_open_for_the_next_question_after_failures_too() -> None:
    answers = [
        http(b"{}"),
        http(b"not there", 404),
        http(b"moved", 302, Location="/x"),
        http(b"busy", 429),
        http(b"{}"),
    ]
    with Upstream(*answers) as upstream:
        session = AmiliSession(version="1")
        for _ in answers:
            session.ask("GET", upstream.url, kind="batch")
        assert (len(upstream.heads), len(upstream.connections)) == (5, 1)


def test_threads_that_share_a_session_share_no_connection() -> None:
    with Upstream(http(b"{}")) as upstream:
        session = AmiliSession(version="1")

        def ask_often() -> None:
            for _ in range(20):
                session.ask("GET", upstream.url, kind="batch")

        threads = [Thread(target=ask_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(upstream.heads), len(upstream.connections)) == (80, 4)


def test_every_request_says_who_asks_and_what_it_takes() -> None:
    with Upstream(http(b"{}")) as upstream:
        ask(upstream.url)
    head = upstream.heads[0].lower()
    assert b"user-agent: amili-batch-dashboard/1 python/3." in head
    assert b"accept: application/json\r\n" in head
    assert b"accept-encoding: gzip, deflate\r\n" in head


def test_every_request_has_time_limits() -> None:
    network = Network(lambda _: (200, b""))
    network.carry(AmiliSession(version="1")).ask("GET", "https://api.example/", kind="batch")
    assert network.timeouts == [(4, 15)]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (requests.ConnectTimeout, "Amili did not answer in time"),
        (requests.ReadTimeout, "Amili did not answer in time"),
        (requests.ConnectionError, "Amili could not be reached"),
        (requests.exceptions.ChunkedEncodingError, "The connection to Amili broke off"),
        (requests.exceptions.InvalidHeader, "Amili could not be reached"),
        (OSError, "Amili could not be reached"),
    ],
)
def test_a_network_that_fails_means_later(fault: type[Exception], words: str) -> None:
    def fail(_: requests.PreparedRequest) -> tuple[int, bytes]:
        raise fault("of no interest")

    session = Network(fail).carry(AmiliSession(version="1", sleep=lambda _: None))
    with pytest.raises(Later) as caught:
        session.ask("GET", "https://api.example/", kind="batch")
    assert str(caught.value) == words
