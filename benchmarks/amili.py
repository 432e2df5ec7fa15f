"""An upstream that costs next to nothing: prepared answers after a set time, from a process of its own.

That process loads this file anew, and so it knows nothing of Django.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

LATENCY = 0.05  # seconds, as to a server in another town
type Answer = Callable[[str], bytes]
"""From the path and the query of a request to the body of a 200. Sent to the other process, and so nothing local."""


def about_a_batch(template: bytes, path: str) -> bytes:
    """The same answer about every batch."""
    return template.replace(b"BATCH ID", path.rpartition("/")[2].encode())


def page_of_a_list(pages: dict[str, bytes], path: str) -> bytes:
    """The page of the token that stands in the query; the first has none."""
    return pages[parse_qs(urlsplit(path).query).get("PageToken", [""])[0]]


@contextmanager
def amili(answer: Answer, latency: float) -> Iterator[str]:
    """The address of such an upstream."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(answer, latency, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(answer: Answer, latency: float, told: Connection) -> None:
    asyncio.run(_serve_forever(partial(_Connection, answer, latency), told))


async def _serve_forever(protocol: Callable[[], asyncio.Protocol], told: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Connection(asyncio.Protocol):
    """A connection that stays open, for GET alone."""

    def __init__(self, answer: Answer, latency: float) -> None:
        self._answer, self._latency = answer, latency
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked += data
        while (end := self._asked.find(b"\r\n\r\n")) >= 0:
            path = self._asked.split(b" ", 2)[1].decode()
            self._asked = self._asked[end + 4 :]
            asyncio.get_running_loop().call_later(self._latency, self._send, self._answer(path))

    def _send(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)  # type: ignore[attr-defined]
