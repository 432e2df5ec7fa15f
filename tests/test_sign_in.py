"""Who may see anything, and what every answer of ours carries."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from staff.models import Person
from tests.answers import BATCH, of_today
from tests.conftest import Record
from tests.pages import HTMX, seen

PASSWORD = "long enough and of no list"
OPEN = {"/accounts/login/", "/health/", "/hooks/amili/", "/outcomes/wall/no-link/"}
VALUES = {
    "batch_id": "5a4db0c5-1111-4222-8333-444444444444",
    "organization_id": "5a4db0c5-1111-4222-8333-444444444444",
    "tab": "errors",
    "case_id": "C-1",
    "cause_id": "1",
    "part": "days",
    "view_id": "1",
    "number": "1",
    "token": "no-link",
    "link_id": "1",
    "file_format": "csv",
}


@pytest.fixture
def kari(person: Person, settings: Settings) -> Person:
    """The same person, with a password, whose hash is a quick one."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(visitor: Client, login: str, password: str = PASSWORD, **extra: str) -> int:
    return visitor.post("/accounts/login/", {"login": login, "password": password, **extra}).status_code


def addresses(patterns: list[URLPattern | URLResolver], start: str = "/") -> Iterator[str]:
    """Every address of the site, with something in place of what varies; the administration's by its door alone."""
    for pattern in patterns:
        route = start + re.sub(r"<(?:\w+:)?(\w+)>", lambda name: VALUES[name[1]], str(pattern.pattern))
        if isinstance(pattern, URLResolver) and not route.startswith("/admin/"):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route


ADDRESSES = list(addresses(get_resolver().url_patterns))


# Nothing without a sign-in


def test_the_walk_meets_every_address_by_name() -> None:
    assert {"/", "/batches/", "/accounts/password/", "/cases/C-1/", "/admin/", *OPEN} <= set(ADDRESSES)


@pytest.mark.parametrize("address", [address for address in ADDRESSES if address not in OPEN])
def test_every_page_needs_a_sign_in(visitor: Client, address: str) -> None:
    for answer in (visitor.get(address), visitor.post(address, {"q": str(BATCH)})):
        assert answer.status_code == 302
        assert re.match(r"/(accounts|admin)/login/", answer.headers["Location"])


@pytest.mark.parametrize("address", [address for address in ADDRESSES if re.match("/$|/batches/|/cases/", address)])
def test_an_ended_sign_in_reloads_the_page_and_puts_no_form_into_a_fragment(visitor: Client, address: str) -> None:
    answer = visitor.get(address, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
    assert answer.content == b""


def test_health_needs_none_and_tells_nothing(visitor: Client) -> None:
    answer = visitor.get("/health/")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_the_administration_is_closed_to_other_staff(client: Client) -> None:
    assert client.get("/admin/", follow=True).status_code in {302, 403}
    assert client.get("/admin/staff/person/").status_code in {302, 403}


@pytest.mark.parametrize("path", ["signup/", "password/reset/", "email/", "social/", "3rdparty/"])
def test_nobody_can_sign_up_or_reset_a_password(visitor: Client, path: str) -> None:
    assert visitor.get(f"/accounts/{path}").status_code == 404


# Signing in and out


@pytest.mark.parametrize("login", ["kari", "kari@example.no", "KARI@example.no"])
def test_username_or_e_mail_and_password_open_the_door(visitor: Client, kari: Person, login: str) -> None:
    assert sign_in(visitor, login) == 302
    assert visitor.get("/").status_code == 200


def test_a_wrong_password_does_not_and_says_nothing_of_the_account(visitor: Client, kari: Person) -> None:
    pages = [visitor.post("/accounts/login/", {"login": login, "password": "wrong"}) for login in ("kari", "nobody")]
    assert [page.status_code for page in pages] == [200, 200]
    texts = {seen(page).replace("kari", "").replace("nobody", "") for page in pages}
    assert len(texts) == 1
    assert visitor.get("/").status_code == 302


def test_an_account_that_was_closed_opens_nothing(visitor: Client, kari: Person) -> None:
    Person.objects.update(is_active=False)
    page = visitor.post("/accounts/login/", {"login": "kari", "password": PASSWORD}, follow=True)
    assert "This account is closed." in seen(page)
    assert visitor.get("/").status_code == 302


def test_guessing_is_slowed_down(visitor: Client, kari: Person) -> None:
    for _ in range(10):
        sign_in(visitor, "kari", "wrong")
    assert sign_in(visitor, "kari") != 302
    assert visitor.get("/").status_code == 302


def test_the_sign_in_leads_on_to_where_i_wanted_and_never_out_of_the_house(visitor: Client, kari: Person) -> None:
    wanted = reverse("batch", args=[BATCH])
    door = visitor.get(wanted).headers["Location"]
    answer = visitor.post(door, {"login": "kari", "password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == wanted
    visitor.logout()
    cache.clear()
    answer = visitor.post("/accounts/login/", {"login": "kari", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [
        ("http://testserver/outcomes/rhythm/?day=2026-11-20&name=a", "/outcomes/rhythm/?day=2026-11-20&name=a"),
        ("http://testserver", "/"),
        ("https://evil.example/outcomes/", "/"),
        ("http://testserver@evil.example/", "/"),
        ("http://testserver//evil.example/", "/"),
        ("http://[", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_sign_in_has_ended_leads_back_to_its_page(
    visitor: Client, kari: Person, page: str, leads_to: str
) -> None:
    door = visitor.post("/alerts/test/", headers={"Referer": page}).headers["Location"]
    assert door.startswith("/accounts/login/")
    form = {"login": "kari", "password": PASSWORD, "next": dict(parse_qsl(urlsplit(door).query)).get("next", "")}
    answer = visitor.post(door, form)
    assert answer.headers["Location"] == leads_to
    assert visitor.get(leads_to).status_code == 200


def test_signing_out_ends_it(client: Client) -> None:
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302
    assert not Session.objects.exists()


def test_a_changed_password_ends_the_other_sign_ins(visitor: Client, kari: Person) -> None:
    other = Client()
    assert sign_in(visitor, "kari") == sign_in(other, "kari") == 302
    changed = {"oldpassword": PASSWORD, "password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2"}
    assert visitor.post("/accounts/password/", changed).status_code == 302
    assert visitor.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_an_emptied_cache_signs_nobody_out(client: Client) -> None:
    caches["sessions"].clear()
    assert client.get("/").status_code == 200


# What every answer carries


def pages_to_check(client: Client, visitor: Client) -> Iterator[object]:
    yield visitor.get("/accounts/login/")
    for path in ("/", "/batches/", f"/batches/{BATCH}/", f"/batches/{BATCH}/answer.json", "/cases/C-1/", "/nowhere/"):
        yield client.get(path)


def test_the_content_policy_has_nothing_unsafe_and_no_page_needs_it(
    client: Client, visitor: Client, recorded: Record
) -> None:
    recorded(of_today())
    for page in pages_to_check(client, visitor):
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "default-src 'none'" in policy
        content = page.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals='js", content)


def test_no_answer_is_kept_by_a_cache_or_shown_in_a_frame(client: Client, visitor: Client, recorded: Record) -> None:
    recorded(of_today())
    for page in pages_to_check(client, visitor):
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"


def test_a_form_from_elsewhere_is_refused_with_a_page_that_says_what_to_do(person: Person) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    page = browser.post("/", {"q": str(BATCH)})
    assert page.status_code == 403
    assert "This page was open for too long" in seen(page)
