"""How the answer about a batch can go wrong, and the answer that plays it."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, repeat

from sandbox.wire import HangUpError, Response

type Fault = int | str
"""An error status to answer with, or one of the names below."""

STATUSES = {
    400: "a request that Amili does not understand",
    401: "signing in again does not help",
    403: "no permission",
    404: "not found",
    409: "a conflict",
    410: "gone for good",
    422: "not acceptable",
    429: "too many requests, with Retry-After",
    500: "an error at Amili",
    502: "a gateway that cannot reach Amili",
    503: "Amili is unavailable",
    504: "a gateway that waited in vain",
}

NAMED = {
    "html": "An HTML page where JSON should be",
    "cut": "JSON that is cut in the middle",
    "another": "An answer about another batch",
    "slow": "Takes a minute to answer",
    "empty": "An answer without a body",
    "text": "A text that calls itself JSON",
    "reset": "A connection that is reset in mid-answer",
    "drip": "One byte a second, for ten minutes",
    "bomb": "4 MB of gzip that unpack to 4 GiB",
    "nested": "8 KB of gzip within gzip that unpack to 4 GiB",
    "huge": "A right answer, padded to 96 MiB",
}

WELL = "well"
"""No fault: in a list of them, an answer as it should be before the next one that is not."""

HTML_PAGE = b"<!doctype html><title>Maintenance</title><p>We will be back shortly.</p>"
SPACES = b" " * (1 << 20)  # JSON allows them between any two of its parts
PADDING = 96  # times SPACES
DRIPS = 600
MEMBERS = 16


def play(fault: str, whole: bytes) -> Response:
    """The answer with that fault, made from the one that would have been right, or is about another batch."""
    return PLAYS[fault](whole)


def html_page() -> Response:
    """What a proxy says while the service behind it is away."""
    return Response(200, HTML_PAGE, "text/html; charset=utf-8")


def _reset(whole: bytes) -> Response:
    def pieces() -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        raise HangUpError

    return Response(200, pieces(), headers={"Content-Length": str(len(whole))})


def _drip(_: bytes) -> Response:
    return Response(200, repeat(b" ", DRIPS), pause=1)


def _bomb(_: bytes) -> Response:
    size = str(MEMBERS * len(_member()))
    return Response(200, repeat(_member(), MEMBERS), headers={"Content-Encoding": "gzip", "Content-Length": size})


def _nested(_: bytes) -> Response:
    return Response(200, _packed_twice(), headers={"Content-Encoding": "gzip, gzip"})


def _huge(whole: bytes) -> Response:
    # No length is promised, so that whoever reads it has to count.
    return Response(200, chain(repeat(SPACES, PADDING), (whole,)))


@cache
def _member() -> bytes:
    """256 MiB, packed without ever being in memory. The format allows any number of these one after the other."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join((*(packer.compress(SPACES) for _ in range(256)), packer.flush()))


@cache
def _packed_twice() -> bytes:
    return gzip.compress(_member() * MEMBERS)


PLAYS: dict[str, Callable[[bytes], Response]] = {
    "html": lambda _: html_page(),
    "cut": lambda whole: Response(200, whole[: len(whole) // 2]),
    "another": lambda whole: Response(200, whole),
    "empty": lambda _: Response(200, b""),
    "text": lambda _: Response(200, b"All is well."),
    "reset": _reset,
    "drip": _drip,
    "bomb": _bomb,
    "nested": _nested,
    "huge": _huge,
}
