"""Questions to Amili: which roads are walked, what each answer means, and what is never sent or told."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests

from batches.amili.client import AmiliClient
from batches.amili.errors import (
    AmiliError,
    Busy,
    Conflict,
    Forbidden,
    Gone,
    KeysRefused,
    Later,
    NotThere,
    NotUnderstood,
    Refused,
)
from batches.amili.payload import read_batch, read_list
from batches.amili.token import ClientCredentials, ReadyToken
from batches.amili.transport import AmiliSession, Gate
from sandbox import world
from sandbox.rows import CREDITORS
from sandbox.server import running_server
from tests.answers import BATCH, ORGANISATION, OTHER, Network, Reply

TOKEN = "eyJ.a-ready.token"
SECRET = "the-secret-of-the-client"
THIRD = UUID("0b9d2f7e-51c8-4a36-9e1d-7f40c2b86a53")

PLAIN = f"/collection/v1/batches/{BATCH}"
FIRST_ROAD, SECOND_ROAD, THIRD_ROAD = (
    f"/collection/v1/orgs/{organisation}/batches/{BATCH}" for organisation in (ORGANISATION, OTHER, THIRD)
)


def ask(
    answer: Callable[[requests.PreparedRequest], Reply],
    *,
    organisation: UUID | None = None,
    organisations: Iterable[UUID] = (),
    signed_in: bool = False,
) -> tuple[bytes | AmiliError, Network]:
    """What comes of a question about the batch, and the network that it went through."""
    network = Network(answer)
    return outcome(client_on(network, organisations, signed_in), organisation), network


def client_on(
    network: Network,
    organisations: Iterable[UUID] = (),
    signed_in: bool = False,
    gate: Gate | None = None,
    **options: Any,
) -> AmiliClient:
    session = network.carry(AmiliSession(version="1", gate=gate, sleep=lambda _: None))
    keys = ClientCredentials(session=session, auth_url="https://auth.example", client_id="id", client_secret=SECRET)
    return AmiliClient(
        session=session,
        api_url="https://api.example/collection/v1",
        token=keys if signed_in else ReadyToken(TOKEN),
        organization_ids=organisations,
        **options,
    )


def outcome(client: AmiliClient, organisation: UUID | None = None, batch: UUID = BATCH) -> bytes | AmiliError:
    try:
        return client.get_batch(batch, organisation).body
    except AmiliError as problem:
        return problem


def always(status: int) -> Callable[[requests.PreparedRequest], Reply]:
    return lambda _: (status, b"of no interest")


def only(*roads: str, otherwise: int = 404) -> Callable[[requests.PreparedRequest], Reply]:
    """Knows the batch on these roads alone."""
    return lambda request: (200, b"{}") if request.path_url in roads else (otherwise, b"")


# Roads


def test_a_batch_whose_organisation_is_known_is_asked_for_there_alone() -> None:
    answer, network = ask(only(FIRST_ROAD, PLAIN), organisation=ORGANISATION, organisations=[OTHER])
    assert answer == b"{}"
    assert network.paths == [FIRST_ROAD]


def test_a_batch_of_an_unknown_organisation_is_asked_for_without_one() -> None:
    answer, network = ask(only(PLAIN, FIRST_ROAD), organisations=[ORGANISATION])
    assert answer == b"{}"
    assert network.paths == [PLAIN]


@pytest.mark.parametrize("closed", [403, 404, 410])
def test_where_a_road_is_closed_the_organisations_of_the_settings_are_tried_in_order(closed: int) -> None:
    answer, network = ask(only(SECOND_ROAD, otherwise=closed), organisations=[ORGANISATION, OTHER, THIRD])
    assert answer == b"{}"
    assert network.paths == [PLAIN, FIRST_ROAD, SECOND_ROAD]


def test_a_batch_whose_organisation_is_known_is_not_looked_for_at_others() -> None:
    answer, network = ask(only(THIRD_ROAD), organisation=OTHER, organisations=[ORGANISATION, OTHER, THIRD])
    assert type(answer) is NotThere
    assert network.paths == [SECOND_ROAD, PLAIN]


@pytest.mark.parametrize(("at_home", "plain"), [(403, 404), (404, 403)])
def test_a_batch_whose_organisation_is_known_is_forbidden_where_a_door_is_closed(at_home: int, plain: int) -> None:
    statuses = {FIRST_ROAD: at_home, PLAIN: plain}
    answer, _ = ask(lambda request: (statuses[request.path_url], b""), organisation=ORGANISATION)
    assert type(answer) is Forbidden


@pytest.mark.parametrize(
    ("plain", "first", "second", "kind"),
    [
        (404, 404, 404, NotThere),
        (403, 403, 403, Forbidden),
        (403, 404, 403, NotThere),
        (410, 403, 403, Gone),
        (404, 403, 410, Gone),
    ],
)
def test_a_batch_is_forbidden_only_where_no_road_was_ours_to_walk(
    plain: int, first: int, second: int, kind: type[AmiliError]
) -> None:
    statuses = {PLAIN: plain, FIRST_ROAD: first, SECOND_ROAD: second}
    answer, network = ask(lambda request: (statuses[request.path_url], b""), organisations=[ORGANISATION, OTHER])
    assert type(answer) is kind
    assert len(network.paths) == 3


@pytest.mark.parametrize("status", [400, 401, 409, 429, 500, 503])
def test_any_other_problem_ends_the_walk_at_once(status: int) -> None:
    answer, network = ask(always(status), organisations=[ORGANISATION, OTHER])
    assert isinstance(answer, AmiliError)
    assert set(network.paths) == {PLAIN}


def test_a_search_that_takes_too_long_is_given_up() -> None:
    network = Network(always(404))
    clock = iter([0.0, 1.0, 19.0, 20.5])
    client = client_on(network, [ORGANISATION, OTHER, THIRD], clock=lambda: next(clock))
    answer = outcome(client)
    assert (type(answer), str(answer)) == (Later, "Amili took too long to answer")
    assert network.paths == [PLAIN, FIRST_ROAD]


def test_an_answer_comes_with_what_amili_calls_the_exchange() -> None:
    client = client_on(Network(lambda _: (200, b"{}", {"X-Amili-Request-Id": "r-1"})))
    assert client.get_batch(BATCH) == (200, b"{}", "r-1", None)


# Lists


def test_a_page_of_a_list_is_asked_for_as_documented() -> None:
    network = Network(always(200))
    client = client_on(network)
    assert client.list_batches(ORGANISATION).body == b"of no interest"
    client.list_batches(OTHER, "a token/+&", size=7, newest_first=False)
    urls = [urlsplit(str(request.url)) for request in network.requests]
    assert [url.path for url in urls] == [f"/collection/v1/orgs/{each}/batches" for each in (ORGANISATION, OTHER)]
    assert [parse_qs(url.query) for url in urls] == [
        {"PageSize": ["100"], "SortDirection": ["DESC"]},
        {"PageSize": ["7"], "PageToken": ["a token/+&"]},
    ]
    assert [bearer_of(request) for request in network.requests] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, KeysRefused), (403, Forbidden), (404, NotThere), (409, Conflict), (429, Busy), (500, Later)],
)
def test_a_list_that_cannot_be_had_says_what_to_do(status: int, kind: type[AmiliError]) -> None:
    with pytest.raises(AmiliError) as caught:
        client_on(Network(always(status))).list_batches(ORGANISATION)
    assert type(caught.value) is kind
    assert caught.value.status == status


def test_a_token_that_is_refused_for_a_list_is_replaced_once() -> None:
    network = Network(signing_in(lambda request: 401 if bearer_of(request) == "Bearer t1" else 200))
    assert client_on(network, signed_in=True).list_batches(ORGANISATION).body == b"{}"
    assert [bearer_of(request) for request in network.requests] == ["", "Bearer t1", "", "Bearer t2"]


# What all processes hear


class Ear:
    """A gate that is open, and notes what it hears."""

    def __init__(self) -> None:
        self.heard_of: list[tuple[str, str, str, str]] = []

    def enter(self) -> None: ...

    def heard(self, kind: str, subject: str, problem: AmiliError | None, request_id: str) -> None:
        self.heard_of.append((kind, subject, problem.trouble if problem else "", request_id))


def test_every_request_is_told_of_by_its_kind_and_what_it_is_about() -> None:
    ear = Ear()
    network = Network(signing_in(lambda request: 200 if request.path_url == FIRST_ROAD else 404))
    client = client_on(network, [ORGANISATION], signed_in=True, gate=ear)
    client.get_batch(BATCH)
    with pytest.raises(NotThere):
        client.list_batches(ORGANISATION)
    assert ear.heard_of == [
        ("token", "", "", ""),
        ("batch", str(BATCH), "not_there", ""),
        ("batch", str(BATCH), "", ""),
        ("list", str(ORGANISATION), "not_there", ""),
    ]


# Tokens


def test_a_token_that_is_refused_is_replaced_once() -> None:
    refused = {"Bearer t1"}
    answer, network = ask(signing_in(lambda request: 401 if bearer_of(request) in refused else 200), signed_in=True)
    assert answer == b"{}"
    assert [bearer_of(request) for request in network.requests] == ["", "Bearer t1", "", "Bearer t2"]


def test_keys_are_refused_when_a_fresh_token_is_refused_too_and_no_third_one_is_fetched_for_the_next_question() -> None:
    network = Network(signing_in(lambda _: 401))
    client = client_on(network, [ORGANISATION], signed_in=True)
    assert [type(outcome(client)) for _ in range(3)] == [KeysRefused] * 3
    assert network.paths == ["/token", PLAIN, "/token", PLAIN, PLAIN, PLAIN]


def test_a_ready_token_that_is_refused_is_not_sent_again() -> None:
    answer, network = ask(always(401), organisations=[ORGANISATION])
    assert type(answer) is KeysRefused
    assert network.paths == [PLAIN]


def test_one_token_serves_all_roads() -> None:
    answer, network = ask(signing_in(lambda _: 404), organisations=[ORGANISATION, OTHER], signed_in=True)
    assert type(answer) is NotThere
    assert network.paths == ["/token", PLAIN, FIRST_ROAD, SECOND_ROAD]


@pytest.mark.parametrize("status", [401, 403, 409, 422, 500])
def test_no_secret_stands_in_what_a_failure_tells(status: int) -> None:
    answer, _ = ask(signing_in(lambda _: status), signed_in=True)
    assert isinstance(answer, AmiliError)
    told = "".join(traceback.format_exception(answer)) + repr(answer)
    assert SECRET not in told
    assert "t1" not in told


def bearer_of(request: requests.PreparedRequest) -> str:
    header = request.headers.get("Authorization", b"")
    return header.decode() if isinstance(header, bytes) else header


def signing_in(status: Callable[[requests.PreparedRequest], int]) -> Callable[[requests.PreparedRequest], Reply]:
    """Gives out t1, t2 and so on, and answers every other question with that status."""
    given: list[str] = []

    def answer(request: requests.PreparedRequest) -> Reply:
        if request.path_url != "/token":
            return status(request), b"{}"
        given.append(f"t{len(given) + 1}")
        return 200, b'{"access_token": "%b", "expires_in": 3600}' % given[-1].encode()

    return answer


# What goes out


def test_every_request_has_the_bearer_and_changes_nothing() -> None:
    _, network = ask(always(404), organisations=[ORGANISATION, OTHER])
    assert [bearer_of(request) for request in network.requests] == [f"Bearer {TOKEN}"] * 3
    assert {request.method for request in network.requests} == {"GET"}


def test_a_netrc_file_does_not_replace_the_bearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    _, network = ask(always(200))
    assert bearer_of(network.requests[0]) == f"Bearer {TOKEN}"


# Over real HTTP


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server() as url:
        yield url


def client_of(url: str, token: str = "", client_id: str = "sandbox", read_timeout: float = 5) -> AmiliClient:
    session = AmiliSession(version="1", timeout=(5, read_timeout))
    keys = ClientCredentials(session=session, auth_url=url, client_id=client_id, client_secret=SECRET)
    return AmiliClient(
        session=session,
        api_url=f"{url}/collection/v1",
        token=ReadyToken(token) if token else keys,
        organization_ids=[creditor.id for creditor in CREDITORS],
    )


def demo(words: str) -> UUID:
    return next(batch for batch, description in world.DEMO.items() if words in description)


@pytest.mark.parametrize("batch", world.SHOWN, ids=lambda batch: world.DEMO[batch])
def test_every_batch_of_the_sandbox_is_found_and_read(url: str, batch: UUID) -> None:
    answer = client_of(url).get_batch(batch).body
    assert read_batch(answer, batch).batch_id == batch


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Always 401", KeysRefused),
        ("Always 403", Forbidden),
        ("Always 404", NotThere),
        ("Always 409", Conflict),
        ("Always 422", Refused),
        ("Always 429", Busy),
        ("Always 500", Later),
        ("Always 503", Later),
    ],
)
def test_every_error_of_the_sandbox_is_understood(url: str, words: str, kind: type[AmiliError]) -> None:
    assert type(outcome(client_of(url), batch=demo(words))) is kind


@pytest.mark.parametrize("words", ["An HTML page", "JSON that is cut", "about another batch"])
def test_every_answer_of_the_sandbox_that_is_none_is_not_understood(url: str, words: str) -> None:
    batch = demo(words)
    answer = client_of(url).get_batch(batch).body
    with pytest.raises(NotUnderstood):
        read_batch(answer, batch)


def test_a_slow_answer_is_not_waited_for(url: str) -> None:
    answer = outcome(client_of(url, read_timeout=0.2), batch=demo("Takes a minute"))
    assert str(answer) == "Amili did not answer in time"


@pytest.mark.parametrize("token", ["not a token", "æøå", "not Latin: →"])
def test_whatever_stands_in_the_settings_as_a_token_is_refused_by_amili(url: str, token: str) -> None:
    assert type(outcome(client_of(url, token))) is KeysRefused


def test_wrong_keys_are_refused_by_the_sign_in(url: str) -> None:
    answer = outcome(client_of(url, client_id="somebody"))
    assert str(answer) == "Amili's sign-in refused our client id and secret (401)"


def test_the_lists_of_the_sandbox_lead_to_their_batches_page_by_page(url: str) -> None:
    client = client_of(url)
    for organisation in world.ORGANISATIONS:
        page = read_list(client.list_batches(organisation, size=3).body)
        rest = read_list(client.list_batches(organisation, page.next_token, size=3).body)
        found = [*page.items, *rest.items]
        assert (len({item.batch_id for item in found}), page.unreadable + rest.unreadable) == (6, 0)
        assert [item.created_at for item in found] == sorted((item.created_at for item in found), reverse=True)
        for item in found:
            assert read_batch(item.body, item.batch_id).organization_id == organisation
