"""Forms that carry files that nobody asked for, from people who have not signed in."""

import tracemalloc
from io import RawIOBase

import pytest
from django.test import Client

BOUNDARY = "between-the-parts"
HEADS = {
    "a file": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
    "a field": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="login"\r\n\r\n',
    "a part without a name": f"--{BOUNDARY}\r\n\r\n",
    "a head without an end": f"--{BOUNDARY}\r\n",
    "no part": "",
}
SIZE = 50 * 2**20
MOST = 8 * 2**20

pytestmark = pytest.mark.django_db


class Flood(RawIOBase):
    """A form as it comes over the wire, made while it is read."""

    def __init__(self, head: str) -> None:
        super().__init__()
        self._head = head.encode()
        self.left = len(self._head) + SIZE

    def read(self, size: int = -1, /) -> bytes:
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        data, self._head = self._head[:size], self._head[size:]
        return data + b"z" * (size - len(data))


def post(browser: Client, address: str, flood: Flood) -> int:
    """The status of the answer."""
    form = {"CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}", "CONTENT_LENGTH": str(flood.left)}
    return browser.generic("POST", address, **form, **{"wsgi.input": flood}).status_code  # type: ignore[arg-type]


@pytest.fixture
def stranger() -> Client:
    """A browser with the token that every visitor gets, so that its forms are read."""
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")
    return browser


@pytest.mark.parametrize("address", ["/accounts/login/", "/", "/batches/views/"])
@pytest.mark.parametrize("head", HEADS)
def test_a_flood_is_refused_without_being_kept(stranger: Client, address: str, head: str) -> None:
    tracemalloc.start()
    try:
        assert post(stranger, address, Flood(HEADS[head])) in {400, 403}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST


def test_of_a_file_nothing_is_read_but_its_beginning(stranger: Client) -> None:
    flood = Flood(HEADS["a file"])
    post(stranger, "/accounts/login/", flood)
    assert flood.left > SIZE - MOST


def test_a_form_without_files_is_read_as_ever(stranger: Client) -> None:
    token = stranger.cookies["csrftoken"].value
    page = stranger.post("/accounts/login/", {"csrfmiddlewaretoken": token, "login": "kari", "password": "wrong" * 3})
    assert page.status_code == 200
    assert b"kari" in page.content
