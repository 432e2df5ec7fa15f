"""The webhook: a doorbell for whoever holds a secret, closed to all others, and a log of who rang."""

import hmac
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from batches.models import Batch, Delivery
from batches.words import Outcome, Source
from staff.models import Person
from tests.answers import BATCH, ORGANISATION, Json, of_today, succeeded
from tests.conftest import Amili, Record
from tests.pages import HOSTILE, seen
from tests.test_settings import settings_of, start
from tests.test_tasks import no_broker, together  # noqa: F401 - a fixture

ADDRESS = "/hooks/amili/"
SECRET, NEW_SECRET = "the secret that we share with Amili", "the secret that will take its place"
COMPLETED = {
    "id": str(uuid4()),
    "type": "BATCH_COMPLETED",
    "source": "COLLECTION",
    "timeStamp": "2025-08-15T11:42:00Z",
    "data": {"batchId": str(BATCH), "organizationId": str(ORGANISATION), "status": "SUCCESS"},
}
CASE_UPDATED = {
    "eventType": "CASE_UPDATED",
    "data": {"orgId": str(ORGANISATION), "caseId": str(uuid4()), "type": "COLLECTION_NOTICE", "fields": ["status"]},
}

type Call = Callable[..., HttpResponse]


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), body, "sha256").hex()


@pytest.fixture
def call(visitor: Client, settings: Settings) -> Call:
    """Call as Amili does; what is given differs. A header that is None is left out."""
    settings.AMILI_WEBHOOK_SECRETS = [SECRET]
    visitor.raise_request_exception = False

    def post(event: Any = COMPLETED, *, content_type: str = "application/json", **headers: str | None) -> HttpResponse:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        usual = {
            "X-Webhook-Signature": signature(body),
            "IdempotencyKey": str(uuid4()),
            "X-Amili-Event": "BATCH_COMPLETED",
            "X-Amili-Request-Id": "request-1",
        }
        given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value is not None}
        return visitor.post(ADDRESS, body, content_type, headers=sent)

    return post


def logged(**wanted: object) -> Delivery:
    """The one delivery of the log."""
    delivery = Delivery.objects.get(**wanted)
    assert "\n" not in delivery.reason
    return delivery


def has_rung(batch_id: UUID = BATCH) -> bool:
    return Batch.objects.due(timezone.now()).filter(pk=batch_id, asked_by=Source.WEBHOOK).exists()


def is_refused(answer: HttpResponse, status: int) -> bool:
    """Refused, logged with a reason, and nothing rung; the caller reads nothing but the status."""
    assert answer.status_code == status, answer.content
    assert len(answer.content) < 40
    return bool(logged(verdict="refused").reason) and not Batch.objects.exists()


# Off, on, and what is asked of a caller


@pytest.mark.parametrize("method", ["get", "post", "put", "head"])
def test_without_a_secret_there_is_no_such_address_and_no_record(visitor: Client, client: Client, method: str) -> None:
    for browser in (visitor, client):
        answer = getattr(browser, method)(ADDRESS, headers={"X-Webhook-Signature": signature(b"")})
        elsewhere = getattr(browser, method)("/hooks/nowhere/")
        assert (answer.status_code, seen(answer)) == (404, seen(elsewhere))
    assert not Delivery.objects.exists()


def test_a_signed_call_needs_no_sign_in_and_no_token_of_a_form(settings: Settings, db: None) -> None:
    settings.AMILI_WEBHOOK_SECRETS = [SECRET]
    body = json.dumps(COMPLETED).encode()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(ADDRESS, body, "application/json", headers={"X-Webhook-Signature": signature(body)})
    assert (answer.status_code, answer.content) == (200, b"OK\n")
    assert has_rung()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post_is_heard(call: Call, visitor: Client, method: str) -> None:
    answer = getattr(visitor, method)(ADDRESS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", "", "multipart/form-data"]
)
def test_only_json_is_heard(call: Call, kind: str) -> None:
    assert is_refused(call(content_type=kind), 415)


def test_json_may_name_its_encoding(call: Call) -> None:
    assert call(content_type="application/json; charset=utf-8").status_code == 200


def test_the_way_to_https_stays_and_a_call_that_came_over_https_needs_no_other(call: Call, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert call().status_code == 301
    assert not Delivery.objects.exists()
    assert call(X_Forwarded_Proto="https").status_code == 200
    assert has_rung()


# How large


def of_size(size: int) -> bytes:
    body = json.dumps(COMPLETED).encode()
    return body + b" " * (size - len(body))


def in_chunks(visitor: Client, body: bytes, **environ: object) -> HttpResponse:
    """Post a body whose length nobody has said."""
    return visitor.generic(
        "POST",
        ADDRESS,
        headers={"X-Webhook-Signature": signature(body)},
        **{"CONTENT_TYPE": "application/json", "wsgi.input": BytesIO(body), **environ},
    )


def test_a_body_of_64_kib_is_heard_and_one_byte_more_is_not(call: Call) -> None:
    assert call(of_size(64 * 1024)).status_code == 200
    Batch.objects.all().delete()
    assert is_refused(call(of_size(64 * 1024 + 1)), 413)


@pytest.mark.parametrize("length", [str(64 * 1024 + 1), "9" * 30, "9" * 5000])
def test_a_body_that_says_that_it_is_too_large_is_not_even_read(call: Call, visitor: Client, length: str) -> None:
    unread = BytesIO(b"{}")
    assert is_refused(in_chunks(visitor, b"{}", CONTENT_LENGTH=length, **{"wsgi.input": unread}), 413)
    assert unread.tell() == 0


def test_a_body_in_chunks_is_heard_up_to_the_same_size(call: Call, visitor: Client) -> None:
    assert in_chunks(visitor, of_size(64 * 1024)).status_code == 200
    assert has_rung()
    Batch.objects.all().delete()
    endless = BytesIO(bytes(10_000_000))
    assert is_refused(in_chunks(visitor, b"", **{"wsgi.input": endless}), 413)
    assert endless.tell() <= 64 * 1024 + 1


@pytest.mark.parametrize("length", ["-1", "many", "²", "1e3", "0"])
def test_a_length_that_is_none_is_no_body(call: Call, visitor: Client, length: str) -> None:
    assert is_refused(in_chunks(visitor, json.dumps(COMPLETED).encode(), CONTENT_LENGTH=length), 401)


# The signature


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        " ",
        signature(b"another body"),
        signature(json.dumps(COMPLETED).encode(), "another secret, as long as ours"),
        signature(json.dumps(COMPLETED).encode())[:-1],
        signature(json.dumps(COMPLETED).encode()) + "0",
        "sha256=" + signature(json.dumps(COMPLETED).encode()),
        SECRET,
        "\xff\xfe",
        HOSTILE,
        "0" * 64,
        "f" * 1000,
    ],
    ids=range(13),
)
def test_a_missing_or_wrong_signature_is_refused(call: Call, given: str | None) -> None:
    assert is_refused(call(X_Webhook_Signature=given), 401)


def test_all_that_are_refused_for_their_signature_hear_the_same(call: Call, settings: Settings) -> None:
    settings.AMILI_WEBHOOK_TIMESTAMP_HEADER = "X-Webhook-Timestamp"
    body = json.dumps(COMPLETED).encode()
    right, late = signature(b"now." + body), signature(b"1." + body)
    answers = [
        call(X_Webhook_Signature=None),
        call(X_Webhook_Signature="0" * 64),
        call(X_Webhook_Signature=right, X_Webhook_Timestamp="now"),
        call(X_Webhook_Signature=late, X_Webhook_Timestamp="1"),
    ]
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (401, b"Unauthorized\n", str(answers[0].headers))
    }
    assert len(set(Delivery.objects.values_list("reason", flat=True))) == len(answers)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_body_of_which_one_byte_was_changed_on_its_way_is_refused(call: Call, place: int) -> None:
    body = bytearray(json.dumps(COMPLETED).encode())
    right = signature(bytes(body))
    body[place] ^= 1
    assert is_refused(call(bytes(body), X_Webhook_Signature=right), 401)


def test_the_body_is_signed_as_it_came_and_not_as_it_is_read(call: Call) -> None:
    spread = json.dumps(COMPLETED, indent=3).encode() + b"\r\n"
    assert call(spread).status_code == 200
    assert call(json.dumps(COMPLETED).encode(), X_Webhook_Signature=signature(spread)).status_code == 401


def test_secrets_can_be_exchanged_without_a_call_being_lost(call: Call, settings: Settings) -> None:
    body = json.dumps(COMPLETED).encode()
    old, new = signature(body, SECRET), signature(body, NEW_SECRET)
    tries = [([SECRET], old), ([NEW_SECRET, SECRET], old), ([NEW_SECRET, SECRET], new), ([NEW_SECRET], new)]
    for settings.AMILI_WEBHOOK_SECRETS, given in tries:
        assert call(X_Webhook_Signature=given).status_code == 200
    assert call(X_Webhook_Signature=old).status_code == 401


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v1,"])
def test_the_manner_of_signing_can_be_set(
    call: Call, settings: Settings, algorithm: str, encoding: str, prefix: str
) -> None:
    settings.AMILI_WEBHOOK_SIGNATURE_HEADER = "X-Signed"
    settings.AMILI_WEBHOOK_ALGORITHM, settings.AMILI_WEBHOOK_ENCODING = algorithm, encoding
    settings.AMILI_WEBHOOK_PREFIX = prefix
    body = json.dumps(COMPLETED).encode()
    digest = hmac.digest(SECRET.encode(), body, algorithm)
    right = digest.hex() if encoding == "hex" else b64encode(digest).decode()
    assert call(X_Signed=prefix + right).status_code == 200
    assert call(X_Signed=f" {prefix}{right} ").status_code == 200
    assert call(X_Signed=prefix + right.upper()).status_code == (200 if encoding == "hex" else 401)
    assert call(X_Signed=f"{prefix}{prefix}{right}").status_code == (401 if prefix else 200)
    assert call(X_Signed=None).status_code == 401  # nobody looks at the other header any more
    other = "sha256" if algorithm == "sha512" else "sha512"
    wrong = hmac.digest(SECRET.encode(), body, other)
    assert call(X_Signed=prefix + (wrong.hex() if encoding == "hex" else b64encode(wrong).decode())).status_code == 401


# The time at which it was signed


@pytest.fixture
def stamped(call: Call, settings: Settings) -> Callable[..., int]:
    """Call with a time that is signed with the body: the status of the answer."""
    settings.AMILI_WEBHOOK_TIMESTAMP_HEADER = "X-Webhook-Timestamp"
    settings.AMILI_WEBHOOK_TOLERANCE = 300

    def post(stamp: str, *, sent: str | None = None) -> int:
        body = json.dumps(COMPLETED).encode()
        right = signature(f"{stamp}.".encode("latin-1", "replace") + body)
        return call(X_Webhook_Signature=right, X_Webhook_Timestamp=stamp if sent is None else sent).status_code

    return post


def ways_to_write(at: datetime) -> list[str]:
    seconds = int(at.timestamp())
    iso = at.isoformat()
    return [str(seconds), str(seconds * 1000), iso, iso.replace("+00:00", "Z"), f"{iso[:26]}7Z", iso[:19]]


def test_a_time_may_be_written_as_seconds_milliseconds_or_iso_8601(stamped: Callable[..., int]) -> None:
    now = datetime.now(UTC)
    assert {stamped(stamp) for stamp in ways_to_write(now)} == {200}
    assert {stamped(stamp) for stamp in ways_to_write(now - timedelta(seconds=290))} == {200}
    assert {stamped(stamp) for stamp in ways_to_write(now + timedelta(seconds=290))} == {200}
    assert stamped(now.astimezone(None).isoformat()) == 200


def test_a_time_too_far_from_ours_is_refused_in_both_directions(stamped: Callable[..., int]) -> None:
    now = datetime.now(UTC)
    for apart in (timedelta(seconds=-310), timedelta(seconds=310), timedelta(days=-400)):
        assert {stamped(stamp) for stamp in ways_to_write(now + apart)} == {401}
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        " ",
        "now",
        "-1",
        "1e9",
        "9" * 400,
        "9" * 15,
        "²",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\0",
    ],
)
def test_a_time_that_nobody_can_read_is_refused(stamped: Callable[..., int], stamp: str) -> None:
    assert stamped(stamp) == 401


def test_the_time_is_signed_with_the_body(stamped: Callable[..., int], call: Call) -> None:
    now = int(datetime.now(UTC).timestamp())
    assert stamped(str(now), sent=str(now + 1)) == 401
    assert call(X_Webhook_Timestamp=str(now)).status_code == 401  # the body alone is signed
    assert call(X_Webhook_Timestamp=None).status_code == 401


# What it does


def test_a_finished_batch_that_we_do_not_know_is_followed_and_asked_about_at_once(
    call: Call,
    amili: Amili,
    work: Callable[[], int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    batch_id = amili.start(fate="success", queued_seconds=0)
    with django_capture_on_commit_callbacks(execute=True):
        assert call({**COMPLETED, "data": {"batchId": str(batch_id)}}).status_code == 200
    assert has_rung(batch_id)
    assert work()
    assert Batch.objects.get().outcome == Outcome.SUCCEEDED
    assert Batch.objects.get().timeline.get(kind="first_seen").source == Source.WEBHOOK


def test_a_batch_that_we_know_is_asked_about_at_once_and_its_facts_are_not_touched(
    call: Call,
    recorded: Record,
    work: Callable[[], int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    recorded(of_today("QUEUED"))
    facts = ("outcome", "status", "organization_id", "checked_at", "changed_at", "digest")
    before = Batch.objects.values(*facts).get()
    Batch.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    data = {"batchId": str(BATCH), "organizationId": str(uuid4()), "status": "FAILED"}
    with django_capture_on_commit_callbacks(execute=True) as messages:
        assert call({**COMPLETED, "data": data}).status_code == 200
    assert messages
    assert has_rung()
    assert Batch.objects.values(*facts).get() == before
    assert not Batch.objects.get().timeline.filter(source=Source.WEBHOOK).exists()


def test_what_was_done_is_logged_without_signature_secret_or_body(call: Call) -> None:
    key = str(uuid4())
    call(IdempotencyKey=key)
    delivery = logged()
    assert (delivery.verdict, delivery.reason, delivery.event) == ("rung", "", "BATCH_COMPLETED")
    assert (delivery.key, delivery.request_id) == (key, "request-1")
    assert (delivery.batch_id, delivery.organization_id) == (BATCH, ORGANISATION)
    assert timezone.now() - delivery.at < timedelta(seconds=5)
    everything = str(Delivery.objects.values().get())
    assert SECRET not in everything
    assert signature(json.dumps(COMPLETED).encode()) not in everything
    assert "COLLECTION" not in everything


@pytest.mark.parametrize(
    ("event", "header", "name"),
    [
        ({"type": "A"}, "B", "A"),
        ({"eventType": "A"}, "B", "A"),
        ({"type": "A", "eventType": "C"}, "B", "A"),
        ({"type": "", "eventType": "C"}, "B", "C"),
        ({}, "B", "B"),
        ({"type": None}, "B", "B"),
        ({"type": ["A"], "eventType": {}}, "B", "B"),
        ({}, None, ""),
    ],
)
def test_the_event_is_named_by_the_body_in_either_way_or_else_by_the_header(
    call: Call, event: Json, header: str | None, name: str
) -> None:
    assert call(event, X_Amili_Event=header).status_code == 200
    assert logged().event == name


@pytest.mark.parametrize("name", ["organizationId", "orgId"])
def test_the_organisation_is_understood_under_both_of_its_names(call: Call, name: str) -> None:
    call({"type": "BATCH_COMPLETED", "data": {"batchId": str(BATCH).upper(), name: str(ORGANISATION)}})
    assert (logged().batch_id, logged().organization_id) == (BATCH, ORGANISATION)


def test_an_event_of_another_kind_is_acknowledged_and_noted(call: Call) -> None:
    assert call(CASE_UPDATED).status_code == 200
    delivery = logged()
    assert (delivery.verdict, delivery.event, delivery.organization_id) == ("noted", "CASE_UPDATED", ORGANISATION)
    assert not Batch.objects.exists()


def test_an_event_that_nobody_knows_yet_rings_if_it_names_a_batch(call: Call) -> None:
    assert call({"type": "BATCH_REOPENED", "data": {"batchId": str(BATCH)}}).status_code == 200
    assert logged().verdict == "rung"
    assert has_rung()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        5,
        {},
        {"batchId": None},
        {"batchId": 5},
        {"batchId": ""},
        {"batchId": "5579c111"},
        {"batchId": f"{BATCH}0"},
        {"batchId": "١" * 32},
        {"batchId": "1_" * 16},
        {"batchId": HOSTILE},
        {"batchId": [str(BATCH)]},
        {"batchId": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_an_event_whose_batch_cannot_be_read_is_acknowledged_and_noted(call: Call, data: object) -> None:
    assert call({"type": "BATCH_COMPLETED", "data": data}).status_code == 200
    assert logged().verdict == "noted"
    assert logged().reason == "It names no batch."
    assert not Batch.objects.exists()


# What is signed and still makes no sense


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b"[{}]",
        b'{"type": "A" // a comment\n}',
        b"\xff\xfe\x00",
        b'{"type": "\xe5"}',
        json.dumps(COMPLETED).encode("utf-16"),
        b"{}\0",
        b"[" * 60_000,
        b'{"data":' * 8_000,
        b'{"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)
def test_what_is_signed_but_no_json_object_is_refused(call: Call, body: bytes) -> None:
    assert is_refused(call(body), 400)


@pytest.mark.parametrize(
    "more",
    [
        '"n": ' + "9" * 60_000,
        '"n": -0.' + "1" * 60_000,
        '"n": 1e999999',
        '"n": "\\ud83d"',
        '"n": "\\u0000"',
        '"n": ' + "[" * 50 + "]" * 50,
    ],
)
def test_odd_things_beside_the_batch_do_not_keep_it_from_ringing(call: Call, more: str) -> None:
    body = f'{{"type": "BATCH_COMPLETED", "data": {{"batchId": "{BATCH}"}}, {more}}}'
    assert call(body.encode()).status_code == 200
    assert has_rung()


@pytest.mark.parametrize("text", [HOSTILE, "\ud83d", "\0", "x\r\ny", "\u202e\u2028\x7f"])
def test_texts_of_others_lose_what_cannot_be_shown_or_kept(call: Call, text: str) -> None:
    assert call({"type": f"A{text}Z", "data": {"batchId": str(BATCH)}}).status_code == 200
    event = logged().event
    assert (event[0], event[-1]) == ("A", "Z")
    assert event.isprintable()


@pytest.mark.parametrize("name", ["X-Amili-Event", "X-Amili-Request-Id", "IdempotencyKey", "X-Webhook-Signature"])
@pytest.mark.parametrize("value", ["x" * 1000, "\0\x01\x1b[31m\x7f\x85", "\xff" * 300, "<script>alert(1)</script>"])
def test_headers_of_anybody_are_cut_and_cleaned(call: Call, name: str, value: str) -> None:
    call({}, **{name: value})
    delivery = logged()
    for kept in (delivery.event, delivery.request_id, delivery.key):
        assert len(kept) <= 200
        assert kept.isprintable()


# What came before


def test_what_comes_twice_under_one_key_rings_once(call: Call) -> None:
    assert call(IdempotencyKey="once").status_code == 200
    Batch.objects.all().delete()
    assert call(IdempotencyKey="once").status_code == 200
    assert list(Delivery.objects.newest_first().values_list("verdict", flat=True)) == ["duplicate", "rung"]
    assert not Batch.objects.exists()


def test_a_noted_event_that_comes_again_is_a_duplicate_too(call: Call) -> None:
    for verdict in ("noted", "duplicate", "duplicate"):
        assert call(CASE_UPDATED, IdempotencyKey="once").status_code == 200
        assert Delivery.objects.newest_first()[0].verdict == verdict


def test_without_a_key_nothing_is_a_duplicate(call: Call) -> None:
    for key in (None, None, "", "\0", "x" * 1000, "x" * 1000):
        assert call(IdempotencyKey=key).status_code == 200
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"rung"}


def test_nobody_without_a_secret_can_use_up_a_key(call: Call) -> None:
    assert call(IdempotencyKey="once", X_Webhook_Signature="0").status_code == 401
    assert call(IdempotencyKey="once").status_code == 200
    assert has_rung()


def insist(call: Call, **headers: str) -> None:
    """Call until it is heard, as on a slow machine one in a crowd may be asked to come again."""
    while (status := call(**headers).status_code) == 503:
        continue
    assert status == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_under_one_key_one_rings(call: Call) -> None:
    together(lambda: insist(call, IdempotencyKey="once"), 8)
    heard = Delivery.objects.exclude(verdict="refused")
    assert sorted(heard.values_list("verdict", flat=True)) == ["duplicate"] * 7 + ["rung"]
    assert Batch.objects.get().revision == 1


@pytest.mark.django_db(transaction=True)
def test_different_events_about_one_batch_at_once_all_ring(call: Call) -> None:
    together(lambda: insist(call), 8)
    assert Delivery.objects.filter(verdict="rung").count() == 8
    assert has_rung()


# When something goes wrong here


@pytest.mark.timeout(60)
@pytest.mark.django_db(transaction=True)
def test_while_the_batch_is_being_written_the_caller_is_asked_to_come_again_and_then_heard(
    call: Call, recorded: Record
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    with transaction.atomic():
        Batch.objects.select_for_update(no_key=True).get()
        [status] = together(
            lambda: call(IdempotencyKey="once").status_code, 1
        )  # or it would wait for us, and we for it
    assert status == 503
    assert logged().verdict == "refused"
    assert not has_rung()
    assert call(IdempotencyKey="once").status_code == 200
    assert has_rung()


@contextmanager
def full(table: str) -> Iterator[None]:
    """No row can be written to this table, as on a full disk."""
    raising = "BEGIN RAISE disk_full; END"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS '{raising}'")
        cursor.execute(f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()")
        yield
        cursor.execute("DROP FUNCTION no_room CASCADE")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["batches_batch", "batches_delivery"])
def test_a_ring_and_its_record_happen_both_or_neither(call: Call, table: str) -> None:
    with full(table):
        assert call(IdempotencyKey="once").status_code >= 500
    assert not Batch.objects.exists()
    assert not Delivery.objects.exists()
    assert call(IdempotencyKey="once").status_code == 200
    assert has_rung()


def test_without_a_broker_the_ring_is_noted_and_answered(
    call: Call,
    no_broker: None,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with caplog.at_level(logging.CRITICAL, "django.test"), django_capture_on_commit_callbacks(execute=True):
        assert call().status_code == 200
    assert has_rung()


# What it costs


def test_a_call_costs_few_queries(call: Call, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Of a new batch, of a known one, of a duplicate and of junk; about half are the bounds of transactions."""
    for queries, headers in [
        (13, {"IdempotencyKey": "once"}),
        (9, {}),
        (8, {"IdempotencyKey": "once"}),
        (5, {"X_Webhook_Signature": "0"}),
    ]:
        with django_assert_num_queries(queries):
            call(**headers)


def test_junk_does_not_fill_the_table(call: Call) -> None:
    for _ in range(70):
        assert call(X_Webhook_Signature="0").status_code == 401
    assert Delivery.objects.count() == 60
    assert call().status_code == 200
    Delivery.objects.filter(verdict="refused").update(at=timezone.now() - timedelta(seconds=61))
    call(X_Webhook_Signature="0")
    assert Delivery.objects.filter(verdict="refused").count() == 61


@pytest.mark.django_db(transaction=True)
def test_junk_from_many_at_once_does_not_either(call: Call) -> None:
    together(lambda: [call(X_Webhook_Signature="0") for _ in range(12)], 8)
    assert Delivery.objects.count() == 60


def test_the_log_is_forgotten_after_a_month(call: Call) -> None:
    call()
    call(IdempotencyKey="old")
    now = timezone.now()
    Delivery.objects.filter(key="old").update(at=now - timedelta(days=31))
    Delivery.objects.forget_old(now)
    assert logged().key != "old"


# The log


@pytest.fixture
def administrator(client: Client, person: Person) -> Client:
    person.is_staff = person.is_superuser = True
    person.save()
    return client


def test_an_administrator_reads_the_log_and_finds_what_was_refused(administrator: Client, call: Call) -> None:
    call()
    call(X_Webhook_Signature="0", X_Amili_Request_Id="<b>bad</b>")
    page = administrator.get("/admin/batches/delivery/")
    text = seen(page)
    assert "Its signature is not made with a secret of ours." in text
    assert "BATCH_COMPLETED" in text
    assert f'<a href="/batches/{BATCH}/">' in page.content.decode()
    assert "<b>bad" not in page.content.decode()
    refused = seen(administrator.get("/admin/batches/delivery/?verdict__exact=refused"))
    assert "1 webhook delivery" in refused
    found = seen(administrator.get("/admin/batches/delivery/", {"q": str(BATCH)}))
    assert "1 webhook delivery" in found
    assert administrator.get(f"/admin/batches/delivery/{logged(verdict='rung').pk}/change/").status_code == 200


def test_nobody_can_add_to_the_log_change_it_or_delete_from_it(administrator: Client, call: Call) -> None:
    call()
    before = Delivery.objects.values().get()
    one = f"/admin/batches/delivery/{before['id']}"
    assert administrator.post("/admin/batches/delivery/add/", {"verdict": "rung"}).status_code == 403
    assert administrator.post(f"{one}/change/", {"verdict": "noted"}).status_code == 403
    assert administrator.post(f"{one}/delete/", {"post": "yes"}).status_code == 403
    administrator.post("/admin/batches/delivery/", {"action": "delete_selected", "_selected_action": before["id"]})
    assert Delivery.objects.values().get() == before


def test_the_log_is_closed_to_others(client: Client, call: Call) -> None:
    call()
    assert client.get("/admin/batches/delivery/").status_code in {302, 403}


# The settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMILI_WEBHOOK_SECRETS", "short"),
        ("AMILI_WEBHOOK_SECRETS", f"{SECRET},short"),
        ("AMILI_WEBHOOK_SIGNATURE_HEADER", "X_Webhook_Signature"),
        ("AMILI_WEBHOOK_SIGNATURE_HEADER", "X-Webhook-Signature: x"),
        ("AMILI_WEBHOOK_ALGORITHM", "md5"),
        ("AMILI_WEBHOOK_ENCODING", "base32"),
        ("AMILI_WEBHOOK_TIMESTAMP_HEADER", "t="),
        ("AMILI_WEBHOOK_TOLERANCE", "0"),
        ("AMILI_WEBHOOK_TOLERANCE", "five"),
    ],
)
def test_a_setting_that_makes_no_sense_refuses_the_start_and_shows_no_secret(name: str, value: str) -> None:
    result = start(**{name: value})
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(name)
    assert "short" not in line
    assert SECRET not in line


def test_the_defaults_are_off_and_safe() -> None:
    settings = {name: value for name, value in settings_of().items() if name.startswith("AMILI_WEBHOOK_")}
    assert settings == {
        "AMILI_WEBHOOK_SECRETS": "[]",
        "AMILI_WEBHOOK_SIGNATURE_HEADER": "X-Webhook-Signature",
        "AMILI_WEBHOOK_ALGORITHM": "sha256",
        "AMILI_WEBHOOK_ENCODING": "hex",
        "AMILI_WEBHOOK_PREFIX": "",
        "AMILI_WEBHOOK_TIMESTAMP_HEADER": "",
        "AMILI_WEBHOOK_TOLERANCE": "300",
    }


def test_settings_are_read_as_they_are_meant() -> None:
    settings = settings_of(AMILI_WEBHOOK_SECRETS=f" {SECRET} , {NEW_SECRET},", AMILI_WEBHOOK_ALGORITHM="SHA512")
    assert settings["AMILI_WEBHOOK_SECRETS"] == str([SECRET, NEW_SECRET])
    assert settings["AMILI_WEBHOOK_ALGORITHM"] == "sha512"
