"""A failed batch is taken to a correction file: the file that was sent is dropped, compared, and downloaded corrected."""

import json
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Amili


@pytest.fixture
def failed(page: Page, amili: Amili) -> str:
    """A batch that is known here, some of whose objects failed."""
    batch_id = str(amili.start(generation="A", fate="partial", objects=230, queued_seconds=0))
    page.goto("/")
    page.get_by_role("searchbox").fill(batch_id)
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_contain_text("Partly succeeded", timeout=60_000)
    return batch_id


def sent(amili: Amili, batch_id: str, kind: str) -> bytes:
    response = requests.get(f"{amili.url}sandbox/batches/{batch_id}/submission.{kind}", timeout=20)
    response.raise_for_status()
    return response.content


def rows(file: Path) -> list[tuple[object, ...]]:
    """Those of a workbook's first sheet."""
    sheet = openpyxl.load_workbook(BytesIO(file.read_bytes())).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def test_a_workbook_that_was_sent_becomes_a_correction_file(
    page: Page, amili: Amili, failed: str, tmp_path: Path
) -> None:
    file = tmp_path / "sent.xlsx"
    file.write_bytes(sent(amili, failed, "xlsx"))
    page.goto(f"/batches/{failed}/submission/")
    page.get_by_label("Drop the file that was sent").set_input_files(file)
    page.get_by_role("button", name="Compare with the answer").click()
    expect(page.locator("#base")).to_contain_text("Indices count from 0.")

    errors = amili.data(failed)["status"]["errors"]
    wanted = sorted({error["objectindex"] for error in errors})
    expect(page.locator(".object")).to_have_count(min(len(wanted), 25))
    first = page.locator(".object").first
    expect(first).to_contain_text(f"Index {wanted[0]}")
    expect(first).to_contain_text(f"row {wanted[0] + 2}")
    expect(page.locator(".at-fault").first).to_contain_text("named in the message")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the correction file").click()
    assert download.value.suggested_filename == f"amili-batch-{failed}-correction.xlsx"
    before, after = rows(file), rows(download.value.path())
    assert after[0] == (*before[0], "reason")
    assert [cells[:-1] for cells in after[1:]] == [before[index + 1] for index in wanted]
    for cells, index in zip(after[1:], wanted, strict=True):
        assert {error["message"] for error in errors if error["objectindex"] == index} == set(
            str(cells[-1]).split("; ")
        )

    with page.expect_download() as download:
        page.get_by_role("link", name="Without reasons, in the submitted shape").click()
    assert download.value.suggested_filename == f"amili-batch-{failed}-without-reasons.xlsx"
    assert rows(download.value.path()) == [before[0], *(before[index + 1] for index in wanted)]

    page.get_by_role("button", name="Forget the file now").click()
    expect(page.get_by_text("The file is forgotten.")).to_be_visible()


DROP = """([target, texts]) => {
  const data = new DataTransfer();
  for (const text of texts) {
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "sent.json"));
  }
  const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def drop(page: Page, target: str, *bodies: bytes) -> bool:
    """Drop files there; whether the page took them, so that the browser does not open them."""
    element = page.locator(target).element_handle()
    return bool(page.evaluate(DROP, [element, [b64encode(body).decode() for body in bodies]]))


def test_json_is_dropped_with_the_mouse_and_read_again_as_it_was_sent(page: Page, amili: Amili, failed: str) -> None:
    body = sent(amili, failed, "json")
    page.goto(f"/batches/{failed}/submission/")
    drop(page, "[data-drop]", body)
    expect(page.locator(".submitted")).to_contain_text("sent.json")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the correction file").click()
    corrected = json.loads(download.value.path().read_bytes())["invoices"]
    wanted = sorted({error["objectindex"] for error in amili.data(failed)["status"]["errors"]})
    for invoice in corrected:
        assert invoice.pop("reason")
    assert corrected == [json.loads(body)["invoices"][index] for index in wanted]
    page.get_by_role("button", name="Count from 1").click()
    expect(page.locator("#base")).to_contain_text("because you chose so")
    expect(page.locator("#danger")).to_contain_text("would register invoices a second time")
    page.get_by_role("button", name="Count from 0").click()
    expect(page.locator("#base")).to_contain_text("Indices count from 0.")


def test_a_file_that_is_dropped_beside_the_card_is_taken_and_never_opened(
    page: Page, amili: Amili, failed: str
) -> None:
    body = sent(amili, failed, "json")
    page.goto(f"/batches/{failed}/submission/")
    assert drop(page, "h1", body, body)
    expect(page.get_by_role("alert")).to_have_text("One file is taken at a time: drop only the one that was sent.")
    drop(page, "h1", body)
    expect(page.locator(".submitted")).to_contain_text("sent.json")
    assert drop(page, "h1", body)
    expect(page.get_by_role("alert")).to_have_text("A file is kept already. Forget this one first.")


def test_the_file_of_another_batch_is_turned_away(page: Page, amili: Amili, failed: str, tmp_path: Path) -> None:
    other = str(amili.start(generation="A", fate="partial", objects=40, queued_seconds=0))
    file = tmp_path / "other.csv"
    file.write_bytes(sent(amili, other, "csv"))
    page.goto(f"/batches/{failed}/submission/")
    page.get_by_label("Drop the file that was sent").set_input_files(file)
    page.get_by_role("button", name="Compare with the answer").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the file that was sent as this batch")
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    expect(page.locator(".object")).to_have_count(0)
