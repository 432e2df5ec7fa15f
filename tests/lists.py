"""An upstream that knows just the batches that a test gives it, and lists them page by page as it is told to."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from django.db import connections

from tests.answers import ORGANISATION, Json, of_today, succeeded


class Lists:
    """Newest first, 100 at most on a page, whose token is the ID of the last batch on the page before."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.pages_asked: list[str] = []
        self._created: datetime | None = None
        self.fail_on_page: int | None = None
        self.refuses_sorting = False
        self.next_token: object = ...
        self.before_answer: Callable[[], object] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def ids(self) -> set[UUID]:
        return {UUID(item["batchId"]) for item in self.items}

    @property
    def asked(self) -> int:
        return len(self.pages_asked)

    def newest(self, count: int) -> list[UUID]:
        return [UUID(item["batchId"]) for item in self.items[:count]]

    def add(self, count: int, apart: timedelta = timedelta(seconds=1)) -> None:
        """Batches that are finished and told of whole, each newer than those before, the last of the first just created."""
        self._created = self._created or datetime.now(UTC) - apart * count
        for place in range(count):
            self._created += apart
            at = self._created.isoformat()
            self.add_item(of_today(batchId=str(uuid4()), createdAt=at, finishedAt=at, succeeded=[succeeded(place)]))

    def add_item(self, item: Any) -> UUID | None:
        self.items.insert(0, item)
        return UUID(item["batchId"]) if isinstance(item, dict) and len(item.get("batchId", "")) == 36 else None

    def change(self, batch_id: UUID, item: Json) -> None:
        place = next(n for n, each in enumerate(self.items) if each["batchId"] == str(batch_id))
        self.items[place] = item

    def shuffle(self) -> None:
        random.Random(1).shuffle(self.items)

    def page(self, query: dict[str, list[str]]) -> tuple[int, Json]:
        token = query.get("PageToken", [""])[0]
        if self.refuses_sorting and "SortDirection" in query:
            return 400, {}
        self.pages_asked.append(token)
        ids = [item["batchId"] if isinstance(item, dict) and "batchId" in item else None for item in self.items]
        if token and token not in ids:
            return (200, {"data": []}) if token == self.next_token else (400, {})
        start = ids.index(token) + 1 if token else 0
        if self.fail_on_page is not None and start // 100 >= self.fail_on_page:
            return 500, {}
        items = self.items[start : start + int(query["PageSize"][0])]
        more = items[-1]["batchId"] if start + len(items) < len(self.items) else None
        return 200, {"data": items, "summary": {"nextPageToken": more if self.next_token is ... else self.next_token}}

    def _handler(lists) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                lists.before_answer()
                connections.close_all()  # of this thread
                is_known = url.path == f"/orgs/{ORGANISATION}/batches"
                status, value = lists.page(parse_qs(url.query)) if is_known else (404, {})
                answer = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
