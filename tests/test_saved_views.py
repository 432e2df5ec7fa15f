"""The lists that support lives in: what is unresolved, mine or waiting, and the views that people save."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.copying import add_all
from batches.models import Batch, SavedView
from staff.models import Person
from tests.answers import error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HTMX, seen
from tests.test_batches import listed

VIEWS = "/batches/views/"
DAY = datetime(2026, 3, 9, 11, 30, tzinfo=UTC)


@pytest.fixture
def colleague(db: None) -> Person:
    return Person.objects.create(username="ola", first_name="Ola", last_name="Dahl")


@pytest.fixture
def colleagues_client(colleague: Person, collected: None) -> Client:
    browser = Client()
    browser.force_login(colleague)
    return browser


@pytest.fixture
def known(recorded: Record, person: Person, colleague: Person) -> dict[UUID, str]:
    """Batches by what is special about each."""
    states = {
        "new": ("new", None),
        "mine": ("looking", person),
        "waiting": ("waiting_creditor", colleague),
        "mine and waiting": ("waiting_amili", person),
        "ignored": ("ignored", person),
        "corrected": ("corrected", None),
    }
    names = {recorded(of_today(batchId=str(uuid4()), succeeded=[succeeded()])).pk: "fine"}
    for hours, (name, (state, owner)) in enumerate(states.items()):
        created = (DAY - timedelta(hours=hours)).isoformat()
        batch = recorded(of_first_generation(errors=[error(1)], batchId=str(uuid4()), createdAt=created))
        Batch.objects.filter(pk=batch.pk).update(triage_state=state, owner=owner)
        names[batch.pk] = name
    return names


def shortcuts(page: HttpResponse) -> dict[str, str]:
    """The lists to choose from, with where each leads."""
    nav = re.search(r'<nav class="tabs".*?</nav>', page.content.decode(), re.DOTALL)
    assert nav
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', nav[0], re.DOTALL)
    return {" ".join(re.sub(r"<[^>]+>", " ", label).split()): link.replace("&amp;", "&") for link, label in found}


def save(client: Client, query: str = "triage=unresolved", name: str = "Todo", **more: str) -> HttpResponse:
    return client.post(VIEWS, {"query": query, "name": name, **more})


# What there is to do


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("triage=all", ["fine", "new", "mine", "waiting", "mine and waiting", "ignored", "corrected"]),
        ("triage=unresolved", ["new", "mine", "waiting", "mine and waiting"]),
        ("triage=mine", ["mine", "mine and waiting"]),
        ("triage=waiting", ["waiting", "mine and waiting"]),
        ("triage=waiting&owner=ola", ["waiting"]),
        ("owner=kari", ["mine", "mine and waiting", "ignored"]),
        ("state=new", ["new"]),
        ("state=corrected", ["corrected"]),
        ("triage=mine&state=looking&status=failed&day=2026-03-09", ["mine"]),
        ("triage=mine&day=2026-03-10", []),
        ("triage=nonsense", ["fine", "new", "mine", "waiting", "mine and waiting", "ignored", "corrected"]),
    ],
)
def test_the_list_is_filtered_by_what_there_is_to_do_for_whom(
    client: Client, known: dict[UUID, str], query: str, expected: list[str]
) -> None:
    found = [known[batch_id] for batch_id in listed(client.get(f"/batches/?{query}"))]
    assert sorted(found) == sorted(expected)


def test_the_shortcuts_tell_how_much_there_is(client: Client, known: dict[UUID, str]) -> None:
    assert shortcuts(client.get("/batches/")) == {
        "All": "/batches/?triage=all",
        "Unresolved 4": "/batches/?triage=unresolved",
        "Mine 2": "/batches/?triage=mine",
        "Waiting 2": "/batches/?triage=waiting",
    }


def test_more_than_a_hundred_is_not_counted_on(client: Client, recorded: Record) -> None:
    batch = recorded(of_first_generation(errors=[error(1)]))
    Batch.objects.bulk_create(
        [Batch(pk=uuid4(), outcome=batch.outcome, first_seen_at=batch.first_seen_at) for _ in range(100)]
    )
    Batch.objects.update(created_at=timezone.now())
    assert "Unresolved 100+" in shortcuts(client.get("/batches/"))
    assert "100+ unresolved today" in seen(client.get("/"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("triage=mine", "Nothing is yours. Take a failed batch, and it stands here."),
        ("triage=unresolved", "Nothing is unresolved."),
        ("triage=waiting", "Nothing waits for anybody."),
        ("triage=mine&status=failed", "No batch fits."),
        ("triage=mine&after=2026-03-09T14:30:00Z_" + str(UUID(int=1)), "No batch fits."),
        ("triage=all", "No batch fits."),
    ],
)
def test_an_empty_list_says_what_that_means(client: Client, query: str, sentence: str) -> None:
    assert sentence in seen(client.get(f"/batches/?{query}"))


def test_a_row_tells_who_is_on_it_and_what_is_wrong(client: Client, known: dict[UUID, str]) -> None:
    page = client.get("/batches/?triage=mine&state=looking")
    assert "Failed Looking KN owner: Kari Nordmann" in seen(page)
    assert re.search(r'class="top-cause"\s+href="/causes/\d+/">Beløpet mangler</a>', page.content.decode())


def test_the_cause_of_most_rows_is_named(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1, "Rare"), error(2, "Frequent"), error(3, "Frequent")]))
    text = seen(client.get("/batches/"))
    assert "Frequent" in text
    assert "Rare" not in text


def test_an_open_list_shows_that_somebody_took_a_batch(client: Client, recorded: Record) -> None:
    batch = recorded(of_first_generation(errors=[error(1)]))
    poll = re.findall(r'hx-get="([^"]*stamp=[^"]*)"', client.get("/batches/").content.decode())[0].replace("&amp;", "&")
    assert client.get(poll, headers=HTMX).status_code == 204
    client.post(f"/batches/{batch.pk}/triage/", {"revision": 0, "state": "looking", "owner": ""})
    assert "Looking" in seen(client.get(poll, headers=HTMX))


def test_the_lists_are_read_from_an_index(client: Client, recorded: Record, person: Person) -> None:
    """With some thousand batches of which few are left to do, PostgreSQL reads no more than those."""
    batch = recorded(of_first_generation(errors=[error(1)]))
    add_all(
        [
            Batch(
                pk=uuid4(),
                outcome="failed" if n % 4 == 0 else "succeeded",
                triage_state="waiting_amili" if n % 200 == 0 else "corrected",
                owner=person if n % 100 == 0 else None,
                first_seen_at=batch.first_seen_at - timedelta(minutes=n),
            )
            for n in range(20_000)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE batches_batch")
    for triage in ("unresolved", "mine", "waiting"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"/batches/?triage={triage}")
        reads = [query["sql"] for query in queries if 'FROM "batches_batch"' in query["sql"]]
        assert len(reads) == 4
        for read in reads:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {read}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on batches_batch" not in plan, plan


# Saved views


def test_what_is_looked_at_is_saved_under_a_name(client: Client, known: dict[UUID, str]) -> None:
    page = client.get("/batches/?triage=waiting&owner=ola&after=x&page=7")
    query = re.findall(r'name="query" value="([^"]*)"', page.content.decode())[0].replace("&amp;", "&")
    assert save(client, query, "Ola waits").headers["Location"] == "/batches/?triage=waiting&owner=ola"
    ways = shortcuts(client.get("/batches/"))
    assert [known[batch_id] for batch_id in listed(client.get(ways["Ola waits"]))] == ["waiting"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", "triage=all"),
        ("after=1&stamp=2&id=3&evil=4", "triage=all"),
        ("triage=mine&status=failed&page=3", "triage=mine&status=failed"),
        ("organisation=S%C3%B8rvest&type=", "organisation=S%C3%B8rvest"),
    ],
)
def test_only_filters_are_kept(client: Client, query: str, kept: str) -> None:
    save(client, query)
    assert SavedView.objects.get().query == kept


def test_others_see_what_is_shared_and_who_made_it(client: Client, colleagues_client: Client) -> None:
    save(client, name="Private")
    save(client, name="Team", is_shared="on")
    assert {"Private", "Team shared"} <= set(shortcuts(client.get("/batches/")))
    theirs = shortcuts(colleagues_client.get("/batches/"))
    assert "Team by Kari Nordmann" in theirs
    assert "Private" not in theirs


def test_only_who_made_a_view_changes_or_deletes_it(client: Client, colleagues_client: Client) -> None:
    save(client, name="Team", is_shared="on")
    url = f"{VIEWS}{SavedView.objects.get().pk}/"
    for deed in (url, f"{url}delete/"):
        assert colleagues_client.post(deed, {"name": "Taken"}).status_code == 404
    assert url not in colleagues_client.get(VIEWS).content.decode()
    client.post(url, {"name": "Mine again"})
    assert SavedView.objects.values_list("name", "is_shared").get() == ("Mine again", False)
    client.post(f"{url}delete/")
    assert not SavedView.objects.exists()


def test_the_list_opens_with_the_default_and_has_a_way_to_all(client: Client, known: dict[UUID, str]) -> None:
    save(client, "triage=mine")
    view = SavedView.objects.get()
    client.post(f"{VIEWS}default/", {"view": view.pk})
    assert client.get("/batches/").headers["Location"] == "/batches/?triage=mine"
    assert "Opens first" in seen(client.get(VIEWS))
    assert len(listed(client.get(shortcuts(client.get("/batches/?triage=mine"))["All"]))) == len(known)
    client.post(f"{VIEWS}default/")
    assert client.get("/batches/").status_code == 200


def test_a_default_that_is_gone_or_shared_no_longer_is_none(client: Client, colleagues_client: Client) -> None:
    save(client, name="Team", is_shared="on")
    view = SavedView.objects.get()
    for browser in (client, colleagues_client):
        browser.post(f"{VIEWS}default/", {"view": view.pk})
        assert browser.get("/batches/").status_code == 302
    client.post(f"{VIEWS}{view.pk}/", {"name": "Team", "anyway": "1"})
    assert colleagues_client.get("/batches/").status_code == 200
    assert client.get("/batches/").status_code == 302
    client.post(f"{VIEWS}{view.pk}/delete/")
    assert client.get("/batches/").status_code == 200


@pytest.mark.parametrize(("deed", "again"), [("delete/", "Delete it all the same"), ("", "Save it all the same")])
def test_with_what_others_open_their_list_goes_only_knowingly(
    client: Client, colleagues_client: Client, deed: str, again: str
) -> None:
    save(client, name="Team", is_shared="on")
    view = SavedView.objects.get()
    client.post(f"{VIEWS}default/", {"view": view.pk})
    colleagues_client.post(f"{VIEWS}default/", {"view": view.pk})
    page = client.post(f"{VIEWS}{view.pk}/{deed}", {"name": "Renamed"})
    assert page.status_code == 409
    assert "The list of one colleague opens with this view." in seen(page)
    assert again in seen(page)
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Team", True)
    assert client.post(f"{VIEWS}{view.pk}/{deed}", {"name": "Renamed", "anyway": "2"}).status_code == 409
    assert client.post(f"{VIEWS}{view.pk}/{deed}", {"name": "Renamed", "anyway": "1"}).status_code == 302
    assert colleagues_client.get("/batches/").status_code == 200


def test_a_view_that_stays_shared_is_renamed_unasked(client: Client, colleagues_client: Client) -> None:
    save(client, name="Team", is_shared="on")
    view = SavedView.objects.get()
    colleagues_client.post(f"{VIEWS}default/", {"view": view.pk})
    assert client.post(f"{VIEWS}{view.pk}/", {"name": "Renamed", "is_shared": "on"}).status_code == 302


def test_names_do_not_turn_what_stands_beside_them(
    client: Client, colleague: Person, colleagues_client: Client
) -> None:
    Person.objects.filter(pk=colleague.pk).update(first_name="\u202eOla")
    save(colleagues_client, name="\u202eTeam", is_shared="on")
    for url in ("/batches/", VIEWS):
        content = client.get(url).content.decode()
        assert "<bdi>\u202eTeam</bdi>" in content
        assert "by <bdi>\u202eOla Dahl</bdi>" in content


def test_what_others_do_not_share_is_nobody_elses_default(client: Client, colleagues_client: Client) -> None:
    save(client)
    said = {"view": SavedView.objects.get().pk}
    assert colleagues_client.post(f"{VIEWS}default/", said).status_code == 404


def test_a_name_is_used_once_by_each_person(client: Client, colleagues_client: Client) -> None:
    save(client)
    page = save(client, "triage=mine")
    assert page.status_code == 422
    assert "You have a view of this name already." in seen(page)
    assert 'value="triage=mine"' in page.content.decode(), "to be saved under another one"
    assert save(colleagues_client).status_code == 302
    save(client, name="Other")
    other = SavedView.objects.get(name="Other")
    assert client.post(f"{VIEWS}{other.pk}/", {"name": "Todo"}).status_code == 422


def test_there_is_an_end_to_views(client: Client, person: Person) -> None:
    SavedView.objects.bulk_create([SavedView(person=person, name=f"{n}", query="triage=all") for n in range(50)])
    page = save(client)
    assert page.status_code == 422
    assert "You have 50 views. Delete one first." in seen(page)


def test_views_go_with_their_maker(client: Client, person: Person, colleagues_client: Client) -> None:
    save(client, is_shared="on")
    colleagues_client.post(f"{VIEWS}default/", {"view": SavedView.objects.get().pk})
    person.delete()
    assert not SavedView.objects.exists()
    assert colleagues_client.get("/batches/").status_code == 200


@pytest.mark.parametrize("name", ["triage", "state", "owner"])
def test_nothing_in_the_address_breaks_the_list(client: Client, known: dict[UUID, str], name: str) -> None:
    for value in GARBAGE:
        assert client.get("/batches/", {name: value}).status_code == 200


def test_nothing_that_is_sent_breaks_the_views(client: Client) -> None:
    for value in GARBAGE:
        assert save(client, value, value).status_code in {302, 422}
        assert client.post(f"{VIEWS}default/", {"view": value}).status_code in {302, 404}
    content = client.get(VIEWS).content.decode()
    assert "<script>alert" not in content


@pytest.mark.parametrize("view", ["9" * 5_000, "²", "-1", "x", "\0", "7"])
def test_a_default_that_is_no_view_is_refused_and_changes_nothing(client: Client, person: Person, view: str) -> None:
    person.default_view = SavedView.objects.create(person=person, name="Mine", query="triage=mine")
    person.save()
    assert client.post("/batches/views/default/", {"view": view}).status_code == 404
    person.refresh_from_db()
    assert person.default_view is not None
