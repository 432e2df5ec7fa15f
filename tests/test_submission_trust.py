"""A wrong file never becomes a correction file, and what succeeded is never sent again."""

import json

import pytest
from django.test import Client

from batches.models import IndexBase
from staff.models import Person
from tests.answers import ORGANISATION, Json, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import seen
from tests.submissions import ADDRESS, BASE, CORRECTION, REST, as_json, downloaded, drop, invoice

SENT = [invoice(n) for n in range(6)]
DOWNLOADS = [
    (CORRECTION, {}),
    (CORRECTION, {"reasons": "no"}),
    (REST, {}),
]


def failed(number: int, **more: object) -> Json:
    return {"invoiceNumber": f"2026-{number}", "message": "Debtor is missing nationalId", **more}


def corrected(client: Client) -> list[str]:
    """The numbers of the invoices in the correction file."""
    return [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]]


def corrected_after(client: Client, sent: list[Json]) -> list[str]:
    drop(client, as_json(sent))
    return corrected(client)


def refuses_all_downloads(client: Client) -> bool:
    """Wherever a person lets the indices count from."""
    gone = list[bool]()
    for base in ("0", "1"):
        page = client.post(BASE, {"base": base}, follow=True).content.decode()
        gone += [client.get(address, query).status_code == 404 for address, query in DOWNLOADS]
        gone += [address not in page for address, _ in DOWNLOADS]
    return all(gone)


# ------------------------------------------------------------------------------------------ rows that name an invoice


@pytest.mark.parametrize("base", ["0", "1"])
def test_a_row_that_names_an_invoice_meets_it_wherever_its_index_points(
    client: Client, recorded: Record, base: str
) -> None:
    recorded(of_today("PARTIAL", failed=[failed(3, objectIndex=5), {"objectIndex": 1, "message": "No"}]))
    drop(client, as_json(SENT))
    client.post(BASE, {"base": base})
    assert "2026-3" in corrected(client)
    assert "2026-5" not in corrected(client)


def test_a_row_that_names_an_invoice_that_is_not_in_the_file_meets_none(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", failed=[failed(3, objectIndex=3), failed(77, objectIndex=4)]))
    text = seen(drop(client, as_json([*SENT[:4], {"amount": 1}, SENT[5]])))
    assert "Failed 1 Never mentioned" in text
    assert "Error rows without an object 1" in text
    assert corrected(client) == ["2026-3"]


def test_a_number_that_stands_in_the_file_twice_is_met_by_index_and_only_where_it_stands(
    client: Client, recorded: Record
) -> None:
    recorded(of_today("PARTIAL", failed=[failed(1, objectIndex=2), failed(1, objectIndex=0), failed(1)]))
    text = seen(drop(client, as_json([invoice(0), invoice(1), invoice(1, vat=True)])))
    assert "Failed 1 " in text
    assert "Error rows without an object 2" in text
    assert json.loads(downloaded(client))["invoices"][0]["vat"] is True


def test_a_file_without_numbers_is_met_by_index(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", failed=[failed(9, objectIndex=1)]))
    drop(client, as_json([{"amount": 0}, {"amount": 1}]))
    assert [each["amount"] for each in json.loads(downloaded(client))["invoices"]] == [1]


# ------------------------------------------------------------------------------------------ another file


def test_a_file_with_none_of_the_invoices_that_succeeded_is_another(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(n) for n in range(100, 1_300)]))
    text = seen(drop(client, as_json(SENT)))
    assert "This is not the file that was sent as this batch. 1 200 of 1 200 succeeded invoices are not in" in text
    assert "Objects that failed" not in text
    assert "2026-1" not in text
    assert not IndexBase.objects.exists()
    assert refuses_all_downloads(client)


def test_one_invoice_is_spoken_of_as_one(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(100)]))
    assert "The one succeeded invoice is not in this file." in seen(drop(client, as_json(SENT)))


def test_a_file_with_none_of_the_invoices_that_failed_is_another(client: Client, recorded: Record) -> None:
    recorded(of_today("FAILED", failed=[failed(100, objectIndex=1), failed(101)]))
    text = seen(drop(client, as_json(SENT)))
    assert "None of the 2 invoices that the errors name is in this file." in text
    assert refuses_all_downloads(client)


def test_a_file_with_none_of_the_ids_that_succeeded_is_another(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(0)]))
    others = [{"invoiceId": f"9b1d6a5e-0000-4000-8000-00000000000{n}", "amount": n} for n in range(3)]
    assert "This is not the file" in seen(drop(client, json.dumps({"payments": others})))
    assert refuses_all_downloads(client)


def test_one_invoice_that_both_know_makes_it_no_other_file(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", succeeded=[succeeded(100)], failed=[failed(3)]))
    assert "This is not the file" not in seen(drop(client, as_json(SENT)))
    assert corrected(client) == ["2026-3"]


@pytest.mark.parametrize(
    ("succeeding", "lacking", "is_trusted"),
    [(1, 0, True), (2, 1, True), (3, 2, False), (4, 2, True), (4, 3, False), (40, 3, True), (40, 4, False)],
)
def test_a_file_that_lacks_more_than_a_few_of_what_succeeded_is_another(
    client: Client, recorded: Record, succeeding: int, lacking: int, is_trusted: bool
) -> None:
    errors, sent = [error(succeeding, "Debtor is missing nationalId")], [invoice(n) for n in range(succeeding + 1)]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(n) for n in range(succeeding)]))
    for n in range(lacking):
        sent[n]["invoiceNumber"] = f"other {n}"
    text = seen(drop(client, as_json(sent)))
    assert ("This is not the file" not in text) == is_trusted
    assert (f"{lacking} of {succeeding} succeeded invoices" in text) == (lacking > 0)
    assert IndexBase.objects.exists() == is_trusted
    assert (client.get(CORRECTION).status_code == 200) == is_trusted


def test_invoices_that_only_their_ids_tell_are_counted_by_those(client: Client, recorded: Record) -> None:
    items = [succeeded(n, invoiceNumber=None) for n in range(10)]
    recorded(of_first_generation(errors=[error(10)], succeeded=items))
    sent = [{"invoiceId": item["invoiceId"], "amount": 1} for item in items]
    assert "1 of 10 succeeded invoices is not in this file." in seen(
        drop(client, json.dumps({"payments": [{"invoiceId": "x", "amount": 1}, *sent[1:], {"amount": 2}]}))
    )
    assert "4 of 10 succeeded invoices are not in this file." in seen(
        drop(client, json.dumps({"payments": [*sent[4:], {"amount": 2}]}))
    )


def test_nothing_is_held_against_a_file_that_names_no_invoice(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(100)]))
    assert "This is not the file" not in seen(drop(client, as_json([{"amount": 0}, {"amount": 1}])))
    assert json.loads(downloaded(client))["invoices"][0]["amount"] == 1


# ------------------------------------------------------------------------------------------ indices


def test_where_neither_base_fits_nothing_can_be_downloaded(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(50), error(900)], succeeded=[]))
    text = seen(drop(client, as_json(SENT)))
    assert "Object indices do not fit this file, as if it were not the one that was sent" in text
    assert "Counted from 0, 2 failed indices would point outside of the file." in text
    assert all(hidden not in text for hidden in ("Never mentioned", "Count from", "Objects that failed"))
    assert not IndexBase.objects.exists()
    assert refuses_all_downloads(client)


def test_a_sheet_that_was_sorted_anew_is_told_so(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(4)], succeeded=[succeeded(n) for n in (0, 2, 3, 5)]))
    assert corrected_after(client, SENT) == ["2026-1", "2026-4"]
    text = seen(drop(client, as_json([SENT[n] for n in (4, 0, 2, 3, 1, 5)])))
    assert "in another order than they were sent in, or some were added or removed: use it as it was sent." in text
    assert all(hidden not in text for hidden in ("Never mentioned", "Count from", "Objects that failed"))
    assert refuses_all_downloads(client)


def test_a_stray_index_says_nothing_of_the_base(client: Client, recorded: Record) -> None:
    errors = [error(0), error(2), error(-1), error(900)]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(1), succeeded(3)]))
    text = seen(drop(client, as_json(SENT)))
    assert "Indices count from 0." in text
    assert "Error rows without an object 2" in text
    assert corrected(client) == ["2026-0", "2026-2"]


def test_rows_that_name_nothing_are_said_to_be_matched_by_nothing(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(None)], succeeded=[succeeded(1)]))
    assert "name neither an index nor an invoice number" in seen(drop(client, as_json(SENT)))


@pytest.mark.parametrize("is_chosen", [True, False])
def test_what_is_remembered_gives_way_to_a_file_that_shows_otherwise_and_that_is_said(
    client: Client, recorded: Record, person: Person, is_chosen: bool
) -> None:
    IndexBase.objects.create(pk=ORGANISATION, base=1, decided_by=person if is_chosen else None)
    recorded(of_first_generation(errors=[error(0)], succeeded=[succeeded(1)]))
    text = seen(drop(client, as_json(SENT)))
    assert "This file shows that indices count from 0. That is remembered for this organisation from now on." in text
    assert f"Until now it was 1, as {'Kari Nordmann chose' if is_chosen else 'another file showed'} on" in text
    known = IndexBase.objects.get()
    assert (known.base, known.decided_by) == (0, None)
    assert "from now on" not in seen(drop(client, as_json(SENT)))


def test_another_file_shows_nothing(client: Client, recorded: Record, person: Person) -> None:
    IndexBase.objects.create(pk=ORGANISATION, base=1, decided_by=person)
    recorded(of_first_generation(errors=[error(0)], succeeded=[succeeded(n) for n in range(1, 90)]))
    drop(client, as_json(SENT))
    assert IndexBase.objects.get().base == 1


def test_a_choice_that_the_file_speaks_against_holds_for_the_visit_alone(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0)]))
    drop(client, as_json(SENT))
    client.post(BASE, {"base": "1"})
    assert corrected(client) == ["2026-2"]
    known = IndexBase.objects.get()
    assert (known.base, known.decided_by) == (0, None)


def test_one_index_outside_of_the_file_is_spoken_of_as_one(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(6)], succeeded=[]))
    text = seen(drop(client, as_json(SENT)))
    assert "Counted from 0, 1 failed index would point outside of the file." in text


def test_a_choice_against_the_evidence_is_warned_of_above_its_buttons(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0)]))
    assert "The evidence speaks against" not in seen(drop(client, as_json(SENT)))
    page = client.post(BASE, {"base": "1"}, follow=True)
    text = seen(page)  # type: ignore[arg-type]
    assert text.index("The evidence speaks against counting from 1.") < text.index("Download the correction file (1)")
    assert "sending them would register invoices a second time" in text
    button = page.content.decode().partition(CORRECTION)[0].rpartition("<a ")[2]
    assert 'data-variant="secondary"' in button


# ------------------------------------------------------------------------------------------ what succeeded


def test_what_succeeded_is_in_no_download_whatever_the_base(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0), succeeded(4)]))
    drop(client, as_json(SENT))
    for base in ("0", "1"):
        client.post(BASE, {"base": base})
        rest = [each["invoiceNumber"] for each in json.loads(downloaded(client, REST))["invoices"]]
        assert not {"2026-0", "2026-4"} & {*corrected(client), *rest}
    text = seen(client.get(ADDRESS))
    assert "1 object was left out: errors point at it, but Amili lists its invoice as succeeded." in text
    assert "Error rows without an object 1" in text
    client.post(BASE, {"base": "0"})
    assert "left out" not in seen(client.get(ADDRESS))


def test_what_succeeded_is_left_out_even_if_an_error_names_it(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", succeeded=[succeeded(1), succeeded(2)], failed=[failed(n) for n in (1, 2, 3)]))
    assert "2 objects were left out: errors point at them" in seen(drop(client, as_json(SENT)))
    assert corrected(client) == ["2026-3"]
