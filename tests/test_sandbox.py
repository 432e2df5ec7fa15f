"""The stand-in for Amili, over real HTTP."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from sandbox import world
from sandbox.rows import PUNCTUAL
from sandbox.server import running_server
from sandbox.servers import free_port
from tests.sandboxed import NOON, NORDLYS, SORVEST, Amili, Clock, credentials, demo


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture(scope="module")
def url(clock: Clock) -> Iterator[str]:
    with running_server(clock=clock, token_lifetime=10**6, slow_seconds=0.3) as url:
        yield url


@pytest.fixture(scope="module")
def amili(url: str) -> Iterator[Amili]:
    with Amili(url) as session:
        yield session


# Signing in


def test_a_token_answer_has_the_documented_fields(url: str, clock: Clock) -> None:
    body = requests.post(f"{url}/token", data=credentials(), timeout=5).json()
    assert list(body) == ["access_token", "token_type", "not_before", "expires_in", "expires_on", "resource"]
    assert body["expires_on"] == body["not_before"] + body["expires_in"] == int(clock.now.timestamp()) + 10**6
    assert body["access_token"].count(".") == 2


@pytest.mark.parametrize("changed", [{"client_id": "somebody"}, {"client_secret": ""}])
def test_wrong_credentials_are_refused(url: str, changed: dict[str, str]) -> None:
    assert requests.post(f"{url}/token", data=credentials(**changed), timeout=5).status_code == 401


def test_a_token_request_must_be_a_form_of_the_right_grant(url: str) -> None:
    assert requests.post(f"{url}/token", json=credentials(), timeout=5).status_code == 400
    assert requests.post(f"{url}/token", data=credentials(grant_type="password"), timeout=5).status_code == 400


def test_a_token_ends_and_a_new_one_works() -> None:
    clock = Clock(NOON)
    with running_server(clock=clock, token_lifetime=60) as url:
        with Amili(url) as session:
            assert session.ask("/batches").status_code == 200
            clock.advance(60)
            assert session.ask("/batches").status_code == 401
        with Amili(url) as session:
            assert session.ask("/batches").status_code == 200


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer a.b.c", "Bearer .", "Basic c2FuZGJveDphbnk="])
def test_a_call_without_a_token_of_ours_is_refused(amili: Amili, authorization: str | None) -> None:
    answer = requests.get(f"{amili.url}/collection/v1/batches", headers={"Authorization": authorization}, timeout=5)
    assert answer.status_code == 401
    assert answer.headers["X-Request-Id"]
    assert isinstance(answer.json(), dict)


# Batches by ID


def test_the_documented_example_comes_word_for_word(amili: Amili) -> None:
    answer = amili.ask("/batches/5579c111-9c50-47e2-af92-f16d52e63189").json()
    assert answer["summary"] == {"status": "SUCCESS"}
    data = answer["data"]
    assert data["status"]["errors"] == [{"objectname": "string", "objectindex": 0, "message": "string"}]
    assert data["failed"] == [None]
    assert data["succeeded"][0]["$type"] == "invoiceSuccess"
    assert data["organizationId"] == str(NORDLYS)


def test_an_organisations_path_answers_both_generations(amili: Amili) -> None:
    old, new = demo("example of the documentation"), demo("Two invoices")
    assert "statuscode" in amili.ask(f"/orgs/{NORDLYS}/batches/{old}").json()["data"]["status"]
    assert amili.ask(f"/orgs/{SORVEST}/batches/{new}").json()["data"]["status"] == "SUCCESS"


def test_the_old_path_does_not_know_the_new_generation(amili: Amili) -> None:
    assert amili.ask(f"/batches/{demo('Two invoices')}").status_code == 404


def test_another_organisations_batch_is_not_found(amili: Amili) -> None:
    assert amili.ask(f"/orgs/{NORDLYS}/batches/{demo('Two invoices')}").status_code == 404


def test_the_forbidden_organisation_is_forbidden(amili: Amili) -> None:
    assert amili.ask(f"/orgs/{world.FORBIDDEN_ORGANISATION}/batches").status_code == 403


@pytest.mark.parametrize(
    "path", [f"/batches/{UUID(int=1)}", f"/orgs/{UUID(int=1)}/batches", "/batches/17", "/invoices"]
)
def test_what_is_not_there_is_not_found(amili: Amili, path: str) -> None:
    assert amili.ask(path).status_code == 404


@pytest.mark.parametrize("batch", world.DEMO)
def test_every_demo_batch_that_answers_at_all_answers_about_itself(amili: Amili, batch: UUID) -> None:
    known = world.find(batch, NOON)
    assert known
    if known.fault is None:
        assert amili.batch(batch)["batchId"] == str(batch)


def test_the_demo_batches_show_what_their_descriptions_say(amili: Amili) -> None:
    partly = amili.batch(demo("188 errors"))
    assert len(partly["status"]["errors"]) == 188
    assert len({row["objectindex"] for row in partly["status"]["errors"]}) + len(partly["succeeded"]) == 5_000
    failed = amili.batch(demo("500 objects"))
    assert (failed["status"], len(failed["succeeded"]), len(failed["failed"])) == ("FAILED", 0, 500)
    assert amili.batch(demo("for ever"))["status"] == "QUEUED"
    contradicting = amili.batch(demo("has failed items"))
    assert contradicting["status"] == "SUCCESS"
    assert contradicting["failed"]
    assert amili.batch(demo("ON_HOLD"))["status"] == "ON_HOLD"
    assert {row["$type"] for row in amili.batch(demo("payments"))["succeeded"]} == {"paymentSuccess"}
    assert "\\u0000" in json.dumps(amili.batch(demo("Odd data")))


def test_the_large_batch_is_whole_and_built_once(amili: Amili) -> None:
    data = amili.batch(demo("100 000 rows"))
    assert len(data["status"]["errors"]) == len(data["succeeded"]) == 50_000
    batch = world.find(UUID(data["batchId"]), NOON)
    assert batch
    assert batch.data(NOON) is batch.data(NOON + timedelta(days=1))


# Ordinary batches


def test_the_same_world_is_found_after_a_restart() -> None:
    answers = []
    for _ in range(2):
        with running_server(clock=Clock(NOON)) as url, Amili(url) as session:
            answers.append([session.batch(batch.id) for batch in world.recent(NOON, 5)])
    assert answers[0] == answers[1]


def test_a_batch_is_born_every_minute_and_not_known_before() -> None:
    newest = world.recent(NOON, 3)
    assert len({batch.born.replace(second=0, microsecond=0) for batch in newest}) == 3
    assert newest == sorted(newest, key=lambda batch: batch.born, reverse=True)
    assert world.find(newest[0].id, newest[0].born - timedelta(seconds=1)) is None
    assert world.find(newest[0].id, newest[0].born - timedelta(days=1)) is None
    assert world.find(newest[0].id, NOON + timedelta(days=30)) == newest[0]


def test_the_fates_and_organisations_are_mixed() -> None:
    batches = world.recent(NOON, 1_000)
    fates = Counter(batch.state(NOON + timedelta(minutes=2)) for batch in batches)
    assert 500 < fates["SUCCESS"] < 700
    assert 200 < fates["PARTIAL"] < 360
    assert 60 < fates["FAILED"] < 180
    assert {batch.creditor.id for batch in batches} == set(world.ORGANISATIONS)
    assert {batch.creditor.generation for batch in batches} == {"A", "C"}


def test_weeks_of_history_have_busy_working_days_and_one_creditor_that_now_and_then_forgets_to_send() -> None:
    listed = list(world.history(NOON))
    days = Counter(batch.born.date() for batch in listed)
    whole = {day: count for day, count in days.items() if timedelta(1) < NOON.date() - day < timedelta(39)}
    assert len(whole) == 37
    assert all((count > 100) == (day.weekday() < 5) for day, count in whole.items())
    punctual = [batch.born for batch in listed if batch.creditor == PUNCTUAL]
    assert {(born.hour, born.minute) for born in punctual} == {(7, 0)}
    working_days = sum(day.weekday() < 5 for day in days)
    assert working_days / 2 < len(punctual) < working_days


def test_debtors_come_back_so_cases_recur_across_batches() -> None:
    clock = Clock(NOON)
    cases: Counter[str] = Counter()
    with running_server(clock=clock) as url, Amili(url) as session:
        for batch in world.recent(NOON - timedelta(minutes=5), 40):
            cases.update({row["caseId"] for row in session.batch(batch.id)["succeeded"]})
    assert max(cases.values()) > 1
    assert sum(cases.values()) > 10 * sum(1 for count in cases.values() if count > 1)


# Batches started on request


def test_a_new_generation_batch_moves_from_queued_to_its_end(amili: Amili, clock: Clock) -> None:
    started = amili.start(generation="C", fate="partial", objects=80, queued_seconds=6)
    path = f"/orgs/{started['organizationId']}/batches/{started['batchId']}"
    queued = amili.ask(path).json()["data"]
    assert (queued["status"], queued["succeeded"], queued["failed"]) == ("QUEUED", [], [])
    clock.advance(6)
    ended = amili.ask(path).json()["data"]
    assert (ended["status"], len(ended["succeeded"]), len(ended["failed"])) == ("PARTIAL", 70, 10)
    assert ended["finishedAt"] > ended["createdAt"]


def test_an_old_generation_batch_has_no_end_until_it_is_there(amili: Amili, clock: Clock) -> None:
    batch = amili.start(generation="A", fate="failed", objects=25, queued_seconds=6)["batchId"]
    queued = amili.batch(batch)
    assert "finishedAt" not in queued
    assert queued["status"] == {"statuscode": 0, "errors": [], "responses": []}
    clock.advance(6)
    ended = amili.batch(batch)
    assert {row["objectindex"] for row in ended["status"]["errors"]} == set(range(25))
    assert ended["succeeded"] == []
    assert ended["failed"] in ([], [None])


@pytest.mark.parametrize(
    "order",
    [
        {"generation": "B"},
        {"fate": []},
        {"objects": 1},
        {"objects": "many"},
        {"queued_seconds": -1},
        {"queued_seconds": float("nan")},
        {"faults": 503},
        {"faults": ["fire"]},
        {"faults": [200]},
        {"faults": ["well"] * 1001},
        [],
        None,
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_reason(url: str, order: object) -> None:
    body = json.dumps(order)
    answer = requests.post(f"{url}/sandbox/batches", body, headers={"Content-Type": "application/json"}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["detail"]


# Lists


def test_a_list_is_paged_newest_first_without_gap_or_repeat(amili: Amili) -> None:
    seen: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(3):
        body = amili.ask(f"/orgs/{SORVEST}/batches", PageSize=7, **token).json()
        assert list(body) == ["data", "summary"]
        seen += body["data"]
        token = {"PageToken": body["summary"]["nextPageToken"]}
    assert seen == amili.ask(f"/orgs/{SORVEST}/batches", PageSize=21).json()["data"]
    assert len({batch["batchId"] for batch in seen}) == 21
    assert {batch["organizationId"] for batch in seen} == {str(SORVEST)}
    created = [batch["createdAt"] for batch in seen]
    assert created == sorted(created, reverse=True)


def test_the_old_list_says_the_summary_first_and_holds_the_old_generation(amili: Amili) -> None:
    body = amili.ask("/batches").json()
    assert list(body) == ["summary", "data"]
    assert len(body["data"]) == 20
    assert all(isinstance(batch["status"], dict) for batch in body["data"])


def test_the_last_page_has_no_next(amili: Amili) -> None:
    body = amili.ask("/batches", SortDirection="ASC", PageSize=1).json()
    newest = amili.ask("/batches", PageSize=1).json()
    assert newest["summary"]["nextPageToken"]
    assert body["data"][0]["createdAt"] < newest["data"][0]["createdAt"]
    last = UUID(newest["data"][0]["batchId"]).hex
    end = amili.ask("/batches", SortDirection="ASC", PageToken=last).json()
    assert (end["data"], end["summary"]["nextPageToken"]) == ([], None)


def test_a_list_is_narrowed_by_state_and_type(amili: Amili) -> None:
    failed = amili.ask(f"/orgs/{SORVEST}/batches", State="FAILED", PageSize=5).json()["data"]
    assert {batch["status"] for batch in failed} == {"FAILED"}
    assert amili.ask(f"/orgs/{SORVEST}/batches", Type="NONE").json()["data"] == []


def test_a_page_is_never_larger_than_a_hundred(amili: Amili) -> None:
    assert len(amili.ask("/batches", PageSize=5_000).json()["data"]) == 100


def test_a_batch_started_just_now_is_listed_first_and_moves_no_page(amili: Amili) -> None:
    first = amili.ask(f"/orgs/{SORVEST}/batches", PageSize=3).json()
    token = first["summary"]["nextPageToken"]
    second = amili.ask(f"/orgs/{SORVEST}/batches", PageSize=3, PageToken=token).json()["data"]
    started = amili.start(generation="C", queued_seconds=0)
    newest = amili.ask(f"/orgs/{SORVEST}/batches", PageSize=4).json()["data"]
    assert newest[0]["batchId"] == started["batchId"]
    assert newest[1:] == first["data"]
    assert amili.ask(f"/orgs/{SORVEST}/batches", PageSize=3, PageToken=token).json()["data"] == second


def test_both_directions_list_the_same(amili: Amili) -> None:
    def walk(direction: str) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            body = amili.ask(f"/orgs/{SORVEST}/batches", SortDirection=direction, State="FAILED", **token).json()
            found += [batch["batchId"] for batch in body["data"]]
            if not body["summary"]["nextPageToken"]:
                return found
            token = {"PageToken": body["summary"]["nextPageToken"]}

    newest_first = walk("DESC")
    assert len(newest_first) > 40
    assert newest_first == list(reversed(walk("ASC")))


@pytest.mark.parametrize(
    "query",
    [
        {"PageSize": "0"},
        {"PageSize": "x"},
        {"PageToken": "x"},
        {"PageToken": uuid4().hex},
        {"SortDirection": "sideways"},
    ],
)
def test_a_list_refuses_what_it_does_not_understand(amili: Amili, query: dict[str, str]) -> None:
    assert amili.ask("/batches", **query).status_code == 400


# The page for a person


def test_the_page_lists_demo_and_live_batches_and_runs_no_script(url: str, clock: Clock) -> None:
    answer = requests.get(url, timeout=5)
    for batch, description in world.DEMO.items():
        assert f"<code>{batch}</code>" in answer.text
        assert description in answer.text
    assert all(str(batch.id) in answer.text for batch in world.recent(clock.now, 10))
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|style=|onclick", answer.text)
    assert requests.get(f"{url}/style.css", timeout=5).headers["Content-Type"].startswith("text/css")


def test_the_form_of_the_page_starts_a_batch_and_shows_its_id(url: str, amili: Amili) -> None:
    fields = {"generation": "A", "fate": "partial", "objects": "40", "queued_seconds": "0"}
    page = requests.post(f"{url}/sandbox/batches", data={**fields, "fault": ["well", "503", "well"]}, timeout=5)
    started = re.search(r"Started: <code>([0-9a-f-]{36})", page.text)
    assert started
    assert [amili.ask(f"/batches/{started[1]}").status_code for _ in range(4)] == [200, 503, 200, 200]
    assert len(amili.batch(started[1])["succeeded"]) == 35


def test_the_form_of_the_page_offers_every_fault(url: str) -> None:
    page = requests.get(url, timeout=5).text
    offered = set(re.findall(r'<option value="([^"]+)"', page))
    batches = (world.find(batch, NOON) for batch in world.DEMO)
    assert {str(batch.fault) for batch in batches if batch and batch.fault} <= offered


def test_the_page_escapes_what_its_address_holds(url: str) -> None:
    assert "<b>" not in requests.get(url, params={"started": "<b>x"}, timeout=5).text


# The wire


def test_a_connection_is_kept(amili: Amili) -> None:
    connection = http.client.HTTPConnection(amili.url.removeprefix("http://"), timeout=5)
    headers = {"Authorization": str(amili.headers["Authorization"])}
    for _ in range(50):
        connection.request("GET", f"/collection/v1/batches/{demo('example of the documentation')}", headers=headers)
        answer = connection.getresponse()
        assert json.load(answer)["data"]
        assert not answer.will_close
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content-Length": "x"}, 400), ({"Content-Length": "99999999"}, 413), ({"Transfer-Encoding": "chunked"}, 411)],
)
def test_a_body_that_cannot_be_read_ends_the_connection(url: str, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/token", headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.will_close) == (status, True)
    connection.close()


def spawn(port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sandbox.server", "--port", str(port)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_logs_no_secret_and_stops_cleanly(stop: signal.Signals) -> None:
    with spawn(port := free_port()) as process:
        assert process.stderr
        assert process.stderr.readline() == f"sandbox: http://127.0.0.1:{port}/\n"
        with Amili(f"http://127.0.0.1:{port}") as session:
            session.get(f"{session.url}/collection/v1/batches?PageToken=secret%1b", timeout=5)
            process.send_signal(stop)
            log = process.stderr.read()
    assert process.returncode == 0
    assert log == "sandbox: POST /token 200\nsandbox: GET /collection/v1/batches 400\n"


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, spawn(port := taken.getsockname()[1]) as process:
        assert process.stderr
        assert process.stderr.read() == f"sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert process.returncode == 1
