"""The page of a day's outcomes, and its files."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from playwright.sync_api import Page, Route, sync_playwright
from pytest_django import DjangoAssertNumQueries, Settings

from batches import triage
from batches.days import working_day_before
from batches.forms.outcomes import TABLE
from batches.models import Batch
from batches.words import TriageState
from staff.models import Person
from tests.answers import ORGANISATION, error, of_first_generation, of_today, succeeded
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, in_one_minute, links, seen
from tests.test_exports import book, content, document, table

URL = "/outcomes/"
MONDAY = date(2026, 3, 9)


def finished(recorded: Record, day: date = MONDAY, good: int = 2, bad: int = 0, **changed: Any) -> Batch:
    """A batch that finished at noon, on the site's clock, or shortly after."""
    at = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
    times = {"createdAt": at.isoformat(), "finishedAt": (at + timedelta(seconds=5)).isoformat()}
    answer = {"batchId": str(uuid4()), "succeeded": [succeeded(n) for n in range(good)], **times, **changed}
    return recorded(of_first_generation(errors=[error(n, "Beløpet mangler") for n in range(bad)], **answer))


def weeks_before(count: int) -> list[date]:
    return [MONDAY - timedelta(weeks=n) for n in range(1, count + 1)]


def something_before(recorded: Record, week: date) -> None:
    """So that enough is known for the week to be compared with."""
    finished(recorded, week - timedelta(days=1))


def cards(page: HttpResponse) -> dict[str, str]:
    """What stands on each card, by its title."""
    found = re.findall(r"<section class=\"ds-card\">(.*?)</section>", page.content.decode(), re.DOTALL)
    texts = [" ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub("</h2>", "|", card))).split()) for card in found]
    return {title.strip(): text.strip() for title, text in (card.split("|") for card in texts)}


def hrefs(page: HttpResponse) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]*)"', page.content.decode())]


def test_a_day_is_told_in_numbers(client: Client, recorded: Record) -> None:
    finished(recorded, good=3)
    finished(recorded, good=1, bad=2)
    page = client.get(URL, {"day": "2026-03-09"})
    assert "Monday 9 March 2026 Batches that finished this day, Oslo time" in seen(page)
    assert cards(page) == {
        "Batches finished": "2",
        "Objects succeeded": "4 66.6 %",
        "Objects failed": "2 33.4 %",
        "Still unresolved": "1",
        "Running at midnight": "0 0 stuck",
        "Missing senders": "0 Who sends when",
    }


def test_each_number_is_a_link_to_the_batches_that_make_it(client: Client, recorded: Record) -> None:
    finished(recorded, good=1, bad=2)
    found = hrefs(client.get(URL, {"day": "2026-03-09"}))
    for filters in ("", "&objects=succeeded", "&objects=failed", "&triage=unresolved"):
        assert f"/batches/?finished=2026-03-09{filters}" in found
    for filters in ("", "&objects=succeeded", "&objects=failed"):
        assert f"/batches/?finished=2026-03-09{filters}&organisation={ORGANISATION}" in found
        assert f"/batches/?finished=2026-03-09{filters}&type=INVOICE" in found
    assert any(re.fullmatch(r"/batches/\?finished=2026-03-09&cause=\d+", address) for address in found)


def test_a_link_named_by_a_number_says_what_it_counts(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Kommune {A} & <B>"}
    finished(recorded, good=3, bad=1)
    finished(recorded, good=1)
    content = client.get(URL, {"day": "2026-03-09", "as": TABLE}).content.decode()
    labels = [
        unescape(label) for label in re.findall(r'<a class="ds-link[^"]*" href="[^"]*" aria-label="([^"]*)"', content)
    ]
    assert {"2 batches finished", "4 objects succeeded", "1 objects failed", "1 still unresolved"} <= set(labels)
    assert {"2 batches of Kommune {A} & <B>", "1 object failed of Kommune {A} & <B>", "2 batches of Invoice"} <= set(
        labels
    )
    assert {"2 batches of this day", "1 object failed on this day"} <= set(labels)
    assert {"1 batch succeeded on this day", "1 batch succeeded partly on this day"} <= set(labels)
    assert not re.findall(r'<a class="ds-link[^"]*" href="[^"]*">[\d\s]+</a>', content)


def test_the_days_of_the_table_lead_to_their_batches(client: Client, recorded: Record) -> None:
    for good, bad in ((1, 0), (1, 1), (1, 1), (0, 1)):
        finished(recorded, MONDAY - timedelta(days=1), good, bad)
    found = hrefs(client.get(URL, {"day": "2026-03-09", "as": TABLE}))
    address = "/batches/?finished=2026-03-08"
    assert {address, f"{address}&objects=failed"} <= set(found)
    for outcome, count in (("succeeded", 1), ("partial", 2), ("failed", 1)):
        assert f"{address}&status={outcome}" in found
        assert client.get(f"{address}&status={outcome}").content.decode().count('id="batch-') == count


def test_of_a_cause_the_number_of_batches_is_the_link_to_them(client: Client, recorded: Record) -> None:
    finished(recorded, bad=3)
    content = client.get(URL, {"day": "2026-03-09"}).content.decode()
    assert re.findall(r'<a class="ds-link" href="/batches/\?finished=2026-03-09&amp;cause=\d+">([^<]*)<', content) == [
        "in 1 batch"
    ]


def test_what_names_no_organisation_or_type_has_its_link_too(client: Client, recorded: Record) -> None:
    finished(recorded, organizationId=None, type="")
    page = client.get(URL, {"day": "2026-03-09"})
    assert "No organisation 1 2 0" in seen(page)
    assert "/batches/?finished=2026-03-09&organisation=none" in hrefs(page)
    assert "/batches/?finished=2026-03-09&type=none" in hrefs(page)


def test_what_ran_at_the_end_of_the_day_and_was_stuck_is_a_link_each(client: Client, recorded: Record) -> None:
    finished(recorded, finishedAt="2026-03-10T08:00:00Z")
    page = client.get(URL, {"day": "2026-03-09"})
    assert cards(page)["Running at midnight"] == "1 1 stuck"
    assert {"/batches/?open=2026-03-09", "/batches/?stuck=2026-03-09"} <= set(hrefs(page))


def test_who_usually_sends_and_has_not_is_named(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Kommune A"}
    for week in weeks_before(8):
        finished(recorded, week)
    page = client.get(URL, {"day": "2026-03-09"})
    assert cards(page)["Missing senders"] == "1 usually 0 Kommune A usually sends by 12.15 Who sends when"
    assert "/outcomes/rhythm/?day=2026-03-09" in hrefs(page)


def test_the_page_leads_to_who_sends_when_and_to_the_wall_view_on_every_day(client: Client) -> None:
    found = hrefs(client.get(URL, {"day": "2026-03-09"}))
    assert {"/outcomes/rhythm/?day=2026-03-09", "/outcomes/wall/"} <= set(found)


@pytest.mark.parametrize(
    ("zone", "clock"),
    [("Europe/Oslo", "Oslo time"), ("America/Argentina/Buenos_Aires", "Buenos Aires time"), ("Etc/UTC", "UTC")],
)
def test_it_says_by_whose_clock_a_day_begins(client: Client, settings: Settings, zone: str, clock: str) -> None:
    settings.TIME_ZONE = zone
    assert f"Batches that finished this day, {clock} ·" in seen(client.get(URL, {"day": "2026-03-09"}))
    assert f"By the day on which they finished, {clock}<" in client.get(f"{URL}trend.svg").content.decode()


# ------------------------------------------------------------------------------------------ what is usual


def test_a_day_is_compared_with_the_same_weekday_of_the_weeks_before(client: Client, recorded: Record) -> None:
    something_before(recorded, weeks_before(4)[-1])
    for week, good in zip(weeks_before(4), (1, 3, 5, 7), strict=True):
        finished(recorded, week, good=good)
    finished(recorded, good=20)
    page = client.get(URL, {"day": "2026-03-09"})
    assert "compared with 4 earlier Mondays" in seen(page)
    assert cards(page)["Batches finished"] == "1 usually 1"
    assert cards(page)["Objects succeeded"] == "20 usually 4 100 % usually 100 %"
    assert cards(page)["Objects failed"] == "0 usually 0 0 % usually 0 %"


def test_a_half_is_the_same_number_in_every_card_and_in_the_file(client: Client, recorded: Record) -> None:
    something_before(recorded, weeks_before(2)[-1])
    finished(recorded, weeks_before(1)[0], good=0, bad=1)
    finished(recorded)
    page = client.get(URL, {"day": "2026-03-09"})
    assert cards(page)["Batches finished"] == "1 usually 1"
    assert cards(page)["Still unresolved"] == "0 1 left of earlier Mondays"
    rows = table(client.get(f"{URL}numbers/export.csv", {"day": "2026-03-09"}))
    assert {row["Usually"] for row in rows if row["Number"].startswith(("Batches", "Still"))} == {"1"}


def test_only_weeks_of_which_something_is_known_count(client: Client, recorded: Record) -> None:
    something_before(recorded, MONDAY - timedelta(weeks=1))
    finished(recorded, MONDAY - timedelta(weeks=1), good=0, bad=4)
    finished(recorded)
    page = client.get(URL, {"day": "2026-03-09"})
    assert "compared with 1 earlier Monday" in seen(page)
    assert cards(page)["Objects failed"] == "0 usually 4 0 % usually 100 %"


def test_without_history_nothing_is_called_usual(client: Client, recorded: Record) -> None:
    finished(recorded, bad=1)
    page = seen(client.get(URL, {"day": "2026-03-09"}))
    assert "no weeks to compare with yet" in page
    assert "usual" not in page.lower()


def test_causes_say_whether_there_is_more_of_them_than_usual(client: Client, recorded: Record) -> None:
    def errors(**rows: int) -> list[Any]:
        return [error(n, said) for said, count in rows.items() for n in range(count)]

    def finish(day: date, **rows: int) -> None:
        finished(recorded, day, status={"statuscode": 0, "errors": errors(**rows), "responses": []})

    for week in weeks_before(4):
        finish(week, Currency=5, Amount=10, Name=4)
    finish(MONDAY, Currency=8, Amount=2, Name=4, Postcode=1)
    page = seen(client.get(URL, {"day": "2026-03-09"}))
    assert "Currency in 1 batch 8 error rows ↑ 60 % more than usual" in page
    assert "Amount in 1 batch 2 error rows ↓ 80 % less than usual" in page
    assert "Name in 1 batch 4 error rows As usual" in page
    assert "Postcode in 1 batch 1 error rows New" in page


def test_a_rise_from_nothing_or_beyond_ten_times_says_so_in_few_characters(client: Client, recorded: Record) -> None:
    def finish(day: date, **rows: int) -> None:
        errors = [error(n, said) for said, count in rows.items() for n in range(count)]
        finished(recorded, day, status={"statuscode": 0, "errors": errors, "responses": []})

    finish(weeks_before(3)[2], Currency=1, Amount=1)
    for week in weeks_before(2):
        finish(week, Amount=1)
    finish(MONDAY, Currency=3, Amount=12)
    page = seen(client.get(URL, {"day": "2026-03-09"}))
    assert "Currency in 1 batch 3 error rows ↑ from 0 more than usual" in page
    assert "Amount in 1 batch 12 error rows ↑ ×12 more than usual" in page


def test_what_is_left_today_of_earlier_weeks_is_not_called_usual(client: Client, recorded: Record) -> None:
    for week in weeks_before(2):
        finished(recorded, week, bad=1)
    finished(recorded, bad=1)
    page = client.get(URL, {"day": "2026-03-09"})
    assert cards(page)["Still unresolved"] == "1 1 left of earlier Mondays"
    rows = table(client.get(f"{URL}numbers/export.csv", {"day": "2026-03-09"}))
    assert "Still unresolved; usually: left now of earlier weeks" in {row["Number"] for row in rows}


def test_a_public_holiday_is_named(client: Client, recorded: Record) -> None:
    assert "A public holiday in Norway: Constitution Day" in seen(client.get(URL, {"day": "2026-05-17"}))


# ------------------------------------------------------------------------------------------ the address


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("abc", "There is no such day. A day is written like 2026-11-21. Here is today."),
        ("2026-02-31", "There is no such day."),
        ("9999-12-31", "31 December 9999 is still to come. Here is today."),
        ("0001-01-01", "Nothing is known of a day so long ago."),
    ],
)
def test_a_day_that_cannot_be_shown_is_explained_and_nothing_else_is_lost(
    client: Client, day: str, sentence: str
) -> None:
    page = client.get(URL, {"day": day, "days": "90", "all": "organisations"})
    assert page.status_code == 200
    assert sentence in seen(page)
    today = timezone.localdate()
    assert f"{today:%A} {today.day} {today:%B %Y}" in seen(page)
    yesterday = today - timedelta(days=1)
    assert f"/outcomes/?day={yesterday}&days=90&all=organisations" in hrefs(page)
    assert '<input type="hidden" name="days" value="90">' in page.content.decode()


def test_a_norwegian_date_is_understood(client: Client) -> None:
    assert "Monday 9 March 2026" in seen(client.get(URL, {"day": "9.3.2026"}))


def test_a_trend_of_another_length_is_explained(client: Client) -> None:
    assert "The trend is of 30, 90 or 365 days." in seen(client.get(URL, {"days": "31"}))


@pytest.mark.parametrize("form", ["", TABLE])
def test_only_a_length_that_there_is_goes_with_its_links(client: Client, recorded: Record, form: str) -> None:
    for n in range(12):
        finished(recorded, organizationId=str(uuid4()), type=f"T{n}")
    for day in ("2026-03-09", "2026-03-10", ""):
        page = client.get(URL, {"day": day, "days": "31", "as": form})
        assert not [address for address in hrefs(page) if "days=31" in address]
        assert 'name="days"' not in page.content.decode()
    [file] = [address for address in hrefs(page) if "export.xlsx" in address]
    assert client.get(file).status_code == 200


def test_nothing_in_the_address_breaks_the_page(client: Client) -> None:
    for value in GARBAGE:
        assert client.get(URL, dict.fromkeys(["day", "days", "as", "all", "stamp"], value)).status_code == 200


def test_the_days_around_it_are_a_link_away_but_not_the_future(client: Client) -> None:
    page = client.get(URL, {"day": "2026-03-29", "days": "90"})
    assert links(page, "prev") == ["/outcomes/?day=2026-03-28&days=90"]
    assert links(page, "next") == ["/outcomes/?day=2026-03-30&days=90"]
    today = client.get(URL)
    assert links(today, "next") == []
    assert links(today, "prev") == [f"/outcomes/?day={timezone.localdate() - timedelta(days=1)}"]


# ------------------------------------------------------------------------------------------ little and much


def test_an_empty_day_says_when_something_last_finished(client: Client, recorded: Record) -> None:
    assert "No batch has finished yet." in seen(client.get(URL))
    finished(recorded)
    page = client.get(URL, {"day": "2026-03-14"})
    assert "Nothing finished on this day. The last day before it on which something did: Monday 9 March 2026" in seen(
        page
    )
    assert "/outcomes/?day=2026-03-09" in hrefs(page)
    assert "nor before it as far as is known" in seen(client.get(URL, {"day": "2026-03-08"}))


def test_today_leads_to_the_last_working_day(client: Client, recorded: Record) -> None:
    finished(recorded)
    day = working_day_before(timezone.localdate())
    told = f"{day:%A} {day.day} {day:%B}"
    page = client.get(URL)
    assert f"Nothing has finished yet today. See {told}" in seen(page)
    assert f"/outcomes/?day={day}" in hrefs(page)
    recorded(of_today(**just_now(), succeeded=[succeeded()]))
    assert f"The last working day was {told}" in seen(client.get(URL))
    assert "The last working day" not in seen(client.get(URL, {"day": "2026-03-09"}))


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 11, 20), date(2026, 11, 19)),
        (date(2026, 11, 23), date(2026, 11, 20)),
        (date(2026, 4, 7), date(2026, 4, 1)),
    ],
    ids=str,
)
def test_neither_weekends_nor_holidays_are_working_days(day: date, before: date) -> None:
    assert working_day_before(day) == before


def test_the_first_organisations_stand_there_and_the_rest_is_a_link_away(client: Client, recorded: Record) -> None:
    for n in range(12):
        finished(recorded, organizationId=str(uuid4()), type=f"T{n}")
    page = client.get(URL, {"day": "2026-03-09"})
    assert page.content.decode().count('<th scope="row" class="name">') == 20
    assert "All 12" in seen(page)
    assert "/outcomes/?day=2026-03-09&all=organisations#organisations" in hrefs(page)
    whole = client.get(URL, {"day": "2026-03-09", "all": "organisations"})
    assert "/outcomes/?day=2026-03-09&all=organisations&all=types#types" in hrefs(whole)
    whole = client.get(URL, {"day": "2026-03-09", "all": ["organisations", "types"]}).content.decode()
    assert whole.count('<th scope="row" class="name">') == 24


def test_the_first_causes_stand_there_and_all_are_a_link_and_a_file_away(client: Client, recorded: Record) -> None:
    errors = [error(n, f"Cause {word}") for n, word in enumerate(("one", "two", "three", "four", "five", "six"))]
    finished(recorded, status={"statuscode": 0, "errors": errors, "responses": []})
    page = client.get(URL, {"day": "2026-03-09"})
    assert page.content.decode().count('<a class="what"') == 5
    assert "All 6" in seen(page)
    assert "/outcomes/?day=2026-03-09&all=causes#causes" in hrefs(page)
    whole = client.get(URL, {"day": "2026-03-09", "all": "causes"})
    assert whole.content.decode().count('<a class="what"') == 6
    assert "All 6" not in seen(whole)
    assert len(table(client.get(f"{URL}causes/export.csv", {"day": "2026-03-09"}))) == 6


def test_the_number_of_queries_does_not_grow_with_what_finished(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for week in weeks_before(4):
        finished(recorded, week, bad=1)
    for count in (1, 20):
        for n in range(count):
            finished(recorded, bad=1, organizationId=str(uuid4()), type=f"T{n}")
        with django_assert_num_queries(14):
            client.get(URL, {"day": "2026-03-09", "days": "365"})


def test_hostile_words_stay_words(client: Client, recorded: Record) -> None:
    errors = [error(0, HOSTILE + "x" * 100_000)]
    finished(recorded, type=HOSTILE * 20, status={"statuscode": 0, "errors": errors, "responses": []})
    content = client.get(URL, {"day": "2026-03-09"}).content.decode()
    assert "<script>alert" not in content.lower()
    assert len(content) < 60_000


# ------------------------------------------------------------------------------------------ today


def test_todays_page_asks_for_news_and_gets_none_until_something_finishes(client: Client, recorded: Record) -> None:
    page, answer = in_one_minute(lambda: page_and_poll(client))
    assert "The day goes on." in seen(page)
    assert 'hx-trigger="every 10s, poll"' in page.content.decode()
    assert answer.status_code == 204
    poll = hrefs_of_poll(page)
    at = timezone.now().isoformat()
    recorded(of_today(createdAt=at, finishedAt=at, succeeded=[succeeded()]))
    fragment = client.get(poll, headers=HTMX)
    assert cards(fragment)["Batches finished"] == "1"
    assert "<html" not in fragment.content.decode()
    assert "stamp=" not in "".join(hrefs(fragment))


def test_nothing_new_costs_one_query(client: Client, recorded: Record) -> None:
    at = timezone.now().isoformat()
    recorded(of_today(createdAt=at, finishedAt=at, succeeded=[succeeded()]))

    def asked() -> tuple[int, int]:
        poll = hrefs_of_poll(client.get(URL))
        with CaptureQueriesContext(connection) as queries:
            return client.get(poll, headers=HTMX).status_code, len(queries)

    assert in_one_minute(asked) == (204, 1 + 1)  # who asks


def test_whatever_changes_a_number_of_today_is_new(client: Client, recorded: Record, person: Person) -> None:
    batch = recorded(of_today("FAILED", **just_now(), failed=[{"objectIndex": 0, "errors": ["Amount is odd"]}]))

    def move() -> None:
        triage.move(batch, person, batch.triage_revision, TriageState.WAITING_FOR_AMILI, None)

    def run() -> None:
        recorded(of_today("QUEUED", batchId=str(uuid4()), createdAt=just_now()["createdAt"], finishedAt=None))

    def correct() -> None:
        recorded(of_today("FAILED", **just_now(), failed=[{"objectIndex": 0, "errors": ["Debtor is missing"]}]))

    for change in (move, run, correct):
        poll = hrefs_of_poll(client.get(URL))
        change()
        assert client.get(poll, headers=HTMX).status_code == 200, change


def just_now() -> dict[str, str]:
    return dict.fromkeys(["createdAt", "finishedAt"], timezone.now().isoformat())


def page_and_poll(client: Client) -> tuple[HttpResponse, HttpResponse]:
    page = client.get(URL, {"days": "90"})
    return page, client.get(hrefs_of_poll(page), headers=HTMX)


def hrefs_of_poll(page: HttpResponse) -> str:
    return unescape(re.findall(r'hx-get="([^"]*/outcomes/[^"]*|/outcomes/[^"]*)"', page.content.decode())[0])


def test_a_day_that_is_over_asks_for_nothing(client: Client) -> None:
    page = client.get(URL, {"day": "2026-03-09"})
    assert "/outcomes/?day=2026-03-09&amp;stamp" not in page.content.decode()
    assert "The day goes on." not in seen(page)


# ------------------------------------------------------------------------------------------ files


def test_a_workbook_has_every_table(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "=Kommune A"}
    something_before(recorded, MONDAY - timedelta(weeks=1))
    finished(recorded, MONDAY - timedelta(weeks=1), good=6)
    finished(recorded, good=3, bad=1)
    file = client.get(f"{URL}export.xlsx", {"day": "2026-03-09", "days": "90"})
    assert '"amili-outcomes-2026-03-09.xlsx"' in file.headers["Content-Disposition"]
    sheets = {sheet.title: list(sheet.values) for sheet in book(file)}
    assert list(sheets) == ["Numbers", "Days", "Organisations", "Types", "Causes"]
    numbers = [row[1:] for row in sheets["Numbers"][1:]]
    assert numbers[:3] == [("Batches finished", 1, 1), ("Objects succeeded", 3, 6), ("Objects failed", 1, 0)]
    assert numbers[-1] == ("Share of objects that failed", 0.25, 0)
    assert len(sheets["Days"]) == 91
    assert sheets["Days"][1][1:8] == (1, 0, 1, 0, 3, 1, 0.25)
    assert sheets["Organisations"][1] == ("'=Kommune A", str(ORGANISATION), 1, 3, 1)
    assert sheets["Types"][1] == ("INVOICE", 1, 3, 1)
    assert sheets["Causes"][1][1:] == ("Beløpet mangler", 1, 1, 0, "New")


@pytest.mark.parametrize(
    ("part", "rows"), [("numbers", 8), ("days", 30), ("organisations", 1), ("types", 1), ("causes", 1)]
)
def test_each_table_is_a_csv_of_its_own(client: Client, recorded: Record, part: str, rows: int) -> None:
    finished(recorded, bad=1)
    assert len(table(client.get(f"{URL}{part}/export.csv", {"day": "2026-03-09"}))) == rows
    excel = client.get(f"{URL}{part}/export.excel.csv", {"day": "2026-03-09", "days": "90"})
    assert content(excel)
    assert f'"amili-outcomes-{part}-2026-03-09-excel.csv"' in excel.headers["Content-Disposition"]
    assert f"/outcomes/{part}/export.excel.csv?day=2026-03-09" in hrefs(client.get(URL, {"day": "2026-03-09"}))


def test_counts_are_whole_and_shares_short_in_a_file(client: Client, recorded: Record) -> None:
    something_before(recorded, weeks_before(2)[-1])
    for week, good in zip(weeks_before(2), (1, 4), strict=True):
        finished(recorded, week, good=good, bad=2)
    finished(recorded, good=2, bad=1)
    sheets = {sheet.title: list(sheet.values) for sheet in book(client.get(f"{URL}export.xlsx", {"day": "2026-03-09"}))}
    assert ("Objects succeeded", 2, 3) in [row[1:] for row in sheets["Numbers"]]
    assert ("Share of objects that failed", 0.3333, 0.5) in [row[1:] for row in sheets["Numbers"]]
    assert sheets["Days"][1][7] == 0.3333
    assert sheets["Causes"][1][4] == 2


def test_all_of_it_as_csv_is_the_days_and_as_json_every_table(client: Client, recorded: Record) -> None:
    finished(recorded, good=3, bad=1)
    newest = table(client.get(f"{URL}export.csv", {"day": "2026-03-09"}))[0]
    assert (newest["Day"], newest["Partly succeeded"], newest["Objects failed"]) == ("2026-03-09", "1", "1")
    assert document(client.get(f"{URL}export.json", {"day": "2026-03-09"}))["types"][0]["succeeded"] == 3


def test_of_a_day_that_nobody_can_read_there_is_no_file(client: Client) -> None:
    answer = client.get(f"{URL}export.xlsx", {"day": "2026-02-31"})
    assert answer.status_code == 422
    assert "There is no such day." in seen(answer)
    assert client.get(f"{URL}nothing/export.csv").status_code == 404


# ------------------------------------------------------------------------------------------ paper


def test_a_full_day_fits_on_one_sheet(client: Client, recorded: Record, settings: Settings) -> None:
    words = [f"{word} " * 60 for word in ("Currency", "Amount", "Name", "Postcode", "Reference", "Account")]
    for n in range(60):
        errors = [error(n, words[n % len(words)])]
        status = {"statuscode": 0, "errors": errors, "responses": []}
        finished(recorded, organizationId=str(uuid4()), type=f"A rather long type {n % 30}", status=status)
    everything = {"day": "2026-03-09", "all": ["organisations", "types", "causes"]}
    pages = [client.get(URL, {**everything, "days": days, "as": form}) for days in (30, 365) for form in ("", TABLE)]
    assert all("and 52 more" in seen(page) for page in pages)
    with ThreadPoolExecutor(1) as thread:  # of its own: where a browser is driven from, Django reads no database
        assert thread.submit(sheets, pages, Path(settings.STATIC_ROOT)).result() == [1, 1, 1, 1]


def test_everything_fits_on_narrow_screens_and_in_its_card(
    client: Client, recorded: Record, settings: Settings
) -> None:
    for n in range(3):
        finished(recorded, good=123_456, organizationId=str(uuid4()), type=f"A rather long type {n}", bad=n)
    pages = [client.get(URL, {"day": "2026-03-09", "as": form}) for form in ("", TABLE)]
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(cut_off, pages, Path(settings.STATIC_ROOT)).result() == []


def test_the_titles_of_the_trend_stand_clear_of_its_readouts_and_scales(
    client: Client, recorded: Record, settings: Settings
) -> None:
    finished(recorded, good=123_456, bad=9)
    pages = [client.get(URL, {"day": "2026-03-09"})]
    with ThreadPoolExecutor(1) as thread:
        assert not thread.submit(overprinted, pages, Path(settings.STATIC_ROOT)).result()


SCREENS = (1440, 1100, 390, 360, 320)
SHEET = {"width": 718, "height": 1047}  # A4 within its margins
CUT = """() => [...document.querySelectorAll("#outcomes :is(table, th, td:not(.share), .bar), .places a")].filter(each => {
    const box = each.getBoundingClientRect(), card = (each.closest(".ds-card") ?? document.body).getBoundingClientRect();
    const isShown = box.width > 1 && !each.closest(".unseen, .stacked thead") && each.checkVisibility();
    return isShown && (box.left < card.left - 1 || box.right > Math.min(card.right, innerWidth) + 1);
}).map(each => `${innerWidth} ${each.outerHTML}`)"""
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"
OVERPRINTED = """() => {
    const boxes = query => [...document.querySelectorAll(query)].map(each => each.getBoundingClientRect());
    const isOn = (title, text, by) =>
        title.right > text.left && title.left < text.right && title.bottom > text.top + by && title.top < text.bottom - by;
    return boxes(".trend-chart .titles text").some(title =>
        boxes(".day[aria-current] text").some(text => isOn(title, text, 3)) ||
        boxes(".trend-chart .ticks text").some(text => isOn(title, text, 0)));
}"""


def sheets(pages: list[HttpResponse], static: Path) -> list[int]:
    """On how many sheets a browser prints each page, on which nothing is cut off."""
    found = []
    for page in shown(pages, static):
        found.append(len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))))
        page.emulate_media(media="print")
        page.set_viewport_size(SHEET)
        assert page.evaluate(CUT) == []
    return found


def cut_off(pages: list[HttpResponse], static: Path) -> list[str]:
    """What of each page nobody can see on screens of different widths, or only by moving the page sideways."""
    found = list[str]()
    for page in shown(pages, static):
        for width in SCREENS:
            page.set_viewport_size({"width": width, "height": 900})
            found += page.evaluate(CUT) + [f"{width} sideways"] * page.evaluate(SIDEWAYS)
    return found


def overprinted(pages: list[HttpResponse], static: Path) -> bool:
    """Whether a title stands on the numbers of a day, or touches those of a scale, on a narrow screen."""
    found = []
    for page in shown(pages, static):
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 900})
            found.append(bool(page.evaluate(OVERPRINTED)))
    return any(found)


def shown(pages: list[HttpResponse], static: Path) -> Iterator[Page]:
    """A browser with each of these pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for each in pages:
            page = browser.new_page(base_url="http://127.0.0.1")
            page.route(
                "**/static/**", lambda route: route.fulfill(path=static / route.request.url.split("/static/")[1])
            )
            page.route(f"**{URL}", partial(Route.fulfill, body=each.content, content_type="text/html"))
            page.goto(URL)
            yield page
        browser.close()
