"""Sends a message as a mail."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from batches.alerts.messages import mail_is_on
from batches.alerts.trouble import NotSent
from batches.models import Message

OURS_TO_MEND = {530, 534, 535, 538}
"""A server says so of our password or the lack of one: the operator will set it right, and the mail goes out."""


def send(message: Message) -> None:
    """To the address that the person has now. Raises NotSent."""
    if not message.person.is_active or not message.person.email:
        raise NotSent(_("There is no address to send it to."), is_final=True)
    if not mail_is_on():
        raise NotSent(_("No mail server is set up."))
    with _in_our_words():
        _mail(message).send(using="default")


def _mail(message: Message) -> EmailMessage:
    host = urlsplit(settings.SITE_URL).hostname
    headers = {
        "Message-ID": f"<message-{message.pk}-{message.made_at:%Y%m%d%H%M%S}@{host}>",  # the same at each try
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    return EmailMessage(message.subject, message.body, None, [message.person.email], headers=headers)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _text in refusal.recipients.values()]
        raise _refused(max(codes), is_ours=False) from None
    except smtplib.SMTPResponseException as refusal:
        # Before it has heard of the mail it turns down us, our password or our sender.
        raise _refused(refusal.smtp_code, is_ours=not isinstance(refusal, smtplib.SMTPDataError)) from None
    except ssl.SSLCertVerificationError:  # a ValueError too
        raise NotSent(_("The mail server's certificate cannot be trusted.")) from None
    except ValueError:
        raise NotSent(_("The address cannot be used."), is_final=True) from None
    except (smtplib.SMTPException, OSError) as fault:
        # smtplib tells of a time-out as of a connection that was closed.
        if isinstance(fault, TimeoutError) or isinstance(fault.__context__, TimeoutError):
            raise NotSent(_("The mail server did not answer in time.")) from None
        raise NotSent(_("The mail server could not be reached.")) from None


def _refused(code: int, *, is_ours: bool) -> NotSent:
    words = _("The mail server turned it down (%(code)s).") % {"code": code}
    return NotSent(words, is_final=500 <= code < 600 and not is_ours and code not in OURS_TO_MEND)
