"""The first page: the box, and where things stand."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from batches import tasks
from batches.models import Batch
from tests.answers import BATCH, of_today, succeeded
from tests.conftest import Amili, Record
from tests.pages import GARBAGE, HTMX, seen

OTHERS = [UUID(int=n, version=4) for n in range(1, 4)]


def short(batch_id: UUID) -> str:
    return f"{str(batch_id)[:4]}…{str(batch_id)[-4:]}"


@pytest.mark.parametrize(
    "text",
    [
        str(BATCH),
        f"  {str(BATCH).upper()}\n",
        f"{{{BATCH}}}",
        BATCH.hex,
        f"https://dashboard.example/batches/{BATCH}/errors/?row=3",
        f'2026-03-09 14:30:00 INFO created "batchId": "{BATCH}" for org {OTHERS[0]}',
    ],
)
def test_whatever_holds_an_id_leads_to_its_batch(client: Client, text: str) -> None:
    answer = client.post("/", {"q": text})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/batches/{BATCH}/")
    assert list(Batch.objects.values_list("pk", flat=True)) == [BATCH]


def test_a_pasted_batch_is_asked_about_and_its_page_tells_what_became_of_it(
    client: Client,
    amili: Amili,
    work: Callable[[], int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    batch_id = amili.start(fate="partial", objects=80, queued_seconds=0)
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post("/", {"q": str(batch_id)}, follow=True)
    assert "We are asking Amili about this batch for the first time." in seen(page)
    assert work() == 1
    assert "Partly succeeded: 70 succeeded, 10 failed" in seen(client.get(f"/batches/{batch_id}/"))


def test_several_ids_are_followed_all_at_once_and_listed(client: Client) -> None:
    page = client.post("/", {"q": "\n".join(map(str, [*OTHERS, OTHERS[0]]))}, follow=True)
    assert "The 3 batches that you pasted" in seen(page)
    for batch_id in OTHERS:
        assert str(batch_id) in seen(page)
    assert Batch.objects.count() == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("invoice 2026-100", "No batch ID in there. It is 32 digits and letters a to f, like"),
        ("", "No batch ID in there."),
        ("<script>alert(1)</script>", "No batch ID in there."),
        (" ".join(str(UUID(int=n)) for n in range(1, 102)), "Please follow at most 100 at a time."),
        ("x" * 100_001, "That is too much text."),
    ],
)
def test_what_holds_no_id_is_explained_and_kept(client: Client, text: str, sentence: str) -> None:
    page = client.post("/", {"q": text})
    assert page.status_code == 200
    assert sentence in seen(page)
    content = page.content.decode()
    assert "<script>alert" not in content
    if text.startswith("invoice"):
        assert f'value="{text}"' in content
    assert not Batch.objects.exists()


def test_the_cursor_is_in_the_box(client: Client) -> None:
    box = re.findall(r"<input\b[^>]*>", client.get("/").content.decode())
    assert [tag for tag in box if "autofocus" in tag and 'id="id_q"' in tag]


def test_what_runs_what_failed_and_what_i_looked_at_stand_in_their_lists(client: Client, recorded: Record) -> None:
    running, failed, fine = OTHERS
    recorded(of_today("QUEUED", batchId=str(running)))
    recorded(of_today("FAILED", batchId=str(failed), failed=[{"a": 1}]))
    recorded(of_today(batchId=str(fine), succeeded=[succeeded()]))
    client.get(f"/batches/{fine}/")
    page = seen(client.get("/"))
    runs, failed_lately, looked = (page.index(title) for title in ("Running now", "Failed lately", "You looked at"))
    assert (
        runs < page.index(short(running)) < failed_lately < page.index(short(failed)) < looked < page.index(str(fine))
    )


def test_what_others_looked_at_is_not_shown_to_me(client: Client, visitor: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    client.get(f"/batches/{BATCH}/")
    other = Batch.objects.get().looks.get().person
    other.pk, other.username = None, "ola"
    other.save()
    visitor.force_login(other)
    assert "The batches that you open will stand here." in seen(visitor.get("/"))


def test_a_poll_gets_nothing_until_something_is_new(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page = client.get("/").content.decode()
    stamp = re.findall(r'hx-get="/\?stamp=(\w+)"', page)[0]
    with django_assert_num_queries(2):
        assert client.get("/", {"stamp": stamp}, headers=HTMX).status_code == 204
    recorded(of_today("QUEUED"))
    fragment = client.get("/", {"stamp": stamp}, headers=HTMX)
    assert short(BATCH) in seen(fragment)
    assert "<html" not in fragment.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_batches(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (3, 60):
        for n in range(count):
            recorded(of_today("QUEUED" if n % 2 else "FAILED", batchId=str(uuid4()), failed=[{"a": n}]))
        with django_assert_num_queries(5):  # one of them, since something has been running for long
            client.get("/")


def test_nothing_in_the_address_breaks_the_page(client: Client) -> None:
    for value in GARBAGE:
        assert client.get("/", {"stamp": value, "q": value}, headers=HTMX).status_code == 200


def test_a_batch_that_amili_never_told_us_of_is_not_called_running(client: Client) -> None:
    tasks.follow([BATCH])
    Batch.objects.update(trouble="forbidden", trouble_since="2026-01-01T00:00:00Z")
    assert "No batch is running." in seen(client.get("/"))
