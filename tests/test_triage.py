"""Who is on it: states, owners, corrections, notes and the history of failed batches and of causes."""

import re
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from batches import triage
from batches.models import Batch, Cause, TimelineEntry, TriageEntry
from staff.models import Person
from tests.answers import BATCH, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, seen

URL = f"/batches/{BATCH}/"
MOVE, CORRECTED, NOTE, HISTORY = (f"{URL}{name}/" for name in ("triage", "corrected", "notes", "timeline"))
FAILED = of_first_generation(errors=[error(n) for n in range(3)])


@pytest.fixture
def failed(recorded: Record) -> Batch:
    """A failed batch that nobody has looked into."""
    return recorded(FAILED)


@pytest.fixture
def colleague(db: None) -> Person:
    return Person.objects.create(username="ola", first_name="Ola", last_name="Dahl")


@pytest.fixture
def colleagues_client(colleague: Person, collected: None) -> Client:
    browser = Client()
    browser.force_login(colleague)
    return browser


def move(client: Client, state: str, owner: Person | None = None, revision: int = 0, **more: Any) -> HttpResponse:
    said = {"revision": revision, "state": state, "owner": owner.pk if owner else ""}
    return client.post(more.pop("url", MOVE), said, follow=True, **more)


def panel(page: HttpResponse) -> str:
    """The text of the card that says who is on it."""
    found = re.search(r'<section class="ds-card triage".*?</section>', page.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


def history(client: Client, url: str = HISTORY) -> list[str]:
    """The lines of a history, the latest first, without their times."""
    found = re.findall(
        r'<li>\s*<span class="when.*?<div>(.*?)</div>\s*</li>', client.get(url).content.decode(), re.DOTALL
    )
    return [" ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", line).split()) for line in found]


# States and owners


def test_a_failed_batch_is_new_and_nobodys(client: Client, failed: Batch) -> None:
    assert panel(client.get(URL)).startswith("New Nobody is on it Notes 0 Take it")


@pytest.mark.parametrize("data", [of_today("QUEUED"), of_today("SUCCESS", succeeded=[succeeded()])])
def test_where_nothing_failed_nobody_is_asked_to_look(client: Client, recorded: Record, data: dict[str, Any]) -> None:
    recorded(data)
    assert panel(client.get(URL)) == ""


def test_one_click_takes_it(client: Client, failed: Batch, person: Person) -> None:
    form = re.search(r'<form[^>]*class="take".*?</form>', client.get(URL).content.decode(), re.DOTALL)
    assert form
    said = dict(re.findall(r'name="(\w+)"\s+value="(\w+)"', form[0]))
    assert panel(client.post(MOVE, said, follow=True)).startswith("Looking KN Kari Nordmann since")
    failed.refresh_from_db()
    assert (failed.triage_state, failed.owner) == ("looking", person)
    assert history(client)[0] == "Looking Owner: Kari Nordmann · Kari Nordmann"


def test_it_can_be_given_to_anybody_who_works_here(client: Client, failed: Batch, colleague: Person) -> None:
    gone = Person.objects.create(username="gone", is_active=False)
    page = client.get(URL).content.decode()
    assert "Ola Dahl</option>" in page
    assert "gone</option>" not in page
    assert "Ola Dahl" in panel(move(client, "waiting_creditor", colleague))
    assert move(client, "looking", gone, revision=1).status_code == 422


def test_a_change_of_nothing_is_none(client: Client, failed: Batch) -> None:
    move(client, "new")
    assert not TriageEntry.objects.exists()
    failed.refresh_from_db()
    assert failed.triage_revision == 0


def test_pages_that_are_open_show_the_change(client: Client, recorded: Record) -> None:
    batch = recorded(FAILED)
    move(client, "looking")
    batch.refresh_from_db()
    page = client.get(URL, {"stamp": batch.revision - 1}, headers=HTMX)
    assert panel(page).startswith("Looking")


def test_whoever_acts_comes_back_to_tab_and_filter(client: Client, failed: Batch) -> None:
    page = client.post(f"{MOVE}?tab=errors&index=1", {"revision": 0, "state": "looking", "owner": ""})
    assert page.headers["Location"] == f"{URL}errors/?index=1"


def test_an_answer_that_is_recorded_afterwards_leaves_triage_alone(client: Client, recorded: Record) -> None:
    recorded(FAILED, timezone.now() - timedelta(minutes=1))
    move(client, "waiting_amili")
    recorded(of_first_generation(errors=[error(7)]))
    assert panel(client.get(URL)).startswith("Waiting for Amili")


# Two people at once


def test_nobody_overwrites_what_they_have_not_seen(
    client: Client, colleagues_client: Client, failed: Batch, person: Person, colleague: Person
) -> None:
    move(colleagues_client, "waiting_creditor", colleague)
    page = move(client, "ignored", person)
    assert page.status_code == 409
    text = seen(page)
    assert "This was changed since you opened it" in text
    assert "As it is now Waiting for creditor OD Ola Dahl" in text
    assert "· Ola Dahl What you wanted" in text
    failed.refresh_from_db()
    assert (failed.triage_state, failed.owner) == ("waiting_creditor", colleague)


def test_what_was_wanted_is_kept_and_can_be_done_all_the_same(
    client: Client, colleagues_client: Client, failed: Batch, person: Person
) -> None:
    move(colleagues_client, "looking")
    content = move(client, "ignored", person).content.decode()
    assert '<option value="ignored" selected>' in content
    assert f'<option value="{person.pk}" selected>' in content
    assert "Apply all the same" in content
    revision = re.findall(r'name="revision" value="(\d+)"', content)
    assert revision == ["1"]
    move(client, "ignored", person, revision=1)
    failed.refresh_from_db()
    assert (failed.triage_state, failed.owner) == ("ignored", person)


def test_the_live_page_is_replaced_as_a_whole_lest_a_poll_wipe_the_news_away(client: Client, failed: Batch) -> None:
    move(client, "looking")
    page = move(client, "ignored", headers=HTMX)
    assert page.status_code == 200
    assert page.headers["HX-Retarget"] == "#main"
    assert "This was changed since you opened it" in seen(page)


@pytest.mark.django_db(transaction=True)
def test_while_an_answer_is_being_recorded_nothing_is_lost_and_notes_do_not_wait(
    client: Client, failed: Batch, person: Person
) -> None:
    answers: list[HttpResponse] = []

    def act() -> None:
        browser = Client()
        browser.force_login(person)
        answers.append(browser.post(NOTE, {"text": "Meanwhile"}))
        answers.append(move(browser, "looking"))
        connection.close()

    with transaction.atomic():
        Batch.objects.select_for_update(no_key=True).get(pk=BATCH)
        somebody = Thread(target=act)
        somebody.start()
        somebody.join(30)
    noted, moved = answers
    assert noted.status_code == 302
    assert moved.status_code == 409
    assert "Nothing is lost: try again in a few seconds." in seen(moved)
    assert '<option value="looking" selected>' in moved.content.decode()
    assert TriageEntry.objects.get().text == "Meanwhile"


# Corrections


@pytest.fixture
def replacement(recorded: Record) -> UUID:
    return recorded(of_today(batchId=str(uuid4()), succeeded=[succeeded()])).pk


def correct(client: Client, text: object, revision: int = 0, url: str = CORRECTED, anyway: object = "") -> HttpResponse:
    said = {"revision": revision, "replacement": f"see {text}, please", "anyway": str(anyway)}
    return client.post(url, said, follow=True)


def test_a_correction_links_both_batches_and_stands_in_both_histories(
    client: Client, failed: Batch, replacement: UUID
) -> None:
    assert panel(correct(client, replacement)).startswith(f"Corrected in batch {replacement}")
    assert f"Sent in place of {BATCH}" in seen(client.get(f"/batches/{replacement}/"))
    assert history(client)[0] == f"Corrected Corrected in batch {replacement} · Kari Nordmann"
    assert history(client, f"/batches/{replacement}/timeline/")[0] == f"Corrects batch {BATCH} · Kari Nordmann"


def test_a_replacement_that_we_do_not_know_is_followed_once_it_is_linked(client: Client, failed: Batch) -> None:
    unknown = uuid4()
    page = correct(client, unknown)
    assert page.status_code == 409
    assert "That batch is not known here." in seen(page)
    assert not Batch.objects.filter(pk=unknown).exists()
    assert re.findall(r'name="anyway"\s+value="(.*?)"', page.content.decode()) == [str(unknown)]
    assert "Link it all the same" in seen(page)
    assert correct(client, unknown, revision=7, anyway=unknown).status_code == 409, "changed since"
    assert not Batch.objects.filter(pk=unknown).exists()
    correct(client, unknown, anyway=unknown)
    assert Batch.objects.get(pk=unknown).next_check_at is not None
    assert Batch.objects.get(pk=BATCH).corrected_in_id == unknown


@pytest.mark.parametrize(
    ("data", "trouble", "sentence"),
    [
        (None, "not_there", "Amili does not know that batch."),
        (None, "", "Amili has told nothing of that batch yet."),
        (of_today("FAILED", failed=[1]), "", "Something failed in that batch, too."),
        (of_today("QUEUED"), "", "That batch is not finished yet."),
    ],
)
def test_what_speaks_against_a_link_is_said_before_it_is_made(
    client: Client, recorded: Record, failed: Batch, data: dict[str, Any] | None, trouble: str, sentence: str
) -> None:
    other = uuid4()
    if data:
        recorded({**data, "batchId": str(other)})
    else:
        since = timezone.now() if trouble else None
        Batch.objects.create(pk=other, first_seen_at=timezone.now(), trouble=trouble, trouble_since=since)
    page = correct(client, other)
    assert page.status_code == 409
    assert f"Nothing has been changed yet, since this may not be what you want: {sentence}" in seen(page)
    assert not TriageEntry.objects.exists()
    assert correct(client, other, anyway=uuid4()).status_code == 409, "that was said of another one"
    assert panel(correct(client, other, anyway=other)).startswith(f"Corrected in batch {other}")


def test_a_link_takes_the_place_of_another_only_knowingly(
    client: Client, recorded: Record, failed: Batch, replacement: UUID
) -> None:
    second = recorded(of_today(batchId=str(uuid4()), succeeded=[succeeded()])).pk
    correct(client, replacement)
    assert correct(client, replacement, revision=1).status_code == 200, "that is so already"
    page = correct(client, second, revision=1)
    assert page.status_code == 409
    assert f"It is linked to batch {replacement} already." in seen(page)
    assert panel(correct(client, second, revision=1, anyway=second)).startswith(f"Corrected in batch {second}")
    assert "Sent in place of" not in seen(client.get(f"/batches/{replacement}/"))


def test_a_batch_of_another_organisation_corrects_nothing(client: Client, recorded: Record, failed: Batch) -> None:
    other = recorded(of_today(batchId=str(uuid4()), organizationId=str(uuid4()))).pk
    page = correct(client, other, anyway=other)
    assert page.status_code == 422
    assert "That batch is of another organisation." in seen(page)
    assert not TriageEntry.objects.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing", "No batch ID in there."),
        ("", "No batch ID in there."),
        (BATCH, "That is this batch itself."),
        (f"{uuid4()} {uuid4()}", "That holds 2 batch IDs."),
        (HOSTILE.replace("\0", "").replace("\ud83d", ""), "No batch ID in there."),
    ],
)
def test_what_is_no_replacement_is_explained(client: Client, failed: Batch, text: object, sentence: str) -> None:
    page = correct(client, text)
    assert page.status_code == 422
    assert sentence in seen(page)
    assert "<script>alert" not in page.content.decode()
    assert not TriageEntry.objects.exists()


def test_batches_do_not_correct_each_other_in_a_circle(client: Client, recorded: Record, failed: Batch) -> None:
    second, third = (recorded(of_today("FAILED", batchId=str(uuid4()), failed=[1])).pk for _ in range(2))
    correct(client, second, anyway=second)
    correct(client, third, url=f"/batches/{second}/corrected/", anyway=third)
    page = correct(client, BATCH, url=f"/batches/{third}/corrected/", anyway=BATCH)
    assert page.status_code == 409
    assert "That batch is itself corrected by this one" in seen(page)
    assert Batch.objects.get(pk=third).corrected_in is None


def test_another_state_takes_the_link_off_and_the_history_keeps_it(
    client: Client, failed: Batch, replacement: UUID
) -> None:
    correct(client, replacement)
    move(client, "looking", revision=1)
    failed.refresh_from_db()
    assert failed.corrected_in is None
    assert f"Corrected in batch {replacement}" in history(client)[1]
    assert "Sent in place of" not in seen(client.get(f"/batches/{replacement}/"))


def test_another_owner_leaves_the_link(client: Client, failed: Batch, replacement: UUID, colleague: Person) -> None:
    correct(client, replacement)
    move(client, "corrected", colleague, revision=1)
    failed.refresh_from_db()
    assert (failed.corrected_in_id, failed.owner) == (replacement, colleague)


def test_what_is_corrected_leaves_the_first_page_and_the_number_of_today(
    client: Client, recorded: Record, replacement: UUID
) -> None:
    recorded(of_first_generation(errors=[error(1)], createdAt=timezone.now().isoformat()))
    recorded(of_first_generation(errors=[error(1)], batchId=str(uuid4())))  # of another day
    page = client.get("/")
    assert "1 unresolved today" in seen(page)
    link = re.findall(r'href="(/batches/\?triage=unresolved[^"]*)"', page.content.decode())[0].replace("&amp;", "&")
    assert str(BATCH) in seen(client.get(link))
    correct(client, replacement)
    assert "unresolved today" not in seen(client.get("/"))
    assert f'title="{BATCH}"' not in client.get("/").content.decode()
    assert str(BATCH) not in seen(client.get(link))


# Notes


def test_a_note_stands_in_the_history_as_it_was_meant(client: Client, failed: Batch) -> None:
    page = client.post(f"{NOTE}?tab=timeline", {"text": "Called **Nordlys**\r\n\r\n- they mend it"}, follow=True)
    assert page.redirect_chain[-1][0] == f"{URL}timeline/"
    assert "<strong>Nordlys</strong>" in page.content.decode()
    assert "Notes 1" in panel(page)
    assert history(client)[0] == "Note · Kari Nordmann Called Nordlys they mend it"


def test_any_batch_takes_notes(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    client.post(NOTE, {"text": "Why so slow?"})
    assert "Why so slow?" in history(client)[0]


def test_a_note_that_is_sent_twice_stands_there_once(client: Client, failed: Batch) -> None:
    for _ in range(2):
        client.post(NOTE, {"text": "Once"})
    assert TriageEntry.objects.count() == 1


def test_the_same_note_on_another_day_is_another_note(client: Client, failed: Batch) -> None:
    client.post(NOTE, {"text": "Called again, no answer."})
    TriageEntry.objects.update(at=timezone.now() - timedelta(days=1))
    client.post(NOTE, {"text": "Called again, no answer."})
    assert TriageEntry.objects.count() == 2


def test_notes_are_not_crowded_out_of_the_history(client: Client, failed: Batch) -> None:
    client.post(NOTE, {"text": "Seen long ago"})
    TriageEntry.objects.update(at=timezone.now() - timedelta(days=1))
    changed = {"batch": failed, "at": timezone.now(), "kind": "trouble", "source": "check"}
    TimelineEntry.objects.bulk_create([TimelineEntry(**changed) for _ in range(201)])
    assert any("Seen long ago" in line for line in history(client))
    assert "The export has all of it." in seen(client.get(f"{failed.get_absolute_url()}timeline/"))


def test_notes_of_two_people_do_not_get_in_each_others_way(
    client: Client, colleagues_client: Client, failed: Batch
) -> None:
    for browser in (client, colleagues_client):
        assert browser.post(NOTE, {"text": "Mine"}).status_code == 302
    assert [line.split()[2] for line in history(client)[:2]] == ["Ola", "Kari"]


@pytest.mark.parametrize(
    ("text", "sentence"), [("  ", "The note is empty."), ("x" * 10_001, "at most 10000 characters")]
)
def test_a_note_that_cannot_be_taken_is_kept_in_its_box(
    client: Client, failed: Batch, text: str, sentence: str
) -> None:
    page = client.post(NOTE, {"text": text})
    assert page.status_code == 422
    assert sentence in seen(page)
    assert text.strip() in page.content.decode()
    assert not TriageEntry.objects.exists()


def test_lines_of_a_note_count_as_one_character_each(client: Client, failed: Batch) -> None:
    assert client.post(NOTE, {"text": "x\r\n" * 4_999}).status_code == 302


def test_what_people_do_stands_between_what_amili_did(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"), timezone.now() - timedelta(minutes=2))
    client.post(NOTE, {"text": "In between"})
    TriageEntry.objects.update(at=timezone.now() - timedelta(minutes=1))
    recorded(FAILED)
    assert ["In between" in line for line in history(client)] == [False, True, False, False]


def test_the_history_outlives_who_made_it(client: Client, failed: Batch, colleagues_client: Client) -> None:
    colleagues_client.post(NOTE, {"text": "Still here"})
    Person.objects.filter(username="ola").delete()
    assert history(client)[0] == "Note Still here"


# Causes


@pytest.fixture
def cause(failed: Batch) -> Cause:
    return Cause.objects.get()


def test_a_cause_has_its_own_state_owner_and_history(client: Client, cause: Cause, person: Person) -> None:
    url = cause.get_absolute_url()
    page = move(client, "waiting_amili", person, url=f"{url}triage/")
    assert panel(page).startswith("Waiting for Amili KN Kari Nordmann")
    client.post(f"{url}notes/", {"text": "Asked *Amili*"})
    assert history(client, url) == [
        "Note · Kari Nordmann Asked Amili",
        "Waiting for Amili Owner: Kari Nordmann · Kari Nordmann",
    ]
    assert panel(client.get(URL)).startswith("New"), "the batch has its own"


def test_advice_is_plain_text_with_who_wrote_it(client: Client, cause: Cause) -> None:
    url = cause.get_absolute_url()
    assert "Plain text; everybody sees it" in seen(client.get(url))
    said = {"revision": 0, "text": "Ask the creditor.\r\n<b>Today</b>"}
    page = client.post(f"{url}advice/", said, follow=True)
    assert "Ask the creditor.<br>&lt;b&gt;Today&lt;/b&gt;" in page.content.decode()
    cause.refresh_from_db()
    assert cause.advice == "Ask the creditor.\n<b>Today</b>"
    assert (cause.advised_by.username if cause.advised_by else "") == "kari"
    assert history(client, url)[0].startswith("Advice · Kari Nordmann Ask the creditor.")


def test_advice_is_not_overwritten_unseen(client: Client, colleagues_client: Client, cause: Cause) -> None:
    url = f"{cause.get_absolute_url()}advice/"
    colleagues_client.post(url, {"revision": 0, "text": "Theirs"})
    page = client.post(url, {"revision": 0, "text": "Mine"})
    assert page.status_code == 409
    assert seen(page).count("Theirs") == 1
    assert "Mine</textarea>" in page.content.decode()
    assert client.post(url, {"revision": 1, "text": "x" * 2_001}).status_code == 422
    client.post(url, {"revision": 1, "text": ""})
    cause.refresh_from_db()
    assert cause.advice == ""


def test_a_cause_that_comes_back_opens_itself_again_and_says_so(
    client: Client, recorded: Record, cause: Cause, person: Person
) -> None:
    url = cause.get_absolute_url()
    move(client, "corrected", person, url=f"{url}triage/")
    later = recorded(of_first_generation(errors=[error(1)], batchId=str(uuid4()), createdAt="2199-01-01T00:00:00Z"))
    cause.refresh_from_db()
    assert (cause.triage_state, cause.owner) == ("new", person)
    assert history(client, url)[0] == f"New Came back in batch {later.pk}"
    assert move(client, "ignored", revision=1, url=f"{url}triage/").status_code == 409, "nobody has seen that yet"


def test_that_a_cause_came_back_is_seen_until_somebody_moves_it(
    client: Client, recorded: Record, cause: Cause, person: Person
) -> None:
    url = cause.get_absolute_url()
    move(client, "corrected", person, url=f"{url}triage/")
    later = recorded(of_first_generation(errors=[error(1)], batchId=str(uuid4()), createdAt="2199-01-01T00:00:00Z"))
    lists = ("/causes/", f"{URL}causes/", f"{later.get_absolute_url()}causes/")
    assert panel(client.get(url)).startswith(f"New Came back in batch {later.pk} KN")
    for address in lists:
        assert "New Came back KN owner: Kari Nordmann" in seen(client.get(address))
    client.post(f"{url}advice/", {"revision": 2, "text": "Again"})
    assert "Came back in batch" in panel(client.get(url))
    move(client, "looking", person, revision=3, url=f"{url}triage/")
    assert "Came back" not in panel(client.get(url))
    for address in lists:
        assert "Came back" not in seen(client.get(address))
    assert f"Came back in batch {later.pk}" in history(client, url)[2]


@pytest.mark.parametrize(
    ("state", "created"), [("corrected", "2026-01-01T00:00:00Z"), ("ignored", "2199-01-01T00:00:00Z")]
)
def test_what_was_submitted_before_the_correction_or_is_ignored_opens_nothing(
    client: Client, recorded: Record, cause: Cause, state: str, created: str
) -> None:
    move(client, state, url=f"{cause.get_absolute_url()}triage/")
    recorded(of_first_generation(errors=[error(1)], batchId=str(uuid4()), createdAt=created))
    cause.refresh_from_db()
    assert cause.triage_state == state


def test_it_comes_back_once_for_each_batch(client: Client, cause: Cause, failed: Batch) -> None:
    move(client, "corrected", url=f"{cause.get_absolute_url()}triage/")
    failed.created_at = timezone.now() + timedelta(days=1)
    for _ in range(2):
        with transaction.atomic():
            triage.came_back([cause.pk], failed)
    assert TriageEntry.objects.filter(kind="came_back").count() == 1


# Whatever is sent


@pytest.mark.parametrize("url", [MOVE, CORRECTED, NOTE])
def test_deeds_are_posts_about_what_is_known(client: Client, url: str) -> None:
    assert client.get(url).status_code in {404, 405}
    assert client.post(url).status_code == 404


@pytest.mark.parametrize("name", ["revision", "state", "owner", "replacement", "anyway"])
def test_nothing_that_is_sent_breaks_a_page(client: Client, failed: Batch, name: str) -> None:
    for value in GARBAGE:
        for url in (MOVE, CORRECTED):
            said = {"revision": 0, "state": "looking", "owner": "", "replacement": "x", name: value}
            page = client.post(url, said)
            assert page.status_code in {302, 409, 422}
            assert "<script>alert" not in page.content.decode()


def test_somebody_who_is_not_signed_in_does_nothing(visitor: Client, failed: Batch) -> None:
    for url in (MOVE, CORRECTED, NOTE):
        page = visitor.post(url, {"revision": 0, "state": "ignored", "text": "x", "replacement": str(uuid4())})
        assert page.headers["Location"].startswith("/accounts/login/")
    assert not TriageEntry.objects.exists()


def test_failed_batches_lead_to_the_correction_file_and_to_the_evidence(client: Client, failed: Batch) -> None:
    content = client.get(URL).content.decode()
    assert f"{URL}submission/" in content
    assert f"{URL}evidence/" in content
