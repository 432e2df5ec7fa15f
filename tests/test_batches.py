"""The list of batches: what it shows, its filters and its pages."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches.models import NO_ORGANIZATION, Batch, Cause
from batches.outcomes import DayOutcomes, outcomes_of
from staff.models import Person
from tests.answers import BATCH, ORGANISATION, OTHER, Json, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.history import Year
from tests.pages import GARBAGE, HOSTILE, HTMX, ids, links, seen

DAY = datetime(2026, 3, 9, 11, 30, tzinfo=UTC)


def listed(response: HttpResponse) -> list[UUID]:
    assert response.status_code == 200
    return [UUID(name.removeprefix("batch-")) for name in ids(response) if re.match(r"batch-[0-9a-f]{8}-", name)]


def created(at: datetime) -> dict[str, str]:
    return {"batchId": str(uuid4()), "createdAt": at.isoformat()}


def test_all_that_we_know_stands_there_newest_first(client: Client, recorded: Record) -> None:
    known = [recorded(of_today(**created(DAY + timedelta(hours=hours)))).pk for hours in (2, 5, 1)]
    assert listed(client.get("/batches/")) == [known[1], known[0], known[2]]


def test_a_row_tells_what_became_of_the_batch(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(n) for n in range(3)]))
    text = seen(client.get("/batches/"))
    assert f"{BATCH} Beløpet mangler Nordlys Kraft AS Invoice 09.03.2026 15.30.00 3 1 Partly succeeded New" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "failed"}, ["failed"]),
        ({"status": "queued"}, ["queued"]),
        ({"status": "nonsense"}, ["failed", "queued", "paid"]),
        ({"type": "payment"}, ["paid"]),
        ({"type": "pay"}, []),
        ({"organisation": "sørvest"}, ["paid"]),
        ({"organisation": str(ORGANISATION)}, ["failed", "queued"]),
        ({"organisation": "nobody"}, ["failed", "queued", "paid"]),
        ({"day": "2026-03-09"}, ["queued", "paid"]),
        ({"day": "2026-03-10"}, ["failed"]),
        ({"day": "soon"}, ["failed", "queued", "paid"]),
        ({"status": "queued", "day": "2026-03-10"}, []),
    ],
)
def test_the_list_is_filtered_by_status_type_organisation_and_day(
    client: Client, recorded: Record, settings: Settings, query: dict[str, str], expected: list[str]
) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS", OTHER: "Sørvest Bredbånd"}
    # The day is that of the site's clock: 23.30 in UTC is the next day in Oslo.
    known = {
        recorded(data).pk: name
        for name, data in {
            "failed": of_today("FAILED", failed=[{"a": 1}], **created(DAY + timedelta(hours=12))),
            "queued": of_today("QUEUED", **created(DAY)),
            "paid": of_today(type="PAYMENT", organizationId=str(OTHER), **created(DAY - timedelta(hours=1))),
        }.items()
    }
    assert [known[batch_id] for batch_id in listed(client.get("/batches/", query))] == expected


def test_what_cannot_be_read_in_a_filter_is_explained(client: Client) -> None:
    assert "No organisation has this name. Its ID works too." in seen(client.get("/batches/?organisation=nobody"))
    assert "No batch fits." in seen(client.get("/batches/?day=2026-01-01"))


def test_turning_pages_meets_every_batch_once_within_the_filter(client: Client, recorded: Record) -> None:
    known = [recorded(of_today(**created(DAY - timedelta(minutes=n // 7)))).pk for n in range(120)]
    recorded(of_today("QUEUED"))
    met, url = [], "/batches/?status=succeeded"
    while url:
        page = client.get(url)
        met += listed(page)
        url = next(iter(links(page, "next")), "")
    assert len(met) == 120
    assert set(met) == set(known)


def test_pasted_ids_list_these_batches_alone(client: Client, recorded: Record) -> None:
    wanted = [recorded(of_today(**created(DAY))).pk for _ in range(3)][:2]
    page = client.get("/batches/", {"id": wanted})
    assert set(listed(page)) == set(wanted)
    assert "The 2 batches that you pasted" in seen(page)


def test_a_poll_gets_nothing_until_something_is_new(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recorded(of_today("QUEUED"))
    poll = re.findall(r'hx-get="(/batches/\?stamp=\w+)"', client.get("/batches/").content.decode())[0]
    with django_assert_num_queries(3):  # one of them, since it has been running for long
        assert client.get(poll, headers=HTMX).status_code == 204
    recorded(of_today("SUCCESS", succeeded=[succeeded()]))
    fragment = client.get(poll, headers=HTMX)
    assert "Succeeded" in seen(fragment)
    assert "<html" not in fragment.content.decode()


def test_new_batches_appear_at_the_top_of_a_list_that_stays_open(client: Client, recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded()]))
    poll = re.findall(r'hx-get="(/batches/\?stamp=\w+)"', client.get("/batches/").content.decode())[0]
    new = recorded(of_today("SUCCESS", batchId=str(uuid4()), succeeded=[succeeded()]))
    assert str(new.pk) in seen(client.get(poll, headers=HTMX))


def test_a_pasted_list_of_finished_batches_asks_no_more(client: Client, recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded()]))
    assert "data-live" not in client.get("/batches/", {"id": str(BATCH)}).content.decode()


def finished(at: datetime, **changed: object) -> Json:
    return of_today(**created(at - timedelta(minutes=5)), **{"finishedAt": at.isoformat(), **changed})


def rows_of(outcomes: DayOutcomes) -> Iterator[tuple[dict[str, object], Callable[[list[Batch]], float], float | None]]:
    """Where each number of a day leads to, how it is counted there, and what it says."""
    day = {"finished": outcomes.day}
    yield day, len, outcomes.batches.now
    yield day | {"objects": "succeeded"}, succeeded_in, outcomes.succeeded.now
    yield day | {"objects": "failed"}, failed_in, outcomes.failed.now
    yield day | {"triage": "unresolved"}, len, outcomes.unresolved.now
    yield day | {"triage": "waiting"}, len, outcomes.waiting
    for moment in (outcomes.day, *(["now"] if outcomes.is_today else [])):
        yield {"open": moment}, len, outcomes.running.now
        yield {"stuck": moment}, len, outcomes.stuck.now
    for name, parts in (("organisation", outcomes.by_organization), ("type", outcomes.by_type)):
        for part in parts:
            only = day | {name: "none" if part.key in {NO_ORGANIZATION, ""} else part.key}
            yield only, len, part.numbers.batches
            yield only, failed_in, part.numbers.failed
    for each in outcomes.causes:
        yield day | {"cause": each.cause.pk}, len, each.batches


def succeeded_in(batches: list[Batch]) -> int:
    return sum(batch.succeeded_objects for batch in batches)


def failed_in(batches: list[Batch]) -> int:
    return sum(batch.failed_objects for batch in batches)


def test_each_number_of_a_day_leads_to_exactly_the_batches_that_make_it(client: Client, person: Person) -> None:
    year = Year(timezone.now(), person, last_days=40)
    year.record()
    for days_ago in (0, 1, 2, 8, 30):
        day = timezone.localdate(year.now) - timedelta(days=days_ago)
        for query, count, number in rows_of(outcomes_of(day, year.now, person)):
            assert count(list(Batch.objects.filter(pk__in=listed(client.get("/batches/", query))))) == number, query


def test_whoever_names_no_organisation_or_type_can_be_listed(client: Client, recorded: Record) -> None:
    nobody = recorded(finished(DAY, organizationId=None))
    untyped = {recorded(finished(DAY, type=kind)).pk for kind in ("", "NONE", "none")}
    assert listed(client.get("/batches/?organisation=none")) == [nobody.pk]
    assert set(listed(client.get("/batches/?type=none"))) == untyped


def test_a_type_is_one_in_any_case_and_its_blanks_are_its_own(client: Client, recorded: Record, person: Person) -> None:
    for kind in ("INVOICE", "invoice", "Invoice ", "<b>æøå</b>", "x" * 300):
        recorded(finished(DAY, type=kind))
    parts = outcomes_of(DAY.date(), timezone.now(), person).by_type
    assert sorted(part.numbers.batches for part in parts) == [1, 1, 1, 2]
    for part in parts:
        assert len(listed(client.get("/batches/", {"type": part.key}))) == part.numbers.batches


def search_of(page: HttpResponse) -> str:
    """The form that filters the list."""
    return re.findall(r'<form class="ds-card list-filter".*?</form>', page.content.decode(), re.DOTALL)[0]


def chips_of(page: HttpResponse) -> dict[str, dict[str, list[str]]]:
    """What is asked for without each of the filters that are told."""
    found = re.findall(r'href="/batches/\?([^"]*)"[^>]*><bdi>([^<]*)', search_of(page))
    return {words: parse_qs(unescape(query)) for query, words in found}


def tabs_of(page: HttpResponse) -> dict[str, tuple[dict[str, list[str]], bool]]:
    """Where each tab leads to, and whether it is the open one."""
    [tabs] = re.findall(r'<nav class="tabs".*?</nav>', page.content.decode(), re.DOTALL)
    found = re.findall(r'<a href="/batches/\?([^"]*)"([^>]*)>(.*?)</a>', tabs, re.DOTALL)
    return {
        " ".join(re.sub("<[^>]*>", "", text).split()): (parse_qs(unescape(query)), "aria-current" in rest)
        for query, rest, text in found
    }


@pytest.mark.parametrize(("triage", "words"), [("unresolved", "Unresolved"), ("mine", "Mine"), ("waiting", "Waiting")])
def test_what_there_is_to_do_is_said_beside_another_filter(client: Client, triage: str, words: str) -> None:
    page = client.get(f"/batches/?finished=2026-03-09&triage={triage}")
    assert chips_of(page) == {
        "Finished on 09.03.2026": {"triage": [triage]},
        words: {"finished": ["2026-03-09"], "triage": ["all"]},
    }
    assert chips_of(client.get(f"/batches/?day=2026-03-09&triage={triage}")) == {
        words: {"day": ["2026-03-09"], "triage": ["all"]}
    }
    assert chips_of(client.get(f"/batches/?triage={triage}")) == {}  # its tab says it


def test_the_tabs_of_what_there_is_to_do_stay_within_a_narrowed_list(client: Client, recorded: Record) -> None:
    recorded(finished(DAY, failed=[{"a": 1}], status="FAILED"))
    narrowed = {"finished": ["2026-03-09"], "organisation": [str(ORGANISATION)]}
    page = client.get("/batches/", narrowed | {"triage": ["unresolved"], "after": ["x"]})
    assert tabs_of(page) == {  # how many of all batches they are would be taken for how many of these
        "All": (narrowed | {"triage": ["all"]}, False),
        "Unresolved": (narrowed | {"triage": ["unresolved"]}, True),
        "Mine": (narrowed | {"triage": ["mine"]}, False),
        "Waiting": (narrowed | {"triage": ["waiting"]}, False),
    }
    assert tabs_of(client.get("/batches/?objects=failed"))["All"] == ({"objects": ["failed"], "triage": ["all"]}, True)
    assert tabs_of(client.get("/batches/?status=failed"))["Unresolved 1"] == ({"triage": ["unresolved"]}, False)


def test_a_list_to_which_a_number_led_says_how_many_batches_it_has(client: Client, recorded: Record) -> None:
    for minutes in range(60):
        recorded(finished(DAY - timedelta(minutes=minutes), failed=[{"a": 1}] if minutes else None))
    first = client.get("/batches/?finished=2026-03-09")
    assert "60 batches" in seen(first)
    assert "60 batches" in seen(client.get(links(first, "next")[0]))
    assert "59 batches" in seen(client.get("/batches/?finished=2026-03-09&objects=failed"))
    cause = Cause.objects.get()
    assert "59 batches" in seen(client.get(f"/batches/?cause={cause.pk}"))
    recorded(of_today("QUEUED", **created(timezone.now())))
    assert " 1 batch " in seen(client.get("/batches/?open=now"))
    for query in ("finished=soon", "triage=all", "status=failed", "finished=2026-03-08"):
        assert not re.findall(r"\d batch(es)?\b", seen(client.get(f"/batches/?{query}")))


def test_to_count_a_narrowed_list_costs_one_query(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recorded(finished(DAY, failed=[{"a": 1}], status="FAILED"))
    with django_assert_num_queries(8):  # as of any list, with this count in place of the three of what there is to do
        client.get("/batches/?finished=2026-03-09")


def test_a_list_of_a_day_tells_when_its_batches_finished(client: Client, recorded: Record) -> None:
    recorded(finished(DAY))
    page = seen(client.get("/batches/?finished=2026-03-09"))
    assert "Created Finished Succeeded Failed Status" in page
    assert "09.03.2026 12.25.00 09.03.2026 12.30.00" in page
    everything = seen(client.get("/batches/?triage=all"))
    assert "Created Succeeded Failed Status" in everything
    assert "Created on" in everything


@pytest.mark.parametrize(
    ("asked", "shown", "expected"),
    [
        (str(ORGANISATION), "Nordlys Kraft", ["kraft"]),
        (str(ORGANISATION).upper(), "Nordlys Kraft", ["kraft"]),
        ("nordlys  kraft", "nordlys  kraft", ["kraft"]),  # and not the one whose name begins with it
        ("nordlys", "nordlys", ["kraft", "nett"]),
        (str(OTHER), "Nordlys Kraft Nett", ["nett"]),
        ("none", "No organisation", ["nobody"]),
        ("No organisation", "No organisation", ["nobody"]),
        (str(BATCH), str(BATCH), []),  # an ID without a name
    ],
)
def test_an_organisation_is_shown_by_its_name_and_is_exactly_the_one_so_called(
    client: Client, recorded: Record, settings: Settings, asked: str, shown: str, expected: list[str]
) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys  Kraft", OTHER: "Nordlys Kraft Nett", uuid4(): ""}
    senders = {"kraft": str(ORGANISATION), "nett": str(OTHER), "nobody": None}
    known = {recorded(finished(DAY, organizationId=sender)).pk: name for name, sender in senders.items()}
    page = client.get("/batches/", {"organisation": asked})
    assert re.findall(r'name="organisation" value="([^"]*)"', page.content.decode()) == [shown]
    for text in (asked, shown):  # which is what the form asks for next
        assert sorted(known[pk] for pk in listed(client.get("/batches/", {"organisation": text}))) == expected


def test_organisations_of_one_name_are_told_apart_by_their_ids(client: Client, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys", OTHER: "Nordlys"}
    page = client.get("/batches/", {"organisation": str(OTHER)})
    assert f'name="organisation" value="{OTHER}"' in page.content.decode()


def test_what_narrows_a_list_is_said_and_can_be_taken_away(client: Client, recorded: Record) -> None:
    recorded(finished(DAY, failed=[{"a": 1}], status="FAILED"))
    other = recorded(finished(DAY + timedelta(days=1)))
    page = client.get("/batches/?finished=2026-03-09&objects=failed&status=failed&after=")
    assert "Finished on 09.03.2026 , remove this filter With objects that failed , remove this filter" in seen(page)
    without = re.findall(r'href="(/batches/\?[^"]*)"[^>]*><bdi>', page.content.decode())
    assert [parse_qs(urlsplit(unescape(address)).query) for address in without] == [
        {"objects": ["failed"], "status": ["failed"], "triage": ["all"]},
        {"finished": ["2026-03-09"], "status": ["failed"], "triage": ["all"]},
    ]
    page = client.get("/batches/?finished=2026-03-10&triage=")
    assert listed(page) == [other.pk]
    assert re.findall(r'type="hidden" name="(\w+)"', search_of(page)) == ["finished"]
    assert 'name="finished" value="2026-03-10"' in page.content.decode()  # whoever filters further loses nothing


def test_what_narrows_a_list_and_cannot_be_read_is_explained(client: Client, recorded: Record) -> None:
    recorded(finished(DAY))
    page = client.get("/batches/?finished=soon&cause=7&type=invoice")
    assert "Finished: There is no such day." in seen(page)
    assert "Cause: There is no such cause." in seen(page)
    assert len(listed(page)) == 1
    assert "There is no such day." in seen(client.get("/batches/?stuck=2026-02-31"))
    assert "There is no such day." in seen(client.get("/batches/?open=tomorrow"))
    assert "31 December 9999 is still to come." in seen(client.get("/batches/?day=9999-12-31"))
    assert "Nothing is known of a day so long ago." in seen(client.get("/batches/?day=1.1.1800"))


def test_turning_pages_meets_every_batch_of_a_day_once(client: Client, recorded: Record) -> None:
    known = {recorded(finished(DAY - timedelta(minutes=n // 7))).pk for n in range(60)}
    recorded(finished(DAY + timedelta(days=1)))
    first = client.get("/batches/?finished=2026-03-09")
    [older] = links(first, "next")
    met = listed(first) + listed(client.get(older))
    assert (len(met), set(met)) == (60, known)


def test_a_file_of_the_list_has_what_its_numbers_led_to(client: Client, recorded: Record) -> None:
    wanted = recorded(finished(DAY, succeeded=[succeeded()]))
    recorded(finished(DAY + timedelta(days=1)))
    recorded(finished(DAY))
    response = client.get("/batches/export.csv?finished=2026-03-09&objects=succeeded")
    [row] = csv.DictReader(StringIO(b"".join(response).decode(), newline=""))
    assert row["Batch"] == str(wanted.pk)
    assert "finished-2026-03-09-objects-succeeded" in response["Content-Disposition"]


@pytest.mark.parametrize(
    "query", ["finished=2026-03-09", "finished=2026-03-09&triage=unresolved", "finished=2026-03-09&objects=failed"]
)
def test_a_file_of_a_list_has_as_many_rows_as_it_says_batches(client: Client, recorded: Record, query: str) -> None:
    for minutes in range(60):
        recorded(finished(DAY - timedelta(minutes=minutes), **{"failed": [{"a": 1}]} if minutes % 20 else {}))
    recorded(finished(DAY + timedelta(days=1)))
    [said] = re.findall(r"(\d+) batches", seen(client.get(f"/batches/?{query}")))
    response = client.get(f"/batches/export.csv?{query}")
    rows = list(csv.DictReader(StringIO(b"".join(response).decode(), newline="")))
    assert len(rows) == int(said) == (57 if "&" in query else 60)


@pytest.mark.parametrize(
    "name",
    ["status", "type", "organisation", "day", "finished", "open", "stuck", "cause", "objects", "after", "id", "stamp"],
)
def test_nothing_in_the_address_breaks_the_page(client: Client, recorded: Record, name: str) -> None:
    recorded(of_today())
    keys = [
        "0001-01-01",
        "2026-03-09_x",
        f"_{BATCH}",
        f"2026-03-09T10:00:00_{BATCH}",
        f"0001-01-01T00:00:00+14:00_{BATCH}",
    ]
    for value in [*GARBAGE, *keys]:
        page = client.get("/batches/", {name: value})
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


def test_hostile_text_is_shown_and_never_run(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED", type=HOSTILE))
    content = client.get("/batches/").content.decode()
    assert "<script>alert" not in content.lower()
    assert "\0" not in content


def test_the_number_of_queries_does_not_grow_with_the_batches(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 60):
        for _ in range(count):
            recorded(of_first_generation(errors=[error(n) for n in range(3)], **created(DAY)))
        with django_assert_num_queries(10):  # the list, its top causes, who owns what, three counts, saved views
            client.get("/batches/")
