"""Questions to Amili's collection API. Read only: we ask, we never submit."""

import time
from collections.abc import Iterable, Iterator
from uuid import UUID

from batches.amili.errors import AmiliError, Forbidden, Later, NotThere, error_for
from batches.amili.token import Token
from batches.amili.transport import AmiliSession, Reply

SEARCH_TIMEOUT = 30.0  # seconds after which no further road is tried


class AmiliClient:
    """One caller's way into the API.

    `api_url` goes up to and with the version, as in `https://api.amili.no/collection/v1`. `organization_ids` are asked
    one after the other for a batch whose organisation is not known.
    """

    def __init__(
        self, *, session: AmiliSession, api_url: str, token: Token, organization_ids: Iterable[UUID] = ()
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._token = token
        self._organization_ids = tuple(organization_ids)

    def get_batch(self, batch_id: UUID, organization_id: UUID | None = None) -> bytes:
        """The answer about a batch, as it came.

        Raises NotThere or Forbidden when no road leads to the batch, and any other AmiliError at once.
        """
        until = time.monotonic() + SEARCH_TIMEOUT
        closed: list[AmiliError] = []
        for road in self._roads_to(batch_id, organization_id):
            if time.monotonic() > until:
                raise Later("Amili took too long to say where this batch is")
            try:
                return self._get(road)
            except (NotThere, Forbidden) as problem:
                closed.append(problem)
        # One road that is ours to walk and does not lead there outweighs those that are closed to us.
        raise next((problem for problem in closed if isinstance(problem, NotThere)), closed[0])

    def _roads_to(self, batch_id: UUID, organization_id: UUID | None) -> Iterator[str]:
        # https://docs.amili.dev/getbatchbyid-4148060e0
        if organization_id:
            yield f"/orgs/{organization_id}/batches/{batch_id}"
        # https://docs.amili.dev/get-batch-by-id-3939029e0, announced to go away
        yield f"/batches/{batch_id}"
        for other_id in self._organization_ids:
            if other_id != organization_id:
                yield f"/orgs/{other_id}/batches/{batch_id}"

    def _get(self, path: str) -> bytes:
        reply = self._send(path)
        if reply.status == 401 and self._token.forget():
            reply = self._send(path)
        if reply.status >= 300:
            raise error_for(reply.status)
        return reply.body

    def _send(self, path: str) -> Reply:
        # As bytes, since a token with a sign that is not Latin-1 would fail here instead of being refused.
        bearer = f"Bearer {self._token.bearer()}".encode()
        return self._session.ask("GET", f"{self._api_url}{path}", headers={"Authorization": bearer})
