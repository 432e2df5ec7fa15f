"""Bearer tokens for Amili's API."""

import math
import time
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

from batches.amili.errors import KeysRefused, Later, NotUnderstood, error_for
from batches.amili.transport import AmiliSession

# A token that ends while a request is under way is refused: stop using it this many seconds before.
MARGIN = 30
# Used when an answer says nothing of the token's end.
UNKNOWN_LIFETIME = 300
LONGEST_LIFETIME = 24 * 3600


class Token(Protocol):
    """Where the client gets its bearer token."""

    def bearer(self) -> str:
        """The token to send now. Raises an AmiliError when none can be had."""

    def forget(self) -> bool:
        """The token was refused: drop it. True if another one can be had."""


class ReadyToken:
    """A token that somebody made elsewhere and put into the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    def bearer(self) -> str:
        return self._token

    def forget(self) -> bool:
        return False


class _Grant(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: float | None = None
    expires_on: float | None = None

    def ends_at(self, now: float) -> float:
        """Unix time; the sooner of the two ends that the answer may name."""
        ends = [self.expires_on, now + self.expires_in if self.expires_in is not None else None]
        known = [end for end in ends if end is not None and math.isfinite(end)]
        return min([*known, now + LONGEST_LIFETIME]) if known else now + UNKNOWN_LIFETIME


class ClientCredentials:
    """Fetches a token with a client's id and secret, and keeps it until it ends.

    Source: https://docs.amili.dev/example-workflow-359631m0 (form-encoded; reuse until `expires_on`).
    """

    def __init__(
        self,
        *,
        session: AmiliSession,
        auth_url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._url = f"{auth_url}/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._clock = clock
        self._token = ""
        self._ends_at = 0.0

    def bearer(self) -> str:
        """The token, fetched if there is none or it is about to end. Raises KeysRefused, Later, NotUnderstood."""
        if self._clock() >= self._ends_at - MARGIN:
            grant = self._fetch()
            self._token, self._ends_at = grant.access_token, grant.ends_at(self._clock())
        return self._token

    def forget(self) -> bool:
        self._ends_at = 0.0
        return True

    def _fetch(self) -> _Grant:
        reply = self._session.ask("POST", self._url, who="Amili's sign-in", data=self._form)
        if reply.status != 200:
            _raise_for_sign_in(reply.status)
        try:
            # Some services send numbers as strings here.
            return msgspec.json.decode(reply.body, type=_Grant, strict=False)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise NotUnderstood("Amili's sign-in gave an answer without a token") from None


def _raise_for_sign_in(status: int) -> None:
    if isinstance(error_for(status), Later):
        raise Later(f"Amili's sign-in answered {status}")
    raise KeysRefused(f"Amili's sign-in refused our client id and secret ({status})")
