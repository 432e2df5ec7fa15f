"""`manage.py up`: everything on this machine, from one command, until Ctrl-C.

It decides the settings that nobody has given, and so knows nothing of Django: servers from wheels unless DATABASE_URL
and REDIS_URL name others, the stand-in for Amili unless there are credentials for the real one.
"""

import argparse
import errno
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn
from urllib.parse import quote

import environ

from sandbox.processes import Processes, end_leftovers, sole_use
from sandbox.servers import ServerProblem, embedded_servers, free_port
from sandbox.world import ORGANISATIONS

ROOT = Path(__file__).resolve().parent.parent
# As many threads as the pool has connections to the database: no request waits for one, and a few slow ones stop nobody.
WEB = (
    *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "error"),
    *("--workers", "1", "--blocking-threads", "16", "--workers-kill-timeout", "3"),
)
SANDBOX_LOG = "sandbox.log"
MAIL = "mail"
START_TIMEOUT = 60  # seconds until the web server must answer


class Refusal(Exception):  # noqa: N818 - nothing went wrong here, somebody must act
    """Why there is no run, in words for the person who started it."""


class Place(NamedTuple):
    """Where the run listens and keeps its data."""

    host: str
    port: int
    var_dir: Path

    @property
    def address(self) -> str:
        """The front page, as a browser on this machine finds it."""
        return f"http://{_bracketed(self.caller)}:{self.port}/"

    @property
    def caller(self) -> str:
        """The host to call: nobody can call "all addresses" itself."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104


def main(arguments: list[str]) -> int:
    """Run until a signal or a failure; the exit status tells which."""
    argparse.ArgumentParser(
        prog="manage.py up",
        description="Run the dashboard and all that it needs on this machine.",
        epilog="Settings, from the environment or .env: PORT (8000), HOST (127.0.0.1), VAR_DIR (var).",
    ).parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _run(_place())
    except (Refusal, ServerProblem) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """The first signal ends the run; more of them must not disturb its end."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(place: Place) -> NoReturn:
    with sole_use(place.var_dir):
        end_leftovers(place.var_dir)
        _refuse_taken(place)
        wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not _given(name)]
        with embedded_servers(place.var_dir, wanted) as servers:
            decided = {**_local_settings(place), **_sandbox_settings(place), **servers}
            _serve(place, decided)


def _serve(place: Place, decided: Mapping[str, str]) -> NoReturn:
    left_file = place.var_dir / "local.env"
    _write_private(left_file, "".join(f"{name}={value}\n" for name, value in decided.items()))
    try:
        with Processes(place.var_dir, _environment(place, decided), ROOT) as processes:
            told = _prepare(processes, place, decided)
            _start_services(processes, place)
            _await_page(processes, place)
            _tell(place, decided, told)
            while not (ended := processes.ended()):
                time.sleep(0.2)
            raise Refusal(f"{ended} ended by itself, so all the others were stopped.")
    finally:
        left_file.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------- settings


def _place() -> Place:
    environ.Env.read_env(ROOT / ".env")
    port = _text("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Refusal(f"PORT must be a number from 1 to 65535, and is {port!r}.")
    var_dir = (ROOT / (_text("VAR_DIR") or "var")).resolve()
    try:
        var_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        (var_dir / "up.lock").touch()
    except OSError as error:
        raise Refusal(f"VAR_DIR {var_dir} cannot be used: {error.strerror}.") from None
    return Place(_text("HOST") or "127.0.0.1", int(port), var_dir)


def _text(name: str) -> str:
    try:
        return str(environ.FileAwareEnv().str(name, default="")).strip()
    except OSError as error:
        raise Refusal(f"{name}_FILE cannot be read: {error.strerror}.") from None


def _given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _refuse_taken(place: Place) -> None:
    try:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        socket.create_server((place.host, place.port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refusal(f"Port {place.port} is taken: set PORT to another one.") from None
        raise Refusal(f"Cannot listen on {place.host}, port {place.port}: {error.strerror}.") from None


def _local_settings(place: Place) -> dict[str, str]:
    hosts = dict.fromkeys(("127.0.0.1", "localhost", "[::1]", _bracketed(place.host)))
    settings = {
        "HTTPS": "off",
        "ALLOWED_HOSTS": ",".join(hosts),
        "SECRET_KEY": _secret_key(place.var_dir),
        "SITE_URL": place.address,
        "EMAIL_URL": f"filemail:///{quote(str(place.var_dir / MAIL))}",
        "LOG_LEVEL": "WARNING",  # the address must not scroll away
    }
    return {name: value for name, value in settings.items() if not _given(name)}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _secret_key(var_dir: Path) -> str:
    """The key of this VAR_DIR, so that a restart signs nobody out."""
    file = var_dir / "secret_key"
    if not (file.exists() and file.read_text()):
        _write_private(file, secrets.token_urlsafe(50))
    return file.read_text()


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(text)


def _sandbox_settings(place: Place) -> dict[str, str]:
    if _given("AMILI_CLIENT_ID") or _given("AMILI_TOKEN"):
        return {}
    origin = f"http://127.0.0.1:{_sandbox_port(place.var_dir)}"
    webhook_secret = secrets.token_urlsafe(32)
    return {
        "SANDBOX": "on",
        "SANDBOX_URL": f"{origin}/",
        "AMILI_API_URL": f"{origin}/collection/v1",
        "AMILI_AUTH_URL": origin,
        "AMILI_CLIENT_ID": "sandbox",
        "AMILI_CLIENT_SECRET": secrets.token_urlsafe(16),
        "AMILI_ORGANIZATION_IDS": ",".join(f"{id_}={name}" for id_, name in ORGANISATIONS.items()),
        "AMILI_WEBHOOK_SECRETS": webhook_secret,
        "SANDBOX_WEBHOOK_SECRET": webhook_secret,
    }


def _sandbox_port(var_dir: Path) -> int:
    """That of the last run if it is free, so that a page of the sandbox that is still open works on."""
    file = var_dir / "sandbox_port"
    last = file.read_text() if file.exists() else ""
    port = free_port(int(last) if last.isdigit() else 0)
    file.write_text(str(port))
    return port


def _environment(place: Place, decided: Mapping[str, str]) -> dict[str, str]:
    """That of the processes. A NAME_FILE would win over a NAME that was decided here."""
    env = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in decided}
    return {**env, **decided, "VAR_DIR": str(place.var_dir)}


# ---------------------------------------------------------------------------------------------- steps


def _prepare(processes: Processes, place: Place, decided: Mapping[str, str]) -> str:
    """Bring database and static files to where the services need them; give what the demo has to say."""
    if url := decided.get("SANDBOX_URL"):
        port = url.rstrip("/").rpartition(":")[2]
        arguments = ("-m", "sandbox.server", "--port", port, "--webhook-url", f"{place.address}hooks/amili/")
        processes.start("sandbox", *arguments, log=place.var_dir / SANDBOX_LOG)
    status, output = processes.run("prepare", "-m", "sandbox.prepare")
    lines = output.strip().splitlines()
    if status and len(lines) > 1:
        raise Refusal("\n".join(["The preparation failed:", *lines[-5:]]))
    if status:  # one line is the settings' own word on what is wrong with them
        raise Refusal(output.strip() or f"The preparation failed (exit status {status}).")
    return output


def _start_services(processes: Processes, place: Place) -> None:
    celery = ("-m", "celery", "--quiet", "-A", "amili_dashboard")
    schedule = str(place.var_dir / "celerybeat-schedule")
    listen = ("--host", place.host, "--port", str(place.port))
    processes.start("web", *WEB, *listen, "amili_dashboard.wsgi:application")
    # One worker alone has nobody to gossip with, and starts sooner without.
    alone = ("--without-gossip", "--without-mingle")
    # To run as root is discouraged by Celery at each start; it is how containers run, and only this machine is served.
    quiet = ("-W", "ignore:You're running the worker with superuser")
    processes.start("worker", *quiet, *celery, "worker", "--concurrency", "4", "--loglevel", "WARNING", *alone)
    processes.start("beat", *celery, "beat", "--schedule", schedule, "--loglevel", "WARNING")


def _await_page(processes: Processes, place: Place) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers(place):
        if ended := processes.ended():
            raise Refusal(f"{ended} ended by itself, so all the others were stopped.")
        if time.monotonic() > deadline:
            raise Refusal(f"The web server did not answer within {START_TIMEOUT} s.")
        time.sleep(0.1)


def _answers(place: Place) -> bool:
    with closing(HTTPConnection(place.caller, place.port, timeout=5)) as connection:
        try:
            connection.request("GET", "/health/")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _tell(place: Place, decided: Mapping[str, str], told: str) -> None:
    print(f"\n  Amili batch dashboard: {place.address}\n")
    for line in told.strip().splitlines():
        print(f"  {line}")
    if url := decided.get("SANDBOX_URL"):
        print(f"\n  Stand-in for Amili: {url}\n  What it is asked: {place.var_dir / SANDBOX_LOG}")
    if "EMAIL_URL" in decided:
        print(f"\n  Mail goes into files: {place.var_dir / MAIL}")
    print("\n  Ctrl-C stops it.\n", flush=True)
