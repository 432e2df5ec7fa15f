"""Bearer tokens for Amili's API: one of each credential for all processes, and no storm where none can be had."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import msgspec
from msgspec.structs import replace

from batches.amili.errors import AmiliError, KeysRefused, Later, NotUnderstood, Paused
from batches.amili.grant import Failure, Grant, Kept
from batches.amili.transport import AmiliSession, Reply
from batches.amili.vault import Nowhere, Store

WHO = "Amili's sign-in"

REPLACED_AT_MOST_EVERY = 60.0
"""A token that Amili refuses is replaced at once, but if its successor is refused too, the next one will hardly be better."""


class Token(Protocol):
    """Where the client gets its bearer token."""

    def bearer(self) -> str:
        """The token to send now. Raises an AmiliError when none can be had."""

    def forget(self, token: str) -> bool:
        """This token was refused: send it no more. True if there may be another one to try."""


class ReadyToken:
    """A token that somebody made elsewhere and put into the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    def bearer(self) -> str:
        """Always the same."""
        return self._token

    def forget(self, token: str) -> bool:
        """There is no other."""
        return False


def name_of(auth_url: str, client_id: str, client_secret: str) -> str:
    """The name under which a credential's token is kept: changed credentials never meet an old token."""
    credential = json.dumps([auth_url, client_id, client_secret])
    return f"amili:token:{hashlib.sha256(credential.encode()).hexdigest()}"


class ClientCredentials:
    """Fetches a token with a client's id and secret, and shares it with all who have the same vault.

    Source: https://docs.amili.dev/example-workflow-359631m0 (form-encoded; reuse until `expires_on`).

    `alone` lets one process at a time into its block, and raises Later for who waits too long. `told` hears when a token
    that was fetched ends, and None when one is thrown away.
    """

    def __init__(
        self,
        *,
        session: AmiliSession,
        auth_url: str,
        client_id: str,
        client_secret: str,
        vault: Store | None = None,
        alone: Callable[[], AbstractContextManager[None]] = nullcontext,
        told: Callable[[float | None], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._url = f"{auth_url}/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._vault, self._alone, self._told, self._clock = vault or Nowhere(), alone, told, clock
        self._kept = Kept()
        self._refused: str | None = None
        self._lock = threading.Lock()

    def bearer(self) -> str:
        """The token: known, found in the vault, or fetched. Raises KeysRefused, Later, NotUnderstood."""
        kept = self._kept
        if not kept.settles(self._clock()):
            with self._lock:
                self._renew()
                kept = self._kept
        now = self._clock()
        if kept.failure and not kept.is_usable(now):
            raise kept.failure.error(now)
        return kept.token

    def forget(self, token: str) -> bool:
        """Throw the token away, unless somebody has replaced it already."""
        with self._lock:
            in_vault = self._look()
            if token != self._kept.token:
                return True
            now = self._clock()
            if now < self._kept.replaced_at + REPLACED_AT_MOST_EVERY:
                return False
            if in_vault is not None:
                self._vault.drop(in_vault)
            self._refused, self._kept = token, Kept(replaced_at=now, failure=self._kept.failure)
            self._told(None)
            return True

    def _is_settled(self) -> bool:
        return self._kept.settles(self._clock())

    def _look(self) -> bytes | None:
        """What others have put into the vault, taken over if it is of use; as it stands there."""
        in_vault = self._vault.load()
        try:
            found = msgspec.json.decode(in_vault or b"{}", type=Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return in_vault
        if found.token != self._refused:
            self._kept = self._better(found)
        return in_vault

    def _better(self, found: Kept) -> Kept:
        """What others know, but never less than we know ourselves."""
        kept, now = self._kept, self._clock()
        if kept.is_usable(now) and not found.is_usable(now):
            return replace(kept, failure=found.failure or kept.failure)
        return found if found.settles(now) or found.is_usable(now) else kept

    def _renew(self) -> None:
        """Fetch a token, unless somebody else does it meanwhile."""
        if self._is_settled():
            return
        self._look()
        if self._is_settled():
            return
        try:
            with self._alone():
                self._look()
                if not self._is_settled():
                    self._keep(self._fetched())
        except Later:  # no turn for us; the sign-in itself was not asked
            if not self._kept.is_usable(self._clock()):
                raise

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        self._vault.save(msgspec.json.encode(kept), kept.lasts_until() - self._clock())
        if not kept.failure:
            self._told(kept.ends_at)

    def _fetched(self) -> Kept:
        try:
            return self._ask().kept(self._clock(), self._kept.replaced_at)
        except Paused:
            raise
        except AmiliError as problem:
            return replace(self._kept, failure=Failure.of(problem, self._clock()))

    def _ask(self) -> Grant:
        # Asked once an hour: by then the road of an open connection may be closed, and this is not asked twice.
        headers = {"Connection": "close"}
        reply = self._session.ask(
            "POST", self._url, kind="token", who=WHO, makes_sense=_is_grant, data=self._form, headers=headers
        )
        if reply.problem:
            raise _refusal(reply)
        try:
            return _grant(reply.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise NotUnderstood(f"{WHO} gave an answer without a token", request_id=reply.request_id) from None


def _grant(body: bytes) -> Grant:
    # Some services send numbers as strings here.
    return msgspec.json.decode(body, type=Grant, strict=False)


def _is_grant(body: bytes) -> bool:
    try:
        return bool(_grant(body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def _refusal(reply: Reply) -> AmiliError:
    problem = reply.problem_of(WHO)
    if isinstance(problem, Later):
        return problem
    return KeysRefused(
        f"{WHO} refused our client id and secret ({reply.status})", status=reply.status, request_id=reply.request_id
    )
