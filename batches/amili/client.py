"""Questions to Amili's collection API. Read only: we ask, we never submit."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from batches.amili.errors import AmiliError, Forbidden, Gone, Later, NotThere
from batches.amili.token import Token
from batches.amili.transport import AmiliSession, Reply

SEARCH_TIMEOUT = 20.0  # seconds after which nothing more is asked; what is under way then takes WHOLE_TIMEOUT at most
LARGEST_PAGE = 100


class AmiliClient:
    """One caller's way into the API.

    `api_url` goes up to and with the version, as in `https://api.amili.no/collection/v1`. `organization_ids` are asked
    one after the other for a batch whose organisation is not known.
    """

    def __init__(
        self,
        *,
        session: AmiliSession,
        api_url: str,
        token: Token,
        organization_ids: Iterable[UUID] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._token = token
        self._organization_ids = tuple(organization_ids)
        self._clock = clock

    def get_batch(self, batch_id: UUID, organization_id: UUID | None = None) -> Reply:
        """The answer about a batch, as it came.

        Raises Gone, NotThere or Forbidden when no road leads to the batch, and any other AmiliError at once.
        """
        question = self._question("batch", batch_id)
        closed: list[AmiliError] = []
        for road in self._roads_to(batch_id, organization_id):
            try:
                return self._get(road, question)
            except (NotThere, Forbidden) as problem:
                closed.append(problem)
        # Where it is at home, a door that is closed to us says most. Where we only look for it, one that is open does.
        surest = (Gone, Forbidden, NotThere) if organization_id else (Gone, NotThere, Forbidden)
        raise min(closed, key=lambda problem: surest.index(type(problem)))

    # https://docs.amili.dev/getbatchesbyorganization-4148061e0
    def list_batches(
        self, organization_id: UUID, page_token: str = "", *, size: int = LARGEST_PAGE, newest_first: bool = True
    ) -> Reply:
        """A page of an organisation's batches, as it came; the first one without a token. Raises AmiliError.

        Without a wish for `newest_first` they come in whatever order Amili likes.
        """
        question = self._question("list", organization_id)
        page = {"PageToken": page_token} if page_token else {}
        order = {"SortDirection": "DESC"} if newest_first else {}
        return self._get(f"/orgs/{organization_id}/batches", question, PageSize=str(size), **order, **page)

    def _roads_to(self, batch_id: UUID, organization_id: UUID | None) -> Iterator[str]:
        # https://docs.amili.dev/getbatchbyid-4148060e0
        if organization_id:
            yield f"/orgs/{organization_id}/batches/{batch_id}"
        # https://docs.amili.dev/get-batch-by-id-3939029e0, announced to go away
        yield f"/batches/{batch_id}"
        if not organization_id:
            yield from (f"/orgs/{each}/batches/{batch_id}" for each in self._organization_ids)

    def _question(self, kind: str, subject: UUID) -> "_Question":
        return _Question(kind, str(subject), self._clock() + SEARCH_TIMEOUT)

    def _get(self, path: str, question: "_Question", **query: str) -> Reply:
        token = self._token.bearer()
        reply = self._send(path, question, query, token)
        if reply.status == 401 and self._token.forget(token):
            reply = self._send(path, question, query, self._token.bearer())
        if problem := reply.problem:
            raise problem
        return reply

    def _send(self, path: str, question: "_Question", query: dict[str, str], token: str) -> Reply:
        if self._clock() > question.until:
            raise Later("Amili took too long to answer")
        url = f"{self._api_url}{path}"
        # As bytes, since a token with a sign that is not Latin-1 would fail here instead of being refused.
        headers = {"Authorization": f"Bearer {token}".encode()}
        return self._session.ask(
            "GET", url, kind=question.kind, subject=question.subject, params=query, headers=headers
        )


class _Question(NamedTuple):
    """What is asked about, and until when requests for it may begin."""

    kind: str
    subject: str
    until: float
