"""A wrong file never becomes a correction file, and what succeeded is never sent again."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from batches.models import IndexBase
from staff.models import Person
from tests.answers import ORGANISATION, Json, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import seen
from tests.submissions import ADDRESS, CORRECTION, REST, as_json, downloaded, drop, invoice

SENT = [invoice(n) for n in range(6)]
DOWNLOADS = [
    (CORRECTION, {}),
    (CORRECTION, {"reasons": "no"}),
    (CORRECTION, {"base": "1"}),
    (REST, {}),
    (REST, {"base": "1"}),
]


def failed(number: int, **more: object) -> Json:
    return {"invoiceNumber": f"2026-{number}", "message": "Debtor is missing nationalId", **more}


def corrected(client: Client, **query: str) -> list[str]:
    """The numbers of the invoices in the correction file."""
    return [each["invoiceNumber"] for each in json.loads(downloaded(client, **query))["invoices"]]


def refuses_all_downloads(client: Client) -> bool:
    page = client.get(ADDRESS).content.decode()
    gone = all(client.get(address, query).status_code == 404 for address, query in DOWNLOADS)
    return gone and CORRECTION not in page and REST not in page


# ------------------------------------------------------------------------------------------ rows that name an invoice


@pytest.mark.parametrize("base", ["0", "1"])
def test_a_row_that_names_an_invoice_meets_it_wherever_its_index_points(
    client: Client, recorded: Record, base: str
) -> None:
    recorded(of_today("PARTIAL", failed=[failed(3, objectIndex=5), {"objectIndex": 1, "message": "No"}]))
    drop(client, as_json(SENT))
    assert "2026-3" in corrected(client, base=base)
    assert "2026-5" not in corrected(client, base=base)


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
    assert "This is not the file that was sent as this batch: none of its 1 200 succeeded invoices is in it." in text
    assert "Objects that failed" not in text
    assert "2026-1" not in text
    assert refuses_all_downloads(client)
    assert not IndexBase.objects.exists()


def test_one_invoice_is_spoken_of_as_one(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(100)]))
    assert "its one succeeded invoice is not in it." in seen(drop(client, as_json(SENT)))


def test_a_file_with_none_of_the_invoices_that_failed_is_another(client: Client, recorded: Record) -> None:
    recorded(of_today("FAILED", failed=[failed(100, objectIndex=1), failed(101)]))
    text = seen(drop(client, as_json(SENT)))
    assert "none of the 2 invoices that its errors name is in it." in text
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


def test_nothing_is_held_against_a_file_that_names_no_invoice(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(100)]))
    assert "This is not the file" not in seen(drop(client, as_json([{"amount": 0}, {"amount": 1}])))
    assert json.loads(downloaded(client))["invoices"][0]["amount"] == 1


# ------------------------------------------------------------------------------------------ indices


def test_where_neither_base_fits_nothing_can_be_downloaded(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(2), error(900)], succeeded=[succeeded(0), succeeded(1)]))
    text = seen(drop(client, as_json(SENT)))
    assert "Neither fits, as if this were not the file" in text
    assert "nothing can be downloaded from it" in text
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


def test_what_a_person_chose_for_an_organisation_is_not_replaced_by_a_conclusion(
    client: Client, recorded: Record, person: Person
) -> None:
    chosen_at = timezone.now() - timedelta(days=90)
    IndexBase.objects.create(pk=ORGANISATION, base=1, decided_by=person, decided_at=chosen_at)
    recorded(of_first_generation(errors=[error(0)], succeeded=[succeeded(1)]))
    assert "Indices count from 0." in seen(drop(client, as_json(SENT)))
    assert IndexBase.objects.get().base == 1
    client.post(f"{ADDRESS}base/", {"base": "0"})
    now = IndexBase.objects.get()
    assert (now.base, now.decided_at > chosen_at) == (0, True)


def test_one_index_outside_of_the_file_is_spoken_of_as_one(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(6)], succeeded=[]))
    text = seen(drop(client, as_json(SENT)))
    assert "Counted from 0, 1 failed index would point outside of the file." in text


def test_a_choice_against_the_evidence_is_warned_of_above_its_buttons(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0)]))
    assert "The evidence speaks against" not in seen(drop(client, as_json(SENT)))
    page = client.get(ADDRESS, {"base": "1"})
    text = seen(page)
    assert text.index("The evidence speaks against counting from 1.") < text.index("Download the correction file (1)")
    assert "sending them would register invoices a second time" in text
    button = page.content.decode().partition(CORRECTION)[0].rpartition("<a ")[2]
    assert 'data-variant="secondary"' in button


# ------------------------------------------------------------------------------------------ what succeeded


def test_what_succeeded_is_in_no_download_whatever_the_base(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(3)], succeeded=[succeeded(0), succeeded(4)]))
    drop(client, as_json(SENT))
    for base in ("0", "1"):
        rest = [each["invoiceNumber"] for each in json.loads(downloaded(client, REST, base=base))["invoices"]]
        assert not {"2026-0", "2026-4"} & {*corrected(client, base=base), *rest}
    text = seen(client.get(ADDRESS, {"base": "1"}))
    assert "1 object was left out: errors point at it, but Amili lists its invoice as succeeded." in text
    assert "Error rows without an object 1" in text
    assert "left out" not in seen(client.get(ADDRESS))


def test_what_succeeded_is_left_out_even_if_an_error_names_it(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", succeeded=[succeeded(1), succeeded(2)], failed=[failed(n) for n in (1, 2, 3)]))
    assert "2 objects were left out: errors point at them" in seen(drop(client, as_json(SENT)))
    assert corrected(client) == ["2026-3"]
