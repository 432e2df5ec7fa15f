"""A real SMTP server on loopback, that keeps what it is given or turns it down; and one that hangs."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Queue
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from sandbox.servers import free_port

BACKEND = "batches.alerts.smtp.EmailBackend"


class Postbox:
    """The mails that came, and what is said to the next ones in place of yes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusal = ""
        self.sender_refusal = ""
        self.ponders = 0.0  # seconds over a whole mail
        self.on_mail: Callable[[], None] = lambda: None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender_refusal or "250 OK"

    async def handle_RCPT(  # noqa: N802 - named for SMTP's word
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content: Any = envelope.content
        self.mails.append(message_from_bytes(content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        self.on_mail()
        await asyncio.sleep(self.ponders)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        return ["\n".join(mail.get_content().splitlines()) for mail in self.mails]


@contextmanager
def running(postbox: Postbox, port: int) -> Iterator[None]:
    """The server, until the end of the block."""
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield
    finally:
        server.stop()


def point_at(settings: Settings, port: int, **more: Any) -> None:
    """Let mail go to this port, where nobody may be listening yet."""
    settings.MAIL_IS_ON = True
    options = {"host": "127.0.0.1", "port": port, "timeout": 5, **more}
    settings.MAILERS = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}


@contextmanager
def receiving(settings: Settings) -> Iterator[Postbox]:
    """The server is there, and mail goes to it."""
    postbox, port = Postbox(), free_port()
    point_at(settings, port)
    with running(postbox, port):
        yield postbox


@contextmanager
def hanging(settings: Settings, greeting: bytes = b"", timeout: float = 20) -> Iterator[Queue[socket.socket]]:
    """The server takes calls and says nothing after its greeting, until the end of the block. Gives those calls."""
    calls: Queue[socket.socket] = Queue()

    def take_calls() -> None:
        with suppress(OSError):
            while call := server.accept()[0]:
                call.sendall(greeting)
                calls.put(call)

    with socket.create_server(("127.0.0.1", 0)) as server:
        point_at(settings, server.getsockname()[1], timeout=timeout)
        thread = Thread(target=take_calls)
        thread.start()
        yield calls
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    while not calls.empty():
        calls.get().close()
