"""HTTP towards Amili: no call without limits, and every fault of the road as one of our errors."""

import sys
import time
from typing import Any, NamedTuple

import requests
import urllib3

from batches.amili.errors import Later, NotUnderstood

CONNECT_TIMEOUT = 4.0
READ_TIMEOUT = 25.0
WHOLE_TIMEOUT = 35.0  # seconds until an answer must be there whole: one byte now and then is none
MOST_BYTES = 64 * 2**20  # of an answer, unpacked
PIECE = 2**16


class Reply(NamedTuple):
    """What came back: an HTTP status and a body."""

    status: int
    body: bytes


class AmiliSession(requests.Session):
    """Keeps connections open. Every call has time limits and follows no redirect: none can be written without."""

    def __init__(
        self,
        *,
        version: str,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        whole_timeout: float = WHOLE_TIMEOUT,
    ) -> None:
        super().__init__()
        self._timeout = timeout
        self._whole_timeout = whole_timeout
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        self.headers["User-Agent"] = f"amili-batch-dashboard/{version} python/{python}"
        self.headers["Accept"] = "application/json"
        # Without a say of its own, requests lets a .netrc file of whoever runs us replace our bearer.
        self.auth = _as_it_is

    def ask(self, method: str, url: str, *, who: str = "Amili", **kwargs: Any) -> Reply:
        """Send a request and read the answer whole.

        Raises Later when that cannot be done in time or at all, NotUnderstood when the answer is too large.
        """
        until = time.monotonic() + self._whole_timeout
        try:
            # Redirects are no choice of the caller's: requests itself would follow some.
            with self.request(
                method, url, timeout=self._timeout, allow_redirects=False, stream=True, **kwargs
            ) as response:
                return Reply(response.status_code, _body(response, until))
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise Later(f"{who} did not answer in time") from None
        # A malformed Location or header passes through requests as a bare ValueError.
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as problem:
            raise Later(f"{who} could not be reached ({type(problem).__name__})") from None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _body(response: requests.Response, until: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(PIECE, decode_content=True):
        size += len(piece)
        if size > MOST_BYTES:
            raise NotUnderstood(f"The answer is larger than {MOST_BYTES // 2**20} MiB")
        if time.monotonic() > until:
            raise requests.Timeout
        pieces.append(piece)
    return b"".join(pieces)
