"""Support's day: a failed batch of 5 000 objects becomes a few causes, a correction file, and a batch that is corrected."""

import json
import re
from contextlib import closing
from pathlib import Path
from uuid import UUID

import openpyxl
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Amili

OBJECTS = 5_000


def opened(page: Page, batch_id: UUID) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill(str(batch_id))
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_contain_text(str(batch_id))


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Details of the batch").get_by_role("link", name=name).click()


def sent(amili: Amili, batch_id: UUID, kind: str, directory: Path) -> Path:
    response = requests.get(f"{amili.url}sandbox/batches/{batch_id}/submission.{kind}", timeout=60)
    response.raise_for_status()
    file = directory / f"sent.{kind}"
    file.write_bytes(response.content)
    return file


def correction(page: Page, file: Path) -> Path:
    """The correction file of the batch whose page is open, from the file that was sent."""
    page.get_by_role("link", name="Correction file").click()
    page.get_by_label("Drop the file that was sent").set_input_files(file)
    page.get_by_role("button", name="Compare with the answer").click()
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("link", name="Download the correction file").click()
    corrected = file.with_name(download.value.suggested_filename)
    download.value.save_as(corrected)
    return corrected


def rows_of(file: Path) -> list[tuple[object, ...]]:
    with closing(openpyxl.load_workbook(file, read_only=True)) as book:
        assert book.active is not None
        return list(book.active.iter_rows(values_only=True))


def test_a_failed_batch_is_taken_to_its_correction(page: Page, amili: Amili, tmp_path: Path) -> None:
    failed = amili.start(generation="A", fate="failed", objects=OBJECTS, queued_seconds=0)
    opened(page, failed)
    expect(page.locator(".title")).to_contain_text("Failed", timeout=30_000)

    # What is wrong: thousands of rows are a few causes, and one of them is opened.
    causes = page.locator(".causes > li")
    expect(causes.first).to_be_visible()
    assert 2 <= causes.count() <= 12
    counts = [int(re.sub(r"\D", "", text)) for text in page.locator(".how-many a").all_inner_texts()]
    assert sum(counts) == len(amili.data(failed)["status"]["errors"])
    causes.first.get_by_role("heading").get_by_role("link").click()
    cause_address = page.url
    expect(page.get_by_role("heading", name="Batches with it")).to_be_visible()
    page.get_by_text("Write advice").click()
    page.get_by_label("Advice").fill("Ask the creditor for it, and send the object again.")
    page.get_by_role("button", name="Save the advice").click()
    expect(page.locator("#cause")).to_contain_text("Ask the creditor for it")

    # Who is on it.
    page.goto(f"/batches/{failed}/")
    expect(page.locator(".causes")).to_contain_text("Ask the creditor for it")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#triage .line")).to_contain_text("Siri Solberg")
    tab(page, "History")
    page.get_by_label("Add a note").fill("Called the *creditor*: they mend it today.")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator(".timeline").get_by_text("creditor", exact=True)).to_have_js_property("tagName", "EM")

    # What to send back, in the shapes that it was sent in.
    page.goto(f"/batches/{failed}/")
    before = rows_of(workbook := sent(amili, failed, "xlsx", tmp_path))
    after = rows_of(correction(page, workbook))
    assert after[0] == (*before[0], "reason")
    assert [row[:-1] for row in after[1:]] == before[1 : OBJECTS + 1]
    said = [set[str]() for _ in range(OBJECTS)]
    for error in amili.data(failed)["status"]["errors"]:
        said[error["objectindex"]].add(error["message"])
    assert [set(str(row[-1]).split("; ")) for row in after[1:]] == said
    page.get_by_role("button", name="Forget the file now").click()

    page.goto(f"/batches/{failed}/")
    body = json.loads((file := sent(amili, failed, "json", tmp_path)).read_bytes())
    corrected = json.loads(correction(page, file).read_bytes())
    assert corrected.keys() == body.keys()
    assert [invoice.keys() - {"reason"} for invoice in corrected["invoices"]] == [
        invoice.keys() for invoice in body["invoices"][:OBJECTS]
    ]

    # It was sent again, and went through.
    replacement = amili.start(generation="A", fate="success", objects=OBJECTS, queued_seconds=0)
    opened(page, replacement)
    expect(page.locator(".title")).to_contain_text("Succeeded", timeout=30_000)
    page.goto(f"/batches/{failed}/")
    page.get_by_text("Change state or owner").click()
    page.get_by_label("Corrected in batch").fill(f"batch {replacement}")
    page.get_by_role("button", name="Link it").click()
    expect(page.locator("#triage .line").get_by_role("link", name=str(replacement))).to_be_visible()
    page.goto("/batches/?triage=unresolved")
    expect(page.locator("#list")).not_to_contain_text(str(failed))

    # All of it stands in the history, of both batches and of the cause.
    page.goto(f"/batches/{failed}/timeline/")
    for said in (
        "Owner: Siri Solberg",
        "they mend it today",
        "Corrected",
        str(replacement),
        "0 succeeded, 5 000 failed",
    ):
        expect(page.locator(".timeline")).to_contain_text(said)
    page.goto(f"/batches/{replacement}/timeline/")
    expect(page.locator(".timeline")).to_contain_text(str(failed))
    page.goto(cause_address)
    expect(page.locator("#cause")).to_contain_text("Ask the creditor for it, and send the object again.")

    # It stands on every row of the cause, in the batches of other tests too: so it is taken away again.
    page.get_by_text("Change the advice").click()
    page.get_by_label("Advice").fill("")
    page.get_by_role("button", name="Save the advice").click()
    expect(page.locator("#cause")).to_contain_text("Nobody has written any advice yet.")
