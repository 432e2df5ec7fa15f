"""Questions to Amili's collection API. Read only: we ask, we never submit."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import requests

from batches.amili.errors import AmiliError, Forbidden, Later, NotThere, error_for
from batches.amili.token import Token

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


class AmiliSession(requests.Session):
    """A session in which every call has time limits and follows no redirect, so that no call can be written without."""

    def __init__(self, *, version: str, timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT)) -> None:
        super().__init__()
        self._timeout = timeout
        self.headers["User-Agent"] = (
            f"amili-batch-dashboard/{version} python/{sys.version_info[0]}.{sys.version_info[1]}"
        )
        self.headers["Accept"] = "application/json"
        # Without a say of its own, requests lets a .netrc file of whoever runs us replace our bearer.
        self.auth = _as_it_is

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, with our limits where the caller names none."""
        # Redirects are no choice of the caller's: `get` itself would ask for them.
        return super().request(*args, **{"timeout": self._timeout, **kwargs, "allow_redirects": False})


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class AmiliClient:
    """One caller's way into the API.

    `api_url` goes up to and with the version, as in `https://api.amili.no/collection/v1`. `organization_ids` are asked
    one after the other for a batch whose organisation is not known.
    """

    def __init__(
        self, *, session: requests.Session, api_url: str, token: Token, organization_ids: Iterable[UUID] = ()
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._token = token
        self._organization_ids = tuple(organization_ids)

    def get_batch(self, batch_id: UUID, organization_id: UUID | None = None) -> bytes:
        """The answer about a batch, as it came.

        Raises NotThere or Forbidden when no road leads to the batch, and any other AmiliError at once.
        """
        roads = list(self._roads_to(batch_id, organization_id))
        closed: list[AmiliError] = []
        for road in roads:
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
        response = self._send(path)
        if response.status_code == 401 and self._token.forget():
            response = self._send(path)
        if response.status_code >= 300:
            raise error_for(response.status_code)
        return response.content

    def _send(self, path: str) -> requests.Response:
        # As bytes, since a token with a sign that is not Latin-1 would fail here instead of being refused.
        bearer = f"Bearer {self._token.bearer()}".encode()
        try:
            return self._session.get(f"{self._api_url}{path}", headers={"Authorization": bearer})
        except requests.Timeout:
            raise Later("Amili did not answer in time") from None
        except requests.RequestException as problem:
            raise Later(f"Amili could not be reached ({type(problem).__name__})") from None
