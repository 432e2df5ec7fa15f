"""Amili's webhook: verify, read, record, ring. A doorbell and no letter: what it tells of is asked about, never believed.

How Amili signs is not public, so that the scheme is a matter of settings; what is always signed is the body as it came.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from batches import tasks
from batches.models import Delivery
from batches.words import Source

type Headers = Mapping[str, str]

Verdict = Delivery.Verdict
RINGS = "BATCH_COMPLETED"
LONGEST_TEXT = 200
PATIENCE = 50
"""Milliseconds that a call waits for a row that somebody else is writing: it has 100 in all."""

NO_MORE_SECONDS = 10**11
"""A Unix time beyond it counts milliseconds: as seconds it were the year 5138."""


class Refused(Exception):  # noqa: N818 - whoever called did something wrong, nothing here did
    """Why nothing was done, in one sentence for our log. The caller learns the status alone."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def receive(body: bytes, headers: Headers) -> None:
    """Act upon a call: record it, and ring if it names a batch. Both or neither, so that a call that failed may come again."""
    _verify(body, headers)
    delivery = _read(body, headers)
    try:
        with transaction.atomic():
            _be_impatient()
            if Delivery.objects.record(delivery) and delivery.batch_id:
                tasks.follow([delivery.batch_id], Source.WEBHOOK)
                tasks.ask_now([delivery.batch_id], Source.WEBHOOK)
    except OperationalError as problem:
        if not isinstance(problem.__cause__, LockNotAvailable):
            raise
        reason = _("The batch was being written at that moment, so that the sender has to try again.")
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, reason) from problem


def note_refusal(refused: Refused, headers: Headers) -> None:
    """Leave word of a call that was refused. Its headers may be anybody's."""
    delivery = _delivery(headers, verdict=Verdict.REFUSED, reason=refused.reason)
    Delivery.objects.record_refusal(delivery)


def _be_impatient() -> None:
    """Until the end of the transaction; a large answer is recorded for seconds, under the lock of its batch."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE}")


# ------------------------------------------------------------------------------------------ the signature


def _verify(body: bytes, headers: Headers) -> None:
    given = headers.get(settings.AMILI_WEBHOOK_SIGNATURE_HEADER, "")
    stamp = headers.get(settings.AMILI_WEBHOOK_TIMESTAMP_HEADER, "")
    signed = _raw(f"{stamp}.") + body if settings.AMILI_WEBHOOK_TIMESTAMP_HEADER else body
    # Against all of them each time: how long it takes tells nothing of which it was.
    if not any([_is_signature(given, signed, secret) for secret in settings.AMILI_WEBHOOK_SECRETS]):  # noqa: C419
        reason = _("Its signature is not made with a secret of ours.") if given else _("It carries no signature.")
        raise Refused(HTTPStatus.UNAUTHORIZED, reason)
    if settings.AMILI_WEBHOOK_TIMESTAMP_HEADER:
        _verify_time(stamp)


def _is_signature(given: str, signed: bytes, secret: str) -> bool:
    digest = hmac.digest(secret.encode(), signed, settings.AMILI_WEBHOOK_ALGORITHM)
    is_hex = settings.AMILI_WEBHOOK_ENCODING == "hex"
    expected = settings.AMILI_WEBHOOK_PREFIX + (digest.hex() if is_hex else b64encode(digest).decode())
    fold = str.lower if is_hex else str
    return hmac.compare_digest(_raw(fold(given.strip())), _raw(fold(expected)))


def _verify_time(stamp: str) -> None:
    """Whoever overheard a call cannot send it again for long."""
    signed_at = _moment(stamp)
    if signed_at is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, _("It is signed, but does not say when in a way that we can read."))
    if abs(timezone.now().timestamp() - signed_at) > settings.AMILI_WEBHOOK_TOLERANCE:
        raise Refused(HTTPStatus.UNAUTHORIZED, _("It was signed too long ago, or the clocks differ."))


def _moment(stamp: str) -> float | None:
    """Unix seconds, of seconds, milliseconds or an ISO 8601 time."""
    text = stamp.strip()
    if text.isascii() and text.isdigit() and len(text) <= len(str(NO_MORE_SECONDS)) + 3:
        return int(text) / (1000 if int(text) >= NO_MORE_SECONDS else 1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _raw(header: str) -> bytes:
    """A header's bytes as they came."""
    return header.encode("latin-1", "replace")


# ------------------------------------------------------------------------------------------ the event


def _read(body: bytes, headers: Headers) -> Delivery:
    """A verified call as it will be logged. Both names that the documentation has for a field are understood."""
    event = _event(body)
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    name = _text(event.get("type")) or _text(event.get("eventType")) or _header(headers, "X-Amili-Event")
    batch_id = _uuid(data.get("batchId"))
    return _delivery(
        headers,
        verdict=Verdict.RUNG if batch_id else Verdict.NOTED,
        reason=_("It names no batch.") if name == RINGS and not batch_id else "",
        event=name,
        batch_id=batch_id,
        organization_id=_uuid(data.get("organizationId")) or _uuid(data.get("orgId")),
    )


def _event(body: bytes) -> dict[str, Any]:
    try:
        # Numbers stay texts: one of ten thousand digits costs nothing then, and we need none.
        event = json.loads(body.decode(), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST, _("It is signed, but is not JSON.")) from None
    if not isinstance(event, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, _("It is signed, but is not a JSON object."))
    return event


def _delivery(headers: Headers, **more: Any) -> Delivery:
    key = headers.get("IdempotencyKey", "")
    known = {
        "at": timezone.now(),
        "event": _header(headers, "X-Amili-Event"),
        # One that had to be cut would no longer tell two deliveries apart. To ring once more harms nobody.
        "key": _text(key) if len(key) <= LONGEST_TEXT else "",
        "request_id": _header(headers, "X-Amili-Request-Id"),
    }
    return Delivery(**known | more)


def _header(headers: Headers, name: str) -> str:
    return _text(headers.get(name))


def _text(value: object) -> str:
    """A text of somebody else, fit to be kept and shown: short, and without control characters and half surrogates."""
    return "".join(filter(str.isprintable, value))[:LONGEST_TEXT].strip() if isinstance(value, str) else ""


def _uuid(value: object) -> UUID | None:
    """An ID; None for none, and for that of all zeros, which .NET sends for none."""
    try:
        uuid = msgspec.convert(value, UUID)
    except ValueError:
        return None
    return uuid if uuid.int else None
