"""The one value that all processes share: encrypted in Valkey, and never worth an error."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from uuid import uuid4

import pytest
import redis

from batches.amili.vault import LEFT_ALONE, Vault

OLD, NEW = "the key of last year, long enough", "the key of this year, long enough"


@pytest.fixture
def url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def valkey(url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"tests:vault:{uuid4()}"


def test_what_one_process_saves_another_finds(url: str, name: str) -> None:
    Vault(url, [NEW], name).save(b"the value", 60)
    assert Vault(url, [NEW], name).load() == b"the value"
    assert Vault(url, [NEW], f"{name}:other").load() is None


def test_it_is_encrypted_and_goes_by_itself(url: str, name: str, valkey: "redis.Redis") -> None:
    Vault(url, [NEW], name).save(b"the value", 60)
    stored = valkey.get(name)
    assert isinstance(stored, bytes)
    assert b"the value" not in stored
    assert 58_000 < int(str(valkey.pttl(name))) <= 60_000
    Vault(url, [NEW], name).save(b"the value", 0.05)
    until(lambda: not valkey.exists(name))
    Vault(url, [NEW], name).save(b"the value", -1)
    assert not valkey.exists(name)


def test_a_new_key_reads_what_was_saved_with_an_old_one_and_no_stranger_does(url: str, name: str) -> None:
    Vault(url, [OLD], name).save(b"the value", 60)
    assert Vault(url, [NEW, OLD], name).load() == b"the value"
    assert Vault(url, [NEW], name).load() is None
    Vault(url, [NEW, OLD], name).save(b"the value", 60)
    assert Vault(url, [NEW], name).load() == b"the value"
    assert Vault(url, [OLD], name).load() is None


def test_a_value_is_dropped_only_if_it_is_still_the_one(url: str, name: str) -> None:
    vault = Vault(url, [NEW], name)
    vault.save(b"first", 60)
    vault.save(b"second", 60)
    vault.drop(b"first")
    assert vault.load() == b"second"
    vault.drop(b"second")
    assert vault.load() is None
    vault.drop(b"third")
    vault.save(b"fourth", 60)
    vault.drop()
    assert vault.load() is None


@pytest.mark.parametrize("value", [b"", b"nonsense", b"\xff" * 500, b"gAAAAA" + b"A" * 200])
def test_what_others_left_under_our_name_is_no_value_and_is_overwritten(
    url: str, name: str, valkey: "redis.Redis", value: bytes
) -> None:
    valkey.set(name, value)
    vault = Vault(url, [NEW], name)
    assert vault.load() is None
    vault.drop(b"ours")
    assert valkey.get(name) == value
    vault.save(b"ours", 60)
    assert vault.load() == b"ours"


def test_a_value_of_another_kind_is_no_value_and_is_overwritten(url: str, name: str, valkey: "redis.Redis") -> None:
    valkey.rpush(name, "a", "b")
    vault = Vault(url, [NEW], name)
    assert vault.load() is None
    vault.save(b"ours", 60)
    assert vault.load() == b"ours"


# Valkey is away


def everything(vault: Vault) -> list[object]:
    """What each of its deeds gives; none may raise."""
    return [vault.load(), vault.save(b"value", 60), vault.drop(), vault.drop(b"value")]  # type: ignore[func-returns-value]


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[socket.socket]]]:
    """Something on loopback that is no Valkey, and the connections to it."""
    connections: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connections.append(server.accept()[0])
                Thread(target=handle, args=(connections[-1],), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with suppress(OSError):
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=accept, daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}/0", connections
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()


def answering(reply: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(reply)

    return serve


def test_a_valkey_that_is_away_is_an_empty_vault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert everything(Vault(f"redis://127.0.0.1:{port}/0", [NEW], "name")) == [None] * 4


def test_a_valkey_that_hangs_is_waited_for_once_and_is_then_left_alone(name: str) -> None:
    with listener(lambda connection: time.sleep(5)) as (url, connections):
        vault = Vault(url, [NEW], name)
        assert everything(vault) == [None] * 4
        assert len(connections) == 1
    assert LEFT_ALONE >= 3


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\xff\xfe\r\n",
        b":abc\r\n",
        b"$abc\r\n",
        b"*-5\r\n",
        b"$-1\r\n",
        b"*2\r\n$1\r\n",
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"\r\n",
        b"#x\r\n",
        b"%a\r\n",
    ],
)
def test_whatever_is_said_in_its_place_is_no_value(reply: bytes, name: str) -> None:
    with listener(answering(reply)) as (url, _):
        assert everything(Vault(url, [NEW], name)) == [None] * 4


def test_a_connection_that_valkey_has_closed_meanwhile_costs_nothing(
    url: str, name: str, valkey: "redis.Redis"
) -> None:
    vault = Vault(url, [NEW], name)
    vault.save(b"value", 60)
    valkey.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert vault.load() == b"value"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
