"""Which batches are stuck and who is missing: learnt from what was usual, and shown where people look."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from batches import rhythm
from batches.days import holiday
from batches.models import NO_ORGANIZATION, Arrival, Batch, Cause, DayPace, Expectation, OrganizationPace
from benchmarks.plans import nodes, plans
from staff.models import Person
from tests.answers import ORGANISATION, OTHER, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, links, seen

OSLO = ZoneInfo("Europe/Oslo")
FRIDAY = date(2026, 11, 20)
WEEK = timedelta(days=7)


def at(day: date, clock: str = "12:00") -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), OSLO)


def quarter(clock: str) -> int:
    hour, minute = map(int, clock.split(":"))
    return hour * 4 + minute // 15


def sent(days: Iterable[date], *clocks: str, by: UUID = ORGANISATION, batches: int = 1) -> None:
    """An organisation created batches at these times of each of these days."""
    Arrival.objects.bulk_create(
        Arrival(day=day, organization_id=by, quarter=quarter(clock), batches=batches)
        for day in days
        for clock in clocks
    )


def weeks_before(day: date, *numbers: int) -> list[date]:
    return [day - number * WEEK for number in numbers]


def said(mode: str, by: str | None = None, weekdays: Iterable[int] = (), of: UUID = ORGANISATION) -> None:
    """Somebody has said when it sends."""
    Expectation.objects.create(
        organization_id=of,
        mode=mode,
        weekdays=list(weekdays),
        by=by and time.fromisoformat(by),
        set_at=at(FRIDAY),
    )


def missing(day: date = FRIDAY, now: datetime | None = None) -> list[tuple[UUID, str]]:
    found = rhythm.missing(day, now or at(day + timedelta(days=1)))
    return [(each.organization_id, f"{each.by:%H:%M}") for each in found]


# Missing


@pytest.mark.parametrize(
    ("weeks_ago", "is_missed"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], True),
        ([1, 2, 3, 4], True),
        ([1, 2, 3], False),  # too few weeks to tell
        ([2, 3, 4], True),  # three of four
        ([3, 4], False),
        ([1, 3, 5, 7, 8], False),  # five of eight
        ([1, 3, 4, 5, 7, 8], True),  # six of eight
        ([3, 4, 5, 6, 7, 8, 9, 10], True),  # it has just stopped
        ([4, 5, 6, 7, 8, 9, 10, 11], False),  # it has stopped for good
        ([9, 10, 11, 12, 13, 14, 15, 16], False),
    ],
    ids=str,
)
def test_who_sent_on_three_quarters_of_the_last_same_weekdays_is_missed(
    db: None, weeks_ago: list[int], is_missed: bool
) -> None:
    sent(weeks_before(FRIDAY, *weeks_ago), "08:20")
    assert missing() == ([(ORGANISATION, "08:30")] if is_missed else [])


def test_the_days_before_its_first_batch_of_all_do_not_count(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:20")
    assert missing() == [(ORGANISATION, "08:30")]
    sent([FRIDAY - 7 * WEEK - timedelta(days=2)], "08:20")  # a Wednesday: four Fridays of seven
    assert missing() == []


def test_what_was_taken_back_was_never_sent(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:20")
    sent([FRIDAY], "08:20", batches=0)
    sent([FRIDAY - 8 * WEEK], "08:20", batches=0)
    assert missing() == [(ORGANISATION, "08:30")]


@pytest.mark.parametrize(
    ("first", "by"),
    [
        (["08:00", "08:14", "08:20", "08:44"], "08:45"),
        (["08:00", "08:00", "08:00", "08:00", "15:00"], "15:15"),
        (["08:00", "08:00", "08:00", "08:00", "08:00", "15:00"], "08:15"),  # one of six may be late
        (["08:00", "08:00", "08:00", "08:00", "15:00", "15:00"], "15:15"),
        (["23:50", "23:50", "23:50", "23:50"], "23:59"),
        (["00:00", "00:00", "00:00", "00:00"], "00:15"),
    ],
    ids=str,
)
def test_the_usual_time_is_the_latest_at_which_it_sent_first(db: None, first: list[str], by: str) -> None:
    for number, clock in enumerate(first, 1):
        sent([FRIDAY - number * WEEK], clock)
    assert missing() == [(ORGANISATION, by)]


def test_today_it_is_missed_once_its_time_has_passed_and_until_it_sends(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:50", "14:00")
    assert missing(now=at(FRIDAY, "09:00")) == []
    assert missing(now=at(FRIDAY, "09:01")) == [(ORGANISATION, "09:00")]
    sent([FRIDAY], "11:00")
    assert missing(now=at(FRIDAY, "11:01")) == []
    assert missing() == []


def test_of_the_days_to_come_nobody_is_missing(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:50")
    assert missing(now=at(FRIDAY - timedelta(days=1), "23:59")) == []


def test_batches_that_name_no_organisation_are_not_missed(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4, 5, 6, 7, 8), "08:50", by=NO_ORGANIZATION)
    assert missing() == []


def test_on_a_public_holiday_nobody_is_missing_and_none_is_learnt_from(db: None) -> None:
    thursday = date(2026, 5, 28)
    ascension = date(2026, 5, 14)
    sent([thursday - n * WEEK for n in range(1, 6) if thursday - n * WEEK != ascension], "08:50")
    assert missing(thursday) == [(ORGANISATION, "09:00")]
    assert rhythm.missing(thursday, at(thursday + WEEK))[0].habit == rhythm.Habit(4, [35] * 4)
    sent(weeks_before(ascension, 5, 6, 7, 8), "08:50")
    assert missing(ascension) == []


# The clock goes on an hour on 29 March 2026 and back on 25 October.
@pytest.mark.parametrize("sunday", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_time_is_that_of_the_clock_on_the_wall_whenever_it_is_changed(recorded: Record, sunday: date) -> None:
    for week in range(-3, 2):
        day = sunday + week * WEEK
        created = at(day, "09:20").isoformat()
        recorded(of_first_generation(batchId=str(UUID(int=week + 9, version=4)), createdAt=created, finishedAt=created))
    day = sunday + 2 * WEEK
    assert missing(day) == [(ORGANISATION, "09:30")]
    assert missing(day, at(day, "09:30")) == []
    assert missing(day, at(day, "09:31")) == [(ORGANISATION, "09:30")]


@pytest.mark.parametrize("sunday", [date(2026, 3, 29), date(2026, 10, 25)])
def test_on_the_day_of_the_change_too(db: None, sunday: date) -> None:
    sent(weeks_before(sunday, 1, 2, 3, 4), "09:20")
    assert missing(sunday, at(sunday, "09:30")) == []
    assert missing(sunday, at(sunday, "09:31")) == missing(sunday) == [(ORGANISATION, "09:30")]


def test_what_a_person_said_wins(db: None) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:50")
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:50", by=OTHER)
    said("never")
    assert missing() == [(OTHER, "09:00")]
    said("fixed", "10:20", [0, 4], of=UUID(int=7, version=4))  # one that has never sent
    assert missing() == [(OTHER, "09:00"), (UUID(int=7, version=4), "10:20")]
    assert missing(FRIDAY - timedelta(days=1)) == []
    Expectation.objects.update(mode="learnt")
    assert [organisation for organisation, _ in missing()] == [OTHER, ORGANISATION]


def test_several_days_are_one_query(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sent(weeks_before(FRIDAY, *range(1, 13)), "08:50")
    days = [FRIDAY - number * WEEK for number in range(5)]
    with django_assert_num_queries(1):
        found = rhythm.missing_on(days, at(FRIDAY, "23:00"))
    assert {day: len(some) for day, some in found.items()} == dict(zip(days, [1, 0, 0, 0, 0], strict=True))


def test_a_batch_of_long_ago_does_not_hide_a_rhythm(db: None) -> None:
    sent([date(2019, 8, 24)], "14:15")
    sent(weeks_before(FRIDAY, *range(1, 5)), "08:50")
    assert [organisation for organisation, _ in missing()] == [ORGANISATION]


histories = st.dictionaries(st.integers(1, 16), st.lists(st.integers(0, 95), min_size=1, max_size=3, unique=True))


@pytest.mark.django_db
@examples(deadline=None, max_examples=60)
@given(weeks=histories, day=st.dates(date(2025, 3, 1), date(2026, 12, 31)))
def test_what_is_learnt_follows_from_the_last_eight_days_that_count(weeks: dict[int, list[int]], day: date) -> None:
    Arrival.objects.all().delete()
    for number, quarters in weeks.items():
        sent([day - number * WEEK], *(f"{each // 4}:{each % 4 * 15}" for each in quarters))
    eight = [number for number in range(1, 25) if not holiday(day - number * WEEK)][:8]
    looked_at = [number for number in weeks if number <= eight[-1] + 1]
    counting = [number for number in eight if number <= max(looked_at, default=0)]
    first = sorted(min(weeks[number]) for number in counting if number in weeks)
    habits = [each.habit for each in rhythm.expected([day])]
    assert habits == ([rhythm.Habit(len(counting), first)] if first else [])
    for habit in habits:
        assert habit.is_usual == (habit.considered >= 4 and len(first) / habit.considered >= 0.75)


# Stuck


def usually(minutes: int, batches: int = 100, by: UUID = ORGANISATION, month: date | None = None) -> None:
    """So many of its batches took so long."""
    month = month or timezone.localdate().replace(day=1)
    OrganizationPace.objects.create(organization_id=by, month=month, seconds=minutes * 60, batches=batches)
    pace, _ = DayPace.objects.get_or_create(day=month, seconds=minutes * 60, defaults={"batches": 0})
    pace.batches += batches
    pace.save()


def within(of: UUID = ORGANISATION, now: datetime | None = None) -> float | None:
    """In how many minutes its batches are usually done."""
    usual = rhythm.usually_within([of], rhythm.learnt_from(now or timezone.now()))[of]
    return usual and usual.total_seconds() / 60


def running(recorded: Record, minutes: int, number: int = 1, **changed: Any) -> Batch:
    """A batch that was created so long ago and has not finished."""
    created = timezone.now() - timedelta(minutes=minutes)
    batch_id = str(UUID(int=number, version=4))
    return recorded(of_today("QUEUED", batchId=batch_id, createdAt=created.isoformat(), finishedAt=None, **changed))


def stuck() -> list[Batch]:
    return rhythm.stuck(timezone.now(), Batch.objects.all())


def test_the_limit_is_what_99_of_100_of_an_organisations_batches_took(db: None) -> None:
    usually(20, batches=98)
    usually(40, batches=1)
    usually(60, batches=1)
    usually(200, by=OTHER)
    assert within() == 40
    usually(30, batches=100)
    assert within() == 30


def test_nothing_is_stuck_before_a_quarter_of_an_hour(recorded: Record) -> None:
    usually(3)
    running(recorded, 14, 1)
    late = running(recorded, 16, 2)
    assert {batch.pk: batch.limit for batch in stuck()} == {late.pk: timedelta(minutes=15)}


def test_of_few_batches_everybodys_count(db: None) -> None:
    assert within() is None
    usually(90, batches=99)
    assert within() is None  # of 99 nobody can say
    usually(50, batches=20_000, by=OTHER)
    assert within() == 50
    usually(70, batches=1)
    assert within() == 90  # its own hundred


@pytest.mark.parametrize(
    ("month", "counts"), [("2026-08", False), ("2026-09", True), ("2026-11", True), ("2026-12", False)]
)
def test_this_month_and_the_two_before_count(db: None, month: str, counts: bool) -> None:
    usually(40, month=date.fromisoformat(f"{month}-01"))
    assert within(now=at(date(2026, 11, 30), "23:30")) == (40 if counts else None)


def test_a_batch_is_stuck_when_it_runs_for_longer(recorded: Record) -> None:
    usually(40)
    usually(18, by=OTHER)
    running(recorded, 39, 1)
    late = running(recorded, 41, 2)
    other = running(recorded, 19, 3, organizationId=str(OTHER))
    running(recorded, 14, 4, organizationId=str(OTHER))
    assert {batch.pk: batch.limit for batch in stuck()} == {
        late.pk: timedelta(minutes=40),
        other.pk: timedelta(minutes=18),
    }
    recorded(of_today("SUCCESS", batchId=str(late.pk), createdAt=late.submission.isoformat(), succeeded=[succeeded()]))
    assert {batch.pk for batch in stuck()} == {other.pk}


def test_what_was_stuck_at_a_past_moment_is_known_afterwards(recorded: Record) -> None:
    recorded(of_today(createdAt="2026-03-09T10:00:00Z", finishedAt="2026-03-09T12:00:00Z"))
    moments = [
        datetime(2026, 3, 9, hour, minute, tzinfo=UTC) for hour, minute in [(10, 15), (10, 16), (11, 59), (12, 1)]
    ]
    assert [len(rhythm.stuck(moment, Batch.objects.all())) for moment in moments] == [0, 1, 1, 0]


def test_a_batch_without_an_organisation_goes_by_those_without(recorded: Record) -> None:
    usually(40, by=NO_ORGANIZATION)
    running(recorded, 39, 1, organizationId=None)
    assert stuck() == []
    late = running(recorded, 41, 2, organizationId=None)
    assert stuck() == [late]


# Where people look


def tag(page: HttpResponse) -> bool:
    return bool(re.search(r"</svg>Stuck</span>", page.content.decode()))


def test_a_stuck_batch_is_called_so_on_its_page_with_what_is_usual(client: Client, recorded: Record) -> None:
    usually(3)
    batch = running(recorded, 14)
    assert not tag(client.get(batch.get_absolute_url()))
    batch = running(recorded, 41)
    page = client.get(batch.get_absolute_url())
    assert tag(page)
    assert seen(page).count("Usually done within 3 min; running for 41 min.") == 1
    assert "Queued: 0 succeeded, 0 failed; stuck" in seen(page)


def test_where_nobody_knows_what_is_usual_it_says_so(client: Client, recorded: Record) -> None:
    page = client.get(running(recorded, 200).get_absolute_url())
    sentence = "Running for 3 h 20 min. Too few batches have finished to say how long they usually take."
    assert sentence in seen(page)


def test_a_batch_of_which_amili_has_told_nothing_yet_is_not_called_stuck(client: Client, recorded: Record) -> None:
    batch = running(recorded, 200)
    Batch.objects.update(checked_at=None)
    assert not tag(client.get(batch.get_absolute_url()))
    assert stuck() == []


def test_a_batch_of_which_nothing_more_is_asked_is_not_called_stuck(client: Client, recorded: Record) -> None:
    batch = running(recorded, 200)
    Batch.objects.update(next_check_at=None)
    assert not tag(client.get(batch.get_absolute_url()))
    assert stuck() == []


@pytest.mark.parametrize("address", ["/", "/batches/", "/causes/{cause}/"])
def test_lists_call_it_so_too_with_what_is_usual(client: Client, recorded: Record, address: str) -> None:
    usually(3)
    running(recorded, 41, failed=[{"objectIndex": 0, "errors": ["Amount is odd"]}])
    address = address.format(cause=getattr(Cause.objects.first(), "pk", ""))
    page = client.get(address)
    assert tag(page)
    assert "Stuck Usually done within 3 min; running for 41 min." in seen(page)
    running(recorded, 14, failed=[{"objectIndex": 0, "errors": ["Amount is odd"]}])
    page = client.get(address)
    assert not tag(page)
    assert "Usually done" not in seen(page)


def test_what_i_looked_at_says_it_too(client: Client, recorded: Record) -> None:
    client.get(running(recorded, 41).get_absolute_url())
    assert len(re.findall("</svg>Stuck</span>", client.get("/").content.decode())) == 2


@pytest.mark.parametrize("address", ["/", "/batches/", f"/batches/{UUID(int=1, version=4)}/"])
def test_an_open_page_shows_it_by_itself_although_no_row_changes(
    client: Client, recorded: Record, address: str
) -> None:
    running(recorded, 41)
    usually(60)
    page = client.get(address)
    assert not tag(page)
    poll = unescape(re.findall(r'hx-get="([^"]*stamp=[^"]*)"', page.content.decode())[0])
    assert client.get(poll, headers=HTMX).status_code == 204
    OrganizationPace.objects.update(seconds=1_200)  # as if time went on
    later = client.get(poll, headers=HTMX)
    assert tag(later)
    poll = unescape(re.findall(r'hx-get="([^"]*stamp=[^"]*)"', later.content.decode())[0])
    assert client.get(poll, headers=HTMX).status_code == 204


@pytest.mark.parametrize(("address", "queries"), [("/", 4), ("/batches/", 8)])
def test_it_costs_one_query_and_none_where_nothing_runs_for_long(
    client: Client,
    recorded: Record,
    django_assert_num_queries: DjangoAssertNumQueries,
    address: str,
    queries: int,
) -> None:
    for number in range(1, 4):
        running(recorded, 14, number)
    with django_assert_num_queries(queries):
        client.get(address)
    for number in range(1, 40):
        running(recorded, 41, number)
    with django_assert_num_queries(queries + 1):
        client.get(address)


# The page of who sends when


def test_the_page_says_who_is_missing_and_how_that_is_known(client: Client, person: Person) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 5, 6, 7, 8), "08:20")
    sent(weeks_before(FRIDAY, 4, 8), "07:00", by=OTHER)
    page = seen(client.get("/outcomes/rhythm/?day=2026-11-20"))
    assert "Missing on Friday 20 November 2026" in page
    assert "usually sends by 08.30 sent on 7 of the last 8 Fridays, first at 08.15–08.30" in page
    said("fixed", "10:00", [4], of=OTHER)
    Expectation.objects.update(set_by=person)
    assert "expected by 10.00 set by Kari Nordmann on 20.11.2026 12.00.00" in seen(
        client.get("/outcomes/rhythm/?day=2026-11-20")
    )


def test_the_week_of_each_organisation_is_shown_as_of_that_day(client: Client) -> None:
    sent(weeks_before(FRIDAY, 0, 1, 2, 3), "08:20")
    sent(weeks_before(FRIDAY - timedelta(days=4), 0, 1, 2, 3), "10:20")
    page = seen(client.get("/outcomes/rhythm/?day=2026-11-20"))
    assert "3fd" not in page
    assert "7bc0…d9e9 10.30 – – – – – –" in page  # of Fridays, three are known before this one
    assert "As learnt" in page
    assert "7bc0…d9e9 10.30 – – – 08.30 – –" in seen(client.get("/outcomes/rhythm/?day=2026-11-21"))


def test_a_person_can_say_what_is_expected_and_it_is_known_who_did(client: Client, person: Person) -> None:
    sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:20")
    address = f"/outcomes/rhythm/{ORGANISATION}/?day=2026-11-20&name=7bc"
    answer = client.post(address, {"mode": "fixed", "weekdays": ["4", "0"], "by": "09.15"})
    assert answer.headers["Location"] == f"/outcomes/rhythm/?day=2026-11-20&name=7bc#sender-{ORGANISATION}"
    kept = Expectation.objects.get()
    assert (kept.mode, sorted(kept.weekdays), kept.by, kept.set_by) == ("fixed", [0, 4], time(9, 15), person)
    page = seen(client.get(answer.headers["Location"]))
    assert "What is expected of 7bc0…d9e9 is saved." in page
    assert "Mon, Fri by 09.15 set by Kari Nordmann on" in page
    assert missing() == [(ORGANISATION, "09:15")]
    client.post(address, {"mode": "never", "weekdays": ["4"], "by": "09:15"})
    assert missing() == []
    assert "Never set by Kari Nordmann on" in seen(client.get(address.replace(f"{ORGANISATION}/", "")))
    client.post(address, {"mode": "learnt"})
    assert missing() == [(ORGANISATION, "08:30")]
    assert Expectation.objects.get().weekdays == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mode": "fixed", "by": "09:00"}, "Choose at least one weekday."),
        ({"mode": "fixed", "weekdays": "1"}, "Say by what time, such as 09:00."),
        ({"mode": "fixed", "weekdays": "1", "by": "25:00"}, "There is no such time. A time is written like 09:00."),
        ({"mode": "fixed", "weekdays": "7", "by": "09:00"}, "There is no such weekday."),
        ({"mode": "fixed", "weekdays": "x", "by": HOSTILE[:-1]}, "There is no such weekday."),
        ({"mode": "often"}, "Choose one of the three."),
        ({}, "This field is required."),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_explained_and_kept(client: Client, given: dict[str, str], sentence: str) -> None:
    sent([FRIDAY], "08:20")
    page = client.post(f"/outcomes/rhythm/{ORGANISATION}/?day=2026-11-20", given)
    assert page.status_code == 422
    assert sentence in seen(page)
    assert '<details class="expectation" open>' in page.content.decode()
    errors = re.findall(r'<p class="wrong"(?: id="([^"]*)")?>', page.content.decode())
    assert errors
    assert all(f'aria-describedby="{error}"' in page.content.decode() for error in errors)
    assert "<script>alert" not in page.content.decode()
    assert "Nothing is saved yet: see what is written below in red." in seen(page)
    (at_cursor,) = re.findall(r"<input[^>]* autofocus[^>]*>", page.content.decode())
    assert 'aria-invalid="true"' in at_cursor
    assert f'aria-describedby="{errors[0]}"' in at_cursor
    assert (
        "#" not in re.findall(r'action="([^"]*)"\s+novalidate', page.content.decode())[0]
    )  # or the cursor goes nowhere
    if given.get("by") == "09:00":
        assert 'value="09:00"' in page.content.decode()
    assert not Expectation.objects.exists()


def test_each_of_the_seven_boxes_says_what_is_wrong_with_them(client: Client) -> None:
    sent([FRIDAY], "08:20")
    page = client.post(f"/outcomes/rhythm/{ORGANISATION}/?day=2026-11-20", {"mode": "fixed", "by": "09:00"})
    said = f'aria-invalid="true" aria-describedby="expect-{ORGANISATION}-weekdays_error"'
    boxes = re.findall(r'<input[^>]*name="weekdays"[^>]*>', page.content.decode())
    assert [said in box for box in boxes] == [True] * 7


def test_the_address_of_a_form_leads_back_to_its_organisation(client: Client) -> None:
    answer = client.get(f"/outcomes/rhythm/{ORGANISATION}/?day=2026-11-20&name=7bc")
    assert answer.headers["Location"] == f"/outcomes/rhythm/?day=2026-11-20&name=7bc#sender-{ORGANISATION}"


def test_of_an_organisation_that_never_sent_nothing_can_be_said(client: Client) -> None:
    assert client.post(f"/outcomes/rhythm/{OTHER}/", {"mode": "never"}).status_code == 404


def test_many_organisations_are_paged_and_found_by_name_at_the_same_cost(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.AMILI_ORGANIZATIONS = {UUID(int=n): f"Sender {n:03}" for n in range(1, 61)}
    for organisation in settings.AMILI_ORGANIZATIONS:
        sent(weeks_before(FRIDAY, 1, 2, 3, 4), "08:20", by=organisation)
    address = "/outcomes/rhythm/?day=2026-11-20"
    with django_assert_num_queries(7):
        page = client.get(address)
    assert "1–25 of 60" in seen(page)
    assert "Sender 051" in seen(client.get(f"{address}&page=3"))
    with django_assert_num_queries(7):
        page = client.get(f"{address}&name=sender+04")
    assert page.content.decode().count('<tr id="sender-') == 10
    assert "No organisation fits." in seen(client.get(f"{address}&name=nobody"))


@pytest.mark.parametrize("address", ["/outcomes/rhythm/", "/outcomes/"])
def test_there_is_no_way_to_a_day_that_is_still_to_come(client: Client, address: str) -> None:
    today = timezone.localdate()
    page = client.get(address)
    assert links(page, "next") == []
    assert re.search(r'<span class="ds-button"[^>]*role="link"\s+aria-disabled="true">', page.content.decode())
    yesterday = client.get(f"{address}?day={today - timedelta(days=1)}&page=2")
    assert links(yesterday, "next") == [f"{address}?day={today}"]
    assert "aria-disabled" not in yesterday.content.decode()


@pytest.mark.parametrize("name", ["day", "name", "page"])
def test_nothing_in_the_address_breaks_the_page(client: Client, name: str) -> None:
    sent([FRIDAY], "08:20")
    for value in [*GARBAGE, HOSTILE[:-1], "0001-01-01", "2026-02-31"]:
        page = client.get("/outcomes/rhythm/", {name: value})
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
    assert "There is no such day." in seen(client.get("/outcomes/rhythm/?day=2026-02-31"))


def test_a_day_on_which_nobody_is_missed_says_why(client: Client) -> None:
    assert "A public holiday in Norway: Christmas Day. Nobody is expected" in seen(
        client.get("/outcomes/rhythm/?day=2025-12-25")
    )
    assert "Nobody: all that were expected sent something." in seen(client.get("/outcomes/rhythm/?day=2025-12-22"))
    nothing = f"in the {rhythm.LEARNT_WITHIN // WEEK} weeks before this day, so there is nothing to learn from"
    assert nothing in seen(client.get("/outcomes/rhythm/"))


# Speed


def test_among_many_batches_only_the_running_ones_and_the_sums_are_read(db: None) -> None:
    now = timezone.now()
    fill(now)

    def look() -> None:
        assert len(rhythm.stuck(now, Batch.objects.all())) == 20
        assert len(rhythm.missing(timezone.localdate(now) - timedelta(days=1), now)) <= 100

    found = list(plans(look, ", ANALYZE"))
    assert len(found) == 3
    reads = [each for each in nodes(found) if each.get("Relation Name") in {"batches_batch", "batches_arrival"}]
    assert reads
    assert all(each["Node Type"] != "Seq Scan" for each in reads)
    batches_read = [each for each in reads if each["Relation Name"] == "batches_batch"]
    assert sum(each["Actual Rows"] + each.get("Rows Removed by Filter", 0) for each in batches_read) == 20


def fill(now: datetime) -> None:
    """Of each of 100 organisations 200 batches that are finished and wait for their late check, and 20 in all that are not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO batches_batch (id, outcome, organization_id, created_at, finished_at, next_check_at,
                first_seen_at, checked_at, type, status, created_by, doubts, odd_fields, digest, facts_digest, asked_by,
                trouble, trouble_detail, error_count, response_count, succeeded_count, failed_item_count,
                succeeded_objects, failed_objects, grouping, revision, triage_state, triage_revision)
            SELECT gen_random_uuid(), CASE WHEN n <= 20 THEN 'in_progress' ELSE 'succeeded' END,
                lpad((n %% 100 + 1)::text, 32, '0')::uuid, created, created + interval '1 minute',
                %(now)s, created, %(now)s, '', '', '', '{}', '{}', '', '', 'check', '', '',
                0, 0, 0, 0, 0, 0, 0, 0, 'new', 0
            FROM generate_series(1, 20000) AS n,
                LATERAL (SELECT %(now)s - interval '1 day' - n * interval '5 minutes') AS _ (created)
            """,
            {"now": now},
        )
        cursor.execute(
            """
            INSERT INTO batches_arrival (day, organization_id, quarter, batches)
            SELECT %(day)s::date - n, lpad(o::text, 32, '0')::uuid, 33 + q, 1
            FROM generate_series(1, 120) AS n, generate_series(1, 100) AS o, generate_series(1, 3) AS q
            """,
            {"day": now},
        )
        cursor.execute("ANALYZE batches_batch, batches_arrival")
