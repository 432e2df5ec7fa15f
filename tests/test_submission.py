"""The submitted file: dropped, compared with the answer, corrected, forgotten."""

import csv
import io
import json
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from redis import Redis

from batches.models import Batch, Cause, IndexBase
from batches.submission.files import ChangedError
from batches.submission.keep import GoneError
from staff.models import Person
from tests.answers import BATCH, ORGANISATION, Json, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, ids, links, seen
from tests.submissions import (
    ADDRESS,
    BASE,
    CORRECTION,
    FORGET,
    REST,
    as_csv,
    as_json,
    as_xlsx,
    downloaded,
    drop,
    invoice,
    row,
    table,
)

MISSING = "Debtor is missing nationalId"
# Of six objects the second and the fourth failed, and nothing is said of the last.
SENT = [invoice(n) for n in range(6)]


@pytest.fixture
def answered(recorded: Record) -> None:
    recorded(partial())


def test_where_no_field_is_named_the_one_whose_value_is_named_is_marked(client: Client, recorded: Record) -> None:
    recorded(partial("Nobody is called 01018012345 there", "2026-02-01 and 4500.50 do not go together"))
    text = seen(drop(client, as_json(SENT)))
    assert "debtor.nationalId value named in the message 01018012345" in text
    assert text.count("value named in the message") == 1


def partial(*messages: str) -> Json:
    first, second = messages or (MISSING, "Due date 2026-02-01 is before invoice date 2026-03-01")
    return of_first_generation(
        errors=[error(1, first), error(3, second), error(3, "Amount is odd")],
        succeeded=[succeeded(n) for n in (0, 2, 4)],
    )


@pytest.mark.usefixtures("answered")
def test_each_error_stands_beside_the_object_that_caused_it(client: Client) -> None:
    assert "Drop the file that was sent as this batch" in seen(client.get(ADDRESS))
    page = drop(client, as_json(SENT))
    text = seen(page)
    assert page.redirect_chain == [(ADDRESS, 302)]  # type: ignore[attr-defined]
    assert "Failed 2 Never mentioned 1 Succeeded 3 Error rows without an object 0" in text
    assert "6 objects · JSON, invoices" in text
    text = text.partition("Index 1 ")[2]
    assert text.index(MISSING) < text.index("2026-1") < text.index("Due date") < text.index("2026-3")
    assert "Index 3 object 4 of the file" in text
    assert all(f"invoiceNumber 2026-{spared}" not in text for spared in (0, 2, 4, 5))
    assert 'href="/batches/5579c111-9c50-47e2-af92-f16d52e63189/errors/?row=3#row-3"' in page.content.decode()


@pytest.mark.usefixtures("answered")
def test_the_field_that_a_message_names_is_marked(client: Client) -> None:
    text = seen(drop(client, as_json([invoice(0), {"invoiceNumber": "2026-1"}, *SENT[2:]])))
    assert "debtor.nationalId named in the message not in this object invoiceNumber 2026-1" in text
    assert "dueDate named in the message 2026-02-01" in text
    assert text.count("named in the message") == 2


@pytest.mark.usefixtures("answered")
def test_the_correction_file_holds_only_what_failed_as_it_came_with_its_reasons(client: Client) -> None:
    body = (
        b'{"sender": {"id": 7},\n "invoices": ['
        + b",".join(b'{ "invoiceNumber":"2026-%d",  "amount": 1.50e1, "x": "\\u00e5" }' % n for n in range(6))
        + b'], "test": true}'
    )
    drop(client, body)
    correction = downloaded(client)
    assert (
        b'{ "invoiceNumber":"2026-1",  "amount": 1.50e1, "x": "\\u00e5", "reason": "' + MISSING.encode() in correction
    )
    read = json.loads(correction)
    assert list(read) == ["sender", "invoices", "test"]
    assert [each["invoiceNumber"] for each in read["invoices"]] == ["2026-1", "2026-3"]
    assert read["invoices"][1]["reason"].endswith("2026-03-01; Amount is odd")
    rest = json.loads(downloaded(client, REST))
    assert [each["invoiceNumber"] for each in rest["invoices"]] == ["2026-5"]
    assert "reason" not in rest["invoices"][0]


@pytest.mark.usefixtures("answered")
def test_the_downloads_say_what_they_are(client: Client) -> None:
    drop(client, as_json(SENT))
    for address, name in ((CORRECTION, "correction"), (REST, "never-mentioned")):
        response = client.get(address)
        assert response["Content-Disposition"] == f'attachment; filename="amili-batch-{BATCH}-{name}.json"'
        assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("taken", ["reason", "Reason"])
@pytest.mark.usefixtures("answered")
def test_a_reason_of_their_own_is_left_alone(client: Client, taken: str) -> None:
    header, rows = ["invoiceNumber", taken], [[f"2026-{n}", "ours"] for n in range(6)]
    drop(client, as_csv(rows, header=header))
    assert list(csv.reader(io.StringIO(downloaded(client).decode()), delimiter=";"))[:2] == [
        [*header, "reason_2"],
        ["2026-1", "ours", MISSING],
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.usefixtures("answered")
def test_a_csv_goes_back_in_the_form_it_came_in(client: Client, delimiter: str, encoding: str) -> None:
    rows = [row(n, dueDate="Forfall “på” tirsdag", originalInvoiceAmount="4500.5") for n in range(6)]
    rows[0][2] = "two\r\nlines"
    text = as_csv(rows, delimiter).replace("2026-1", "\r\n2026-1", 1)
    page = seen(drop(client, text.encode(encoding), "sent.csv"))
    label = {"utf-16": "UTF-16", "cp1252": "Windows-1252"}.get(encoding, "UTF-8")
    assert label in page
    assert "Index 1 line 5" in page  # after the header, a row of two lines, and one with nothing in it
    correction = downloaded(client)
    assert correction.startswith(text.partition("\r\n")[0].encode(encoding))
    _, first, second, last = correction.decode(encoding).split("\r\n")
    assert first == f'{delimiter.join(rows[1])}{delimiter}"{MISSING}"'
    assert second.startswith(delimiter.join(rows[3]))
    assert last == ""


@pytest.mark.usefixtures("answered")
def test_a_workbook_goes_back_with_its_types_and_shows_the_numbers_of_its_rows(client: Client) -> None:
    header = ["invoiceNumber", "amount", "dueDate", "kid", "vat", "note"]
    rows: list[list[object]] = [[f"2026-{n}", 4500.5, date(2026, 2, 1), "007", True, "=1+1"] for n in range(6)]
    rows.insert(1, [None] * 6)
    rows = [[cell if cell != "=1+1" else "-1+1" for cell in cells] for cells in rows]
    body = as_xlsx(rows, header, Notes=[["nothing", "here"]])
    page = seen(drop(client, body, "sent.xlsx"))
    assert "XLSX · sheet “Invoices”, the first of 2 that has a table of invoices" in page
    assert "Index 1 row 4" in page
    back = table(downloaded(client))
    assert back[0] == [*header, "reason"]
    assert [type(cell).__name__ for cell in back[1]] == ["str", "float", "datetime", "str", "bool", "str", "str"]
    assert back[1][0] == "2026-1"
    assert back[1][3:] == ["007", True, "-1+1", MISSING]


def test_a_reason_never_runs_in_a_spreadsheet(client: Client, recorded: Record) -> None:
    recorded(partial("=HYPERLINK(1)", "\t@SUM(1)"))
    drop(client, as_csv([row(n) for n in range(6)]))
    assert '"\'=HYPERLINK(1)"' in downloaded(client).decode()
    drop(client, as_xlsx([row(n) for n in range(6)]))
    assert table(downloaded(client))[1][-1] == "'=HYPERLINK(1)"


def test_hostile_texts_are_shown_and_never_run(client: Client, recorded: Record) -> None:
    recorded(partial(HOSTILE, "x" * 100_000))
    hostile = {f"<script>alert({n})": "<script>alert('not run')</script>\0\a\u202e" for n in range(2)}
    page = drop(client, as_json([invoice(n, **hostile) for n in range(6)]), "<script>alert(1)</script>.json")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert "\0" not in page.content.decode()
    assert len(json.loads(downloaded(client))["invoices"]) == 2


def test_rows_that_name_their_invoice_need_no_index(client: Client, recorded: Record) -> None:
    failed = [
        {"invoiceNumber": "2026-3", "error": {"messages": [MISSING]}},
        {"invoiceNumber": "2026-9", "message": "?"},
    ]
    recorded(of_today("PARTIAL", succeeded=[succeeded(0)], failed=failed))
    text = seen(drop(client, as_json(SENT)))
    assert "matched by invoice number; no index had to be counted" in text
    assert "Error rows that meet no object of the file" in text
    assert [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]] == ["2026-3"]


def test_what_was_never_mentioned_is_not_guessed(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(0), succeeded(2, invoiceNumber=None)]))
    assert "cannot be told" in seen(drop(client, as_json({**each, "invoiceNumber": ""} for each in SENT)))
    assert client.get(REST).status_code == 404


def test_failed_objects_come_in_pages_and_by_cause_with_a_steady_number_of_queries(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    errors = [error(n, MISSING if n % 3 else "Postal code is not valid") for n in range(60)]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(60)]))
    drop(client, as_json(invoice(n) for n in range(61)))
    address, pages = ADDRESS, list[list[str]]()
    while address:
        with django_assert_num_queries(6):
            page = client.get(address)
        pages.append([name for name in ids(page) if name.startswith("object-")])
        address = next((ADDRESS + link.removeprefix(ADDRESS).split("#")[0] for link in links(page, "next")), "")
    assert [len(names) for names in pages] == [25, 25, 10]
    assert [name for names in pages for name in names] == [f"object-{n}" for n in range(60)]
    cause = Cause.objects.get(template__contains="Postal")
    assert "Index 0" in seen(client.get(ADDRESS, {"cause": cause.pk}))
    assert "Index 1 " not in seen(client.get(ADDRESS, {"cause": cause.pk}))
    back = links(client.get(ADDRESS, {"from": "30"}), "prev")
    assert back == [f"{ADDRESS}?from=5#objects"]


def test_advice_about_a_cause_stands_on_every_object_of_it(client: Client, recorded: Record) -> None:
    recorded(partial())
    Cause.objects.filter(template__contains="nationalId").update(advice="Ask the creditor for it.")
    assert "Ask the creditor for it." in seen(drop(client, as_json(SENT)))


def test_an_object_with_very_many_reasons_shows_the_first_of_them(client: Client, recorded: Record) -> None:
    errors = [error(1, f"Reason {n:03}") for n in range(120)] + [error(3, "Due date is odd")]
    recorded(of_first_generation(errors=[*errors[:70], error(1, "dueDate is odd"), *errors[70:]], succeeded=[]))
    page = drop(client, as_json(SENT))
    text = seen(page)
    assert ("Reason 049" in text, "Reason 050" in text) == (True, False)
    assert "and 71 more" in text
    assert '/errors/?index=1"' in page.content.decode()
    assert text.count("named in the message") == 1  # of the other object
    assert json.loads(downloaded(client))["invoices"][0]["reason"].count("Reason") == 120


def test_of_very_many_causes_the_largest_and_the_chosen_one_are_offered(client: Client, recorded: Record) -> None:
    words = [f"{first}{second}" for first in "bdfghklmnp" for second in ("ake", "ite", "ose", "une", "eve", "all")]
    errors = [error(n % 6, f"Odd {word}") for n, word in enumerate(words)]
    recorded(of_first_generation(errors=[*errors, error(0, "Odd bake")], succeeded=[]))
    page = drop(client, as_json(SENT))
    assert page.content.decode().count("<option value=") == 51
    assert "Odd bake (2)" in seen(page)
    assert "and 10 smaller ones" in seen(page)
    last = Cause.objects.order_by("-pk").first()
    assert last
    assert f"{last.template} (1)" not in seen(page)
    chosen = client.get(ADDRESS, {"cause": str(last.pk)})
    assert f"{last.template} (1)" in seen(chosen)
    assert "and 9 smaller ones" in seen(chosen)


def test_a_kept_file_meets_the_causes_of_today(client: Client, recorded: Record) -> None:
    recorded(partial())
    former = Cause.objects.get(template__contains="nationalId")
    Cause.objects.filter(pk=former.pk).update(grouping=0, template="Former")
    Batch.objects.update(grouping=0)
    drop(client, as_json(SENT))
    assert "Index 1" in seen(client.get(ADDRESS, {"cause": str(former.pk)}))
    call_command("regroup_causes")
    now = Cause.objects.get(template__contains="nationalId")
    assert "Index 1" in seen(client.get(ADDRESS, {"cause": str(now.pk)}))
    assert "No object of this file has this cause." in seen(client.get(ADDRESS, {"cause": str(former.pk)}))


def test_a_batch_in_which_nothing_failed_has_nothing_to_correct(client: Client, recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded(0)], failed=[None]))
    assert "Nothing failed in this batch, as far as Amili says: there is nothing to correct." in seen(
        client.get(ADDRESS)
    )
    recorded(partial())
    assert "nothing to correct" not in seen(client.get(ADDRESS))


@pytest.mark.usefixtures("answered")
def test_nothing_in_the_address_breaks_the_page(client: Client) -> None:
    drop(client, as_json(SENT))
    for name in ("from", "cause"):
        for value in GARBAGE:
            assert client.get(ADDRESS, {name: value}).status_code == 200


# ------------------------------------------------------------------------------------------ kept for a visit


@pytest.mark.usefixtures("answered")
def test_it_is_kept_encrypted_for_half_an_hour_and_for_one_person(client: Client, settings: Settings) -> None:
    drop(client, as_json(SENT))
    valkey = Redis.from_url(settings.REDIS_URL)
    keys = list(valkey.scan_iter("amili:submission:*"))
    assert len(keys) == 2
    for key in keys:
        assert 1700 < valkey.ttl(key) <= 1800
        stored = b"".join(valkey.hvals(key)) if valkey.type(key) == b"hash" else valkey.get(key)
        assert b"2026-" not in stored
        assert b"sent.json" not in stored
    colleague = Client()
    colleague.force_login(Person.objects.create(username="ola"))
    assert "Drop the file" in seen(colleague.get(ADDRESS))
    assert "no longer kept" in seen(colleague.get(CORRECTION))


@pytest.mark.usefixtures("answered")
def test_it_is_forgotten_at_once_when_asked_and_replaced_by_the_next(client: Client, settings: Settings) -> None:
    valkey = Redis.from_url(settings.REDIS_URL)
    for _ in range(2):
        drop(client, as_json(SENT))
        assert len(list(valkey.scan_iter("amili:submission:*"))) == 2
    page = client.post(FORGET, follow=True)
    assert "The file is forgotten." in seen(page)  # type: ignore[arg-type]
    assert "Drop the file" in seen(page)  # type: ignore[arg-type]
    assert not list(valkey.scan_iter("amili:submission:*"))


@pytest.mark.usefixtures("answered")
def test_an_end_in_the_midst_of_the_visit_is_told(client: Client, settings: Settings) -> None:
    drop(client, as_json(SENT))
    valkey = Redis.from_url(settings.REDIS_URL)
    valkey.delete(*[key for key in valkey.scan_iter("amili:submission:*") if valkey.type(key) == b"hash"])
    for address in (ADDRESS, CORRECTION, REST):
        page = client.get(address)
        assert page.status_code == 410
        assert "The file is no longer kept. Drop it again to go on." in seen(page)


@pytest.mark.usefixtures("answered")
def test_only_the_browser_that_brought_it_can_open_it(client: Client, settings: Settings) -> None:
    drop(client, as_json(SENT))
    cookie = client.cookies["amili_submission"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/batches/")
    assert (cookie["max-age"], cookie["secure"] or False) == (1800, settings.HTTPS)
    elsewhere = Client()
    elsewhere.force_login(Person.objects.get())
    for address in (ADDRESS, CORRECTION, REST):
        page = elsewhere.get(address)
        assert page.status_code == 410
        assert "The file is no longer kept. Drop it again to go on." in seen(page)
    assert MISSING in seen(client.get(ADDRESS))
    settings.SECRET_KEY = "another secret key, long enough for it"
    client.force_login(Person.objects.get())
    assert client.get(ADDRESS).status_code == 410


@pytest.mark.usefixtures("answered")
def test_a_person_has_one_file_at_a_time(client: Client, settings: Settings, recorded: Record) -> None:
    drop(client, as_json(SENT))
    other = uuid4()
    recorded({**partial(), "batchId": str(other)})
    address = reverse("submission", args=[other])
    assert "You dropped a file for batch 5579…3189" in seen(client.get(address))
    assert "6 objects" in seen(client.post(address, {"file": io.BytesIO(as_json(SENT))}, follow=True))  # type: ignore[arg-type]
    assert len(list(Redis.from_url(settings.REDIS_URL).scan_iter("amili:submission:*"))) == 2
    for page, status in ((client.get(ADDRESS), 200), (client.get(CORRECTION), 410)):
        assert page.status_code == status
        assert "Drop the file" in seen(page)
        assert "You dropped a file for batch" in seen(page)
        assert "one is kept at a time: it is forgotten when you drop one here." in seen(page)
        assert f'href="{address}"' in page.content.decode()
    client.post(FORGET)  # as from a page that was left open
    assert "6 objects" in seen(client.get(address))
    client.post(reverse("submission-forget", args=[other]))
    assert not client.cookies["amili_submission"].value


@pytest.mark.usefixtures("answered")
def test_what_cannot_be_kept_whole_is_not_kept_in_part(client: Client, settings: Settings) -> None:
    valkey = Redis.from_url(settings.REDIS_URL)
    noise = random.Random(1).randbytes(3 * 2**20).hex()
    valkey.config_set("maxmemory", valkey.info("memory")["used_memory"] + 3 * 2**20)
    try:
        page = drop(client, as_json(invoice(n, note=noise[n * 10_000 :][:10_000]) for n in range(600)))
    finally:
        valkey.config_set("maxmemory", 0)
    assert page.status_code == 503
    assert "Files cannot be kept at the moment" in seen(page)
    assert not list(valkey.scan_iter("amili:submission:*"))


@pytest.mark.usefixtures("answered")
def test_objects_of_any_size_are_kept(client: Client) -> None:
    notes = [random.Random(n).randbytes(size).hex() for n, size in enumerate([10, 2 * 2**20, 700_000, 700_000, 1, 2])]
    drop(client, as_json(invoice(n, note=note) for n, note in enumerate(notes)))
    assert [each["note"] for each in json.loads(downloaded(client))["invoices"]] == [notes[1], notes[3]]


@pytest.mark.usefixtures("answered")
def test_without_valkey_it_says_so_and_loses_nothing_else(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    for response in (client.get(ADDRESS), drop(client, as_json(SENT)), client.get(CORRECTION), client.post(FORGET)):
        assert response.status_code == 503
        assert "Files cannot be kept at the moment" in seen(response)  # type: ignore[arg-type]


@pytest.mark.usefixtures("answered")
def test_nothing_of_it_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        drop(client, as_json(SENT), "secret-name.json")
        drop(client, as_json(SENT)[:-5], "secret-name.json")
        downloaded(client)
    assert "2026-" not in caplog.text.replace("2026-02-01", "")
    assert "secret-name" not in caplog.text


# ------------------------------------------------------------------------------------------ manners


@contextmanager
def checking_tokens(person: Person) -> Iterator[Client]:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    yield browser


@pytest.mark.usefixtures("answered")
def test_a_file_is_taken_only_from_our_own_form(client: Client, person: Person) -> None:
    with checking_tokens(person) as browser:
        assert drop(browser, as_json(SENT)).status_code == 403
        assert browser.post(FORGET).status_code == 403
        token = browser.get(ADDRESS).context["csrf_token"]
        form = {"csrfmiddlewaretoken": str(token), "file": io.BytesIO(as_json(SENT))}
        assert browser.post(ADDRESS, form).status_code == 302


@pytest.mark.usefixtures("answered")
def test_other_methods_visitors_and_unknown_batches_are_turned_away(client: Client, visitor: Client) -> None:
    assert client.put(ADDRESS).status_code == 405
    assert client.get(FORGET).status_code == 405
    assert client.get(BASE).status_code == 405
    assert client.post(CORRECTION).status_code == 405
    unknown = reverse("submission", args=[uuid4()])
    assert client.get(unknown).status_code == 404
    for address in (ADDRESS, CORRECTION, REST):
        assert visitor.get(address).status_code == 302
    assert drop(visitor, as_json(SENT)).redirect_chain[0][0].startswith("/accounts/login/")  # type: ignore[attr-defined]


@pytest.mark.usefixtures("answered")
def test_no_other_page_takes_a_file(client: Client) -> None:
    response = client.post(reverse("home"), {"q": "", "file": io.BytesIO(b"x" * 1000)})
    assert not response.wsgi_request.FILES


@pytest.mark.usefixtures("answered")
def test_only_the_first_of_several_files_is_taken(client: Client) -> None:
    form = {"file": io.BytesIO(as_json(SENT)), "other": io.BytesIO(b"{")}
    assert "6 objects" in seen(client.post(ADDRESS, form, follow=True))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ the base, through the page


def corrected(client: Client) -> list[str]:
    """The numbers of the invoices in the correction file."""
    return [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]]


def told_base(base: int) -> Json:
    """An answer whose first failed object, counted from `base`, is the second of the file."""
    return of_first_generation(errors=[error(1 + base)], succeeded=[succeeded(0), succeeded(2)])


@pytest.mark.parametrize("base", [0, 1])
def test_the_base_is_found_and_the_reasons_are_told_and_remembered(client: Client, recorded: Record, base: int) -> None:
    recorded(told_base(base))
    text = seen(drop(client, as_json(SENT)))
    assert f"Indices count from {base}." in text
    assert f"Counted from {1 - base}, 1 failed index would point at an invoice that succeeded." in text
    assert [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]] == ["2026-1"]
    known = IndexBase.objects.get(pk=ORGANISATION)
    assert (known.base, known.decided_by) == (base, None)


def test_a_persons_choice_comes_first_and_is_remembered_for_the_organisation(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(3)], succeeded=[]))
    assert "an assumption" in seen(drop(client, as_json(SENT)))
    assert not IndexBase.objects.exists()
    page = client.post(BASE, {"base": "1"}, follow=True)
    assert page.redirect_chain == [(ADDRESS, 302)]  # type: ignore[attr-defined]
    assert "counted from 1 because you chose so" in seen(page)  # type: ignore[arg-type]
    assert corrected(client) == ["2026-2"]
    text = seen(drop(client, as_json(SENT)))  # another visit
    assert "Counted from 1, as Kari Nordmann chose for this organisation on" in text
    assert corrected(client) == ["2026-2"]
    client.post(BASE, {"base": "0"})
    assert corrected(client) == ["2026-3"]


def test_evidence_comes_before_memory(client: Client, recorded: Record, person: Person) -> None:
    IndexBase.objects.create(organization_id=ORGANISATION, base=1, decided_by=person)
    recorded(told_base(0))
    assert "Indices count from 0." in seen(drop(client, as_json(SENT)))
    assert "chose" not in seen(client.get(ADDRESS))


def test_a_choice_against_the_evidence_is_obeyed_and_not_hidden(client: Client, recorded: Record) -> None:
    recorded(told_base(0))
    drop(client, as_json(SENT))
    text = seen(client.post(BASE, {"base": "1"}, follow=True))  # type: ignore[arg-type]
    assert "counted from 1 because you chose so, for as long as this file is kept." in text
    assert "Counted from 1, 1 failed index would point at an invoice that succeeded." in text


def test_a_choice_against_the_evidence_holds_for_the_visit_until_it_is_taken_back(
    client: Client, recorded: Record
) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0)]))
    assert "as found" not in seen(drop(client, as_json(SENT)))
    client.post(BASE, {"base": "1"})
    client.get(reverse("batch", args=[BATCH]))
    text = seen(client.get(ADDRESS))
    assert "counted from 1 because you chose so" in text
    assert "Count from 0, as found" in text
    assert corrected(client) == ["2026-2"]
    text = seen(client.post(BASE, {"base": "0"}, follow=True))  # type: ignore[arg-type]
    assert "Indices count from 0." in text
    assert "as found" not in text
    assert corrected(client) == ["2026-1", "2026-3"]
    recorded(told_base(1))  # what was taken back does not come again with another answer
    assert "Indices count from 1." in seen(client.get(ADDRESS))


def test_a_choice_goes_with_its_file(client: Client, recorded: Record) -> None:
    recorded(told_base(0))
    drop(client, as_json(SENT))
    client.post(BASE, {"base": "1"})
    assert "Indices count from 0." in seen(drop(client, as_json(SENT)))


@pytest.mark.usefixtures("answered")
def test_a_choice_for_a_file_that_is_gone_is_told_so_and_remembered_for_nobody(
    client: Client, settings: Settings
) -> None:
    drop(client, as_json(SENT))
    valkey = Redis.from_url(settings.REDIS_URL)
    valkey.delete(*[key for key in valkey.scan_iter("amili:submission:*") if valkey.type(key) == b"hash"])
    before = list(IndexBase.objects.values())
    page = client.post(BASE, {"base": "1"})
    assert page.status_code == 410
    assert "The file is no longer kept." in seen(page)  # type: ignore[arg-type]
    assert list(IndexBase.objects.values()) == before
    assert not [key for key in valkey.scan_iter("amili:submission:*") if valkey.type(key) == b"hash"]


def test_a_new_answer_is_compared_anew(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(finishedAt=None, errors=[error(1)]))
    drop(client, as_json(SENT))
    recorded(of_first_generation(errors=[error(4, MISSING)]))
    text = seen(client.get(ADDRESS))
    assert "Index 4" in text
    assert MISSING in text


@pytest.mark.parametrize("word", ["7", "", "x", "-1"])
@pytest.mark.usefixtures("answered")
def test_a_base_that_is_none_is_not_taken(client: Client, word: str) -> None:
    client.post(BASE, {"base": word})
    assert not IndexBase.objects.exists()


def test_a_message_that_names_the_invoice_tells_the_base(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(4, "Invoice number 2026-3 is taken."), error(2)], succeeded=[]))
    text = seen(drop(client, as_json(SENT)))
    assert "Indices count from 1. Counted from 1, 1 error row names the invoice that it points at." in text


def test_rows_with_a_number_tell_the_base_of_those_without(client: Client, recorded: Record) -> None:
    named = [{"objectIndex": n, "invoiceNumber": f"2026-{n}", "message": MISSING} for n in (1, 2)]
    recorded(of_today("FAILED", failed=[*named, {"objectIndex": 4, "message": MISSING}]))
    text = seen(drop(client, as_json(SENT)))
    assert "Indices count from 0. Counted from 0, 2 error rows name the invoice that they point at." in text
    assert [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]] == [
        "2026-1",
        "2026-2",
        "2026-4",
    ]


def test_what_another_file_showed_is_used_where_this_one_shows_nothing(client: Client, recorded: Record) -> None:
    IndexBase.objects.create(organization_id=ORGANISATION, base=1)
    recorded(of_first_generation(errors=[error(3)], succeeded=[]))
    assert "Counted from 1, as another file of this organisation showed on" in seen(drop(client, as_json(SENT)))


def test_a_batch_without_an_organisation_remembers_nothing(client: Client, recorded: Record) -> None:
    recorded({**told_base(0), "organizationId": None})
    assert "Indices count from 0." in seen(drop(client, as_json(SENT)))
    client.post(BASE, {"base": "1"})
    assert not IndexBase.objects.exists()


def test_a_number_that_stands_in_the_file_twice_proves_nothing(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(0)]))
    assert "an assumption" in seen(drop(client, as_json([invoice(0), invoice(0), invoice(0)])))


@pytest.mark.parametrize("kind", ["json", "csv", "xlsx"])
def test_a_large_file_is_kept_in_pieces_and_comes_back_whole(client: Client, recorded: Record, kind: str) -> None:
    size = 2_300
    recorded(of_first_generation(errors=[error(n, MISSING) for n in range(size)], succeeded=[]))
    notes = [random.Random(n).randbytes(400).hex() for n in range(size)]
    header, rows = ["invoiceNumber", "note"], [[f"2026-{n}", note] for n, note in enumerate(notes)]
    if kind == "json":
        drop(client, as_json({"note": note} for note in notes))
        back = [each["note"] for each in json.loads(downloaded(client))["invoices"]]
    elif kind == "csv":
        drop(client, as_csv(rows, header=header))
        back = [cells[1] for cells in csv.reader(io.StringIO(downloaded(client).decode()), delimiter=";")][1:]
    else:
        drop(client, as_xlsx(rows, header))
        back = [cells[1] for cells in table(downloaded(client))][1:]
    assert back == notes


# ------------------------------------------------------------------------------------------ downloads that break off


SIZE = 2_300
NOTES = [random.Random(n).randbytes(400).hex() for n in range(SIZE)]
END = "This file breaks off here: it is not complete."


@pytest.fixture
def failed(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n, MISSING) for n in range(SIZE)], succeeded=[]))


def broken_off(client: Client, meanwhile: Callable[[], object]) -> bytes:
    """What is sent of a correction file if this happens after its first part."""
    response = client.get(CORRECTION)
    parts = iter(response.streaming_content)  # type: ignore[attr-defined]
    received = [next(parts)]
    meanwhile()
    with pytest.raises((GoneError, ChangedError)):
        received.extend(parts)
    return b"".join(received)


@pytest.mark.parametrize("event", ["forgotten", "replaced", "a new answer"])
@pytest.mark.usefixtures("failed")
def test_a_csv_that_breaks_off_says_so_at_its_end(client: Client, recorded: Record, event: str) -> None:
    drop(client, as_csv([[f"2026-{n}", note] for n, note in enumerate(NOTES)], header=["invoiceNumber", "note"]))
    received = broken_off(
        client,
        {
            "forgotten": lambda: client.post(FORGET),
            "replaced": lambda: drop(client, as_json(SENT)),
            "a new answer": lambda: recorded(of_first_generation(errors=[error(1, "Another")])),
        }[event],
    )
    *rows, last = list(csv.reader(io.StringIO(received.decode()), delimiter=";"))
    assert last == [END]
    assert 1 < len(rows) < SIZE
    assert {row[2] for row in rows[1:]} == {MISSING}


@pytest.mark.usefixtures("failed")
def test_json_that_breaks_off_is_none(client: Client) -> None:
    drop(client, as_json({"note": note} for note in NOTES))
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken_off(client, lambda: client.post(FORGET)))


@pytest.mark.usefixtures("failed")
def test_a_download_that_begins_in_the_last_moment_has_three_minutes_and_the_file_can_be_forgotten_meanwhile(
    client: Client, settings: Settings
) -> None:
    drop(client, as_json({"note": note} for note in NOTES))
    valkey = Redis.from_url(settings.REDIS_URL)
    place, safe = keys = sorted(valkey.scan_iter("amili:submission:*"), key=len)
    before = valkey.expiretime(safe)
    downloaded(client)
    assert [valkey.expiretime(key) for key in keys] == [before, before]
    for key in keys:
        valkey.expire(key, 10)
    downloaded(client)
    assert 170 < valkey.ttl(safe) <= 180
    assert valkey.ttl(place) == pytest.approx(valkey.ttl(safe), abs=1)
    client.post(FORGET)
    assert not valkey.exists(*keys)
