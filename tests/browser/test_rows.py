"""Working on the rows of a batch: from row to row by keyboard, selecting some, copying them as a table."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_access import inspect

LARGE = "/batches/5a4db0c5-0000-4000-8000-000000000001/"
RUNNING = "/batches/5a4db0c5-0000-4000-8000-000000000005/"  # changes by itself, with rows
ODD = "/batches/5a4db0c5-0000-4000-8000-000000000007/"


@pytest.fixture
def rows(page: Page) -> Page:
    """The error rows of a large batch."""
    page.goto(f"{LARGE}errors/")
    expect(boxes(page)).not_to_have_count(0, timeout=60_000)  # the first test may come before the first answer
    return page


def boxes(page: Page) -> Locator:
    return page.locator("tbody").get_by_role("checkbox")


def selected(page: Page) -> list[int]:
    """Which of the rows shown are selected, by their place."""
    found: list[int] = boxes(page).evaluate_all("all => all.flatMap((box, at) => box.checked ? [at] : [])")
    return found


def bar(page: Page) -> Locator:
    return page.get_by_role("form", name="Selected rows")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def swapped(page: Page) -> None:
    """Wait until the page has changed by itself."""
    facts = page.get_by_label("Facts")
    expect(facts).not_to_have_text(facts.inner_text(), use_inner_text=True, timeout=60_000)


# From row to row


def test_j_and_k_lead_from_row_to_row_and_x_selects(rows: Page) -> None:
    press(rows, "j", "j", "j", "k")
    expect(boxes(rows).nth(1)).to_be_focused()
    press(rows, "x", "j", "Space")
    assert selected(rows) == [1, 2]
    expect(bar(rows)).to_contain_text("2 rows selected on this page")
    expect(rows.get_by_role("status").filter(has_text="2 rows selected")).to_have_count(1)

    press(rows, "x")
    expect(bar(rows)).to_contain_text("1 row selected")
    press(rows, "j", "j", "Shift+X")
    assert selected(rows) == [1, 2, 3, 4]
    press(rows, "Escape")
    assert selected(rows) == []
    expect(bar(rows)).to_be_hidden()


def test_the_row_in_focus_is_seen_whole_above_the_bar(rows: Page) -> None:
    rows.set_viewport_size({"width": 1000, "height": 500})
    press(rows, "j", "x", *["j"] * 30)
    focus, edge = rows.locator("tr", has=rows.locator(":focus")).bounding_box(), bar(rows).bounding_box()
    assert focus is not None
    assert edge is not None
    assert focus["y"] > 0
    assert focus["y"] + focus["height"] <= edge["y"]


def test_j_goes_on_to_the_next_page_and_k_back_to_the_end_of_the_one_before(rows: Page) -> None:
    names = boxes(rows).evaluate_all("all => all.map(box => box.id)")
    press(rows, *["j"] * (len(names) + 1))
    expect(rows.get_by_role("link", name="Earlier rows")).to_be_visible()
    expect(boxes(rows).first).to_be_focused()
    assert boxes(rows).first.get_attribute("id") not in names

    press(rows, "k")
    expect(boxes(rows).last).to_be_focused()
    expect(boxes(rows).last).to_have_id(names[-1])


def test_keys_begin_at_the_row_that_a_link_points_to(rows: Page) -> None:
    href = rows.locator("tbody tr").nth(7).get_by_role("link").get_attribute("href")
    assert href
    rows.goto("/")
    rows.goto(href)
    press(rows, "j")
    expect(rows.locator("tr:target :focus")).to_have_count(1)


def test_a_slash_leads_to_the_filter_of_the_rows_and_typing_there_moves_nothing(rows: Page) -> None:
    press(rows, "j", "/")
    box = rows.get_by_role("searchbox", name="Message")
    expect(box).to_be_focused()
    rows.keyboard.type("jkx/?")
    expect(box).to_have_value("jkx/?")
    expect(rows.get_by_role("dialog")).to_be_hidden()
    assert selected(rows) == []


def test_keys_with_a_modifier_are_the_browsers(rows: Page) -> None:
    press(rows, "j", "Control+j", "Alt+j", "Meta+k", "Control+x")
    expect(boxes(rows).first).to_be_focused()
    assert selected(rows) == []


def test_enter_in_the_filter_leads_to_the_rows_that_fit_and_escape_out_of_it(rows: Page) -> None:
    word = rows.locator("tbody td.wide").first.inner_text().split()[0]
    press(rows, "/")
    rows.keyboard.insert_text(word)
    press(rows, "Enter")
    expect(boxes(rows).first).to_be_focused()
    expect(rows.locator("tbody tr").filter(has_not_text=word)).to_have_count(0)
    press(rows, "x")
    assert selected(rows) == [0]
    press(rows, "/", "Escape", "j")
    expect(rows.get_by_role("searchbox", name="Message")).to_have_value(word)


def test_single_keys_are_listed_and_can_be_switched_off_for_good(rows: Page) -> None:
    press(rows, "?")
    dialog = rows.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    press(rows, "j", "x")
    assert selected(rows) == []
    dialog.get_by_role("switch").uncheck()
    press(rows, "Escape")
    expect(dialog).to_be_hidden()

    for path in (f"{LARGE}errors/", "/"):
        rows.goto(path)
        rows.get_by_role("link", name="Amili batches").focus()
        press(rows, "j", "x", "?", "/")
        expect(rows.get_by_role("link", name="Amili batches")).to_be_focused()

    rows.goto(f"{LARGE}errors/")
    rows.locator(".account summary").click()
    rows.get_by_role("button", name="Keyboard").click()
    dialog.get_by_role("switch").check()
    dialog.get_by_role("button", name="Close").click()
    press(rows, "j")
    expect(boxes(rows).first).to_be_focused()


# Selection


def test_rows_are_selected_in_ranges_and_all_at_once(rows: Page) -> None:
    boxes(rows).nth(5).click()
    boxes(rows).nth(2).click(modifiers=["Shift"])
    assert selected(rows) == [2, 3, 4, 5]
    boxes(rows).nth(3).click(modifiers=["Shift"])
    assert selected(rows) == [4, 5]

    every = rows.get_by_role("checkbox", name="Select all shown")
    expect(every).to_be_checked(indeterminate=True)
    every.click()
    assert selected(rows) == [*range(boxes(rows).count())]
    every.click()
    assert selected(rows) == []


def test_each_box_says_which_row_it_selects_and_what_the_row_holds(rows: Page) -> None:
    row = rows.locator("tbody tr").first
    index = row.locator("td").first.inner_text()
    box = row.get_by_role("checkbox", name=f"Select index {index}", exact=True)
    expect(box).to_have_accessible_description(re.compile(re.escape(row.locator("td").last.inner_text())))


def test_a_selection_survives_what_changes_by_itself_and_the_open_list_of_keys_too(page: Page) -> None:
    page.goto(f"{RUNNING}succeeded/")
    expect(boxes(page)).not_to_have_count(0, timeout=60_000)
    press(page, "j", "x", "j", "j", "x")
    swapped(page)
    assert selected(page) == [0, 2]
    expect(bar(page)).to_contain_text("2 rows selected")
    expect(page.get_by_role("checkbox", name="Select all shown")).to_be_checked(indeterminate=True)
    expect(boxes(page).nth(2)).to_be_focused()

    press(page, "?")
    swapped(page)
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_a_selection_stays_with_its_tab_and_page(rows: Page) -> None:
    rows.get_by_role("checkbox", name="Select all shown").click()
    rows.get_by_role("link", name="Later rows").click()
    expect(rows.get_by_role("link", name="Earlier rows")).to_be_visible()
    assert selected(rows) == []
    expect(bar(rows)).to_be_hidden()

    rows.get_by_role("checkbox", name="Select all shown").click()
    rows.get_by_role("link", name="Ledger responses").click()
    expect(rows.get_by_role("columnheader", name="Ledger reference")).to_be_visible()
    assert selected(rows) == []
    expect(bar(rows)).to_be_hidden()
    expect(rows.get_by_role("checkbox", name="Select all shown")).not_to_be_checked()


def test_evidence_is_asked_for_about_the_rows_selected(rows: Page) -> None:
    ranks = [boxes(rows).nth(at).get_attribute("value") for at in (1, 3)]
    press(rows, "j", "j", "x", "j", "j", "x")
    bar(rows).get_by_role("button", name="Evidence").click()
    expect(rows).to_have_url(re.compile(rf"{LARGE}evidence/\?rank={ranks[0]}&rank={ranks[1]}$"))


# Copies


@pytest.fixture
def copying(open_page: OpenPage) -> Page:
    return open_page(permissions=["clipboard-read", "clipboard-write"])


def copied(page: Page) -> tuple[list[list[str]], list[list[str]]]:
    """The table in the clipboard, as tab separated values and as HTML."""
    page.get_by_role("status").filter(has_text="copied").wait_for(state="attached")
    text: str = page.evaluate("navigator.clipboard.readText()")
    html: list[list[str]] = page.evaluate("""async () => {
        const [item] = await navigator.clipboard.read();
        const text = await (await item.getType("text/html")).text();
        const page = new DOMParser().parseFromString(text, "text/html");
        return [...page.querySelectorAll("tr")].map(row => [...row.cells].map(cell => cell.textContent));
    }""")
    return [line.split("\t") for line in text.split("\n")], html


def test_selected_rows_are_copied_as_a_table_without_hidden_columns(copying: Page) -> None:
    copying.goto(f"{LARGE}errors/?hide=object_name")
    wanted: list[list[str]] = copying.locator("tbody tr").evaluate_all(
        "rows => [1, 2].map(at => [...rows[at].cells].map(cell => cell.textContent.trim()))"
    )
    press(copying, "j", "j", "x", "j", "x")
    bar(copying).get_by_role("button", name="Copy").click()
    text, html = copied(copying)
    assert text == [["Index", "Message"], *wanted]
    assert html == text


def test_without_a_selection_all_rows_shown_are_copied_and_none_of_their_texts_is_a_formula(copying: Page) -> None:
    copying.goto(f"{ODD}errors/")
    copying.get_by_role("button", name="Copy table").click()
    (head, *text), html = copied(copying)
    assert head == ["Index", "Object", "Message"]
    assert len(text) == boxes(copying).count()
    assert all(len(row) == 3 for row in text), "no tab and no line break within a text"
    assert ["-4", "Invoice", "The index is negative"] in text
    assert ["7", "Invoice", "severity: a field that nobody knows"] in text
    assert ["11", "Invoice", "'=HYPERLINK(0)"] in text, "the index stands at further rows of an object too"
    assert ["", "", ""] in text
    assert html == [head, *text]


def test_what_we_advise_is_not_copied_as_if_amili_had_said_it(copying: Page) -> None:
    copying.goto(f"{ODD}causes/")
    copying.get_by_role("link", name="The index is negative").click()
    copying.get_by_text("Write advice").click()
    copying.get_by_label("Advice").fill("Count from nought")
    copying.get_by_role("button", name="Save the advice").click()
    expect(copying.locator("#advice > .advice")).to_have_text("Count from nought")
    copying.goto(f"{ODD}errors/")
    expect(copying.locator("td .advice")).to_have_text("Count from nought")
    copying.get_by_role("button", name="Copy table").click()
    assert ["-4", "Invoice", "The index is negative"] in copied(copying)[0]


def test_on_a_phone_all_of_a_cell_stands_beside_its_label(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{ODD}errors/")
    beside = page.locator("td .extra").first
    expect(beside).to_be_visible()
    assert beside.evaluate(
        "extra => extra.getBoundingClientRect().left - extra.closest('td').getBoundingClientRect().left > 100"
    )


def test_where_a_browser_does_not_copy_nothing_offers_to(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{LARGE}errors/")
    press(page, "j", "x")
    expect(bar(page)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Copy"))).to_have_count(0)


# Columns and filters


@pytest.mark.parametrize("script", [True, False])
def test_columns_are_hidden_by_a_menu_with_and_without_script(open_page: OpenPage, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.goto(f"{LARGE}errors/")
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("group", name="Hide").get_by_label("Object").check()
    if not script:
        page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile("hide=object_name"))
    expect(page.get_by_role("columnheader")).to_have_text(["Index", "Message"])
    page.get_by_role("link", name="Later rows").click()
    expect(page.get_by_role("link", name="Earlier rows")).to_be_visible()
    expect(page.get_by_role("columnheader")).to_have_text(["Index", "Message"])
    expect(page.locator("tbody").get_by_role("checkbox")).to_have_count(50 if script else 0)


def test_ranges_that_cannot_be_read_are_explained_while_they_are_typed(rows: Page) -> None:
    box = rows.get_by_role("searchbox", name="Index")
    box.press_sequentially("0-200, x", delay=20)
    expect(rows.locator("#wrong-index")).to_contain_text("“x” cannot be read")
    expect(box).to_be_focused()
    expect(box).to_have_accessible_description(re.compile("cannot be read"))
    box.press("Backspace")
    expect(rows.locator("#wrong-index")).to_have_count(0)
    expect(rows.locator("tbody tr").last.locator("td").first).to_have_text(re.compile(r"^\s*1?\d?\d\s*$"))


def test_a_link_to_a_row_of_a_batch_finds_it_whichever_tab_the_batch_opens_with(page: Page) -> None:
    page.goto(f"{LARGE}#row-17")
    expect(page.locator("tr:target")).to_have_id("row-17")
    page.goto("/")
    page.goto(f"{LARGE}#row-18")
    expect(page.locator("#details")).to_contain_text("No row has index 18. These are the rows after it.")


@pytest.mark.parametrize("state", ["selection", "menu", "keys"])
def test_the_tools_are_accessible(rows: Page, state: str) -> None:
    actions: dict[str, Any] = {
        "selection": lambda: press(rows, "j", "x"),
        "menu": lambda: rows.locator("summary", has_text="Columns").click(),
        "keys": lambda: press(rows, "?"),
    }
    actions[state]()
    inspect(rows)
