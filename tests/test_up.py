"""`manage.py up` runs everything, ends in good order, and says in one line why it cannot run."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import environ
import psutil
import psycopg
import pytest
import redis

from sandbox.servers import embedded_servers, free_port
from tests.stack import NOT_GIVEN, ROOT, Run, environment


def refusal(var_dir: Path, **settings: str) -> str:
    """The one line with which a run refuses to start."""
    result = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**environment(var_dir), "PORT": str(free_port()), **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Run]]:
    """Start on one and the same VAR_DIR, as often as the tests like; what still runs after them is stopped."""
    runs: list[Run] = []

    def start(**settings: str) -> Run:
        if not runs or runs[-1].process.poll() is not None:
            runs.append(Run(Path(directory) / "var", **settings))
        return runs[-1].started()

    # Not below pytest's own directory: another pytest would close that one to PostgreSQL's user.
    with TemporaryDirectory() as directory:
        yield start
        for run in runs:
            run.end(signal.SIGTERM)


@pytest.fixture
def running(start: Callable[..., Run]) -> Run:
    """The run that another test has left running, for a start takes seconds; or else a new one."""
    return start()


def test_a_page_is_served_and_the_start_says_where_and_as_whom(running: Run) -> None:
    assert running.get("/accounts/login/") == 200
    assert f"http://127.0.0.1:{running.port}/" in running.output
    assert running.settings()["SANDBOX_URL"] in running.output


def test_commands_from_another_shell_find_the_servers_of_the_run(running: Run) -> None:
    env = {name: value for name, value in environment(running.var_dir).items() if name not in NOT_GIVEN}
    command = [sys.executable, "manage.py", "migrate", "--check"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, timeout=30)


def test_what_it_leaves_for_other_commands_survives_their_parser(running: Run) -> None:
    read: dict[str, str] = {}

    class Parser(environ.Env):  # type: ignore[misc]
        ENVIRON = read

    Parser.read_env(running.var_dir / "local.env")
    assert read == running.settings()
    assert all(not value.startswith("$") for value in read.values())


def test_its_secrets_are_readable_to_nobody_else(running: Run) -> None:
    secret = [running.var_dir / "local.env", running.var_dir / "secret_key", running.var_dir / "valkey" / "valkey.conf"]
    assert [file.stat().st_mode & 0o777 for file in secret] == [0o600] * 3
    arguments = " ".join(" ".join(process.cmdline()) for process in running.processes())
    assert not any(
        value in arguments for name, value in running.settings().items() if name.endswith(("SECRET", "_KEY"))
    )
    assert running.settings()["REDIS_URL"].split("@")[0] not in arguments


def test_a_second_copy_on_the_same_data_is_refused(running: Run) -> None:
    assert f"in use by process {running.process.pid}" in refusal(running.var_dir)


def test_a_taken_port_is_refused(running: Run, tmp_path: Path) -> None:
    assert f"Port {running.port} is taken" in refusal(tmp_path, PORT=str(running.port))


@pytest.mark.parametrize("port", ["eighty", "65536"])
def test_what_is_no_port_is_refused(port: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, PORT=port).startswith("PORT must be a number from 1 to 65535")


def test_a_host_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    assert "Cannot listen on 192.0.2.1" in refusal(tmp_path, HOST="192.0.2.1")


def test_a_var_dir_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"VAR_DIR {tmp_path}/file/var cannot be used" in refusal(tmp_path / "file" / "var")


def test_a_malformed_setting_is_refused_in_the_words_of_the_settings(tmp_path: Path) -> None:
    assert refusal(tmp_path, TIME_ZONE="Mars/Olympus").startswith("TIME_ZONE: ")


def test_an_interrupted_first_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    assert f"{tmp_path}/postgres is half-written" in refusal(tmp_path)


def test_data_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "global").mkdir(parents=True)
    (tmp_path / "postgres" / "global" / "pg_control").touch()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    assert f"{tmp_path}/postgres is of PostgreSQL 9" in refusal(tmp_path)


def test_a_queue_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, ["REDIS_URL"]):
        pass
    (queue,) = (tmp_path / "valkey" / "appendonlydir").glob("*.aof")
    queue.write_bytes(b"no command at all\r\n" * 3)
    assert f"Valkey does not start on {tmp_path}/valkey" in refusal(tmp_path)


def test_ctrl_c_ends_all_of_it_and_the_next_start_finds_its_data(running: Run, start: Callable[..., Run]) -> None:
    settings = running.settings()
    key = settings["SECRET_KEY"]
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    redis.Redis.from_url(settings["REDIS_URL"]).set("kept", "42")

    assert running.end(signal.SIGINT) == 0
    assert running.processes() == []
    assert not (running.var_dir / "local.env").exists()
    assert "Traceback" not in running.output
    assert re.search(r"^Stopped\.$", running.output, re.MULTILINE)

    settings = start().settings()
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert redis.Redis.from_url(settings["REDIS_URL"]).get("kept") == b"42"
    assert settings["SECRET_KEY"] == key


def test_a_killed_run_hinders_no_later_one_on_the_same_port(running: Run, start: Callable[..., Run]) -> None:
    running.process.kill()
    running.process.wait()
    left = running.processes()
    assert left, "there is something to clear away"
    assert start(PORT=str(running.port)).get("/accounts/login/") == 200
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left)


def test_killed_servers_hinder_no_later_run(running: Run, start: Callable[..., Run]) -> None:
    running.process.kill()
    running.process.wait()
    for process in running.processes():
        process.kill()
    assert start().get("/accounts/login/") == 200


def test_a_process_that_ends_by_itself_ends_the_run_and_is_named(running: Run) -> None:
    next(process for process in running.processes() if "worker" in process.cmdline()).kill()
    assert running.process.wait(10) == 1
    assert "worker (exit status -9) ended by itself" in running.output
    assert running.processes() == []
