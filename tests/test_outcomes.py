"""The page of a day's outcomes, and its files."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Route, sync_playwright
from pytest_django import DjangoAssertNumQueries, Settings

from batches.forms.outcomes import TABLE
from batches.models import Batch
from tests.answers import ORGANISATION, error, of_first_generation, of_today, succeeded
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, links, seen
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
        "Missing senders": "0",
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


def test_what_names_no_organisation_or_type_has_its_link_too(client: Client, recorded: Record) -> None:
    finished(recorded, organizationId=None, type="")
    page = client.get(URL, {"day": "2026-03-09"})
    assert "None named 1 2 0" in seen(page)
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
    assert cards(page)["Missing senders"] == "1 usually 0 Kommune A usually sends by 12.15"
    assert "/outcomes/rhythm/?day=2026-03-09" in hrefs(page)


# ------------------------------------------------------------------------------------------ what is usual


def test_a_day_is_compared_with_the_same_weekday_of_the_weeks_before(client: Client, recorded: Record) -> None:
    for week, good in zip(weeks_before(4), (1, 3, 5, 7), strict=True):
        finished(recorded, week, good=good)
    finished(recorded, good=20)
    page = client.get(URL, {"day": "2026-03-09"})
    assert "compared with the last 4 Mondays" in seen(page)
    assert cards(page)["Batches finished"] == "1 usually 1"
    assert cards(page)["Objects succeeded"] == "20 100 % usually 100 %"
    assert cards(page)["Objects failed"] == "0 0 % usually 0"


def test_only_weeks_of_which_something_is_known_count(client: Client, recorded: Record) -> None:
    finished(recorded, MONDAY - timedelta(weeks=1), good=0, bad=4)
    finished(recorded)
    page = client.get(URL, {"day": "2026-03-09"})
    assert "compared with the last Monday" in seen(page)
    assert cards(page)["Objects failed"] == "0 0 % usually 4"


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


def test_the_first_organisations_stand_there_and_the_rest_is_a_link_away(client: Client, recorded: Record) -> None:
    for n in range(12):
        finished(recorded, organizationId=str(uuid4()), type=f"T{n}")
    page = client.get(URL, {"day": "2026-03-09"})
    assert page.content.decode().count('<td class="name">') == 20
    assert "All 12" in seen(page)
    assert "/outcomes/?day=2026-03-09&all=organisations#organisations" in hrefs(page)
    whole = client.get(URL, {"day": "2026-03-09", "all": ["organisations", "types"]}).content.decode()
    assert whole.count('<td class="name">') == 24


def test_the_number_of_queries_does_not_grow_with_what_finished(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for week in weeks_before(4):
        finished(recorded, week, bad=1)
    for count in (1, 20):
        for n in range(count):
            finished(recorded, bad=1, organizationId=str(uuid4()), type=f"T{n}")
        with django_assert_num_queries(15):
            client.get(URL, {"day": "2026-03-09", "days": "365"})


def test_hostile_words_stay_words(client: Client, recorded: Record) -> None:
    errors = [error(0, HOSTILE + "x" * 100_000)]
    finished(recorded, type=HOSTILE * 20, status={"statuscode": 0, "errors": errors, "responses": []})
    content = client.get(URL, {"day": "2026-03-09"}).content.decode()
    assert "<script>alert" not in content.lower()
    assert len(content) < 60_000


# ------------------------------------------------------------------------------------------ today


def test_todays_page_asks_for_news_and_gets_none_until_something_finishes(client: Client, recorded: Record) -> None:
    page = client.get(URL, {"days": "90"})
    assert "The day goes on." in seen(page)
    poll = hrefs_of_poll(page)
    assert client.get(poll, headers=HTMX).status_code == 204
    at = timezone.now().isoformat()
    recorded(of_today(createdAt=at, finishedAt=at, succeeded=[succeeded()]))
    fragment = client.get(poll, headers=HTMX)
    assert cards(fragment)["Batches finished"] == "1"
    assert "<html" not in fragment.content.decode()
    assert "stamp=" not in "".join(hrefs(fragment))
    assert client.get(hrefs_of_poll(fragment), headers=HTMX).status_code == 204


def hrefs_of_poll(page: HttpResponse) -> str:
    return unescape(re.findall(r'hx-get="([^"]*/outcomes/[^"]*|/outcomes/[^"]*)"', page.content.decode())[0])


def test_a_day_that_is_over_asks_for_nothing(client: Client) -> None:
    page = client.get(URL, {"day": "2026-03-09"})
    assert "/outcomes/?day=2026-03-09&amp;stamp" not in page.content.decode()
    assert "The day goes on." not in seen(page)


# ------------------------------------------------------------------------------------------ files


def test_a_workbook_has_every_table(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "=Kommune A"}
    finished(recorded, MONDAY - timedelta(weeks=1), good=6)
    finished(recorded, good=3, bad=1)
    file = client.get(f"{URL}export.xlsx", {"day": "2026-03-09", "days": "90"})
    assert "amili-outcomes-2026-03-09-90-days-" in file.headers["Content-Disposition"]
    sheets = {sheet.title: list(sheet.values) for sheet in book(file)}
    assert list(sheets) == ["Numbers", "Days", "Organisations", "Types", "Causes"]
    assert [row[1:] for row in sheets["Numbers"][1:5]] == [
        ("Batches finished", 1, 1),
        ("Objects succeeded", 3, 6),
        ("Objects failed", 1, 0),
        ("Share of objects that failed", 0.25, 0),
    ]
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
    assert content(client.get(f"{URL}{part}/export.excel.csv", {"day": "2026-03-09"}))


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


def sheets(pages: list[HttpResponse], static: Path) -> list[int]:
    """On how many sheets a browser prints each page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url="http://127.0.0.1")
        page.route("**/static/**", lambda route: route.fulfill(path=static / route.request.url.split("/static/")[1]))
        found = []
        for each in pages:
            page.route(f"**{URL}", partial(Route.fulfill, body=each.content, content_type="text/html"))
            page.goto(URL)
            found.append(len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))))
        browser.close()
    return found
