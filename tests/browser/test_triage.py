"""Who is on it, in a browser: one click, two people at once, and a form that stays while the page changes under it."""

import re
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Amili, OpenPage, watch_polls
from tests.browser.test_access import inspect
from tests.browser.test_live import HIDE


@pytest.fixture
def failed(amili: Amili) -> UUID:
    """A batch that has just failed."""
    return amili.start(generation="A", fate="failed", objects=60, queued_seconds=0)


def look_at(page: Page, batch_id: UUID) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill(str(batch_id))
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Who is on it")).to_be_visible(timeout=60_000)


def standing(page: Page) -> Locator:
    """How it stands; not the forms below, which name every state and every person from the start."""
    return page.get_by_role("region", name="Who is on it").locator(".line")


def unfold(page: Page) -> None:
    page.get_by_text("Change state or owner").click()


def ask_again(page: Page) -> None:
    """Have the live part of the page swapped."""
    with page.expect_response(re.compile("/ask/")):
        page.get_by_role("button", name=re.compile("Ask")).click()
    expect(page.locator("#ask")).to_be_focused()


def test_one_click_takes_a_batch_without_a_new_page_and_keeps_the_focus(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    page.evaluate("window.notReloaded = true")
    page.get_by_role("button", name="Take it").click()
    expect(standing(page)).to_contain_text("Siri Solberg")
    expect(standing(page)).to_contain_text("Looking")
    expect(page.get_by_role("button", name="Hand it back")).to_be_focused()
    assert page.evaluate("window.notReloaded")


def test_what_was_chosen_and_typed_stays_while_the_page_changes_under_it(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    unfold(page)
    page.get_by_label("State").select_option("waiting_creditor")
    page.get_by_label("Corrected in batch").fill("half of an ID")
    ask_again(page)
    expect(page.get_by_label("State")).to_have_value("waiting_creditor")
    expect(page.get_by_label("Corrected in batch")).to_have_value("half of an ID")
    page.get_by_role("button", name="Apply").click()
    expect(standing(page)).to_contain_text("since")
    expect(page.get_by_label("State")).to_be_hidden()
    expect(page.get_by_text("Change state or owner")).to_be_focused()


def test_two_people_at_once_do_not_overwrite_each_other(open_page: OpenPage, failed: UUID) -> None:
    first, second = open_page(), open_page()
    for page in (first, second):
        look_at(page, failed)
        unfold(page)
    first.get_by_label("State").select_option("waiting_amili")
    first.get_by_role("button", name="Apply").click()
    expect(standing(first)).to_contain_text("Waiting for Amili")

    second.get_by_label("State").select_option("ignored")
    second.get_by_role("button", name="Apply").click()
    expect(second.get_by_role("alert").filter(has_text="This was changed since you opened it")).to_be_visible()
    expect(second.get_by_role("region", name="As it is now")).to_contain_text("Waiting for Amili")
    expect(second.get_by_label("State")).to_have_value("ignored")
    inspect(second)
    second.get_by_role("button", name="Apply all the same").click()
    expect(standing(second)).to_contain_text("Ignored")


def test_a_double_click_takes_it_and_does_not_hand_it_back(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    page.get_by_role("button", name="Take it").dblclick()
    expect(page.get_by_role("button", name="Hand it back")).to_be_focused()
    page.get_by_role("link", name="Notes 0").click()
    expect(page.locator(".timeline li").filter(has_text="Siri Solberg")).to_have_count(1)
    expect(standing(page)).to_contain_text("Siri Solberg")


def test_who_comes_back_to_a_finished_batch_sees_who_took_it_meanwhile(open_page: OpenPage, failed: UUID) -> None:
    first, second = open_page(), open_page()
    for page in (first, second):
        look_at(page, failed)
        expect(page.locator("[data-return]")).to_be_attached(timeout=60_000)
    second.get_by_role("button", name="Take it").click()
    expect(standing(second)).to_contain_text("Siri Solberg")
    expect(standing(first)).to_contain_text("Nobody is on it")

    first.evaluate(HIDE, True)
    asks = watch_polls(first)
    first.evaluate(HIDE, False)
    expect(standing(first)).to_contain_text("Siri Solberg")
    assert len(asks) == 1


def test_what_is_typed_about_a_cause_outlives_what_is_pressed_beside_it(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    page.locator("#details").get_by_role("link", name="Causes").click()
    page.locator(".causes h3").get_by_role("link").first.click()
    page.get_by_label("Add a note").fill("Half a note")
    page.get_by_text("Write advice").click()
    page.get_by_label("Advice").fill("Half an advice")
    page.get_by_role("button", name="Take it").click()
    expect(standing(page)).to_contain_text("Siri Solberg")
    expect(page.get_by_label("Advice")).to_have_value("Half an advice")
    page.get_by_role("button", name="Save the advice").click()
    expect(page.locator("#advice > .advice")).to_have_text("Half an advice")
    expect(page.get_by_label("Add a note")).to_have_value("Half a note")
    expect(page).to_have_url(re.compile(r"/causes/\d+/$"))
    inspect(page)


def test_what_was_chosen_before_the_page_changed_does_not_overwrite_the_change(
    open_page: OpenPage, failed: UUID
) -> None:
    first, second = open_page(), open_page()
    for page in (first, second):
        look_at(page, failed)
        unfold(page)
    first.get_by_label("State").select_option("waiting_creditor")
    second.get_by_label("State").select_option("ignored")
    second.get_by_role("button", name="Apply").click()
    expect(standing(second)).to_contain_text("Ignored")

    ask_again(first)
    expect(standing(first)).to_contain_text("Ignored")
    expect(first.get_by_label("State")).to_have_value("waiting_creditor")
    first.get_by_role("button", name="Apply").click()
    expect(first.get_by_role("alert").filter(has_text="This was changed since you opened it")).to_be_visible()


def test_a_note_is_written_and_read_and_its_box_is_empty_again(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    page.get_by_role("link", name="Notes 0").click()
    page.get_by_label("Add a note").fill("Called **Nordlys**, they mend it")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator(".note strong")).to_have_text("Nordlys")
    expect(page.get_by_role("link", name="Notes 1")).to_be_visible()
    expect(page.get_by_label("Add a note")).to_have_value("")
    inspect(page)


def test_a_correction_leads_from_one_batch_to_the_other(page: Page, amili: Amili, failed: UUID) -> None:
    mended = amili.start(generation="A", fate="success", objects=60, queued_seconds=0)
    page.goto("/")
    page.get_by_role("searchbox").fill(str(mended))
    page.keyboard.press("Enter")
    expect(page.locator("#batch-news")).to_contain_text("Succeeded: 60 succeeded", timeout=60_000)
    look_at(page, failed)
    unfold(page)
    page.get_by_label("Corrected in batch").fill(f"https://dashboard.example/batches/{mended}/")
    page.get_by_role("button", name="Link it").click()
    standing(page).get_by_role("link", name=str(mended)).click()
    expect(page.locator("#corrects")).to_contain_text(str(failed))


def test_a_correction_that_nobody_knows_is_linked_only_all_the_same(page: Page, failed: UUID) -> None:
    unknown = str(uuid4())
    look_at(page, failed)
    unfold(page)
    page.get_by_label("Corrected in batch").fill(unknown)
    page.get_by_role("button", name="Link it").click()
    expect(page.get_by_role("alert")).to_contain_text("That batch is not known here.")
    inspect(page)
    page.get_by_role("button", name="Link it all the same").click()
    expect(standing(page).get_by_role("link", name=unknown)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1025, 1100, 1280, 1440])
def test_the_list_of_what_waits_fits_its_width(open_page: OpenPage, failed: UUID, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    look_at(page, failed)
    unfold(page)
    page.get_by_label("State").select_option("waiting_creditor")
    page.get_by_label("Owner").select_option(label="Siri Solberg")
    page.get_by_role("button", name="Apply").click()
    expect(standing(page)).to_contain_text("Waiting for creditor")
    page.goto("/batches/?triage=waiting")
    expect(page.get_by_role("link", name=str(failed))).to_be_visible()
    assert page.locator("#list").evaluate("list => list.scrollWidth <= list.clientWidth")


def test_all_of_it_works_without_script(
    open_page: OpenPage, page: Page, failed: UUID, expected_complaints: list[str]
) -> None:
    expected_complaints.append("Failed to load resource: the server responded with a status of 422")
    look_at(page, failed)
    plain = open_page(java_script_enabled=False)
    plain.goto(f"/batches/{failed}/errors/")
    plain.get_by_role("button", name="Take it").click()
    expect(plain).to_have_url(re.compile(f"{failed}/errors/$"))
    expect(standing(plain)).to_contain_text("Siri Solberg")
    unfold(plain)
    plain.get_by_label("Corrected in batch").fill("nonsense")
    plain.get_by_role("button", name="Link it").click()
    expect(plain.get_by_text("No batch ID in there.")).to_be_visible()


def test_the_list_is_saved_as_a_view_and_opened_by_its_name(page: Page, failed: UUID) -> None:
    look_at(page, failed)
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("button", name="Hand it back")).to_be_visible()
    page.goto("/batches/")
    page.get_by_role("link", name=re.compile("^Mine")).click()
    expect(page.locator(f"#batch-{failed}")).to_contain_text("Looking")
    inspect(page)
    page.get_by_text("Save this view").click()
    page.get_by_label("Name").fill("My own")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="My own")).to_be_visible()
    page.goto("/batches/")
    page.get_by_role("link", name="My own").click()
    expect(page).to_have_url(re.compile(r"/batches/\?triage=mine$"))
    page.goto("/batches/views/")
    inspect(page)
    assert page.locator(".views li").first.evaluate("line => line.scrollWidth <= line.clientWidth")
    page.get_by_role("button", name="Delete My own").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_a_view_is_saved_on_a_phone_too(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 900})
    page.goto("/batches/?triage=all")
    page.get_by_text("Save this view").click()
    form = page.locator(".save-view form")
    expect(form).to_be_visible()
    assert form.evaluate("form => (({left, right}) => left >= 0 && right <= innerWidth)(form.getBoundingClientRect())")


def test_what_is_wrong_with_one_filter_moves_no_other(page: Page, expected_complaints: list[str]) -> None:
    expected_complaints.append("The specified value")
    page.goto("/batches/?triage=all&day=nonsense")
    expect(page.get_by_text("There is no such day.")).to_be_visible()
    places = page.locator(".list-filter .ds-field .ds-input").evaluate_all(
        "all => all.map(field => field.getBoundingClientRect().top)"
    )
    assert len(set(places)) == 1
