"""Django's way to a mail server, with patience where it counts."""

import smtplib
from typing import Any

from django.core.mail.backends import smtp

END_OF_MAIL = 25.0
"""Seconds for the server to take over a whole mail, which it may filter first. Who leaves earlier sends it once more."""

GOODBYE = 1.0
"""Seconds for the last word, by which nothing changes."""


class _Patient(smtplib.SMTP):
    def data(self, msg: Any) -> Any:
        if self.sock:
            self.sock.settimeout(END_OF_MAIL)
        return super().data(msg)


class _PatientSSL(_Patient, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """Waits longer for the end of a mail than for any other word, and hardly for the last."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _PatientSSL if self.use_ssl else _Patient

    def close(self) -> None:
        if self.connection and self.connection.sock:
            self.connection.sock.settimeout(GOODBYE)
        super().close()
