"""Finding 10 000 new batches in an organisation's list, against the bare requests for its pages.

Both ask the same upstream for the same 100 pages, one after the other over one connection; it answers after 50 ms. The
baseline decodes each page to find the token of the next. Every batch has ten objects and is finished and told of whole,
so that ours makes of it what it would of an answer: facts, rows, the answer itself, a timeline.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from uuid import uuid4

import requests
from django.conf import settings
from django.utils import timezone

from batches import discovery
from batches.models import Batch, Discovery, Walk
from batches.words import FINISHED
from benchmarks.amili import LATENCY, page_of_a_list
from benchmarks.measure import at_most, compare, seconds
from benchmarks.world import asked_here, forget_batches
from sandbox.batch import Batch as BatchThere
from sandbox.rows import CREDITORS

PAGES, PER_PAGE, OBJECTS = 100, 100, 10
LIMIT = 1.3
ROUNDS = 3

ORGANISATION = CREDITORS[1].id


def main() -> bool:
    """Print both times; whether finding them takes little longer than asking."""
    with asked_here(partial(page_of_a_list, _pages()), LATENCY) as url:
        bare, ours, ratio = compare(ROUNDS, partial(seconds, partial(_ask, url)), _find)
    print(f"  bare requests {bare:.2f} s, finding {PAGES * PER_PAGE} batches {ours:.2f} s")
    return at_most(LIMIT, "finding, times the bare requests", ratio)


def _pages() -> dict[str, bytes]:
    """By their tokens. Newest first, the newest created a minute ago."""
    now = datetime.now(UTC)
    tokens = ["", *(uuid4().hex for _ in range(PAGES - 1)), ""]
    pages = {}
    for number, (token, following) in enumerate(pairwise(tokens)):
        born = [now - timedelta(seconds=60 + number * PER_PAGE + place) for place in range(PER_PAGE)]
        items = b",".join(_item(each) for each in born)
        pages[token] = b'{"data":[%b],"summary":%b}' % (
            items,
            json.dumps({"nextPageToken": following or None}).encode(),
        )
    return pages


def _item(born: datetime) -> bytes:
    """A finished batch of today's generation; one in five with failures."""
    random_id = uuid4()
    failed = 2 if random_id.int % 5 == 0 else 0
    return BatchThere(random_id, CREDITORS[1], OBJECTS, failed, born, timedelta(seconds=5)).data(datetime.now(UTC))


def _ask(url: str) -> None:
    token: str | None = ""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {settings.AMILI_TOKEN}"
        while token is not None:
            query = {"PageSize": str(PER_PAGE), "SortDirection": "DESC"} | ({"PageToken": token} if token else {})
            answer = session.get(f"{url}/orgs/{ORGANISATION}/batches", params=query, timeout=5)
            token = json.loads(answer.content)["summary"]["nextPageToken"]


def _find() -> float:
    """Walk to the end, in as many runs as it takes."""
    forget_batches()
    Discovery.objects.plan([ORGANISATION], Walk.NEWEST, timezone.now())
    place = Discovery.objects.get()
    taken = 0.0
    while place.complete_at is None:
        taken += seconds(lambda: _walk_on(place))
        place.refresh_from_db()
    if Batch.objects.filter(outcome__in=FINISHED).count() != PAGES * PER_PAGE or place.trouble:
        raise RuntimeError(f"Not all batches were found: {place.trouble_detail}")
    return taken


def _walk_on(place: Discovery) -> None:
    now = timezone.now()
    Discovery.objects.claim(place.pk, now)
    discovery.walk_on(place.pk, claimed_at=now)
