"""A client of the sandbox, as the tests of the sandbox itself need it."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import requests

from sandbox import world
from sandbox.rows import CREDITORS

NORDLYS, SORVEST = CREDITORS[0].id, CREDITORS[1].id
NOON = datetime(2026, 5, 4, 12, 0, 59, tzinfo=UTC)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Amili(requests.Session):
    """A signed-in client of a running sandbox."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        body = self.post(f"{url}/token", data=credentials(), timeout=5).json()
        self.headers["Authorization"] = f"Bearer {body['access_token']}"

    def ask(self, path: str, **query: str | int) -> requests.Response:
        return self.get(f"{self.url}/collection/v1{path}", params=query, timeout=5, allow_redirects=False)

    def batch(self, batch: UUID | str) -> dict[str, Any]:
        """A batch's data, by the old path or, when that does not know it, by its organisation's."""
        paths = ["", *(f"/orgs/{organisation}" for organisation in world.ORGANISATIONS)]
        answers = (self.ask(f"{path}/batches/{batch}") for path in paths)
        return next(answer.json()["data"] for answer in answers if answer.status_code == 200)

    @contextmanager
    def raw(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """An answer as it comes over the wire: nothing unpacked, nothing tried again."""
        with closing(http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=5)) as connection:
            headers = {"Authorization": str(self.headers["Authorization"])}
            connection.request("GET", f"/collection/v1{path}", headers=headers)
            with connection.getresponse() as answer:
                yield answer

    def mood(self, mood: str, seconds: float = 60) -> dict[str, str | None]:
        answer = self.post(f"{self.url}/sandbox/mood", json={"mood": mood, "seconds": seconds}, timeout=5)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def start(self, **order: object) -> dict[str, str]:
        answer = self.post(f"{self.url}/sandbox/batches", json=order, timeout=5)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def credentials(**changed: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "any", **changed}


def demo(words: str) -> UUID:
    return next(batch for batch, description in world.DEMO.items() if words in description)
