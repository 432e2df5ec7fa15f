"""Messages on their way: tried again while that may help, given up when it cannot, and sent nowhere but where they may go."""

import asyncio
import hmac
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from batches import tasks, triage
from batches.alerts import mail, messages, webhooks
from batches.alerts.messages import Text
from batches.models import Batch, Channel, Message, Shape
from batches.pace import LEASE
from batches.words import AlertKind, TriageState
from sandbox.servers import free_port
from staff.models import Person
from tests.alerted import CANARY, FRIDAY, MINUTE, batch, failures, send_due, tick, wish
from tests.answers import ORGANISATION, succeeded
from tests.conftest import Record
from tests.smtp import Postbox, hanging, point_at, receiving, running
from tests.test_settings import settings_of, start
from tests.test_tasks import Work, together
from tests.test_transport import certificate, tls_server  # noqa: F401

State = Message.State
TEXT = Text(
    "Stuck: 1 batch",
    "Nordlys & <b>Sønner</b>\nhttps://dashboard.example/batches/1/\n\n-- \nWhy:\nhttps://dashboard.example/alerts/",
)
PAUSES = [1, 5, 15, 60, 240]


@pytest.fixture
def postbox(settings: Settings) -> Iterator[Postbox]:
    """A mail server that is there."""
    with receiving(settings) as postbox:
        yield postbox


@pytest.fixture(autouse=True)
def site(settings: Settings) -> None:
    settings.SITE_URL = "https://dashboard.example"
    settings.DEFAULT_FROM_EMAIL = "Dashboard <dashboard@example.no>"


# ------------------------------------------------------------------------------------------ mail


def test_a_mail_says_that_a_machine_wrote_it(person: Person, postbox: Postbox) -> None:
    messages.put(person, TEXT, FRIDAY, kind=AlertKind.STUCK)
    send_due(FRIDAY)
    [came] = postbox.mails
    assert (came["From"], came["To"]) == ("Dashboard <dashboard@example.no>", "kari@example.no")
    assert (came["Subject"], came["Auto-Submitted"]) == ("Stuck: 1 batch", "auto-generated")
    assert came["Message-ID"].endswith("@dashboard.example>")
    assert came.get_content().splitlines() == TEXT.body.splitlines()
    assert came.get_content_type() == "text/plain"


def test_a_line_break_begins_no_header(person: Person, postbox: Postbox) -> None:
    messages.put(person, Text("Stuck\r\nBcc: evil@example.no", "Body"), FRIDAY)
    send_due(FRIDAY)
    assert postbox.subjects == ["Stuck Bcc: evil@example.no"]
    assert postbox.mails[0]["Bcc"] is None
    assert postbox.recipients == ["kari@example.no"]


def test_while_the_mail_server_is_away_a_mail_waits_and_then_goes_out_once(person: Person, settings: Settings) -> None:
    port = free_port()
    point_at(settings, port)
    messages.put(person, TEXT, FRIDAY)
    send_due(FRIDAY)
    message = Message.objects.get()
    assert (message.state, message.tries) == (State.WAITING, 1)
    assert message.next_try_at == FRIDAY + MINUTE
    assert message.problem == "The mail server could not be reached."
    postbox = Postbox()
    with running(postbox, port):
        send_due(FRIDAY + 59 * MINUTE / 60)
        assert postbox.mails == []
        for minutes in (1, 2, 3):
            send_due(FRIDAY + minutes * MINUTE)
    message.refresh_from_db()
    assert postbox.subjects == ["Stuck: 1 batch"]
    assert (message.state, message.tries, message.problem) == (State.SENT, 2, "")
    assert message.sent_at == FRIDAY + MINUTE


def test_a_mail_server_that_stays_away_is_tried_six_times(person: Person, settings: Settings) -> None:
    point_at(settings, free_port())
    messages.put(person, TEXT, FRIDAY)
    now = FRIDAY
    for minutes in PAUSES:
        send_due(now)
        assert Message.objects.get().next_try_at == now + minutes * MINUTE
        now += minutes * MINUTE
    send_due(now)
    message = Message.objects.get()
    assert (message.state, message.tries, message.next_try_at) == (State.GIVEN_UP, 6, None)


@pytest.mark.parametrize(
    ("refusal", "state", "problem"),
    [
        ("550 5.1.1 No such user: kari, says <the server>", State.GIVEN_UP, "The mail server turned it down (550)."),
        ("451 4.3.0 Try again later, says <the server>", State.WAITING, "The mail server turned it down (451)."),
        ("530 5.7.0 Sign in first, says <the server>", State.WAITING, "The mail server turned it down (530)."),
    ],
)
def test_a_refusal_is_told_by_its_number_and_ends_what_will_not_go_better(
    refusal: str,
    state: str,
    problem: str,
    person: Person,
    postbox: Postbox,
) -> None:
    postbox.refusal = refusal
    messages.put(person, TEXT, FRIDAY)
    send_due(FRIDAY)
    message = Message.objects.get()
    assert (message.state, message.problem) == (state, problem)


@pytest.mark.parametrize("address", ["", "kari@example.no, evil@example.no", "kåri@example.no"])
def test_an_address_that_is_none_is_given_up(address: str, person: Person, postbox: Postbox) -> None:
    messages.put(person, TEXT, FRIDAY)
    Person.objects.update(email=address)
    send_due(FRIDAY)
    assert Message.objects.get().state == (State.GIVEN_UP)
    assert postbox.mails == []


def test_a_mail_whose_worker_ended_goes_out_after_the_pause_under_the_same_id(
    person: Person,
    postbox: Postbox,
) -> None:
    messages.put(person, TEXT, FRIDAY)
    claimed = Message.objects.claim(Channel.MAIL, FRIDAY)
    assert claimed
    mail.send(claimed)  # and here the worker ends, before it has noted that the server took the mail
    send_due(FRIDAY + LEASE)
    assert len(postbox.mails) == 1
    send_due(FRIDAY + MINUTE)
    assert len(postbox.mails) == 2
    assert postbox.mails[0]["Message-ID"] == postbox.mails[1]["Message-ID"]


def test_a_message_that_ends_its_workers_is_given_up(person: Person, postbox: Postbox) -> None:
    """After as long as one that is refused each time."""
    messages.put(person, TEXT, FRIDAY)
    now = FRIDAY
    for minutes in [*PAUSES, PAUSES[-1]]:
        assert Message.objects.claim(Channel.MAIL, now)
        now += minutes * MINUTE
        assert not Message.objects.claim(Channel.MAIL, now - MINUTE / 60)
    send_due(now)
    message = Message.objects.get()
    assert (message.state, message.problem) == (State.GIVEN_UP, "Each try was broken off.")
    assert postbox.mails == []


@pytest.mark.django_db(transaction=True)
def test_workers_who_are_told_twice_send_once(person: Person, postbox: Postbox) -> None:
    for _ in range(3):
        messages.put(person, TEXT, timezone.now())
    together(lambda: tasks.send_messages("mail"), times=4)
    assert len({mail["Message-ID"] for mail in postbox.mails}) == len(postbox.mails) == 3


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_hangs_holds_one_worker_and_no_webhook(
    person: Person, receiver: "Receiver", settings: Settings, work: Work
) -> None:
    def a_worker() -> None:
        tasks.send_messages("mail")
        connection.close()

    hung = threading.Thread(target=a_worker)
    with hanging(settings) as calls:
        for _ in range(80):
            messages.put(person, TEXT, timezone.now())
        hung.start()
        first = calls.get(timeout=20)
        for _ in range(3):
            tasks.send_due_messages()
        assert work() == 0, "the queue is free for other work"
        together(lambda: tasks.send_messages("mail"), times=3)
        assert calls.empty()
        messages.put(by_webhook(person, receiver.url), TEXT, timezone.now())
        tasks.send_due_messages()
        assert work() == 1
        assert len(receiver.calls) == 1
    first.close()
    hung.join()
    assert Message.objects.get(state=State.SENT).channel == Channel.WEBHOOK


def test_a_mail_server_that_hangs_is_said_not_to_answer_in_time(person: Person, settings: Settings) -> None:
    with hanging(settings, timeout=0.2):
        assert problem_of(person) == (State.WAITING, "The mail server did not answer in time.")


def test_a_mail_server_may_ponder_over_a_whole_mail(person: Person, settings: Settings) -> None:
    """Longer than over a word: who leaves it too early sends it again and again."""
    postbox, port = Postbox(), free_port()
    postbox.ponders = 2
    point_at(settings, port, timeout=1)
    with running(postbox, port):
        assert problem_of(person) == (State.SENT, "")
    assert len(postbox.mails) == 1


class Clinging(Postbox):
    """It takes mail, and lets nobody go."""

    def __init__(self) -> None:
        super().__init__()
        self.was_left = threading.Event()

    async def handle_QUIT(self, *_: object) -> str:  # noqa: N802 - named for SMTP's word
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:  # the caller has gone
            self.was_left.set()
            raise
        return "221 Bye"


def test_nobody_waits_for_a_mail_servers_goodbye(person: Person, settings: Settings) -> None:
    postbox, port = Clinging(), free_port()
    point_at(settings, port, timeout=20)
    with running(postbox, port):
        assert problem_of(person) == (State.SENT, "")
        assert postbox.was_left.wait(timeout=5)


def test_a_try_that_takes_too_long_is_one_that_failed(person: Person, postbox: Postbox) -> None:
    """Celery lets a task know by a signal when its time is nearly over."""

    def tell(*_: object) -> NoReturn:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, tell)
    postbox.ponders, postbox.on_mail = 2, lambda: os.kill(os.getpid(), signal.SIGUSR1)
    try:
        assert problem_of(person) == (State.WAITING, "It took too long.")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert Message.objects.get().next_try_at == FRIDAY + MINUTE


@pytest.mark.parametrize("where", ["greeting", "sender"])
def test_what_the_operator_can_mend_is_not_given_up(where: str, person: Person, settings: Settings) -> None:
    told = (State.WAITING, "The mail server turned it down (550).")
    if where == "greeting":
        with hanging(settings, greeting=b"550 5.7.1 You are on a list\r\n"):
            assert problem_of(person) == told
    else:
        with receiving(settings) as postbox:
            postbox.sender_refusal = "550 5.1.0 Who are you?"
            assert problem_of(person) == told


def test_a_certificate_that_nobody_signed_is_for_the_operator_to_mend(
    person: Person,
    settings: Settings,
    certificate: Path,  # noqa: F811
) -> None:
    with tls_server(certificate) as url:
        point_at(settings, urlsplit(url).port or 0, host="localhost", use_ssl=True)
        assert problem_of(person) == (State.WAITING, "The mail server's certificate cannot be trusted.")


def test_a_further_try_keeps_out_of_quiet_hours(person: Person, settings: Settings) -> None:
    point_at(settings, free_port())
    wish(person, quiet_from="10:01", quiet_until="12:00")
    assert problem_of(person)[0] == State.WAITING
    assert Message.objects.get().next_try_at == FRIDAY.replace(hour=12)


@pytest.mark.parametrize("kind", [AlertKind.STUCK, Message.DIGEST])
def test_what_was_held_up_until_quiet_hours_waits_for_their_end(kind: str, person: Person, postbox: Postbox) -> None:
    wish(person, quiet_from="11:00", quiet_until="12:00")
    messages.put(person, TEXT, FRIDAY, kind=kind)
    send_due(FRIDAY.replace(hour=11))  # after an hour without workers
    assert postbox.mails == []
    assert (Message.objects.get().tries, Message.objects.get().next_try_at) == (0, FRIDAY.replace(hour=12))
    send_due(FRIDAY.replace(hour=12))
    assert postbox.subjects == ["Stuck: 1 batch"]


@pytest.mark.parametrize("channel", Channel)
def test_a_closed_account_gets_nothing_that_waits(
    channel: Channel, person: Person, postbox: Postbox, receiver: "Receiver"
) -> None:
    wish(person, wants_mail=channel == Channel.MAIL, webhook_url=receiver.url if channel == Channel.WEBHOOK else "")
    messages.put(Person.objects.get(), TEXT, FRIDAY)
    Person.objects.update(is_active=False)
    send_due(FRIDAY)
    assert Message.objects.get().state == State.GIVEN_UP
    assert (postbox.mails, receiver.calls) == ([], [])


def test_a_test_goes_out_in_quiet_hours_too(person: Person, postbox: Postbox) -> None:
    wish(person, quiet_from="10:00", quiet_until="12:00")
    messages.put_test(person, FRIDAY)
    send_due(FRIDAY)
    assert postbox.subjects == ["Test message"]


def test_a_clock_that_is_put_back_mutes_nobody(person: Person, postbox: Postbox) -> None:
    later = FRIDAY + timedelta(days=3)
    messages.put(person, TEXT, later)
    assert Message.objects.claim(Channel.MAIL, later)
    send_due(FRIDAY)
    assert Message.objects.get().state == State.SENT


# ------------------------------------------------------------------------------------------ webhook


class Receiver:
    """A server on loopback that keeps what is posted to it, and answers as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.location = ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Location", receiver.location)
                self.send_header("Content-Length", f"{10**9}")  # which nobody waits for
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/kari"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """It is there, and the operator allows it."""
    settings.ALERT_WEBHOOK_HOSTS = ["127.0.0.1", "hooks.example.no"]
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def by_webhook(person: Person, url: str, **more: Any) -> Person:
    """This person, who wants no mail but calls to this address."""
    wish(person, AlertKind.FAILED, wants_mail=False, webhook_url=url, **more)
    return Person.objects.select_related("alert_wishes").get(pk=person.pk)


def problem_of(person: Person) -> tuple[str, str]:
    messages.put(person, TEXT, FRIDAY)
    send_due(FRIDAY)
    message = Message.objects.get()
    return message.state, message.problem


def test_a_webhook_is_signed_so_that_its_receiver_can_tell_it_from_others(person: Person, receiver: Receiver) -> None:
    by_webhook(person, receiver.url, webhook_secret="known to both")
    messages.put(Person.objects.get(), TEXT, FRIDAY, kind=AlertKind.STUCK)
    send_due(FRIDAY)
    [(headers, body)] = receiver.calls
    timestamp = headers["X-Dashboard-Timestamp"]
    signature = hmac.digest(b"known to both", f"{timestamp}.".encode() + body, "sha256").hex()
    assert headers["X-Dashboard-Signature"] == f"sha256={signature}"
    assert abs(timezone.now().timestamp() - int(timestamp)) < 60
    assert receiver.bodies == [
        {
            "id": Message.objects.get().pk,
            "kind": "stuck",
            "subject": TEXT.subject,
            "text": TEXT.body,
            "links": ["https://dashboard.example/batches/1/", "https://dashboard.example/alerts/"],
            "sent_at": "2026-11-20T09:00:00+00:00",
        }
    ]
    assert Message.objects.get().state == State.SENT


def test_slack_gets_its_three_characters_escaped(person: Person, receiver: Receiver) -> None:
    problem_of(by_webhook(person, receiver.url, webhook_shape=Shape.SLACK))
    [body] = receiver.bodies
    assert list(body) == ["text"]
    assert body["text"].startswith(
        "Stuck: 1 batch\n\nNordlys &amp; &lt;b&gt;Sønner&lt;/b&gt;\nhttps://dashboard.example/"
    )


def test_teams_gets_an_adaptive_card_whose_links_can_be_followed(person: Person, receiver: Receiver) -> None:
    problem_of(by_webhook(person, receiver.url, webhook_shape=Shape.TEAMS))
    [body] = receiver.bodies
    [attachment] = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["text"] for block in card["body"]] == [
        "Stuck: 1 batch",
        "Nordlys & <b>Sønner</b>",
        "[https://dashboard.example/batches/1/](https://dashboard.example/batches/1/)",
        "Why:",
        "[https://dashboard.example/alerts/](https://dashboard.example/alerts/)",
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, person: Person, receiver: Receiver) -> None:
    receiver.status, receiver.location = status, receiver.url
    assert problem_of(by_webhook(person, receiver.url)) == (State.GIVEN_UP, f"The receiver answered with {status}.")
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (204, State.SENT),
        (400, State.GIVEN_UP),
        (404, State.GIVEN_UP),
        (408, State.WAITING),
        (429, State.WAITING),
        (500, State.WAITING),
        (503, State.WAITING),
    ],
)
def test_a_receiver_that_may_do_better_later_is_tried_again(
    status: int, state: str, person: Person, receiver: Receiver
) -> None:
    receiver.status = status
    assert problem_of(by_webhook(person, receiver.url))[0] == state


def test_a_receiver_that_is_away_is_tried_again(person: Person, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_HOSTS = ["127.0.0.1"]
    told = problem_of(by_webhook(person, f"http://127.0.0.1:{free_port()}/"))
    assert told == (State.WAITING, "The receiver could not be reached.")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://hooks.example.no.evil.example/",
        "https://hooks.example.no@evil.example/",
        "https://evil.example\\@hooks.example.no/",
        "https://evil.example#@hooks.example.no/",
        "https://kari:secret@hooks.example.no/",
        "https://hooks.example.no:22/",
        "https://hooks.example.no./",
        "http://hooks.example.no/",
        "https://127.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://2130706433/",
        "ftp://hooks.example.no/",
        "file:///etc/passwd",
        "//hooks.example.no/",
        "https://",
        "https://[",
        "nonsense",
    ],
)
def test_what_the_operator_does_not_allow_is_never_called(url: str, person: Person, receiver: Receiver) -> None:
    assert problem_of(by_webhook(person, url)) == (State.GIVEN_UP, "Messages may not go to this address.")


def test_what_the_operator_allows_is(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_HOSTS = ["hooks.example.no"]
    assert webhooks.may_go_to("https://hooks.example.no/services/1?key=2")
    assert webhooks.may_go_to("https://HOOKS.example.no:443/")


def test_a_host_that_is_no_longer_allowed_gets_nothing_more(
    person: Person, receiver: Receiver, settings: Settings
) -> None:
    messages.put(by_webhook(person, receiver.url), TEXT, FRIDAY)
    settings.ALERT_WEBHOOK_HOSTS = []
    send_due(FRIDAY)
    assert Message.objects.get().state == State.GIVEN_UP
    assert receiver.calls == []


def test_an_alert_goes_to_both_channels_and_the_one_does_not_wait_for_the_other(
    person: Person,
    recorded: Record,
    receiver: Receiver,
    postbox: Postbox,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And no debtor data, address or secret goes along, or into the log."""
    caplog.set_level(logging.DEBUG)
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    wish(person, *AlertKind, webhook_url=receiver.url, webhook_secret="known to both")
    receiver.status = 500
    recorded(batch(1, "PARTIAL", at=FRIDAY - MINUTE, succeeded=[succeeded()], failed=failures(60)), at=FRIDAY)
    recorded(batch(2, "FAILED", at=FRIDAY - MINUTE, failed=failures(2)), at=FRIDAY)
    tick(FRIDAY)
    assert sorted(postbox.subjects) == ["Failed: 1 batch", "Many failures: 1 organisation", "New: 1 cause of failures"]
    assert sorted(body["subject"] for body in receiver.bodies) == sorted(postbox.subjects)
    sent = "".join([*map(str, postbox.mails), *map(str, receiver.calls), caplog.text])
    assert CANARY not in sent
    assert "Bcc" not in sent
    assert "known to both" not in sent
    assert receiver.url not in caplog.text
    assert "kari@example.no" not in "".join(
        record.getMessage() for record in caplog.records if "batches" in record.name
    )


def test_a_channel_that_is_down_keeps_its_own_order_and_no_other_channel_waiting(
    person: Person, recorded: Record, receiver: Receiver, postbox: Postbox
) -> None:
    told = ["Failed: 1 batch", "All clear: 1 failed batch is dealt with"]
    wish(person, AlertKind.FAILED, webhook_url=receiver.url)
    receiver.status = 503
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    triage.move(Batch.objects.get(), person, 0, TriageState.CORRECTED, None)
    tick(FRIDAY + 2 * MINUTE)
    assert postbox.subjects == told
    receiver.status = 200
    for minutes in range(3, 10):
        tick(FRIDAY + minutes * MINUTE)
    assert [body["subject"] for body in receiver.bodies] == [told[0], told[0], *told]
    assert postbox.subjects == told


def test_once_mail_goes_out_again_nobodys_waits_for_the_rest_of_a_long_pause(person: Person, postbox: Postbox) -> None:
    wish(person)
    quiet = Person.objects.create(username="per", email="per@example.no")
    wish(quiet, quiet_from="12:00", quiet_until="20:00")
    postbox.refusal = "451 Later"
    for each in (person, quiet):
        messages.put(Person.objects.get(pk=each.pk), Text("Failed", ""), FRIDAY, kind=AlertKind.FAILED)
    for minutes in (0, 1, 6, 21, 81):
        send_due(FRIDAY + minutes * MINUTE)
    postbox.refusal = ""
    back = FRIDAY + 130 * MINUTE
    messages.put(person, Text("All clear", ""), back, kind=AlertKind.FAILED)
    send_due(back)
    assert postbox.mails == []  # a fresh one keeps behind what waits until the afternoon
    messages.put(Person.objects.create(username="ola", email="ola@example.no"), TEXT, back)
    for minutes in range(6):
        send_due(back + minutes * MINUTE)
    assert postbox.subjects == ["Stuck: 1 batch", "Failed", "All clear"]
    send_due(FRIDAY.replace(hour=20))
    assert postbox.recipients[3:] == ["per@example.no"]


def test_a_webhook_that_works_says_nothing_of_another_persons(person: Person, receiver: Receiver) -> None:
    receiver.status = 503
    messages.put(by_webhook(person, receiver.url), TEXT, FRIDAY)
    for minutes in (0, 1, 6, 21):
        send_due(FRIDAY + minutes * MINUTE)
    waits_until = Message.objects.get().next_try_at
    receiver.status = 200
    now = FRIDAY + 22 * MINUTE
    messages.put(by_webhook(Person.objects.create(username="ola"), receiver.url), TEXT, now)
    send_due(now)
    assert Message.objects.get(state=State.WAITING).next_try_at == waits_until
    messages.put(Person.objects.get(pk=person.pk), TEXT, now)
    send_due(now)
    assert Message.objects.get(state=State.WAITING).next_try_at == now + 5 * MINUTE


def test_fresh_word_goes_before_what_is_tried_again(person: Person, receiver: Receiver) -> None:
    """Be it another's: a receiver that does not answer costs each try its whole time."""
    receiver.status = 503
    messages.put(by_webhook(person, receiver.url), Text("Tried", ""), FRIDAY)
    send_due(FRIDAY)
    ola = by_webhook(Person.objects.create(username="ola"), receiver.url)
    messages.put(ola, Text("Fresh", ""), FRIDAY + 2 * MINUTE)
    send_due(FRIDAY + 2 * MINUTE)
    assert [body["subject"] for body in receiver.bodies] == ["Tried", "Fresh", "Tried"]


def test_an_all_clear_does_not_wait_for_what_was_given_up(person: Person, receiver: Receiver) -> None:
    by_webhook(person, receiver.url)
    for subject in ("Failed", "All clear"):
        messages.put(Person.objects.get(), Text(subject, ""), FRIDAY, kind=AlertKind.FAILED)
    receiver.status = 404
    send_due(FRIDAY)
    assert [body["subject"] for body in receiver.bodies] == ["Failed", "All clear"]


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("smtp://127.0.0.1:25", {"host": "127.0.0.1", "port": 25, "timeout": 10}),
        (
            "smtp+tls://kari:p%40ss@mail.example:587",
            {
                "host": "mail.example",
                "port": 587,
                "username": "kari",
                "password": "p@ss",
                "use_tls": True,
                "timeout": 10,
            },
        ),
        ("smtp+ssl://mail.example", {"host": "mail.example", "use_ssl": True, "timeout": 10}),
        ("filemail:////tmp/a%20b", {"file_path": "/tmp/a b"}),
        ("consolemail://", {}),
    ],
)
def test_the_mail_server_is_one_address(url: str, options: dict[str, Any]) -> None:
    assert f"'OPTIONS': {options}" in settings_of(EMAIL_URL=url)["MAILERS"]


def test_the_password_stands_in_the_one_setting_where_debug_pages_mask_it() -> None:
    told = settings_of(EMAIL_URL="smtp://kari:let-me-in@mail.example")
    assert [name for name, value in told.items() if "let-me-in" in value] == ["MAILERS"]
    assert told["MAIL_IS_ON"] == "True"
    assert settings_of()["MAIL_IS_ON"] == "False"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("EMAIL_URL", url) for url in ("nonsense", "smtp://", "smtp://mail.example:port", "pop://x", "filemail://")),
        ("SITE_URL", "dashboard.example"),
        ("ALERT_SENDER", "Dashboard"),
        ("ALERT_WEBHOOK_HOSTS", "https://hooks.example.no/"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_one_line(name: str, value: str) -> None:
    result = start(**{name: value})
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"{name}: must be")


def test_links_lead_to_the_first_host_unless_told_otherwise() -> None:
    assert settings_of(ALLOWED_HOSTS=".example.no,batches.example.no")["SITE_URL"] == "https://batches.example.no"
    assert settings_of(SITE_URL="https://b.example.no/")["SITE_URL"] == "https://b.example.no"
    assert settings_of()["MAILERS"] == "{}"
    assert settings_of()["ALERT_WEBHOOK_HOSTS"] == "[]"


def test_the_tick_leaves_to_later_what_is_not_due(person: Person, postbox: Postbox) -> None:
    messages.put(person, TEXT, timezone.now(), not_before=timezone.now() + timedelta(hours=1))
    tasks.send_due_messages()
    tasks.send_messages("mail")
    assert postbox.mails == []
