"""Every page for everybody: by keyboard, by screen reader, in the dark, on a phone, without script."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Amili, OpenPage

AXE = (Path(__file__).resolve().parent.parent / "vendor" / "axe" / "axe.min.js").read_text()
VIOLATIONS = """async options => {
    const {violations} = await axe.run(document, options);
    return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`));
}"""
EVERY_RULE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}  # the only one that colours can break
WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: list[tuple[ViewportSize, Literal["light", "dark"], dict[str, Any]]] = [
    (WIDE, "light", EVERY_RULE),
    (WIDE, "dark", CONTRAST),
    (PHONE, "light", CONTRAST),
    (PHONE, "dark", EVERY_RULE),
]

DOCUMENTED = "/batches/5579c111-9c50-47e2-af92-f16d52e63189/"
LARGE = "/batches/5a4db0c5-0000-4000-8000-000000000001/"
ODD = "/batches/5a4db0c5-0000-4000-8000-000000000007/"
RUNNING = "/batches/5a4db0c5-0000-4000-8000-000000000005/"
PAGES = [
    "/",
    "/batches/",
    "/batches/?status=unknown&organisation=nobody",
    "/batches/?triage=mine",
    "/batches/views/",
    "/causes/",
    "/causes/1/",
    f"{DOCUMENTED}submission/",
    f"{DOCUMENTED}evidence/",
    *(f"{DOCUMENTED}{tab}/" for tab in ("causes", "errors", "succeeded", "failed", "responses", "timeline", "answer")),
    *(f"{ODD}{tab}/" for tab in ("errors", "succeeded", "failed", "responses", "answer")),
    f"{LARGE}errors/?index=0-900",
    f"{LARGE}errors/?index=seventeen",
    RUNNING,
    "/cases/string/",
    "/outcomes/",
    "/outcomes/?day=2019-08-24&days=90",
    "/outcomes/?day=yesterday&as=table&all=causes",
    "/amili/",
    "/accounts/password/",
    "/accounts/logout/",
]
MISSING = ["/cases/nobody-knows-it/", "/batches/5a4db0c5-0000-4000-8000-999999999999/", "/no-such-page/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_in_light_and_dark_on_a_wide_screen_and_on_a_phone(page: Page, path: str) -> None:
    page.goto(path)
    inspect(page)


@pytest.mark.parametrize("path", MISSING)
def test_a_page_that_is_missing_is_accessible(page: Page, expected_complaints: list[str], path: str) -> None:
    expected_complaints.append("Failed to load resource: the server responded with a status of 404")
    page.goto(path)
    inspect(page)


def test_the_sign_in_page_is_accessible(open_page: OpenPage) -> None:
    page = open_page(storage_state=None)
    page.goto("/accounts/login/")
    inspect(page)
    page.get_by_label("Password").fill("not this one")
    page.locator("[name=login]").fill("support")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    inspect(page)


@pytest.mark.parametrize("number", ["404", "901"])
def test_a_page_in_trouble_is_accessible(page: Page, number: str) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill(f"5a4db0c5-0000-4000-8000-000000000{number}")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_be_visible()
    inspect(page)


def inspect(page: Page) -> None:
    """No rule of WCAG 2.2 AA is broken, target size included, and nothing makes a phone scroll sideways."""
    page.evaluate(AXE)
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")  # what fades in is pale meanwhile
    for size, scheme, rules in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(VIOLATIONS, rules) == [], (scheme, size)
    scroll, width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert scroll <= width, "a phone scrolls sideways"


def test_everything_that_takes_the_focus_shows_it(page: Page) -> None:
    page.goto(f"{LARGE}errors/?index=0-300")
    seen = []
    for _ in range(80):
        page.keyboard.press("Tab")
        focused: dict[str, Any] = page.evaluate("""() => {
            const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(document.activeElement);
            const shown = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
            return {tag: document.activeElement.tagName, html: document.activeElement.outerHTML, shown};
        }""")
        if focused["tag"] == "BODY":
            break
        seen.append(focused["html"])
        assert focused["shown"], focused["html"]
    assert len(seen) > 20


def test_the_skip_link_leads_past_the_header(page: Page) -> None:
    page.goto(LARGE)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/batches/"])
def test_a_slash_leads_to_the_search_box(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("link", name="Amili batches").focus()
    page.keyboard.press("/")
    box = page.get_by_role("searchbox").first
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")


def test_the_account_menu_works_by_keyboard(page: Page) -> None:
    page.goto("/batches/")
    menu = page.locator(".account summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Alerts")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()


def test_a_batch_is_found_read_filtered_and_asked_about_without_script(open_page: OpenPage, amili: Amili) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("searchbox").fill(LARGE)
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".title")).to_contain_text("Partly succeeded")
    page.get_by_role("link", name="Errors").click()
    page.get_by_role("link", name="Later rows").click()
    expect(page.get_by_role("link", name="Earlier rows")).to_be_visible()

    first = min(error["objectindex"] for error in amili.data(LARGE.split("/")[2])["status"]["errors"])
    page.get_by_role("searchbox", name="Index").fill(str(first))
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(f"#row-{first}")).to_be_visible()

    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Ask Amili now").click()
    expect(page).to_have_url(re.compile(f"{LARGE}timeline/$"))
    expect(page.get_by_role("listitem").filter(has_text="First seen")).to_be_visible()
