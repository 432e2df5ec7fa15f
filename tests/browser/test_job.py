"""The main job, as a person does it: paste a batch ID, see what becomes of the batch, read what failed and what did not."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Amili, OpenPage, sign_in, watch_polls

DOCUMENTED = "5579c111-9c50-47e2-af92-f16d52e63189"
SUCCEEDED = "ae257e86-dc53-4865-9c97-5b125a3a5ac2"


def test_a_pasted_batch_is_seen_changing_from_queued_to_partly_succeeded_without_a_reload(
    page: Page, amili: Amili
) -> None:
    page.clock.install()
    page.goto("/")
    box = page.get_by_role("searchbox", name="What became of my batch?")
    expect(box).to_be_focused()
    batch_id = amili.start(generation="A", fate="partial", objects=120, queued_seconds=5)
    page.keyboard.insert_text(f'2026-03-14 09:26 INFO accepted batch "{str(batch_id).upper()}" in 31 ms  ')
    page.keyboard.press("Enter")

    head = page.locator(".title")
    expect(head).to_contain_text(str(batch_id))
    expect(head).to_contain_text("Queued")
    expect(page).to_have_title(re.compile("^Queued"))
    page.evaluate("window.notReloaded = true")

    expect(head).to_contain_text("Partly succeeded", timeout=15_000)
    expect(page).to_have_title(re.compile("^Partly succeeded"))
    expect(page.get_by_role("status").filter(has_text="105 succeeded, 15 failed")).to_contain_text("Partly succeeded")
    expect(page.locator(".causes > li")).not_to_have_count(0)
    assert page.evaluate("window.notReloaded")
    polls = watch_polls(page)
    page.clock.run_for(60_000)
    assert polls == [], "polling has ended by itself"


def test_error_rows_are_read_by_object_index_and_a_succeeded_invoice_leads_to_its_case(
    page: Page, amili: Amili
) -> None:
    batch_id = amili.start(generation="A", fate="partial", objects=120, queued_seconds=0)
    answer = amili.data(batch_id)
    error = answer["status"]["errors"][0]
    page.goto("/")
    page.get_by_role("searchbox").fill(str(batch_id))
    page.get_by_role("button", name="Find").click()
    tab(page, "Errors")

    rows = page.get_by_role("table", name="Errors").get_by_role("row")
    expect(rows).to_have_count(1 + len(answer["status"]["errors"]))
    indexes = [
        int(link.split("-")[1]) for link in page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    ]
    assert indexes == sorted(error["objectindex"] for error in answer["status"]["errors"])
    expect(page.locator(f"#row-{error['objectindex']}")).to_contain_text(error["message"])

    invoice = answer["succeeded"][0]
    page.get_by_role("link", name=re.compile("^Succeeded")).click()
    row = page.get_by_role("row").filter(has_text=invoice["invoiceId"])
    expect(row).to_contain_text(invoice["invoiceNumber"])
    row.get_by_role("link", name=invoice["caseId"]).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice["caseId"])
    of_case = page.get_by_role("row").filter(has_text=invoice["invoiceId"])
    expect(of_case).to_contain_text(invoice["invoiceNumber"])
    of_case.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(batch_id))


def tab(page: Page, name: str) -> None:
    link = page.get_by_role("navigation", name="Details of the batch").get_by_role("link", name=name)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")


def test_the_documented_example_is_shown_whole(page: Page) -> None:
    page.goto(f"/batches/{DOCUMENTED}/")
    expect(page.locator(".title")).to_contain_text("Partly succeeded")
    for fact in ("24.08.2019", "code 0", "25a02396-1048-48f9-bf93-102d2fb7895e", "Nordlys Kraft AS"):
        expect(page.locator("#batch")).to_contain_text(fact)
    tab(page, "Errors 1")
    expect(page.locator("#row-0")).to_have_text(re.compile(r"0\s+string\s+string"))
    tab(page, "Succeeded 1")
    expect(page.locator("tbody tr")).to_contain_text("4f163819-178d-470c-a246-d6768476a6ec")
    expect(page.locator("tbody tr")).to_contain_text("invoiceSuccess")
    tab(page, "Failed items 1")
    expect(page.locator("tbody tr")).to_contain_text("null")
    tab(page, "Ledger responses 1")
    expect(page.locator("#row-0")).to_have_text(re.compile(r"0\s+string\s+string\s+string"))
    tab(page, "History")
    expect(page.get_by_role("listitem").filter(has_text="1 succeeded, 1 failed")).to_be_visible()
    tab(page, "Answer as received")
    expect(page.get_by_label("Answer as received")).to_contain_text('"ledgerref": "string"')


def test_an_answer_of_the_new_generation_is_shown_whole(page: Page) -> None:
    page.goto(f"/batches/{SUCCEEDED}/")
    expect(page.locator(".title")).to_contain_text("Succeeded")
    for fact in ("09.03.2025 15.30.00", "09.03.2025 15.30.05", "5 s", "SUCCESS", "Invoice", "Sørvest"):
        expect(page.locator("#batch")).to_contain_text(fact)
    expect(page.get_by_role("row").filter(has_text="INV-2025-001")).to_contain_text("0b9d2f7e-51c8-4a36")
    expect(page.get_by_role("row").filter(has_text="INV-2025-002")).to_contain_text("1e6f3a92-8d47-4c05")
    tab(page, "Errors 0")
    expect(page.locator("#batch")).to_contain_text("No errors.")
    tab(page, "Answer as received")
    expect(page.get_by_label("Answer as received")).to_contain_text('"status": "SUCCESS"')


def test_several_pasted_ids_give_a_list_that_follows_them_live(page: Page, amili: Amili) -> None:
    first = amili.start(generation="C", fate="success", queued_seconds=5)
    second = amili.start(generation="A", fate="failed", queued_seconds=5)
    page.goto("/")
    page.get_by_role("searchbox").fill(f"{first}, {second}; {DOCUMENTED}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 batches")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator(f"#batch-{first}")).to_contain_text("Queued")
    page.evaluate("window.notReloaded = true")
    expect(page.locator(f"#batch-{first}")).to_contain_text("Succeeded", timeout=20_000)
    expect(page.locator(f"#batch-{second}")).to_contain_text("Failed", timeout=20_000)
    assert page.evaluate("window.notReloaded")


def test_text_without_a_batch_id_is_kept_and_told_what_one_looks_like(
    page: Page, expected_complaints: list[str]
) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill("invoice 30011200, sent on Monday")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(DOCUMENTED)
    expect(page.get_by_role("searchbox")).to_have_value("invoice 30011200, sent on Monday")
    expect(page.get_by_role("searchbox")).to_have_accessible_description(re.compile("32 digits"))


def test_a_page_that_needs_a_sign_in_leads_there_and_back(open_page: OpenPage) -> None:
    page = open_page(storage_state=None)
    page.goto(f"/batches/{DOCUMENTED}/timeline/")
    expect(page).to_have_title(re.compile("^Sign in"))
    sign_in(page)
    expect(page).to_have_url(re.compile(f"/batches/{DOCUMENTED}/timeline/$"))
