"""Evidence about a batch for Amili's support: a masked report to read, to copy and to take along."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from batches import sync, tasks
from batches.amili.transport import Reply
from batches.evidence.report import MOST_LINES, MOST_OF_ONE, MOST_ROWS
from batches.facts import Question
from batches.models import Batch, BatchCause, ErrorRow
from batches.words import Source
from tests.answers import BATCH, ORGANISATION, OTHER, body, error, of_first_generation, of_today
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, seen
from tests.test_masking import HERS, PERSON

URL = f"/batches/{BATCH}/evidence/"
TEXT, ZIP = (f"/batches/{BATCH}/evidence.{ending}" for ending in ("txt", "zip"))


def content(response: HttpResponse) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


@pytest.fixture
def text(client: Client) -> Callable[..., str]:
    """The report as a file, for what the address asks for."""
    return lambda asked=None: content(client.get(TEXT, asked)).decode()


@pytest.fixture
def packed(client: Client) -> Callable[..., dict[str, str]]:
    """The files of the ZIP, by name."""

    def packed(asked: object = None) -> dict[str, str]:
        with ZipFile(BytesIO(content(client.get(ZIP, asked)))) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    return packed


def table(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(file, newline="")))


def rows_in(report: str) -> list[str]:
    """The indices of the error rows in a report."""
    section = report.partition("Error rows, by object index\n---------------------------\n")[2].partition("\n\n")[0]
    return re.findall(r"^ *(\d+|–)  ", section, re.MULTILINE)


def failed(*messages: str, **changed: object) -> dict[str, object]:
    return of_first_generation(errors=[error(n, message) for n, message in enumerate(messages)], **changed)


def test_the_report_says_which_batch_when_and_what_became_of_it(recorded: Record, text: Callable[..., str]) -> None:
    recorded(failed("Missing due date", "Missing due date", statuscode=0), datetime(2026, 3, 9, 15, 0, tzinfo=UTC))
    report = text()
    assert report.startswith("Evidence about a batch at Amili\n===============================\n")
    for name, value in {
        "Batch ID": str(BATCH),
        "Organisation ID": str(ORGANISATION),
        "Status as received": "0",
        "Read as": "Failed",
        "Created": "2026-03-09 14:30:00 UTC (2026-03-09 15:30:00 CET)",
        "Last asked": "2026-03-09 15:00:00 UTC (2026-03-09 16:00:00 CET)",
        "Objects failed": "2",
        "Error rows": "2",
    }.items():
        assert re.search(rf"^{name} +{re.escape(value)}$", report, re.MULTILINE), name
    assert rows_in(report) == ["0", "1"]


def test_it_names_what_does_not_add_up(recorded: Record, text: Callable[..., str]) -> None:
    recorded(of_today("SUCCESS", failed=[{"invoiceNumber": "1"}], createdBy=7))
    report = text()
    assert "What does not add up\n--------------------\nAmili calls this batch a success" in report
    assert "than documented: " in report


def test_it_lists_the_answers_and_amilis_request_ids(client: Client, text: Callable[..., str]) -> None:
    now = timezone.now()
    Batch.objects.follow([BATCH], now)
    for number, data in enumerate([body(of_today("QUEUED")), b"<p>Maintenance</p>"], 1):
        sync.record(BATCH, Reply(200, data, f"request-{number}"), Question(timezone.now(), Source.WEBHOOK))
    report = text()
    answers, timeline = (report.partition(f"{title}, times in UTC\n")[2].partition("\n\n")[0] for title in SECTIONS)
    assert re.search(r"^1 .* request-1", answers, re.MULTILINE)
    assert re.search(r"^2 .* request-2 .*web page, not JSON", answers, re.MULTILINE)
    assert "First seen" in timeline
    assert re.search(r"Answer changed +Amili's webhook +Queued +QUEUED ", timeline, re.MULTILINE)


SECTIONS = ("Answers received", "Timeline")


def test_causes_stand_with_their_counts_and_indices(recorded: Record, text: Callable[..., str]) -> None:
    recorded(failed("Row 1 is bad", "Row 2 is bad", "Other fault", "Row 3 is bad"))
    causes = text().partition("Causes\n------\n")[2].partition("\n\n")[0].splitlines()
    assert causes[1] == "    3 error rows, 3 objects: 0–1, 3"
    assert causes[2:] == ["Other fault", "    1 error row, 1 object: 2"]


def test_a_cause_with_many_indices_tells_the_first_ones(recorded: Record, text: Callable[..., str]) -> None:
    recorded(of_first_generation(errors=[error(2 * n, "Bad") for n in range(MOST_LINES + 7)]))
    causes = text().partition("Causes\n------\n")[2].partition("\n\n")[0]
    assert re.search(r": 0, 2, 4, .* \d+ more$", causes, re.DOTALL)
    assert max(map(len, causes.splitlines())) <= 100


def test_no_personal_data_goes_out_and_equal_values_can_be_told(
    client: Client, recorded: Record, text: Callable[..., str], packed: Callable[..., dict[str, str]]
) -> None:
    fields = {"extra": {"account": HERS, "mail": "kari@example.no"}}
    recorded(
        of_first_generation(
            errors=[
                error(0, f"Debtor {PERSON} is unknown", objectname=f"Invoice for {PERSON}", **fields),
                error(1, f"Debtor {PERSON[:6]} {PERSON[6:]} has phone +47 912 34 567"),
            ]
        )
    )
    files = packed()
    assert set(files) == {"report.txt", "rows.csv", "answers.csv", "timeline.csv"}
    for file in (seen(client.get(URL)), text(), *files.values()):
        for secret in (PERSON, PERSON[6:], HERS, "kari", "912 34 567"):
            assert secret not in file
    assert "Invoice for ‹national ID 1›  Debtor ‹national ID 1› is unknown" in text()
    assert "national ID (1), account (1), e-mail (1), phone (1)" in text()
    assert [row["Message"] for row in table(files["rows.csv"])] == [
        "Debtor ‹national ID 1› is unknown",
        "Debtor ‹national ID 1› has phone ‹phone 1›",
    ]


def test_it_asks_to_be_read_and_says_what_it_looked_for(recorded: Record, text: Callable[..., str]) -> None:
    recorded(failed("Bad"))
    assert "equal marks: nothing was found." in text()
    assert text().rstrip().endswith("Read all before you send it.")


def test_invoice_numbers_stay(recorded: Record, packed: Callable[..., dict[str, str]]) -> None:
    recorded(of_today("FAILED", failed=[{"invoiceNumber": "40000123", "message": f"Debtor {PERSON}"}]))
    files = packed()
    assert "40000123" in files["report.txt"]
    assert table(files["rows.csv"])[0]["Invoice number"] == "40000123"
    assert PERSON not in "".join(files.values())


def test_an_invoice_number_that_is_a_national_id_goes_and_the_report_says_so(
    client: Client, recorded: Record, packed: Callable[..., dict[str, str]]
) -> None:
    items = [{"invoiceNumber": number, "message": "Bad"} for number in (PERSON, "91234567")]
    recorded(of_today("FAILED", failed=items))
    files = packed()
    assert [row["Invoice number"] for row in table(files["rows.csv"])] == ["‹national ID 1›", "91234567"]
    assert PERSON not in "".join([*files.values(), seen(client.get(URL))])
    assert (
        "Invoice numbers stand as they are on purpose, save those that are valid national IDs." in files["report.txt"]
    )


def test_rows_can_be_chosen_by_hand_by_filter_and_by_cause(recorded: Record, text: Callable[..., str]) -> None:
    recorded(failed("Row 1 is bad", "Row 2 is bad", "Other fault", "Row 3 is bad"))
    cause = BatchCause.objects.get(batch=BATCH, rows=1).cause_id
    for asked, rows in (
        ({"rank": ["1", "3"]}, ["1", "3"]),
        ({"index": "1-2"}, ["1", "2"]),
        ({"text": "row 3"}, ["3"]),
        ({"cause": cause}, ["2"]),
        ({"text": "nothing has this"}, []),
    ):
        report = text(asked)
        assert rows_in(report) == rows
        assert f"{len(rows)} of the batch’s 4 error rows were chosen for this report." in report
    assert "were chosen" not in text()


def test_the_page_shows_the_report_and_hands_on_what_was_chosen(client: Client, recorded: Record) -> None:
    recorded(failed("First fault", "Second fault"))
    page = client.get(URL, {"rank": ["1"]})
    assert "With 1 of 2 error rows, as chosen." in seen(page)
    assert "Second fault" in seen(page)
    assert re.search(r"^ +0  ", unescape(page.content.decode()), re.MULTILINE) is None
    for address in (TEXT, ZIP):
        assert f'href="{address}?rank=1"' in page.content.decode()
    assert 'data-copy-from="#evidence-text"' in page.content.decode()
    assert "With all 2 error rows of the batch." in seen(client.get(URL))


def test_a_filter_that_cannot_be_read_has_no_evidence(client: Client, recorded: Record) -> None:
    recorded(failed("First fault"))
    for address in (URL, TEXT, ZIP):
        answer = client.get(address, {"index": "nonsense"})
        assert answer.status_code == 422
        assert "“nonsense” cannot be read." in seen(answer)
        assert "First fault" not in seen(answer)
        assert f'href="/batches/{BATCH}/errors/?index=nonsense"' in answer.content.decode()


def test_rows_that_cannot_be_read_are_not_all_rows(recorded: Record, text: Callable[..., str]) -> None:
    recorded(failed("First fault", "Second fault"))
    assert rows_in(text({"rank": ["x"]})) == []
    assert rows_in(text({"rank": ["x", "1"], "index": "nonsense"})) == ["1"]


def test_the_text_holds_the_first_thousand_rows_and_the_zip_all(
    recorded: Record, packed: Callable[..., dict[str, str]], client: Client
) -> None:
    recorded(failed(*["Bad"] * (MOST_ROWS + 5)))
    files = packed()
    assert len(rows_in(files["report.txt"])) == MOST_ROWS
    assert "… and 5 more, all of them in the ZIP." in files["report.txt"]
    assert len(table(files["rows.csv"])) == MOST_ROWS + 5
    assert "the ZIP holds them all" in seen(client.get(URL))


def test_huge_texts_are_cut_in_the_text_and_less_so_in_the_zip(
    recorded: Record, packed: Callable[..., dict[str, str]]
) -> None:
    recorded(failed(*["x" * 100_000] * 10))
    files = packed()
    assert f"{'x' * MOST_OF_ONE}…" in files["report.txt"]
    assert len(files["report.txt"]) < 20_000
    assert rows_in(files["report.txt"]) == ["0", "1", "2", "3"]
    assert "… and 6 more, all of them in the ZIP." in files["report.txt"]
    assert table(files["rows.csv"])[9]["Message"] == f"{'x' * 2_000}… cut"


def test_the_tables_are_complete_where_the_text_is_cut(client: Client, packed: Callable[..., dict[str, str]]) -> None:
    Batch.objects.follow([BATCH], timezone.now())
    for number in range(MOST_LINES + 1):
        sync.record(BATCH, Reply(200, body(of_today("QUEUED", type=f"T{number}")), ""), Question(timezone.now()))
    files = packed()
    assert len(table(files["answers.csv"])) == MOST_LINES + 1
    assert [row["Version"] for row in table(files["answers.csv"])][:2] == ["1", "2"]
    assert re.fullmatch(r"[0-9a-f]{64}", table(files["answers.csv"])[0]["Digest"])
    assert "and 1 more, all of them in the ZIP." in files["report.txt"]


def test_nothing_that_amili_sends_becomes_a_line_a_formula_or_markup(
    client: Client, recorded: Record, packed: Callable[..., dict[str, str]]
) -> None:
    forged = "Bad\n\nMasked\n------\nAll is well\u2028Masked\x85Masked"
    recorded(failed(forged, "=1+1", "\u202e<script>alert(1)</script>", HOSTILE, type=HOSTILE))
    files = packed()
    assert len(re.findall("^Masked$", files["report.txt"], re.MULTILINE)) == 1
    assert "\u202e" not in files["report.txt"]
    assert table(files["rows.csv"])[1]["Message"] == "'=1+1"
    assert "<script>alert" not in client.get(URL).content.decode()


def test_a_batch_without_any_answer_has_a_report_too(client: Client, text: Callable[..., str]) -> None:
    tasks.follow([BATCH])
    report = text()
    assert "Timeline, times in UTC" in report
    assert "Answers received" not in report
    assert client.get(URL).status_code == 200


def test_the_files_say_what_is_in_them(client: Client, recorded: Record) -> None:
    recorded(failed("Bad"))
    for url, kind, ending in ((TEXT, "text/plain; charset=utf-8", "txt"), (ZIP, "application/zip", "zip")):
        file = client.get(url)
        assert file.headers["Content-Type"] == kind
        assert file.headers["Content-Disposition"] == f'attachment; filename="amili-batch-{BATCH}-evidence.{ending}"'
        content(file)


def test_only_who_is_signed_in_gets_it_and_only_of_a_batch_that_we_follow(
    client: Client, visitor: Client, recorded: Record
) -> None:
    recorded(failed("Bad"))
    for url in (URL, TEXT, ZIP):
        assert visitor.get(url).status_code == 302
        assert client.get(url.replace(str(BATCH), str(OTHER))).status_code == 404
        assert client.post(url).status_code == 405


@pytest.mark.parametrize("name", ["rank", "cause", "index", "text", "object", "hide"])
def test_nothing_in_the_address_breaks_it(client: Client, recorded: Record, name: str) -> None:
    recorded(failed("Bad"))
    for value in GARBAGE:
        assert client.get(URL, {name: value}).status_code in {200, 422}


@pytest.mark.parametrize("rows", [10, 3_000])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, recorded: Record, django_assert_max_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    recorded(failed(*["Bad"] * rows))
    assert ErrorRow.objects.count() == rows
    with django_assert_max_num_queries(11):
        content(client.get(ZIP))
