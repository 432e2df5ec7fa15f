"""Reading a batch closely: rows by link and by page, copies and downloads, and what is said when there is nothing to read."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Amili, OpenPage

DOCUMENTED = "5579c111-9c50-47e2-af92-f16d52e63189"
LARGE = "5a4db0c5-0000-4000-8000-000000000001"  # 5 000 objects
DEMO = "5a4db0c5-0000-4000-8000-000000000"


def find(page: Page, text: object) -> None:
    """Paste it into the box of the first page."""
    page.goto("/")
    page.get_by_role("searchbox").fill(str(text))
    page.keyboard.press("Enter")


def test_a_link_to_a_row_shows_it_marked_on_whatever_page_of_rows_it_stands(page: Page, amili: Amili) -> None:
    last = max(error["objectindex"] for error in amili.data(LARGE)["status"]["errors"])
    page.goto(f"/batches/{LARGE}/errors/")
    expect(page.locator(f"#row-{last}")).to_have_count(0)

    page.goto("/")
    page.goto(f"/batches/{LARGE}/#row-{last}")
    expect(page.locator("tr:target")).to_have_attribute("id", f"row-{last}")
    expect(page.locator("tr:target")).to_be_in_viewport()

    page.goto(f"/batches/{LARGE}/errors/")
    row = page.locator("tbody tr").nth(20)
    text = row.inner_text()
    row.get_by_role("link").click()
    expect(page.locator("tr:target")).to_have_text(text, use_inner_text=True)
    expect(page.locator("tr:target")).to_be_in_viewport()


def test_all_pages_of_errors_are_walked_through_and_back(page: Page, amili: Amili) -> None:
    batch_id = amili.start(generation="A", fate="failed", objects=230, queued_seconds=0)
    wanted = sorted(error["objectindex"] for error in amili.data(batch_id)["status"]["errors"])
    find(page, batch_id)
    expect(page.locator(".causes")).to_be_visible()
    page.goto(f"/batches/{batch_id}/errors/")
    later, earlier = (page.get_by_role("link", name=f"{name} rows") for name in ("Later", "Earlier"))

    pages = [indexes(page)]
    expect(earlier).to_have_count(0)
    while later.count():
        turn(page, later)
        pages.append(indexes(page))
    assert [index for shown in pages for index in shown] == wanted
    assert len(pages) > 2

    for shown in reversed(pages[:-1]):
        turn(page, earlier)
        assert indexes(page) == shown
    expect(earlier).to_have_count(0)

    page.go_back()
    expect(page.locator("tbody")).to_contain_text(str(pages[1][-1]))


def turn(page: Page, link: Locator) -> None:
    rows = page.locator("tbody")
    shown = rows.inner_text()
    link.click()
    expect(rows).not_to_have_text(shown, use_inner_text=True)


def indexes(page: Page) -> list[int]:
    """Of the rows shown; the anchor of a row begins with its object's."""
    anchors: list[str] = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    return [int(anchor.split("-")[1]) for anchor in anchors]


def test_rows_are_filtered_by_text_and_by_index_and_the_address_says_how(page: Page, amili: Amili) -> None:
    errors = sorted(amili.data(LARGE)["status"]["errors"], key=lambda error: error["objectindex"])
    page.goto(f"/batches/{LARGE}/errors/")
    page.get_by_role("searchbox", name="Index").fill(f"{errors[3]['objectindex']}-{errors[9]['objectindex']}")
    expect(page).to_have_url(re.compile(r"index=\d+-\d+"))
    assert indexes(page) == [error["objectindex"] for error in errors[3:10]]

    message = errors[5]["message"]
    page.get_by_role("searchbox", name="Message").fill(message)
    expect(page.locator("tbody tr td:nth-child(3)").first).to_contain_text(message)
    expect(page.locator("tbody tr").filter(has_not_text=message)).to_have_count(0)
    page.reload()
    expect(page.get_by_role("searchbox", name="Message")).to_have_value(message)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("tbody tr").filter(has_not_text=message)).not_to_have_count(0)


def copied(page: Page, button: str) -> str:
    """What stands in the clipboard once this button says so."""
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("[data-copied]").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_on_a_phone_the_current_tab_is_in_its_strip_and_the_page_at_its_top(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 420})
    page.goto(f"/batches/{LARGE}/answer/")
    tab = page.locator(".tabs [aria-current]")
    expect(tab).not_to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
    tab.evaluate("tab => scrollTo(0, tab.getBoundingClientRect().top)")
    expect(tab).to_be_in_viewport(ratio=0.9)


def test_the_ids_and_the_answer_are_copied(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/batches/{DOCUMENTED}/")
    assert copied(page, "Copy the batch ID") == DOCUMENTED

    page.get_by_role("link", name="Answer as received").click()
    assert '"ledgerref": "string"' in copied(page, "Copy")

    page.goto("/cases/string/")
    assert copied(page, "Copy the case ID") == "string"


def test_the_answer_is_downloaded_byte_for_byte(page: Page, amili: Amili) -> None:
    page.goto(f"/batches/{DOCUMENTED}/answer/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"amili-batch-{DOCUMENTED}-version-1.json"
    assert download.value.path().read_bytes() == amili.answer(DOCUMENTED)


@pytest.mark.parametrize(
    ("batch", "word", "sentence"),
    [
        ("404", "Not found at Amili", "we keep looking for an hour"),
        ("403", "No permission", "Our credentials may not see this batch"),
        ("503", "Amili unreachable", "We keep trying"),
        ("422", "Amili turned the question down", "somebody has looked into it"),
    ],
)
def test_what_keeps_amili_from_answering_is_said_in_place_of_the_facts(
    page: Page, batch: str, word: str, sentence: str
) -> None:
    find(page, f"{DEMO}{batch}")
    expect(page.locator(".title")).to_contain_text(word)
    expect(page).to_have_title(re.compile(f"^{word}"))
    expect(page.locator("#trouble")).to_contain_text(sentence)
    expect(page.locator("#batch")).to_contain_text("Nothing is known of this batch yet.")
    expect(page.get_by_role("status").filter(has_text=word)).to_have_count(1)


def test_an_answer_that_is_not_understood_is_kept_as_it_came(page: Page) -> None:
    find(page, f"{DEMO}901")
    expect(page.locator("#trouble")).to_contain_text("not with something that we understand")
    page.get_by_role("link", name="See it as received").click()
    expect(page.get_by_label("Answer as received")).to_contain_text("<title>Maintenance</title>")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes().startswith(b"<!doctype html><title>Maintenance")


def test_a_batch_that_amili_does_not_answer_about_is_being_asked_for_the_first_time(page: Page) -> None:
    find(page, f"{DEMO}904")
    expect(page).to_have_title(re.compile("^Asking"))
    expect(page.locator("#batch")).to_contain_text("We are asking Amili about this batch for the first time.")


def test_amili_that_comes_back_ends_the_trouble_by_itself(page: Page, amili: Amili) -> None:
    batch_id = amili.start(generation="A", fate="success", objects=20, queued_seconds=0, faults=[500])
    find(page, batch_id)
    expect(page.locator("#trouble")).to_contain_text("We have had no usable answer about this batch since")
    expect(page.locator(".title")).to_contain_text("Succeeded", timeout=20_000)
    expect(page.locator("#trouble")).to_have_count(0)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("listitem").filter(has_text="Amili answered 500")).to_be_visible()


def test_a_link_to_a_batch_that_is_not_followed_offers_to_ask_about_it(
    page: Page, expected_complaints: list[str]
) -> None:
    expected_complaints.append("Failed to load resource: the server responded with a status of 404")
    page.goto(f"/batches/{uuid4()}/")
    page.get_by_role("button", name="Ask Amili about it").click()
    expect(page.locator(".title")).to_contain_text("Not found at Amili")


def test_hostile_texts_are_shown_and_never_run(page: Page) -> None:
    page.goto(f"/batches/{DEMO}007/errors/")
    expect(page.get_by_role("row").filter(has_text="<script>alert('not run')</script>")).to_be_visible()
    expect(page.locator("#doubts")).to_be_visible()
    page.get_by_role("link", name="Succeeded 4").click()
    page.get_by_role("link", name="../<i>").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("../<i>")
    expect(page.get_by_role("row").filter(has_text="2026-100001")).to_be_visible()
