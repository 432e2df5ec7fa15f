"""Our way to Amili: the client as the settings want it, and what all processes share while they ask."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from batches.amili.client import AmiliClient
from batches.amili.errors import AmiliError, KeysRefused, Later, NotThere, NotUnderstood, Paused
from batches.amili.token import ClientCredentials, ReadyToken, Token, name_of
from batches.amili.transport import AmiliSession
from batches.amili.vault import Vault
from batches.models import Batch, Connection, Traffic
from batches.models.connection import Turn

PATIENCE = timedelta(seconds=1)
"""How long a worker waits for its turn; who would wait longer comes back another time."""

SIGN_IN_LOCK = 4_000_000_401  # any number that nothing else in this database locks


class SharedGate:
    """Lets requests out one by one at AMILI_REQUESTS_PER_SECOND over all processes, and hardly any while Amili is away."""

    _was_refused = False
    _turn = Turn(datetime.min.replace(tzinfo=UTC), is_probe=False, was_failing=False)

    def enter(self) -> None:
        """Wait for our turn. Raises Paused where that would take too long."""
        now = timezone.now()
        apart = timedelta(seconds=1 / settings.AMILI_REQUESTS_PER_SECOND)
        turn = Connection.objects.take_turn(now, apart=apart, patience=PATIENCE)
        if turn is None:
            raise _pause(now)
        self._turn = turn
        wait = (turn.at - timezone.now()).total_seconds()
        if wait > 0:  # to sleep for no time takes some
            time.sleep(wait)

    def heard(self, kind: str, subject: str, problem: AmiliError | None, request_id: str) -> None:
        """Count a request. An answer that is only about its batch is an answer; what keeps all from being answered is not."""
        now = timezone.now()
        # "Not there" is an answer like any other: the roads to a batch whose organisation is not known are full of it.
        failure = None if isinstance(problem, NotThere) else problem
        trouble, detail = (failure.trouble, str(failure)) if failure else ("", "")
        Traffic.objects.add(kind, now, trouble=trouble, detail=detail, request_id=request_id)
        if self._is_stale_token(kind, problem):
            return
        if isinstance(problem, Later | KeysRefused | NotUnderstood):
            wait = timedelta(seconds=problem.retry_after or 0)
            Connection.objects.note_failure(f"{kind} {subject}", now, is_probe=self._turn.is_probe, wait=wait)
        elif self._turn.was_failing and kind == "token":
            Connection.objects.let_one_through(now)  # to sign in is no news of what we sign in for
        elif self._turn.was_failing and Connection.objects.note_success():
            Batch.objects.take_up_again(now)

    def _is_stale_token(self, kind: str, problem: AmiliError | None) -> bool:
        """Whether a token was refused for the first time: a new one may well be accepted, so that it means nothing yet."""
        if kind == "token":
            return False
        was_refused, self._was_refused = self._was_refused, isinstance(problem, KeysRefused)
        return self._was_refused and not was_refused


def _pause(now: datetime) -> Paused:
    state = Connection.objects.get()
    if state.open_until:
        return Paused("Amili does not answer at the moment", until=(state.open_until - now).total_seconds())
    wait = (state.next_turn_at or now) - now
    return Paused("Many other questions come first", until=wait.total_seconds())


@contextmanager
def one_at_a_time(patience: str = "10s") -> Iterator[None]:
    """For the sign-in: a lock of the database, which a worker that dies gives back at once.

    Not one of a transaction: what is noted while it is held must be seen by all.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [patience])
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", [SIGN_IN_LOCK])
        except OperationalError:
            raise Later("Amili's sign-in takes long; somebody else waits for it already") from None
        finally:
            cursor.execute("RESET lock_timeout")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SIGN_IN_LOCK])


def amili_client() -> AmiliClient:
    """This thread's client, with connections that stay open."""
    if not hasattr(_of_thread, "client"):
        _of_thread.client = _built_client()
    client: AmiliClient = _of_thread.client
    return client


def forget_client() -> None:
    """Build it anew the next time: the settings have changed."""
    _of_thread.__dict__.clear()


_of_thread = threading.local()


def _built_client() -> AmiliClient:
    limits = settings.AMILI_TIME_LIMITS
    session = AmiliSession(
        version=settings.VERSION,
        hosts=settings.AMILI_HOSTS,
        gate=SharedGate(),
        timeout=(limits["connect"], limits["read"]),
        whole_timeout=limits["whole"],
        most_bytes=settings.AMILI_MAX_ANSWER_MIB * 2**20,
    )
    return AmiliClient(
        session=session,
        api_url=settings.AMILI_API_URL,
        token=_token(session),
        organization_ids=settings.AMILI_ORGANIZATIONS,
    )


def _token(session: AmiliSession) -> Token:
    if settings.AMILI_TOKEN:
        return ReadyToken(settings.AMILI_TOKEN)
    keys = {
        "auth_url": settings.AMILI_AUTH_URL,
        "client_id": settings.AMILI_CLIENT_ID,
        "client_secret": settings.AMILI_CLIENT_SECRET,
    }
    return ClientCredentials(
        session=session,
        vault=Vault(settings.REDIS_URL, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS], name_of(**keys)),
        alone=one_at_a_time,
        told=_note_token,
        **keys,
    )


def _note_token(ends_at: float | None) -> None:
    Connection.objects.note_token(datetime.fromtimestamp(ends_at, UTC) if ends_at else None, timezone.now())
