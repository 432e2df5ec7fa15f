"""The sandbox over real HTTP: `python -m sandbox.server --port N`."""

import argparse
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, quote

from sandbox.api import Sandbox
from sandbox.webhooks import Webhooks
from sandbox.wire import HangUpError, RefusedError, Request, Response, refused

LARGEST_BODY = 1 << 20
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Handler(BaseHTTPRequestHandler):
    """Carries requests to the sandbox and its responses back, over connections that stay open."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Sandbox", ""
    # Head and small body leave in one write, at once.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    timeout = 75
    server: "Server"

    def do_GET(self) -> None:
        """Any GET."""
        self._serve()

    def do_POST(self) -> None:
        """Any POST."""
        self._serve()

    def log_request(self, code: int | str = "-", _: int | str = "-") -> None:
        """One short line: no query, no header and no body, as those may hold secrets."""
        path = getattr(self, "path", "").partition("?")[0]
        self.log_message("%s %s %s", self.command, quote(path, safe="/%"), code)

    def log_error(self, template: str, *args: Any) -> None:
        """Nothing: a bad request has its line already, and an idle connection that we close deserves none."""

    def log_message(self, template: str, *args: Any) -> None:
        """To standard error."""
        if self.server.is_logging:
            _log(template % args)

    def _serve(self) -> None:
        try:
            response = self._answer()
            self.server.stopping.wait(response.delay)
            self._send(response)
        except HangUpError:
            self._hang_up()

    def _answer(self) -> Response:
        try:
            request = self._request()
        except RefusedError as refusal:
            # What is left of the request is unknown, so nothing more can be read from this connection.
            self.close_connection = True
            return refused(refusal)
        return self.server.sandbox.answer(request)

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, dict(parse_qsl(query, keep_blank_values=True)), headers, self._body())

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            raise RefusedError(411)
        if not length.isdecimal():
            raise RefusedError(400)
        if int(length) > LARGEST_BODY:
            raise RefusedError(413)
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("X-Content-Type-Options", "nosniff")
        if isinstance(response.body, bytes):
            self.send_header("Content-Length", str(len(response.body)))
        else:
            self.close_connection = True
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self._send_body(response)

    def _send_body(self, response: Response) -> None:
        if isinstance(response.body, bytes):
            self.wfile.write(response.body)
            return
        for piece in response.body:
            if self.server.stopping.wait(response.pause):
                return
            self.wfile.write(piece)
            self.wfile.flush()

    def _hang_up(self) -> None:
        """Closes with a reset: by way of `shutdown` the client would read a proper end."""
        self.close_connection = True
        self.log_request("hung up")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())


class Server(ThreadingTCPServer):
    """Serves each connection in a thread of its own, and ends all of them when it closes.

    Not the standard library's HTTP server, which adds nothing but a look-up of the host's name that may wait.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox, *, is_logging: bool) -> None:
        self.sandbox, self.is_logging = sandbox, is_logging
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accepts a connection, and keeps it in mind for the end."""
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Closes a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Closes the connections that wait for a next request, so that their threads end too."""
        for connection in list(self._connections):
            with suppress(OSError):  # Its client may have gone already.
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of ours; all else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


@contextmanager
def running_server(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    clock: Callable[[], datetime] = utc_now,
    token_lifetime: int = 3600,
    slow_seconds: float = 60,
    webhook_url: str = "",
    webhook_secret: str = "",
    is_logging: bool = False,
) -> Iterator[str]:
    """A sandbox that serves as long as the block lasts; gives its address, without a slash at the end."""
    log = _log if is_logging else _keep_quiet
    webhooks = Webhooks(webhook_url, webhook_secret, clock, log) if webhook_url else None
    sandbox = Sandbox(clock, token_lifetime, slow_seconds, webhooks)
    with Server((host, port), sandbox, is_logging=is_logging) as server:
        threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox")]
        if webhooks:
            threads.append(threading.Thread(target=webhooks.run, args=(server.stopping,), name="sandbox webhooks"))
        for thread in threads:
            thread.start()
        try:
            yield server.url
        finally:
            server.stopping.set()
            server.shutdown()
            for thread in threads:
                thread.join()


def _log(line: str) -> None:
    # In one write, for other threads log too.
    print(f"sandbox: {line}\n", end="", file=sys.stderr, flush=True)


def _keep_quiet(line: str) -> None:
    """Nobody wants to read the log."""


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.server",
        description="A stand-in for Amili.",
        epilog="Webhooks are signed with SANDBOX_WEBHOOK_SECRET of the environment, which nobody else can read there.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--token-lifetime", type=int, default=3600, metavar="SECONDS")
    parser.add_argument("--webhook-url", default="", metavar="URL", help="told of each batch that finishes")
    options = parser.parse_args()
    secret = os.environ.get("SANDBOX_WEBHOOK_SECRET", "")
    # Blocked before any thread starts, so that the signal waits for us instead of ending the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        with running_server(**vars(options), webhook_secret=secret, is_logging=True) as url:
            print(f"sandbox: {url}/", file=sys.stderr, flush=True)
            signal.sigwait(STOP_SIGNALS)
    except OSError as problem:
        sys.exit(f"sandbox: cannot listen on {options.host}:{options.port}: {problem.strerror}")


if __name__ == "__main__":
    main()
