"""The dashboard as it runs in earnest, in processes and on servers that the tests may kill one by one."""

import hmac
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, Self
from uuid import UUID, uuid4

import psutil
import psycopg
import redis
import requests
from celery import Celery

from sandbox.processes import Processes
from sandbox.rows import CREDITORS
from sandbox.servers import embedded_servers, free_port
from sandbox.up import WEB
from tests.faults.amili import Amili
from tests.stack import ROOT, environment, until

RATE = 10  # requests per second: fewer than all of this asks for at once
SECRET = "known to the sandbox and to us"
ORGANISATION = next(creditor.id for creditor in CREDITORS if creditor.generation == "C")
CELERY = ("-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "amili_dashboard")

_one_thread_at_a_time = Lock()
"""The wheel of PostgreSQL has one lock for a process, and is confused by two of its threads."""


class Stack:
    """Servers, sandbox, web, worker and beat. Leaving the `with` block ends them all."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir, self.port = var_dir, free_port()
        self.hook = f"http://127.0.0.1:{self.port}/hooks/amili/"
        self._numbers, self._all, self._postgres = count(1), ExitStack(), ExitStack()
        self.logs: dict[str, Path] = {}
        var_dir.mkdir()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._postgres.close)
            self.database = self._start_postgres()
            self.broker = stack.enter_context(embedded_servers(self.var_dir, ["REDIS_URL"]))["REDIS_URL"]
            self.valkey = psutil.Process(int((self.var_dir / "valkey" / "valkey.pid").read_text()))
            stack.callback(self._end_valkey)
            self.amili = Amili(self.hook, SECRET, environment(self.var_dir))
            stack.callback(self.amili.end)
            self.processes = stack.enter_context(Processes(self.var_dir, self._settings(), ROOT))
            self._start_all()
            self._all = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._all.close()

    def _settings(self) -> dict[str, str]:
        return environment(self.var_dir) | {
            "DATABASE_URL": self.database,
            "REDIS_URL": self.broker,
            "AMILI_API_URL": f"{self.amili.url}/collection/v1",
            "AMILI_AUTH_URL": self.amili.url,
            "AMILI_CLIENT_ID": "sandbox",
            "AMILI_CLIENT_SECRET": "any",
            "AMILI_ORGANIZATION_IDS": str(ORGANISATION),
            "AMILI_DISCOVERY_DAYS": "0",  # one page of the sandbox's many batches will do
            "AMILI_REQUESTS_PER_SECOND": str(RATE),
            "AMILI_WEBHOOK_SECRETS": SECRET,
            "SECRET_KEY": "for the faults only, and long enough to be taken for a real one",
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS": "off",
        }

    def _start_all(self) -> None:
        status, output = self.processes.run("migrate", "manage.py", "migrate", "--verbosity", "0")
        assert status == 0, output
        self.start("web", *WEB, "--port", str(self.port), "amili_dashboard.wsgi:application")
        self.start_worker()
        self.start_beat()
        self.amili.started()
        until(lambda: self.query("SELECT 1 FROM batches_worker"), 60)
        until(self._web_answers, 60)

    def _web_answers(self) -> bool:
        with suppress(requests.ConnectionError, requests.Timeout):
            return requests.get(self.hook, timeout=5).status_code == 405
        return False

    # ------------------------------------------------------------------------------------------ processes

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        self.logs[name] = self.var_dir / f"{name}-{next(self._numbers)}.log"
        self.processes.start(name, *arguments, log=self.logs[name])
        return self.processes.running[name]

    def start_worker(self, name: str = "worker") -> subprocess.Popen[str]:
        alone = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
        return self.start(name, *CELERY, "worker", "-n", f"{name}@tests", "--concurrency", "4", *alone)

    def start_beat(self, name: str = "beat") -> subprocess.Popen[str]:
        return self.start(name, *CELERY, "beat", "--schedule", str(self.var_dir / name), "--loglevel", "INFO")

    @contextmanager
    def two_of_each(self) -> Iterator[None]:
        """A second worker and a second beat, as long as the block lasts."""
        second = {"second worker": self.start_worker("second worker"), "second beat": self.start_beat("second beat")}
        until(lambda: len(self.query("SELECT 1 FROM batches_worker WHERE seen_at > now() - interval '10 s'")) == 2, 60)
        yield
        for name, process in second.items():
            process.terminate()
            assert process.wait(30) == 0
            del self.processes.running[name]  # its number may be somebody else's from now on

    def kill_worker(self) -> None:
        """All its processes at once, by the signal that nobody can hear."""
        leader = psutil.Process(self.processes.running["worker"].pid)
        for process in [leader, *leader.children(recursive=True)]:
            process.kill()
        self.processes.running["worker"].wait(10)

    def child_at_work_on(self, batch_id: UUID) -> int:
        """Number of the pool's process that asks about this batch."""
        with Celery(broker=self.broker) as looking:
            active = looking.control.inspect(["worker@tests"], timeout=10).active() or {}
        tasks = [task for tasks in active.values() for task in tasks]
        return next(int(task["worker_pid"]) for task in tasks if str(batch_id) in str(task["args"]))

    def begin(self, number: int, **order: object) -> list[UUID]:
        """Batches of both generations that finish within some seconds, followed from now on."""
        orders = [{"objects": 300, "queued_seconds": n % 5, "generation": "AC"[n % 2], **order} for n in range(number)]
        begun = [self.amili.start(**each) for each in orders]
        for batch_id in begun:
            self.ring(batch_id)
        return begun

    # ------------------------------------------------------------------------------------------ Valkey

    def stop_valkey(self) -> list[str]:
        """Stop it; what starts it again, as it was."""
        command = self.valkey.cmdline()
        self._end_valkey()
        return command

    def start_valkey(self, command: list[str]) -> None:
        self.valkey = psutil.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        until(self._valkey_answers, 30)

    def empty_valkey(self) -> None:
        with redis.Redis.from_url(self.broker) as valkey:
            valkey.flushall()

    def _valkey_answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.broker) as valkey:
            return bool(valkey.ping())
        return False

    def _end_valkey(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.valkey.terminate()
            self.valkey.wait(10)

    # ------------------------------------------------------------------------------------------ PostgreSQL

    def _start_postgres(self) -> str:
        with _one_thread_at_a_time:
            return self._postgres.enter_context(embedded_servers(self.var_dir, ["DATABASE_URL"]))["DATABASE_URL"]

    def restart_postgres(self) -> None:
        """Fast: whoever is connected is cut off in mid-work."""
        self._postgres.close()
        self._start_postgres()

    def crash_postgres(self) -> None:
        """All its processes die at once; it starts again from what it had written down."""
        leader = psutil.Process(int((self.var_dir / "postgres" / "postmaster.pid").read_text().split()[0]))
        dying = [leader, *leader.children(recursive=True)]
        for process in dying:
            process.kill()
        psutil.wait_procs(dying, 10)
        self.restart_postgres()

    def query(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def standing_in_the_way(self, batch_id: UUID, position: int) -> Iterator[None]:
        """Whoever records this batch has to wait in mid-COPY: for us, who may be about to write the same row."""
        with psycopg.connect(self.database) as connection:
            columns = "batch_id, position, kind, invoice_number, invoice_id, case_id, extra"
            query = f"INSERT INTO batches_succeededitem ({columns}) VALUES (%s, %s, '', '', '', '', '')"
            connection.execute(query, [batch_id, position])
            yield
            connection.rollback()

    def is_amid_record(self, batch_id: UUID) -> bool:
        """Whether somebody has locked this batch, and waits in mid-COPY."""
        query = """
            SELECT 1 FROM pg_stat_activity AS backend JOIN batches_batch AS batch ON batch.xmax = backend.backend_xid
            WHERE batch.id = %s AND wait_event_type = 'Lock' AND starts_with(query, 'COPY batches_succeededitem')
        """
        return bool(self.query(query, batch_id))

    # ------------------------------------------------------------------------------------------ the webhook

    def ring(self, batch_id: UUID, key: str = "") -> None:
        """Amili's webhook about a batch, until it is heard. A batch that is not known yet is followed from now on."""
        key = key or str(uuid4())
        until(lambda: self._call(batch_id, key) == 200, 60)

    def _call(self, batch_id: UUID, key: str) -> int:
        body = json.dumps({"type": "BATCH_COMPLETED", "data": {"batchId": str(batch_id)}}).encode()
        headers = {
            "Content-Type": "application/json",
            "IdempotencyKey": key,
            "X-Webhook-Signature": hmac.digest(SECRET.encode(), body, "sha256").hex(),
        }
        return requests.post(self.hook, body, headers=headers, timeout=30).status_code
