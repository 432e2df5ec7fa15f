"""Watch: who presses the button on the page of a running batch hears when it is done."""

import re
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches.models import AlertWishes, Batch, Watch
from batches.views import watch
from staff.models import Person
from tests.answers import BATCH, of_today, succeeded
from tests.conftest import Record
from tests.pages import HTMX, ids, seen

URL = f"/batches/{BATCH}/"
MOVE = f"{URL}watch/"


@pytest.fixture(autouse=True)
def mail_is_set_up(settings: Settings) -> None:
    settings.MAIL_IS_ON = True


@pytest.fixture
def running(recorded: Record) -> Batch:
    return recorded(of_today("QUEUED"))


def press(client: Client, wish: str = "on", **more: str) -> HttpResponse:
    return client.post(MOVE, {"watch": wish}, **more)


def button(page: HttpResponse) -> str:
    """What it says, and whether it is pressed."""
    tag = re.search(r'<button[^>]*id="watch-button".*?</button>', page.content.decode(), re.DOTALL)
    if not tag:
        return ""
    pressed = re.search(r'aria-pressed="(\w+)"', tag[0])
    assert pressed
    return f"{seen(HttpResponse(tag[0]))} {pressed[1]}"


def line(page: HttpResponse) -> str:
    found = re.search(r'<p[^>]*id="watch-line".*?</p>', page.content.decode(), re.DOTALL)
    return seen(HttpResponse(found[0])) if found else ""


def others(person: Person, count: int) -> None:
    """So many other batches that this person watches."""
    now = timezone.now()
    known = Batch.objects.bulk_create([Batch(pk=uuid4(), first_seen_at=now, next_check_at=now) for _ in range(count)])
    Watch.objects.bulk_create([Watch(person=person, batch=each, at=now) for each in known])


def test_one_press_watches_and_another_stops_it(client: Client, running: Batch, person: Person) -> None:
    assert button(client.get(URL)) == "Watch false"
    assert press(client).headers["Location"] == URL
    assert person.watches.get().batch == running
    assert button(client.get(URL)) == "Watching true"
    press(client, "off")
    assert not Watch.objects.exists()
    assert button(client.get(URL)) == "Watch false"


def test_who_presses_twice_means_it_once(client: Client, running: Batch, person: Person) -> None:
    press(client)
    at = person.watches.get().at
    press(client)
    assert person.watches.get().at == at
    press(client, "off")
    press(client, "off")
    assert not Watch.objects.exists()


def test_each_person_watches_for_themselves(client: Client, running: Batch) -> None:
    ola = Person.objects.create(username="ola")
    Watch.objects.create(person=ola, batch=running, at=timezone.now())
    assert button(client.get(URL)) == "Watch false"
    press(client, "off")
    assert Watch.objects.get().person == ola


def test_in_place_only_the_button_comes_back(client: Client, running: Batch) -> None:
    fragment = press(client, headers=HTMX)
    assert button(fragment) == "Watching true"
    assert ids(fragment) == ["watch", "watch-button", "watch-line"]
    assert button(press(client, "off", headers=HTMX)) == "Watch false"


def test_whoever_presses_comes_back_to_tab_and_filter(client: Client, running: Batch) -> None:
    page = client.post(f"{MOVE}?tab=timeline&text=x", {"watch": "on"})
    assert page.headers["Location"] == f"{URL}timeline/?text=x"
    shown = client.get(f"{URL}timeline/").content.decode()
    assert f'action="{MOVE}?tab=timeline"' in shown


def test_a_batch_that_was_never_answered_can_be_watched(client: Client, person: Person) -> None:
    Batch.objects.follow([BATCH], timezone.now())
    assert button(client.get(URL)) == "Watch false"
    press(client)
    assert person.watches.count() == 1


def test_what_is_done_cannot_be_watched_and_has_no_button(client: Client, recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded()]))
    assert button(client.get(URL)) == ""
    press(client)
    assert not Watch.objects.exists()


def test_when_it_is_done_the_button_goes_and_the_page_says_what_a_tab_is_to_tell(
    client: Client, recorded: Record, running: Batch
) -> None:
    press(client)
    assert "data-on" in client.get(URL).content.decode()
    recorded(of_today("PARTIAL", succeeded=[succeeded()], failed=[{"message": "Ola Nordmann skylder 4 kr"}]))
    fragment = client.get(URL, {"stamp": running.revision}, headers=HTMX)
    assert button(fragment) == ""
    assert 'data-done="Partly succeeded: 1 succeeded, 1 failed"' in fragment.content.decode()
    assert f'data-title="Batch {str(BATCH)[:4]}…{str(BATCH)[-4:]}"' in fragment.content.decode()


def test_a_batch_that_nobody_knows_cannot_be_watched(client: Client, person: Person) -> None:
    assert press(client).status_code == 404
    assert client.get(MOVE).status_code == 405


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({}, "you get an e-mail, and this tab"),
        ({"webhook_url": "https://hooks.example.no/"}, "you get an e-mail and a message on your webhook, and this tab"),
        ({"webhook_url": "https://hooks.example.no/", "wants_mail": False}, "you get a message on your webhook, and"),
        ({"wants_mail": False}, "No message goes out."),
        ({"kinds": ["failed"]}, "No message goes out."),
    ],
)
def test_it_says_where_the_word_goes(
    client: Client, running: Batch, person: Person, settings: Settings, wishes: dict[str, object], sentence: str
) -> None:
    settings.ALERT_WEBHOOK_HOSTS = ["hooks.example.no"]
    AlertWishes.objects.create(person=person, **wishes)
    assert line(client.get(URL)) == ""
    press(client)
    assert sentence in line(client.get(URL))


def test_a_person_watches_at_most_five_hundred(client: Client, running: Batch, person: Person) -> None:
    others(person, watch.MOST_WATCHES - 1)
    press(client)
    assert button(client.get(URL)) == "Watching true"
    press(client, "off")
    others(person, 1)
    sentence = "You watch 500 batches already. This one can be watched once one of them is done."
    fragment = press(client, headers=HTMX)
    assert line(fragment) == sentence
    assert button(fragment) == "Watch false"
    assert sentence in seen(client.post(MOVE, {"watch": "on"}, follow=True))
    assert person.watches.count() == watch.MOST_WATCHES


@pytest.mark.parametrize("rubbish", ["", "maybe", "x\0y"])
def test_a_word_that_is_neither_on_nor_off_changes_nothing(
    client: Client, running: Batch, rubbish: str, person: Person
) -> None:
    press(client, rubbish)
    assert not Watch.objects.exists()
    press(client)
    press(client, rubbish)
    assert person.watches.count() == 1


def test_the_button_costs_a_running_batch_one_read_and_a_pressed_one_two(
    client: Client, running: Batch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(URL)  # which notes that somebody looks
    for wish, queries in (("off", 8), ("on", 9)):
        press(client, wish)
        with django_assert_num_queries(queries):
            client.get(URL)


def test_the_id_is_the_batchs(client: Client, running: Batch) -> None:
    found = re.findall(r'data-batch="([^"]*)"', client.get(URL).content.decode())
    assert list(map(UUID, found)) == [BATCH]
