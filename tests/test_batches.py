"""The list of batches: what it shows, its filters and its pages."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.answers import BATCH, ORGANISATION, OTHER, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
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
    with django_assert_num_queries(2):
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


@pytest.mark.parametrize("name", ["status", "type", "organisation", "day", "after", "id", "stamp"])
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
