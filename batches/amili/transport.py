"""HTTP towards Amili: no call without limits, and every fault of the road as one of our errors."""

import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from random import SystemRandom
from typing import Any, NamedTuple, Protocol

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.exceptions import ChunkedEncodingError, SSLError
from urllib3.exceptions import DecodeError, HTTPError, LocationParseError, ProtocolError
from urllib3.util import parse_url

from batches.amili.errors import AmiliError, Later, NotUnderstood, Paused, Refused, error_for
from batches.amili.heads import request_id, retry_after
from batches.amili.wire import Bounds, bounded, new_session

CONNECT_TIMEOUT = 4.0
READ_TIMEOUT = 15.0
WHOLE_TIMEOUT = 20.0  # seconds for all requests of one question: it must be over long before the lease of batches.pace
MOST_BYTES = 64 * 2**20  # of an answer, as it comes and unpacked
PIECE = 2**16
BOM = b"\xef\xbb\xbf"

PAUSES = [(0.2, 0.4), (0.5, 1.0)]  # seconds before each quick retry, by chance: those that failed together part again
PASSING = {502, 503, 504}
LONGEST_PAUSE = 1.0

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ENCODINGS = {"", "identity", "gzip", "deflate"}


class Reply(NamedTuple):
    """What came back: an HTTP status and a body, and what else matters of its head."""

    status: int
    body: bytes
    request_id: str = ""
    retry_after: float | None = None

    @property
    def problem(self) -> AmiliError | None:
        """What the status means; None for a success."""
        return self.problem_of("Amili")

    def problem_of(self, who: str) -> AmiliError | None:
        """The same, in words about another than Amili's API."""
        if 200 <= self.status < 300:
            return None
        return error_for(self.status, who=who, request_id=self.request_id, retry_after=self.retry_after)


class Gate(Protocol):
    """What all processes pass before they ask, and tell what they heard."""

    def enter(self) -> None:
        """Wait for our turn. Raises Paused when no request may go out now."""

    def heard(self, kind: str, subject: str, problem: AmiliError | None, request_id: str) -> None:
        """What came of a request of this kind (`token`, `batch` or `list`); called after each that went out."""


class OpenGate:
    """Lets everything pass."""

    def enter(self) -> None:
        """Now."""

    def heard(self, kind: str, subject: str, problem: AmiliError | None, request_id: str) -> None:
        """Nobody wishes to know."""


class _Try(NamedTuple):
    """What came of one request, and whether the next may well go better."""

    outcome: Reply | AmiliError
    is_passing: bool


def is_object(body: bytes) -> bool:
    """Whether a body may be a JSON object, as all of Amili's answers are: a web page is none."""
    return body.removeprefix(BOM).lstrip()[:1] == b"{"


class AmiliSession:
    """Questions over connections that stay open. Threads may share it: each has connections of its own.

    A question without limits cannot be written: https alone (http on this machine), to the hosts of the settings alone,
    no redirect followed, bounded in time and in size.
    """

    def __init__(
        self,
        *,
        version: str,
        hosts: Collection[str] | None = None,
        gate: Gate | None = None,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        whole_timeout: float = WHOLE_TIMEOUT,
        most_bytes: int = MOST_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        self._user_agent = f"amili-batch-dashboard/{version} python/{python}"
        self._hosts, self._gate = hosts, gate or OpenGate()
        self._timeout, self._whole_timeout, self._most_bytes = timeout, whole_timeout, most_bytes
        self._sleep = sleep
        self._roads: dict[str, BaseAdapter] = {}
        self._of_thread = threading.local()

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Reach addresses that begin so by another road. To be called before the first question."""
        self._roads[prefix] = adapter

    def ask(
        self,
        method: str,
        url: str,
        *,
        kind: str,
        subject: str = "",
        who: str = "Amili",
        makes_sense: Callable[[bytes], bool] = is_object,
        **kwargs: Any,
    ) -> Reply:
        """Send a request and read the answer whole, whatever its status. One that makes no sense is told to the gate as none.

        Raises Refused when it may not go there, Paused when it may not go now, Later when no answer can be had in time
        or at all, NotUnderstood when the answer is too large or packed in a way that we do not take.
        """
        _refuse_strange(url, self._hosts)
        self._gate.enter()
        left = self._whole_timeout
        for pause in [*(PAUSES if method == "GET" else []), None]:
            started = time.monotonic()
            outcome, is_passing = self._try(left, method, url, who, kwargs)
            left -= time.monotonic() - started
            self._gate.heard(kind, subject, _problem_of(outcome, who, makes_sense), outcome.request_id)
            # Without the time for a whole answer, a retry could only make things worse.
            if not (pause and is_passing and left >= self._timeout[1] and self._may_retry(pause, outcome)):
                break
        if isinstance(outcome, AmiliError):
            raise outcome
        return outcome

    def _may_retry(self, pause: tuple[float, float], outcome: Reply | AmiliError) -> bool:
        self._sleep(max(SystemRandom().uniform(*pause), outcome.retry_after or 0))
        try:
            self._gate.enter()
        except Paused:
            return False
        return True

    def _try(self, left: float, method: str, url: str, who: str, kwargs: dict[str, Any]) -> _Try:
        bounds = Bounds(time.monotonic() + left, self._most_bytes)
        reply = Reply(0, b"")
        try:
            with bounded(bounds), self._send(left, method, url, kwargs) as response:
                reply = _head(response)
                if reply.problem:
                    _drain(response)
                else:
                    reply = reply._replace(body=b"".join(_body(response, bounds)))
            return _Try(reply, reply.status in PASSING and (reply.retry_after or 0) <= LONGEST_PAUSE)
        # A malformed header passes through requests as a bare ValueError.
        except (NotUnderstood, requests.RequestException, HTTPError, ValueError, OSError) as fault:
            problem = _problem(fault, who)
            problem.status, problem.request_id = reply.status, reply.request_id
            return _Try(problem, _is_passing(fault))

    def _send(self, left: float, method: str, url: str, kwargs: dict[str, Any]) -> requests.Response:
        connect, read = self._timeout
        return self._session().request(
            method,
            url,
            timeout=(min(connect, left), min(read, left)),
            allow_redirects=False,
            stream=True,
            verify=True,  # or by the bundle that REQUESTS_CA_BUNDLE names, but never not
            # What goes unencrypted stays on this machine, whatever proxy the environment names.
            proxies={"no_proxy": ",".join(LOOPBACK)} if url.lower().startswith("http:") else None,
            **kwargs,
        )

    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = new_session(self._user_agent, self._roads)
        session: requests.Session = self._of_thread.session
        return session


def _refuse_strange(url: str, hosts: Collection[str] | None) -> None:
    """Reads the address as requests does: read in another way, it may lead to another host."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise Refused("Amili's address cannot be read") from None
    host = (parts.host or "").strip("[]")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise Refused("Amili is asked over https alone")
    if not host or parts.auth or (hosts is not None and host not in hosts):
        raise Refused("This host is none of Amili's")


# ------------------------------------------------------------------------------------------ answers


def _head(response: requests.Response) -> Reply:
    return Reply(response.status_code, b"", request_id(response.headers), retry_after(response.headers))


def _drain(response: requests.Response) -> None:
    """Nobody knows what stands in the body of a failure. It is read so that the connection may stay, if it is small."""
    with suppress(HTTPError, OSError, AmiliError):
        response.raw.read(PIECE, decode_content=False)


def _body(response: requests.Response, bounds: Bounds) -> Iterator[bytes]:
    # One encoding within another would let a few bytes grow beyond every limit within one read.
    if response.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
        raise NotUnderstood("The answer is packed in a way that we did not ask for")
    room = bounds.most_bytes
    if (response.raw.length_remaining or 0) > room:
        raise bounds.too_large
    while piece := response.raw.read1(PIECE, decode_content=True):
        room -= len(piece)
        if room < 0:
            raise bounds.too_large
        yield piece


def _problem(fault: Exception, who: str) -> AmiliError:
    if isinstance(fault, AmiliError):
        return fault
    if isinstance(fault, DecodeError):
        return NotUnderstood("The answer cannot be unpacked")
    if isinstance(fault, requests.Timeout | urllib3.exceptions.TimeoutError):
        return Later(f"{who} did not answer in time")
    if isinstance(fault, SSLError):
        return Later(f"No secure connection to {who} could be made")
    # Where not even the head came, requests wraps what broke off in an error of its own.
    if any(isinstance(each, ChunkedEncodingError | ProtocolError) for each in (fault, *fault.args)):
        return Later(f"The connection to {who} broke off")
    return Later(f"{who} could not be reached")


def _is_passing(fault: Exception) -> bool:
    """Whether the connection failed, and neither Amili nor its certificate."""
    is_broken = isinstance(fault, requests.ConnectionError | ChunkedEncodingError | ProtocolError)
    return is_broken and not isinstance(fault, SSLError)


def _problem_of(outcome: Reply | AmiliError, who: str, makes_sense: Callable[[bytes], bool]) -> AmiliError | None:
    if isinstance(outcome, AmiliError):
        return outcome
    if outcome.status == 200 and not makes_sense(outcome.body):
        return NotUnderstood(f"{who} answered with something else than was asked for", status=200)
    return outcome.problem_of(who)
