"""What Amili never mentions is sent again as it was: so it is offered only where it can be told for certain."""

import json

import pytest
from django.test import Client

from tests.answers import Json, error, ledger_response, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import seen
from tests.submissions import ADDRESS, BASE, CORRECTION, REST, as_json, downloaded, drop, invoice

SENT = [invoice(n) for n in range(6)]
FAILED = [{"invoiceNumber": "2026-1", "message": "Debtor is missing nationalId"}]
ERRORS = [error(1, "Debtor is missing nationalId")]


def never_mentioned(client: Client) -> list[str]:
    return [each["invoiceNumber"] for each in json.loads(downloaded(client, REST))["invoices"]]


@pytest.mark.parametrize(
    "answer",
    [
        of_today("PARTIAL", failed=FAILED, succeeded=None),
        of_today("PARTIAL", failed=FAILED, succeeded=...),
        of_today("PARTIAL", failed=FAILED, succeeded=[]),
        of_today("SUCCESS", failed=FAILED, succeeded=[]),
        of_today("FAILED", failed=FAILED, succeeded=None),
        of_today("FAILED", failed=FAILED, succeeded="none"),
        of_first_generation(errors=ERRORS, succeeded=...),
        of_first_generation(errors=ERRORS, succeeded=..., responses=[ledger_response(n) for n in range(6)]),
    ],
)
def test_an_answer_without_a_list_of_what_succeeded_tells_nothing_of_it(
    client: Client, recorded: Record, answer: Json
) -> None:
    recorded(answer)
    text = seen(drop(client, as_json(SENT)))
    assert "Failed 1 Never mentioned cannot be told Succeeded cannot be told" in text
    assert "The answer has no list of what succeeded, or one that cannot be true" in text
    assert client.get(REST).status_code == 404
    assert client.get(CORRECTION).status_code == 200


def test_a_list_that_is_truly_empty_says_that_nothing_succeeded(client: Client, recorded: Record) -> None:
    recorded(of_today("FAILED", failed=FAILED, succeeded=[]))
    assert "Never mentioned 5 Succeeded 0" in seen(drop(client, as_json(SENT)))
    assert never_mentioned(client) == [f"2026-{n}" for n in (0, 2, 3, 4, 5)]


@pytest.mark.parametrize(
    "answer",
    [
        of_today("QUEUED", succeeded=[succeeded(0)], failed=FAILED),
        of_today("LATER", succeeded=[succeeded(0)], failed=FAILED),
        of_first_generation(finishedAt=None, errors=ERRORS, succeeded=[succeeded(0)]),
    ],
)
def test_a_batch_that_is_not_finished_may_still_mention_any_object(
    client: Client, recorded: Record, answer: Json
) -> None:
    recorded(answer)
    assert "This batch is not finished." in seen(client.get(ADDRESS))
    text = seen(drop(client, as_json(SENT)))
    assert "This batch is not finished. Only what Amili has said of it so far can be compared" in text
    assert "Failed 1 Never mentioned cannot be told Succeeded 1" in text
    assert "Which objects Amili never mentions can be told when the batch is finished." in text
    assert client.get(REST).status_code == 404


def test_a_queued_batch_has_nothing_to_offer(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    text = seen(drop(client, as_json(SENT)))
    assert "Failed 0 Never mentioned cannot be told" in text
    assert "matched by invoice number" not in text
    assert client.get(REST).status_code == 404
    recorded(of_today("PARTIAL", failed=FAILED, succeeded=[succeeded(0)]))
    text = seen(client.get(ADDRESS))
    assert "not finished" not in text
    assert "Never mentioned 4" in text


def test_an_object_that_the_ledger_responds_to_is_mentioned(client: Client, recorded: Record) -> None:
    responses = [ledger_response(n) for n in (2, 3)]
    recorded(of_first_generation(errors=ERRORS, succeeded=[succeeded(0)], responses=responses))
    text = seen(drop(client, as_json(SENT)))
    assert "Indices count from 0." in text
    assert never_mentioned(client) == ["2026-4", "2026-5"]
    assert "2 objects may have gone through: ledger responses are about them" in text


def test_where_the_base_is_a_guess_a_response_is_about_whatever_it_may_be(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(5)], responses=[ledger_response(2)]))
    assert "an assumption" in seen(drop(client, as_json(SENT)))
    assert never_mentioned(client) == ["2026-0", "2026-3", "2026-4"]
    client.post(BASE, {"base": "1"})
    assert never_mentioned(client) == ["2026-0", "2026-2", "2026-3", "2026-5"]


# ------------------------------------------------------------------------------------------ a number twice in the file


def test_an_object_that_failed_because_its_number_stands_twice_can_be_corrected(
    client: Client, recorded: Record
) -> None:
    twice = [*SENT[:3], invoice(1, vat=True), *SENT[4:]]
    errors = [error(3, "Invoice number 2026-1 is taken")]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(n) for n in (0, 1, 2)]))
    text = seen(drop(client, as_json(twice)))
    assert "Failed 1 Never mentioned 2 Succeeded 3" in text
    assert "left out" not in text
    assert [each.get("vat") for each in json.loads(downloaded(client))["invoices"]] == [True]
    assert never_mentioned(client) == ["2026-4", "2026-5"]


def test_no_more_objects_of_a_number_succeeded_than_the_answer_names(client: Client, recorded: Record) -> None:
    thrice = [*SENT[:3], invoice(1), invoice(1), SENT[5]]
    recorded(of_first_generation(errors=[error(5)], succeeded=[succeeded(n) for n in (0, 1, 2)]))
    text = seen(drop(client, as_json(thrice)))
    assert "Failed 1 Never mentioned 0 Succeeded 3" in text
    assert "2 objects may have gone through" in text
    assert client.get(REST).status_code == 404


def test_a_number_that_succeeded_as_often_as_it_stands_in_the_file_is_left_out(
    client: Client, recorded: Record
) -> None:
    twice = [*SENT[:3], invoice(1), *SENT[4:]]
    items = [succeeded(n) for n in (0, 1, 1, 2)]
    recorded(of_first_generation(errors=[error(3), error(4)], succeeded=items))
    text = seen(drop(client, as_json(twice)))
    assert "1 object was left out" in text
    assert [each["invoiceNumber"] for each in json.loads(downloaded(client))["invoices"]] == ["2026-4"]
