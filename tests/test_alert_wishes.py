"""Alerts: what a person wants to hear of, where it may go, the test message, and the log of what was sent."""

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches.models import AlertWishes, Message
from batches.words import AlertKind
from staff.models import Person
from tests.pages import GARBAGE, HOSTILE, HTMX, ids, seen

URL = "/alerts/"
HOOK = "https://hooks.example.no/services/T1/x?y=z"
WISHES = {"kinds": ["stuck", "away"], "share_limit": "10", "wants_mail": "on", "webhook_shape": "plain"}


@pytest.fixture(autouse=True)
def ways_out(settings: Settings) -> None:
    """The operator has set up mail, and allows two hosts."""
    settings.MAIL_IS_ON = True
    settings.ALERT_WEBHOOK_HOSTS = ["hooks.example.no", "127.0.0.1"]


def save(client: Client, **more: Any) -> HttpResponse:
    return client.post(URL, WISHES | more)


def sent(person: Person, subject: str = "Stuck: 1 batch", **more: Any) -> Message:
    """A message of the log; on its way, unless it is said what became of it."""
    now = timezone.now()
    waits = {} if "state" in more else {"next_try_at": now + timedelta(minutes=5)}
    return Message.objects.create(
        **{"person": person, "channel": "mail", "subject": subject, "body": "", "made_at": now, **waits, **more}
    )


def box(page: HttpResponse, name: str) -> str:
    """The tag of the field with this id."""
    found = re.search(rf'<(?:input|select)\b[^>]*id="alerts-{name}"[^>]*>', page.content.decode())
    return found[0] if found else ""


# Wishes


def test_who_never_said_hears_of_watched_batches_by_mail(client: Client) -> None:
    page = client.get(URL)
    checked = [n for n, kind in enumerate(AlertKind) if " checked" in box(page, f"kinds_{n}")]
    assert checked == [list(AlertKind).index(AlertKind.WATCHED)]
    assert " checked" in box(page, "wants_mail")
    assert " checked" not in box(page, "wants_digest")
    assert not AlertWishes.objects.exists()


def test_each_kind_says_what_exactly_it_means(client: Client) -> None:
    page = client.get(URL)
    for number in ("once 50 of its objects", "never less than 15 minutes", "A digest at 07:30", "for 15 minutes"):
        assert number in seen(page)
    for n, kind in enumerate(AlertKind):
        assert str(kind.label) in seen(page)
        assert f'aria-describedby="alerts-kinds_{n}-means"' in box(page, f"kinds_{n}")
        assert f"alerts-kinds_{n}-means" in ids(page)


def test_wishes_are_saved_and_shown_again(client: Client, person: Person) -> None:
    more = {"share_limit": "25", "wants_digest": "on", "quiet_from": "22:00", "quiet_until": "6.30"}
    assert save(client, **more, webhook_url=HOOK, webhook_shape="teams").headers["Location"] == URL
    wishes = AlertWishes.objects.get(person=person)
    assert (wishes.kinds, wishes.share_limit, wishes.wants_digest) == (["stuck", "away"], 25, True)
    assert (wishes.quiet_from, wishes.quiet_until) == (time(22), time(6, 30))
    assert (wishes.webhook_url, wishes.webhook_shape) == (HOOK, "teams")
    page = client.get(URL)
    assert "Your wishes are saved." in seen(page)
    assert 'value="22:00"' in box(page, "quiet_from")


def test_everything_can_be_unwished(client: Client, person: Person) -> None:
    save(client, wants_digest="on", quiet_from="22:00", quiet_until="06:00", webhook_url=HOOK)
    client.post(URL, {"share_limit": "10", "webhook_shape": "plain"})
    wishes = AlertWishes.objects.get(person=person)
    assert (wishes.kinds, wishes.wants_mail, wishes.wants_digest) == ([], False, False)
    assert (wishes.webhook_url, wishes.quiet_from, wishes.quiet_until) == ("", None, None)


@pytest.mark.parametrize(
    ("field", "said", "sentence"),
    [
        ("share_limit", "0", "Write a whole number from 1 to 100."),
        ("share_limit", "101", "Write a whole number from 1 to 100."),
        ("share_limit", "", "Write a whole number from 1 to 100."),
        ("quiet_from", "22:00", "Set both times, or neither."),
        ("quiet_until", "6", "There is no such time. A time is written like 09:00."),
        ("webhook_url", "ring me", "That is no web address."),
    ],
)
def test_what_cannot_be_taken_is_kept_named_and_pointed_at(
    client: Client, field: str, said: str, sentence: str
) -> None:
    page = save(client, **{field: said})
    assert page.status_code == 422
    assert sentence in seen(page)
    wrong = {"quiet_from": "quiet_until"}.get(field, field) if "both" in sentence else field
    assert " autofocus" in box(page, wrong)
    assert 'aria-invalid="true"' in box(page, wrong)
    assert not said or f'value="{said}"' in box(page, field)
    assert page.content.count(b" autofocus") == 1
    assert not AlertWishes.objects.exists()


def test_a_kind_that_there_is_not_is_named_beside_the_kinds(client: Client) -> None:
    page = save(client, kinds=["weather"])
    assert "Select a valid choice. weather is not one of the available choices." in seen(page)
    assert 'aria-describedby="alerts-kinds_error"' in page.content.decode()
    assert "alerts-kinds_error" in ids(page)


def test_quiet_hours_do_not_end_as_they_begin(client: Client) -> None:
    assert "That is the time at which they begin." in seen(save(client, quiet_from="08:00", quiet_until="08:00"))


@pytest.mark.parametrize("rubbish", [*GARBAGE, HOSTILE.replace("\ud83d", "")])
@pytest.mark.parametrize("field", ["kinds", "share_limit", "webhook_url", "webhook_shape", "quiet_from"])
def test_rubbish_breaks_nothing(client: Client, field: str, rubbish: str) -> None:
    assert save(client, **{field: rubbish}).status_code in {302, 422}


# Where a webhook may go


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (HOOK, HOOK),
        ("HTTPS://Hooks.Example.NO", "https://hooks.example.no/"),
        ("https://hooks.example.no:443/a", "https://hooks.example.no:443/a"),
        ("hooks.example.no/a", "https://hooks.example.no/a"),
        ("http://127.0.0.1:8123/a", "http://127.0.0.1:8123/a"),
    ],
)
def test_a_webhook_goes_to_a_host_that_is_allowed(client: Client, url: str, kept: str) -> None:
    assert save(client, webhook_url=url).status_code == 302
    assert AlertWishes.objects.get().webhook_url == kept


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://evil.example/", "Messages may not go to evil.example. Allowed are: 127.0.0.1, hooks.example.no."),
        ("https://hooks.example.no./", "may not go to hooks.example.no.. Allowed"),
        ("https://hooks.example.no.evil.example/", "may not go to hooks.example.no.evil.example"),
        ("https://localhost/", "may not go to localhost"),
        ("http://hooks.example.no/", "The address must begin with https://"),
        ("https://hooks.example.no:8443/", "and name no port"),
        ("https://hooks.example.no:22/", "and name no port"),
        ("https://kari:secret@hooks.example.no/", "Leave out names, passwords"),
        ("https://hooks.example.no@evil.example/", "Leave out names, passwords"),
        ("https://evil.example\\@hooks.example.no/", "Leave out names, passwords"),
        ("https://hooks.example.no\\.evil.example/", "That is no web address"),
        ("https://hooks.example.no/\\evil.example", "Leave out names, passwords, backslashes"),
        ("https://hooks.exämple.no/", "Leave out names, passwords"),
        ("https://ｈooks.example.no/", "Leave out names, passwords"),
        ("https://hooks.example.no。/", "Leave out names, passwords"),
        ("https://[::1]/", "Leave out names, passwords"),
        ("https://2130706433/", "That is no web address"),
        ("ftp://hooks.example.no/", "Leave out names, passwords"),
        ("javascript:alert(1)", "That is no web address"),
        ("file:///etc/passwd", "That is no web address"),
        (f"https://hooks.example.no/{'x' * 500}", "That address is too long"),
    ],
)
def test_and_nowhere_else_however_it_is_written(client: Client, url: str, sentence: str) -> None:
    page = save(client, webhook_url=url)
    assert page.status_code == 422
    assert sentence in seen(page)
    assert " autofocus" in box(page, "webhook_url")
    assert not AlertWishes.objects.exists()


def test_without_an_allowed_host_the_page_says_so_and_what_was_saved_stays(client: Client, settings: Settings) -> None:
    save(client, webhook_url=HOOK)
    settings.ALERT_WEBHOOK_HOSTS = []
    page = client.get(URL)
    assert "has allowed no host for it (ALERT_WEBHOOK_HOSTS)" in seen(page)
    assert not box(page, "webhook_url")
    save(client, kinds=["failed"], webhook_url="https://evil.example/")
    wishes = AlertWishes.objects.get()
    assert (wishes.kinds, wishes.webhook_url) == (["failed"], HOOK)


# The secret


def test_the_secret_is_shown_once_a_webhook_is_saved_and_stays_until_a_new_one_is_wished(client: Client) -> None:
    assert "secret" not in ids(client.get(URL))
    save(client, webhook_url=HOOK)
    secret = AlertWishes.objects.get().webhook_secret
    assert secret in seen(client.get(URL))
    save(client, webhook_url=f"{HOOK}2")
    assert AlertWishes.objects.get().webhook_secret == secret

    page = client.post("/alerts/secret/", follow=True)
    changed = AlertWishes.objects.get().webhook_secret
    assert changed != secret
    assert changed in seen(page)
    assert secret not in seen(page)


def test_no_secret_is_shown_that_was_not_saved(client: Client) -> None:
    assert "secret" not in ids(save(client, webhook_url=HOOK, share_limit="0"))


def test_a_persons_secret_is_nobody_elses(client: Client) -> None:
    ola = AlertWishes.objects.create(person=Person.objects.create(username="ola"), webhook_url=HOOK)
    client.post("/alerts/secret/")
    save(client, webhook_url=HOOK)
    assert ola.webhook_secret not in seen(client.get(URL))
    ola.refresh_from_db()
    assert (ola.kinds, AlertWishes.objects.count()) == (["watched"], 2)


# Mail


def test_it_says_where_mail_goes(client: Client, person: Person) -> None:
    assert "It goes to kari@example.no ." in seen(client.get(URL))
    Person.objects.update(email="")
    assert "Your account has no address yet" in seen(client.get(URL))


def test_it_says_when_the_operator_has_set_up_no_mail(client: Client, settings: Settings) -> None:
    assert "sends no e-mail" not in seen(client.get(URL))
    settings.MAIL_IS_ON = False
    assert "This dashboard sends no e-mail" in seen(client.get(URL))


# A test message


def test_a_test_goes_out_on_every_channel_and_stands_in_the_log(client: Client, person: Person) -> None:
    save(client, webhook_url=HOOK)
    page = client.post("/alerts/test/", follow=True)
    assert seen(page).count("Test message") == 2
    waiting = Message.objects.filter(person=person, state="waiting", next_try_at__lte=timezone.now(), tries=0)
    assert sorted(waiting.values_list("channel", flat=True)) == ["mail", "webhook"]


def test_only_one_a_minute(client: Client, person: Person) -> None:
    client.post("/alerts/test/")
    page = client.post("/alerts/test/", follow=True)
    assert "The next one can go out in a minute." in seen(page)
    assert Message.objects.count() == 1
    cache.clear()  # a minute later
    client.post("/alerts/test/")
    assert Message.objects.count() == 2


@pytest.mark.parametrize("lack", ["address", "mail", "wish"])
def test_who_has_no_channel_is_told_so(client: Client, person: Person, settings: Settings, lack: str) -> None:
    if lack == "address":
        Person.objects.update(email="")
    elif lack == "mail":
        settings.MAIL_IS_ON = False
    else:
        AlertWishes.objects.create(person=person, wants_mail=False)
    assert "There is nowhere to send a test" in seen(client.post("/alerts/test/", follow=True))
    assert not Message.objects.exists()


# The log


def test_it_says_what_became_of_each(client: Client, person: Person) -> None:
    sent(person, "Waits", tries=2, problem="The server is busy.")
    sent(person, "Went", state="sent", tries=3, sent_at=timezone.now(), problem="It was away.")
    sent(person, "Did not", state="given_up", tries=6, problem="No such mailbox (550).", channel="webhook")
    lines = re.findall(r"<tr id.*?</tr>", client.get(URL).content.decode(), re.DOTALL)
    texts = [seen(HttpResponse(line)) for line in lines]
    assert re.search(r"Webhook Did not Given up No such mailbox \(550\)\. 6$", texts[0])
    assert re.search(r"E-mail Went Sent 3$", texts[1])
    assert re.search(r"E-mail Waits Waiting next try at [\d. ]+ The server is busy\. 2$", texts[2])


@pytest.mark.parametrize(("seconds", "state"), [(59, "Sent"), (60, "Sent at 13.01.00")])
def test_it_says_when_a_message_went_out_if_that_was_later(
    client: Client, person: Person, seconds: int, state: str
) -> None:
    made_at = timezone.make_aware(datetime.combine(timezone.localdate(), time(13)))
    sent(person, state="sent", made_at=made_at, sent_at=made_at + timedelta(seconds=seconds))
    assert f"Stuck: 1 batch {state} 0" in seen(client.get(URL))


def test_it_is_a_persons_own_and_ends_after_fifty(client: Client, person: Person) -> None:
    sent(Person.objects.create(username="ola"), "Of another")
    for n in range(51):
        sent(person, f"Number {n}.")
    text = seen(client.get(URL))
    assert "Of another" not in text
    assert "Number 50." in text
    assert "Your latest 50. They are kept for 90 days." in text
    assert "Number 0." not in text


def test_an_administrator_may_see_everybodys(client: Client, person: Person) -> None:
    sent(Person.objects.create(username="ola", first_name="Ola", last_name="Dahl"), "Of another")
    assert "Everybody's" not in seen(client.get(URL))
    assert client.get(URL, {"everybody": "1"}).status_code == 403
    Person.objects.filter(pk=person.pk).update(is_superuser=True)
    assert "Everybody's" in seen(client.get(URL))
    assert "Ola Dahl E-mail Of another" in seen(client.get(URL, {"everybody": "1"}))


def test_it_refreshes_itself_and_a_poll_that_finds_nothing_new_costs_one_read(
    client: Client, person: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    message = sent(person)
    stamp = re.findall(r"stamp=(\w+)", client.get(URL).content.decode())[0]
    with django_assert_num_queries(2):  # and who asks
        assert client.get(URL, {"stamp": stamp}, headers=HTMX).status_code == 204
    Message.objects.filter(pk=message.pk).update(state="sent", next_try_at=None)
    fragment = client.get(URL, {"stamp": stamp}, headers=HTMX)
    assert "Sent" in seen(fragment)
    assert "wishes" not in ids(fragment)


def test_the_page_costs_as_many_queries_however_long_the_log_is(
    client: Client, person: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Person.objects.update(is_superuser=True)
    for messages in (1, 30):
        for _ in range(messages):
            sent(person)
        for everybody in ({}, {"everybody": "1"}):
            client.get(URL, everybody)
            with django_assert_num_queries(4):  # who asks, the log, the wishes, and the banner
                client.get(URL, everybody)


def test_hostile_texts_are_shown_as_texts(client: Client, person: Person) -> None:
    text = HOSTILE.replace("\0", "").replace("\ud83d", "")
    sent(person, text, problem=text, tries=1)
    assert "<script>alert" not in client.get(URL).content.decode()
