"""The connection page and the banner: how we stand with Amili, and how old the facts are."""

import json
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries, Settings

from batches.models import Batch, Connection, Delivery, Discovery, Traffic, Walk, Worker
from batches.templatetags.batches import clock as shown_clock
from batches.words import Source
from staff.models import Person, Role
from tests import pages
from tests.answers import BATCH, ORGANISATION, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, ids

SECONDS = timedelta(seconds=1)
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)


@pytest.fixture
def support(client: Client, person: Person) -> Client:
    """The browser of somebody who may see the page."""
    person.role = Role.SUPPORT
    person.save()
    return client


@pytest.fixture(autouse=True)
def runs_for_long(settings: Settings) -> None:
    """This process started an hour ago."""
    settings.STARTED_AT = timezone.now() - HOURS


def clock(at: datetime) -> str:
    """As pages write it: with its date, if it is of another day."""
    return strip_tags(shown_clock(at))


def seen(page: HttpResponse) -> str:
    """The text of a page as sentences: without the space that stands for the end of a time's element."""
    return re.sub(r" ([.:;,])(?= |$)", r"\1", pages.seen(page))


def worker_was_here(ago: timedelta) -> datetime:
    Worker.objects.update(seen_at=timezone.now() - ago)
    return Worker.objects.get().seen_at


def amili_fails(times: int = 3) -> Connection:
    """So many different questions have failed a minute ago."""
    for n in range(times):
        Connection.objects.note_failure(f"batch {n}", timezone.now() - MINUTES, is_probe=False, wait=5 * MINUTES)
    return Connection.objects.get()


def card(page: HttpResponse, title: str) -> str:
    """The text of one card."""
    part = page.content.decode().partition(f'aria-labelledby="{title}-title"')[2].partition("</section>")[0]
    return seen(HttpResponse(part.partition(">")[2]))


def text(client: Client, title: str = "") -> str:
    page = client.get("/amili/")
    assert page.status_code == 200
    return card(page, title) if title else seen(page)


# Who may see it


@pytest.mark.parametrize(("role", "status"), [(Role.FINANCE, 403), (Role.SUPPORT, 200), (Role.MANAGER, 200)])
def test_it_is_for_support_and_managers(client: Client, person: Person, role: Role, status: int) -> None:
    Person.objects.update(role=role)
    assert client.get("/amili/").status_code == status
    assert ('href="/amili/"' in client.get("/").content.decode()) == (status == 200)


def test_others_are_told_kindly_whom_it_is_for(client: Client) -> None:
    page = client.get("/amili/")
    assert "It is for people in other roles." in seen(page)
    assert "Find a batch instead" in seen(page)


def test_an_administrator_sees_it_in_any_role_and_is_led_to_the_whole_log(client: Client, settings: Settings) -> None:
    settings.AMILI_WEBHOOK_SECRETS = ["a secret of the tests"]
    Person.objects.update(is_superuser=True, is_staff=True)
    content = client.get("/amili/").content.decode()
    log = re.findall(r'href="(/admin/[^"]*delivery[^"]*)"', content)[0]
    assert client.get(log).status_code == 200


# How things stand


def test_a_fresh_installation_says_what_is_not_known_yet(support: Client, settings: Settings) -> None:
    settings.STARTED_AT = timezone.now()
    Worker.objects.all().delete()
    page = text(support)
    for part in (
        "No worker has been here yet. One that is just starting needs some seconds.",
        "Worker: not here yet",
        "There is no token: the next question to Amili fetches one.",
        "Closed: questions go out as they are due.",
        "Nothing waits: each batch has been asked about when it was due.",
        "No message waits in the queue.",
        "no organisation is named (AMILI_ORGANIZATION_IDS)",
        "It is off (AMILI_WEBHOOK_SECRETS is not set).",
    ):
        assert part in page


def test_all_is_well_while_a_worker_is_here_and_amili_answers(support: Client) -> None:
    assert "All is well: a worker is here, and Amili answers what it asks." in text(support)


def test_an_amili_that_is_away_is_named_with_its_beginning_and_the_next_try(support: Client) -> None:
    state = amili_fails()
    page = text(support)
    assert f"No usable answer from Amili since {clock(state.failing_since)}. The next try goes out" in page
    assert f"The next try goes out at {clock(state.open_until)}." in page
    assert "Only one try at a time goes out; 1 has failed." in page
    assert f"Open since {clock(state.opened_at)}, after 3 different questions had failed in a row." in page
    assert "Amili: away" in page


@pytest.mark.parametrize(
    ("trouble", "sentence", "state"),
    [
        ("keys_refused", "Amili has not accepted our credentials since", "Amili: refuses us"),
        ("busy", "Amili has been asking us to wait since", "Amili: away"),
        ("not_understood", "Amili has been answering with something else than was asked for since", "Amili: away"),
        ("unreachable", "No usable answer from Amili since", "Amili: away"),
    ],
)
def test_banner_and_page_name_what_amili_did_at_last(
    support: Client, django_assert_num_queries: DjangoAssertNumQueries, trouble: str, sentence: str, state: str
) -> None:
    Traffic.objects.add("token", timezone.now() - HOURS, trouble="busy", detail="An older trouble")
    since = amili_fails().failing_since
    Traffic.objects.add("list", timezone.now() - 30 * SECONDS, trouble="own_fault")
    Traffic.objects.add("batch", timezone.now(), trouble=trouble)
    with django_assert_num_queries(9):  # one more than while all is well
        page = support.get("/amili/")
    told = f"{sentence} {clock(since)}."
    assert told in banner(page)
    assert told in seen(page).partition("How things stand")[2]
    assert state in seen(page)


def test_a_single_failure_opens_nothing_and_is_told(support: Client) -> None:
    Connection.objects.note_failure("batch 1", timezone.now(), is_probe=False, wait=timedelta())
    assert "1 question has failed of the 3 that open it." in text(support, "circuit")
    assert "All is well" in text(support)


def test_a_probe_that_may_go_out_waits_for_a_batch_that_is_due(support: Client) -> None:
    amili_fails()
    Connection.objects.update(open_until=timezone.now() - SECONDS)
    assert "goes out as soon as a batch is due" in text(support)


def test_a_worker_that_is_away_is_named_with_its_last_sign_of_life(support: Client) -> None:
    at = clock(worker_was_here(2 * MINUTES))
    assert f"No worker has given a sign of life since {at}" in text(support)
    assert f"tests away last sign of life {at}" in text(support, "workers")


# The sign-in


def test_a_token_is_told_by_its_times_and_never_itself(support: Client) -> None:
    ends_at = timezone.now() + HOURS
    Connection.objects.note_token(ends_at, timezone.now())
    fetched = clock(Connection.objects.get().token_fetched_at)
    assert f"Signed in at {fetched}; the token is good until {clock(ends_at)}." in text(support, "sign-in")
    Connection.objects.note_token(timezone.now() - SECONDS, timezone.now())
    assert "the next question fetches a new one" in text(support, "sign-in")


def test_a_sign_in_that_amili_refuses_says_since_when_and_why_until_one_succeeds(support: Client) -> None:
    at = timezone.now() - MINUTES
    Traffic.objects.add("token", at, trouble="keys_refused", detail="Amili's sign-in answered 401")
    assert f"Refused since {clock(at)}: Amili's sign-in answered 401." in text(support, "sign-in")
    assert "Amili does not accept our credentials." in text(support)
    Traffic.objects.add("token", timezone.now())
    assert "Refused" not in text(support, "sign-in")
    assert "All is well" in text(support)


def jwt(**claims: object) -> str:
    return f"e30.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (jwt(exp=4102444800), "It is good until 01.01.2100 01.00.00; nobody renews it."),
        (jwt(exp=1), "It ended at 01.01.1970 01.00.01: whoever runs this dashboard must replace it."),
        (jwt(), "It does not say when it ends."),
        (jwt(exp="soon"), "It does not say when it ends."),
        (jwt(exp=1e300), "It does not say when it ends."),
        ("opaque", "It does not say when it ends."),
        ("a.b.c", "It does not say when it ends."),
        ("a.%%%.c", "It does not say when it ends."),
        ("a.WzFd.c", "It does not say when it ends."),
    ],
)
def test_a_ready_made_token_tells_its_end_if_it_names_one(
    support: Client, settings: Settings, token: str, sentence: str
) -> None:
    settings.AMILI_TOKEN = token
    page = support.get("/amili/")
    assert "A ready-made token is used (AMILI_TOKEN)." in card(page, "sign-in")
    assert sentence in card(page, "sign-in")
    assert token not in page.content.decode()


# What was asked


def test_each_kind_of_request_tells_its_last_success_and_failure(support: Client) -> None:
    now = timezone.now()
    Traffic.objects.add("batch", now - 5 * HOURS, trouble="busy", detail="An older failure")
    Traffic.objects.add("batch", now - HOURS, trouble="unreachable", detail="Amili answered 503", request_id="r-503")
    Traffic.objects.add("batch", now - MINUTES)
    told = text(support, "kinds")
    assert f"Batches {clock(now - MINUTES)} {clock(now - HOURS)} Amili unreachable Amili answered 503 r-503" in told
    assert "An older failure" not in told
    assert "Lists of batches – – – –" in told


def test_the_requests_of_the_last_hour_stand_in_a_chart_and_in_a_table(support: Client, settings: Settings) -> None:
    settings.AMILI_REQUESTS_PER_SECOND = 5
    now = timezone.now()
    for at, times, failures in ((now, 3, 1), (now - 10 * MINUTES, 8, 0), (now - 2 * HOURS, 9, 9)):
        for n in range(times):
            Traffic.objects.add("batch" if n % 2 else "list", at, trouble="unreachable" if n < failures else "")
    page = support.get("/amili/")
    told = card(page, "requests")
    assert "3 in this minute so far 1 of them failed" in told
    assert "at most 300 a minute are allowed (AMILI_REQUESTS_PER_SECOND); the busiest of this hour had 8" in told
    minute = timezone.localtime(now).strftime("%H.%M")
    assert f"{minute} 3 1 " in told
    assert heights(page, "sent") == [100, 37]
    assert heights(page, "bad") == [12]
    assert len(re.findall("<tr>", page.content.decode().partition('id="minutes"')[2].partition("</table>")[0])) == 61


@pytest.mark.parametrize(("requests", "failures", "red"), [(900, 1, 1), (900, 450, 45), (2, 1, 1), (2, 2, 2)])
def test_the_red_of_a_minute_is_its_share_and_only_all_of_it_where_all_failed(
    support: Client, requests: int, failures: int, red: int
) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    Traffic.objects.create(kind="list", minute=now - MINUTES, requests=1000)
    Traffic.objects.create(kind="list", minute=now, requests=requests, failures=failures)
    page = support.get("/amili/")
    assert heights(page, "sent") == [100, max(requests // 10, 2)]
    assert heights(page, "bad") == [red]


def heights(page: HttpResponse, of: str) -> list[int]:
    """The heights of these parts of the chart's bars."""
    chart = page.content.decode().partition("<svg viewBox")[2].partition("</svg>")[0]
    return [int(height) for height in re.findall(rf'class="{of}"[^>]*height="(\d+)"', chart)]


# How far behind


def test_it_says_how_far_behind_we_are(support: Client, recorded: Record) -> None:
    now = timezone.now()
    due, late, claimed, later = (uuid4() for _ in range(4))
    Batch.objects.follow([due, late, claimed, later], now)
    Batch.objects.filter(pk=late).update(next_check_at=now - 3 * MINUTES)
    Batch.objects.filter(pk=later).update(next_check_at=now + HOURS, watched_at=now, asked_by=Source.CHECK)
    assert Batch.objects.claim(claimed, now)
    told = text(support, "backlog")
    assert f"The batch that has waited longest was due at {clock(now - 3 * MINUTES)}, 3 min" in told
    assert "Due now 2 Being asked 1 On a screen 1 Followed 4" in told


def test_how_far_the_lists_are_known_stands_there_for_each_organisation(support: Client, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    now = timezone.now()
    Discovery.objects.plan([ORGANISATION], Walk.NEWEST, now)
    Discovery.objects.plan([ORGANISATION], Walk.SWEEP, now)
    Discovery.objects.filter(walk=Walk.NEWEST).update(complete_at=now - MINUTES, found_at=now - HOURS)
    Discovery.objects.filter(walk=Walk.SWEEP).update(trouble="forbidden", trouble_detail="Amili answered 403")
    sentence = f"Nordlys Kraft AS {clock(now - MINUTES)} {clock(now - HOURS)} next look {clock(now)}"
    again = f"No permission Amili answered 403 next try {clock(now)}"
    assert f"{sentence} {again}" in text(support, "walks")
    Discovery.objects.update(trouble="", started_at=now)
    next_at = timezone.localtime(now).strftime("%d.%m. %H.%M")
    assert f"{sentence} looked through daily; next {next_at}" in text(support, "walks")
    Discovery.objects.update(pages=7)
    assert text(support, "walks").endswith(f"{clock(now - HOURS)} under way, page 7 page 7")


def test_a_backfill_is_told_of_while_it_is_under_way_and_not_when_it_is_over(support: Client) -> None:
    now = timezone.now()
    Discovery.objects.plan([ORGANISATION], Walk.NEWEST, now)
    Discovery.objects.plan([ORGANISATION], Walk.BACKFILL, now)
    Discovery.objects.filter(walk=Walk.BACKFILL).update(started_at=now, pages=7)
    assert text(support, "walks").endswith("backfill from the command line: page 7")
    Discovery.objects.filter(walk=Walk.BACKFILL).update(trouble="forbidden", trouble_detail="Amili answered 403")
    assert text(support, "walks").endswith("Amili answered 403")
    Discovery.objects.filter(walk=Walk.BACKFILL).update(
        trouble="", started_at=None, complete_at=now, next_at=now + 36_500 * 24 * HOURS
    )
    assert text(support, "walks").endswith(f"– – next look {clock(now)} –")


def test_the_last_calls_of_the_webhook_are_listed(support: Client, settings: Settings) -> None:
    settings.AMILI_WEBHOOK_SECRETS = ["a secret of the tests"]
    assert "It is on, and Amili has not called yet." in text(support, "webhook")
    now = timezone.now()
    for n in range(25):
        Delivery.objects.create(
            at=now - n * SECONDS, verdict="refused", reason=f"Reason {n:02}.", event="BATCH_COMPLETED"
        )
    Delivery.objects.create(at=now + SECONDS, verdict="rung", event="BATCH_COMPLETED", request_id="r-1", batch_id=BATCH)
    page = support.get("/amili/")
    told = card(page, "webhook")
    assert f"{clock(now + SECONDS)} BATCH_COMPLETED 5579…3189 Batch made due – r-1" in told
    assert f'href="/batches/{BATCH}/"' in page.content.decode()
    assert re.findall(r"Reason (\d\d)", told) == [f"{n:02}" for n in range(7)]
    assert "The whole log" not in told


def test_hostile_texts_are_shown_and_never_run(support: Client, settings: Settings) -> None:
    settings.AMILI_WEBHOOK_SECRETS = ["a secret of the tests"]
    hostile = HOSTILE.replace("\0", "").replace("\ud83d", "")
    Delivery.objects.create(at=timezone.now(), verdict="refused", reason=hostile, event=hostile, request_id=hostile)
    Traffic.objects.add("batch", timezone.now(), trouble="unreachable", detail=hostile, request_id=hostile)
    assert "<script>alert" not in support.get("/amili/").content.decode()


# Live


def test_a_poll_gets_nothing_until_something_is_new(support: Client) -> None:
    poll = re.findall(r'hx-get="(/amili/\?stamp=\w+)"', support.get("/amili/").content.decode())[0]
    assert support.get(poll, headers=HTMX).status_code == 204
    amili_fails()
    fragment = support.get(poll, headers=HTMX)
    assert "Amili: away" in seen(fragment)
    assert "<html" not in fragment.content.decode()


def test_the_banner_changes_with_the_page_in_one_answer(support: Client) -> None:
    page = support.get("/amili/")
    assert ids(page).count("banner") == 1
    assert "hx-swap-oob" not in page.content.decode()
    state = amili_fails()
    fragment = support.get("/amili/", headers=HTMX)
    assert f"No usable answer from Amili since {clock(state.failing_since)}." in banner(fragment)
    assert fragment.content.decode().count('hx-swap-oob="morph"') == 1


def test_the_number_of_queries_is_steady(
    support: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.AMILI_WEBHOOK_SECRETS = ["a secret of the tests"]
    for n in range(2):
        with django_assert_num_queries(9):
            support.get("/amili/")
        Batch.objects.follow([uuid4() for _ in range(20)], timezone.now())
        Discovery.objects.plan([uuid4() for _ in range(20)], Walk.NEWEST, timezone.now())
        for _ in range(20):
            Delivery.objects.create(at=timezone.now(), verdict="noted")
            Traffic.objects.add("batch", timezone.now() - n * HOURS, trouble="busy")
            Worker.objects.give_pulse(str(uuid4()), timezone.now())


def test_nothing_in_the_address_breaks_it(support: Client) -> None:
    for value in GARBAGE:
        assert support.get("/amili/", {"stamp": value}, headers=HTMX).status_code == 200
        assert support.get("/amili/banner/", {"shown": value}, headers=HTMX).status_code in {200, 204}


# The banner


def banner(page: HttpResponse) -> str:
    part = page.content.decode().partition('<div id="banner"')[2].partition("</div>")[0]
    return seen(HttpResponse(part.partition(">")[2]))


PAGES = ["/", "/batches/", f"/batches/{BATCH}/", "/cases/C-1/", "/nowhere/", "/amili/", "/accounts/password/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_who_is_away_since_when_and_how_old_the_facts_are(
    client: Client, recorded: Record, path: str
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    assert banner(client.get(path)) == ""
    at = clock(amili_fails().failing_since)
    page = client.get(path)
    assert banner(page) == (
        f"No usable answer from Amili since {at}. What you see is from before then; it catches up by itself."
    )
    assert ids(page).count("banner") == 1


def test_a_worker_that_is_away_stands_in_the_banner_for_it_is_nearer_to_us(client: Client) -> None:
    oldest = amili_fails().failing_since
    at = worker_was_here(30 * SECONDS)
    assert f"The worker of this dashboard has been away since {clock(at)}." in banner(client.get("/"))
    assert f"What you see is from before {clock(oldest)};" in banner(client.get("/"))


def test_a_failure_of_a_moment_ago_is_no_alarm_and_one_that_lasts_is(client: Client) -> None:
    for ago, is_told in ((10, False), (40, True)):
        Connection.objects.all().delete()
        Connection.objects.note_failure("batch 1", timezone.now() - ago * SECONDS, is_probe=False, wait=timedelta())
        assert bool(banner(client.get("/"))) == is_told


@pytest.mark.parametrize("was_here", [True, False])
def test_at_a_fresh_start_a_worker_has_half_a_minute_to_appear(
    client: Client, settings: Settings, was_here: bool
) -> None:
    if was_here:
        worker_was_here(9 * HOURS)
    else:
        Worker.objects.all().delete()
    for ago, is_told in ((5, False), (29, False), (31, True)):
        settings.STARTED_AT = timezone.now() - ago * SECONDS
        assert bool(banner(client.get("/"))) == is_told


def test_those_who_may_are_led_to_the_connection_page(support: Client, person: Person) -> None:
    amili_fails()
    assert "How things stand" in banner(support.get("/"))
    Person.objects.update(role=Role.FINANCE)
    assert "How things stand" not in banner(support.get("/"))


def test_a_visitor_sees_no_banner(visitor: Client) -> None:
    amili_fails()
    assert "banner" not in ids(visitor.get("/accounts/login/"))


def test_the_banner_of_an_open_page_comes_and_goes_by_a_poll_of_its_own(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    poll = _poll(client.get("/accounts/password/"))
    with django_assert_num_queries(2):
        assert client.get(poll, headers=HTMX).status_code == 204
    amili_fails()
    came = client.get(poll, headers=HTMX)
    assert "No usable answer from Amili" in banner(came)
    assert "<html" not in came.content.decode()
    assert 'hx-trigger="every 4s"' in came.content.decode()
    with django_assert_num_queries(3):
        assert client.get(_poll(came), headers=HTMX).status_code == 204
    Connection.objects.note_success()
    gone = client.get(_poll(came), headers=HTMX)
    assert banner(gone) == ""
    assert 'hx-trigger="every 15s"' in gone.content.decode()
    assert client.get(_poll(gone), headers=HTMX).status_code == 204


def _poll(page: HttpResponse) -> str:
    return re.findall(r'hx-get="(/amili/banner/[^"]*)"', page.content.decode())[0]


# Who waits meanwhile


def test_who_asks_while_nobody_can_is_told_that_it_is_noted_and_polls_less_often(
    client: Client, recorded: Record
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    worker_was_here(MINUTES)
    page = client.post(f"/batches/{BATCH}/ask/", follow=True)
    assert "Your question is noted. Nobody can ask Amili at the moment" in seen(page)
    assert 'hx-trigger="every 2s, poll"' in page.content.decode()
    assert Batch.objects.due(timezone.now()).filter(pk=BATCH).exists()


def test_a_page_that_waits_already_learns_when_nobody_is_left_to_ask_and_when_somebody_is_back(
    client: Client, recorded: Record
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    page = client.post(f"/batches/{BATCH}/ask/", follow=True)
    poll = re.findall(rf'hx-get="(/batches/{BATCH}/\?stamp=\w+)"', page.content.decode())[0]
    assert 'hx-trigger="every 500ms, poll"' in page.content.decode()
    assert client.get(poll, headers=HTMX).status_code == 204
    worker_was_here(MINUTES)
    assert "Your question is noted." in seen(client.get(poll, headers=HTMX))
    worker_was_here(SECONDS)
    assert client.get(poll, headers=HTMX).status_code == 204


def test_a_batch_that_is_new_to_us_says_so_while_amili_is_away(client: Client) -> None:
    amili_fails()
    page = client.post("/", {"q": str(BATCH)}, follow=True)
    assert "Your question is noted. Amili does not answer at the moment." in seen(page)
    assert "This batch is new to us. This page fills itself in when Amili can be asked." in seen(page)
