"""The wall view, and the links by which a screen shows it without a sign-in."""

import re
from datetime import datetime, time, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from batches.days import holiday
from batches.models import Connection, Expectation, WallLink
from staff.models import Person
from tests.answers import ORGANISATION, OTHER, Json, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, in_one_minute, seen

WALL = "/outcomes/wall/"
LINKS = "/outcomes/wall/links/"
TITLES = [
    *("Batches finished", "Objects succeeded", "Objects failed"),
    *("Running", "Unresolved", "Stuck", "Missing", "Failed, by organisation"),
]
QUERIES_OF_NEWS = 2  # whether there is any, and how things stand
QUERIES_OF_TODAY = 9  # of the numbers


@pytest.fixture
def screen(db: None, collected: None) -> Client:
    """The browser of a screen in the office: nobody has ever signed in there."""
    return Client()


def ago(hours: float = 0) -> str:
    return f"{timezone.now() - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def finished(*, good: int = 1, failed: int = 0, **changed: Any) -> Json:
    """A batch that has just finished."""
    status = "SUCCESS" if not failed else "PARTIAL" if good else "FAILED"
    items = [{"objectIndex": n, "errors": ["Beløpet mangler"]} for n in range(failed)]
    own = {"batchId": str(uuid4()), "createdAt": ago(), "finishedAt": ago(), **changed}
    return of_today(status, succeeded=[succeeded(n) for n in range(good)], failed=items, **own)


def running(hours: float = 0) -> Json:
    return of_today("IN_PROGRESS", batchId=str(uuid4()), createdAt=ago(hours), finishedAt=None)


def expect_today(organization_id: UUID) -> None:
    """It should have sent at the day's beginning, says somebody."""
    Expectation.objects.create(
        organization_id=organization_id, mode="fixed", weekdays=[0, 1, 2, 3, 4, 5, 6], by=time(0), set_at=timezone.now()
    )


def make(client: Client, name: str = "Reception") -> str:
    """Make a link and give its address, as the page gives it to be copied."""
    page = client.post(LINKS, {"name": name})
    assert page.status_code == 201
    found = re.search(r'data-copy="http://testserver([^"]+)"', page.content.decode())
    assert found
    return found[1]


def revoke(client: Client, name: str = "Reception") -> None:
    link = WallLink.objects.get(name=name, revoked_at=None)
    assert client.post(f"{LINKS}{link.pk}/revoke/").status_code == 302


def poll(browser: Client, page: HttpResponse, address: str = WALL) -> HttpResponse:
    """What a page asks by itself."""
    asked = re.search(r'hx-get="([^"]+)"', page.content.decode())
    assert asked
    return browser.get(f"{address}{asked[1].replace('&amp;', '&')}", headers=HTMX)


def tiles(page: HttpResponse) -> dict[str, str]:
    """The text of each part by its title."""
    parts = re.findall(r'<section class="tile.*?</section>', page.content.decode(), re.DOTALL)
    texts = (seen(HttpResponse(part)) for part in parts)
    return {title: text.removeprefix(title).strip() for title, text in zip(TITLES, texts, strict=True)}


# What it shows


def test_it_shows_today_in_numbers(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys", OTHER: "Fjord"}
    recorded(finished(good=3))
    recorded(finished(good=2, failed=1))
    recorded(finished(good=1, failed=3, organizationId=str(OTHER)))
    recorded(finished(organizationId=None, failed=0))
    recorded(running())
    recorded(running(hours=3))
    assert tiles(client.get(WALL)) == {
        "Batches finished": "4",
        "Objects succeeded": "7",
        "Objects failed": "4 36.4\xa0%".replace("\xa0", " "),
        "Running": "2",
        "Unresolved": "2",
        "Stuck": "1",
        "Missing": "0 nobody so far",
        "Failed, by organisation": "Fjord 75 % 3 of 4 Nordlys 16.7 % 1 of 6",
    }


def test_a_day_that_has_just_begun_says_so(client: Client) -> None:
    page = client.get(WALL)
    assert tiles(page)["Failed, by organisation"] == "No batch has finished yet today."
    assert {tiles(page)[title] for title in TITLES[:6]} == {"0"}


def test_another_day_is_not_on_the_wall_but_what_is_usual_is(client: Client, recorded: Record) -> None:
    for hours in (24, 7 * 24, 14 * 24):  # the last of them so that of the week after it all is known
        recorded(finished(failed=1, createdAt=ago(hours), finishedAt=ago(hours)))
    page = client.get(WALL)
    found = tiles(page)
    assert f"Usual is a whole day, that of an earlier {timezone.localdate():%A}." in seen(page)
    assert found["Batches finished"] == "0 usually 1"
    assert found["Objects failed"] == "0 usually 50 %"


def test_only_the_four_organisations_of_which_most_fails_are_named(
    client: Client, recorded: Record, settings: Settings
) -> None:
    known = {uuid4(): f"Nr {n}" for n in range(1, 7)}
    settings.AMILI_ORGANIZATIONS = known
    for n, organization_id in enumerate(known):
        recorded(finished(good=9, failed=n, organizationId=str(organization_id)))
    found = tiles(client.get(WALL))["Failed, by organisation"]
    assert re.findall(r"Nr \d", found) == ["Nr 6", "Nr 5", "Nr 4", "Nr 3"]


@pytest.mark.parametrize(("number", "more"), [(4, ""), (5, "and 1 more"), (7, "and 3 more")])
def test_up_to_four_missing_senders_are_named(client: Client, settings: Settings, number: int, more: str) -> None:
    known = {UUID(int=n): f"Nr {n}" for n in range(1, number + 1)}
    settings.AMILI_ORGANIZATIONS = known
    for organization_id in known:
        expect_today(organization_id)
    nobody_works = holiday(timezone.localdate())
    named = "0 nobody so far" if nobody_works else f"{number} Nr 1 Nr 2 Nr 3 Nr 4 {more}".strip()
    assert tiles(client.get(WALL))["Missing"] == named


def test_it_says_since_when_nothing_comes_from_amili(client: Client) -> None:
    assert 'class="strip"' not in client.get(WALL).content.decode()
    now = timezone.now()
    Connection.objects.update_or_create(
        defaults={"failing_since": now - timedelta(minutes=20), "opened_at": now - timedelta(minutes=19)}
    )
    assert "No usable answer from Amili since" in seen(client.get(WALL))


def test_no_text_of_amilis_comes_onto_the_wall(client: Client, recorded: Record) -> None:
    recorded(finished(failed=1, type=HOSTILE, createdBy=HOSTILE))
    failed = [{"objectIndex": 0, "errors": [f"Ola Nordmann skylder {HOSTILE}"]}]
    recorded(of_today("FAILED", batchId=str(uuid4()), createdAt=ago(), finishedAt=ago(), failed=failed))
    page = client.get(WALL).content.decode()
    assert "Nordmann" not in page
    assert "alert(" not in page


def test_on_a_screen_it_leads_nowhere_and_names_nobody(client: Client, screen: Client, recorded: Record) -> None:
    recorded(finished(failed=1))
    page = screen.get(make(client)).content.decode()
    assert not re.search(r"<a\b|<form|<button|<input", page)
    assert "Kari" not in page


def test_to_who_is_signed_in_it_leads_to_its_links(client: Client, recorded: Record) -> None:
    page = client.get(WALL)
    assert re.findall(r'<a href="([^"]+)"', page.content.decode()) == [LINKS]
    recorded(finished())
    assert re.findall(r'<a href="([^"]+)"', poll(client, page).content.decode()) == [LINKS]


def test_what_it_does_not_show_is_not_looked_up(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get(WALL)
    asked = " ".join(each["sql"] for each in queries)
    assert '"batches_cause"' not in asked
    assert 'UPPER("batches_outcomeday"."type")' not in asked


# How it stays up to date


def test_nothing_new_is_no_content_and_tells_the_time(client: Client, recorded: Record) -> None:
    recorded(finished())
    answer = in_one_minute(lambda: poll(client, client.get(WALL)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert re.fullmatch(r'\{"upToDate": \{"value": "\d\d\.\d\d"\}\}', answer.headers["HX-Trigger"])


def test_what_is_new_comes_with_the_next_question(client: Client, recorded: Record) -> None:
    page = client.get(WALL)
    recorded(finished())
    answer = poll(client, page)
    assert answer.status_code == 200
    assert tiles(answer)["Batches finished"] == "1"
    assert answer.content.decode().strip().startswith("<main")


def test_what_changes_with_time_alone_comes_too(client: Client) -> None:
    page = client.get(WALL)
    now = timezone.now()
    Connection.objects.update_or_create(defaults={"failing_since": now - timedelta(hours=1), "opened_at": now})
    assert "No usable answer from Amili since" in seen(poll(client, page))


def test_a_page_of_hours_ago_or_of_another_installation_starts_anew(client: Client) -> None:
    page = client.get(WALL).content.decode()
    current = re.findall(r"page=(\d+)-(\w+)&amp;", page)[0]
    assert current[1] == staticfiles_storage.manifest_hash
    for version in (f"{int(current[0]) - 1}-{current[1]}", f"{current[0]}-other", ""):
        answer = client.get(WALL, {"page": version}, headers=HTMX)
        assert answer.headers["HX-Refresh"] == "true"
        assert answer.content == b""


def test_it_asks_as_often_of_the_database_whatever_there_is_to_show(client: Client, recorded: Record) -> None:
    for n in range(6):
        last = ago(n * 7 * 24)
        recorded(finished(failed=n, organizationId=str(uuid4()), createdAt=last, finishedAt=last))
        recorded(running(hours=n))
        expect_today(uuid4())
    address = make(client)
    screen = Client()
    for browser, where in ((client, WALL), (screen, address)):
        browser.get(where)  # a screen's first look is noted
        page, poll_of_it = in_one_minute(partial(queries_of, browser, where))
        assert poll_of_it == 1 + QUERIES_OF_NEWS  # who asks, or by which link
        assert page == poll_of_it + QUERIES_OF_TODAY


def queries_of(browser: Client, address: str) -> tuple[int, int]:
    """Of the page, and of a question that brings nothing new."""
    with CaptureQueriesContext(connection) as of_page:
        page = browser.get(address)
    with CaptureQueriesContext(connection) as of_poll:
        answer = poll(browser, page, address)
    assert answer.status_code in {200, 204}
    first, second = ([each for each in some if "UPDATE" not in each["sql"]] for some in (of_page, of_poll))
    return len(first), len(second)


# Who sees it


@pytest.mark.parametrize("address", [WALL, LINKS])
def test_it_needs_a_sign_in_and_an_ended_one_loads_the_page_again(screen: Client, address: str) -> None:
    assert screen.get(address).headers["Location"].startswith("/accounts/login/")
    assert screen.get(address, headers=HTMX).headers["HX-Refresh"] == "true"


def test_a_link_shows_the_wall_to_a_screen_and_opens_nothing_else(
    client: Client, screen: Client, recorded: Record
) -> None:
    recorded(finished(good=5))
    page = screen.get(make(client))
    assert page.status_code == 200
    assert tiles(page) == tiles(client.get(WALL))
    for address in ("/", WALL, LINKS, "/batches/", "/outcomes/"):
        assert screen.get(address).status_code == 302


def test_a_screen_gets_no_cookie_and_no_session(client: Client, screen: Client) -> None:
    address = make(client)
    sessions = Session.objects.count()
    page = screen.get(address)
    poll(screen, page, address)
    assert not screen.cookies
    assert Session.objects.count() == sessions


def test_the_link_of_a_screen_stays_its_secret(client: Client, screen: Client) -> None:
    address = make(client)
    token = address.removeprefix(WALL).strip("/")
    page = screen.get(address)
    assert token not in page.content.decode()
    for answer in (page, poll(screen, page, address), screen.get(f"{WALL}no-link/"), screen.post(address)):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].split(", "))
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_no_log_has_the_link_even_when_something_fails(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    address = make(client)
    screen = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def broken(*_: object) -> None:
        raise OperationalError("the database is away")

    with caplog.at_level("DEBUG"):
        screen.post(address)
        screen.get(f"{address}x/")
        with connection.execute_wrapper(broken):
            assert screen.get(address).status_code in {500, 503}
    assert "the database is away" in caplog.text
    assert address.strip("/") not in caplog.text


def test_a_screen_can_only_read(client: Client) -> None:
    address = make(client)
    screen = Client(enforce_csrf_checks=True)
    assert screen.head(address).status_code == 200
    for ask in (screen.post, screen.put, screen.patch, screen.delete):
        assert ask(address).status_code == 405


def test_a_revoked_link_ends_with_the_next_question(client: Client, screen: Client) -> None:
    address = make(client)
    page = screen.get(address)
    revoke(client)
    answer = poll(screen, page, address)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (404, "true")
    gone = screen.get(address)
    assert gone.status_code == 404
    assert "This link is not valid any more" in seen(gone)
    assert not re.search(r"hx-get|<a\b", gone.content.decode())


def test_a_link_ends_with_the_account_of_its_maker(client: Client, screen: Client, person: Person) -> None:
    address = make(client)
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert screen.get(address).status_code == 404
    person.delete()
    assert screen.get(address).status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_nobody_can_tell_a_revoked_link_from_one_that_never_was(
    client: Client, screen: Client, headers: dict[str, str]
) -> None:
    address = make(client)
    revoke(client)
    revoked, unknown = (screen.get(each, headers=headers) for each in (address, f"{WALL}{'x' * 43}/"))
    assert revoked.content == unknown.content
    assert dict(revoked.headers) == dict(unknown.headers)


@pytest.mark.parametrize("token", ["x", "x" * 5_000, *(each for each in GARBAGE if each and "/" not in each)])
def test_a_guess_costs_one_read_by_an_index(screen: Client, token: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert screen.get(f"{WALL}{token}/").status_code == 404
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql'].replace('%', '%%')}")
        assert "digest" in " ".join(row[0] for row in cursor if "Index Cond" in row[0])


# Links


def test_a_link_is_shown_once_and_only_its_digest_is_kept(client: Client) -> None:
    address = make(client)
    token = address.removeprefix(WALL).strip("/")
    assert len(token) == 43
    link = WallLink.objects.get()
    assert bytes(link.digest) == sha256(token.encode()).digest()
    page = client.get(LINKS)
    assert token not in page.content.decode()
    assert "Reception" in seen(page)
    assert "by Kari Nordmann never Revoke" in seen(page)


def test_it_is_noted_once_a_minute_when_a_screen_was_last_seen(client: Client, screen: Client) -> None:
    address = make(client)

    def seen_at_after_a_look() -> datetime | None:
        screen.get(address)
        return WallLink.objects.get().seen_at

    seen_at, again = in_one_minute(lambda: (seen_at_after_a_look(), seen_at_after_a_look()))
    assert seen_at
    assert seen_at == again
    assert WallLink.objects.get().made_at < seen_at < timezone.now()
    WallLink.objects.update(seen_at=seen_at + timedelta(days=1))
    with CaptureQueriesContext(connection) as queries:
        screen.get(address)
    assert not [each for each in queries if "UPDATE" in each["sql"]]
    assert WallLink.objects.get().seen_at == seen_at + timedelta(days=1)


def test_who_revoked_a_link_stays_named_when_somebody_else_does_it_again(client: Client, person: Person) -> None:
    make(client)
    revoke(client)
    first = WallLink.objects.get()
    assert first.revoked_by == person
    other = Client()
    other.force_login(Person.objects.create(username="ola"))
    assert other.post(f"{LINKS}{first.pk}/revoke/").status_code == 302
    assert WallLink.objects.get() == first
    assert WallLink.objects.get().revoked_at == first.revoked_at
    assert re.search(r"Revoked \S+ \S+ by Kari Nordmann", seen(client.get(LINKS)))


def test_a_link_is_revoked_by_a_second_press_which_is_said_afterwards(client: Client) -> None:
    make(client)
    link = WallLink.objects.get()
    unfolds = r'<details[^>]*>\s*<summary[^>]*>Revoke</summary>.*?action="([^"]*)".*?</details>'
    assert re.findall(unfolds, client.get(LINKS).content.decode(), re.DOTALL) == [f"{LINKS}{link.pk}/revoke/"]
    page = client.post(f"{LINKS}{link.pk}/revoke/", follow=True)
    assert "The link for Reception is revoked." in seen(page)


def test_a_link_is_revoked_by_its_own_button_alone(client: Client) -> None:
    make(client)
    link = WallLink.objects.get()
    assert client.get(f"{LINKS}{link.pk}/revoke/").status_code == 405
    assert client.post(f"{LINKS}{link.pk + 1}/revoke/").status_code == 404
    assert WallLink.objects.get().revoked_at is None


@pytest.mark.parametrize("name", ["", "  ", "x\0y", "x" * 61])
def test_a_name_that_cannot_be_taken_is_kept_in_its_field(client: Client, name: str) -> None:
    page = client.post(LINKS, {"name": name})
    assert page.status_code == 422
    assert 'id="id_name_error"' in page.content.decode()
    assert not WallLink.objects.exists()


def test_a_form_sent_twice_makes_one_link_and_a_revoked_one_frees_its_name(client: Client) -> None:
    make(client)
    again = client.post(LINKS, {"name": "reception"})
    assert again.status_code == 422
    assert "There is a link of this name already." in seen(again)
    revoke(client)
    make(client)
    assert WallLink.objects.count() == 2


def test_there_are_not_more_links_than_anybody_can_mind(client: Client, person: Person) -> None:
    now = timezone.now()
    WallLink.objects.bulk_create(
        WallLink(name=f"Nr {n}", digest=bytes([n]), made_by=person, made_at=now) for n in range(50)
    )
    page = client.post(LINKS, {"name": "One more"})
    assert page.status_code == 422
    assert "There are 50 links. Revoke one first." in seen(page)


def test_a_hostile_name_is_a_name(client: Client) -> None:
    make(client, "<b>bold</b>\u202e")
    assert "&lt;b&gt;bold&lt;/b&gt;\u202e</bdi>" in client.get(LINKS).content.decode()


def test_the_page_of_links_asks_the_same_however_many_there_are(client: Client, person: Person) -> None:
    counts = []
    for n in range(1, 4):
        WallLink.objects.create(name=f"Nr {n}", digest=bytes([n]), made_by=person, made_at=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            client.get(LINKS)
        counts.append(len(queries))
    assert len(set(counts)) == 1
