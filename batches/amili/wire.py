"""Connections that bound what comes over them: bytes that drip without an end are no answer, in its head or its body."""

import io
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from batches.amili.errors import NotUnderstood

HEAD_AND_FRAMES = 2**20  # bytes that may come beside those of a body


class Bounds(NamedTuple):
    """Until when all of an answer must be there, by the monotonic clock, and how large it may be."""

    until: float
    most_bytes: int

    @property
    def too_large(self) -> NotUnderstood:
        return NotUnderstood(f"The answer is larger than {self.most_bytes / 2**20:.3g} MiB")


_bounds: ContextVar[Bounds] = ContextVar("bounds")


@contextmanager
def bounded(bounds: Bounds) -> Iterator[None]:
    """Hold all that a BoundedAdapter receives in this block to these bounds."""
    token = _bounds.set(bounds)
    try:
        yield
    finally:
        _bounds.reset(token)


class BoundedAdapter(HTTPAdapter):
    """Connections whose answers are bounded. The read time-out alone begins anew with every byte."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """A pool of connections that bound what they receive; through a proxy too."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if getattr(pool.ConnectionCls, "response_class", None) is not _BoundedResponse:
            pool.ConnectionCls = type("Connection", (pool.ConnectionCls,), {"response_class": _BoundedResponse})
        return pool


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedStream(sock, self.fp.detach()))


class _BoundedStream(io.RawIOBase):
    def __init__(self, sock: socket.socket, stream: io.RawIOBase) -> None:
        self._sock, self._stream = sock, stream
        self._patience = sock.gettimeout()
        self._bounds = _bounds.get()
        self._room = self._bounds.most_bytes + HEAD_AND_FRAMES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._bounds.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left if self._patience is None else min(self._patience, left))
        count: int | None = self._stream.readinto(buffer)
        self._room -= count or 0
        if self._room < 0:
            raise self._bounds.too_large
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def new_session(user_agent: str, roads: Mapping[str, BaseAdapter]) -> requests.Session:
    """Bounded connections that stay open, or other roads for addresses that begin so."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # an API has none to give
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"})
    # Without a say of its own, requests lets a .netrc file of whoever runs us replace our bearer.
    session.auth = _as_it_is
    for prefix, road in {"https://": BoundedAdapter(), "http://": BoundedAdapter(), **roads}.items():
        session.mount(prefix, road)
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even where requests follows no redirect, it unpacks all of its body, without a limit."""


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
