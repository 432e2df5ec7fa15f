"""Sends a message to the address that a person has given: to allowed hosts alone, bounded, signed, in the receiver's shape."""

import hmac
import json
import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from batches.alerts.messages import wishes_of
from batches.alerts.trouble import NotSent
from batches.amili.errors import AmiliError
from batches.amili.transport import LOOPBACK
from batches.amili.wire import Bounds, bounded, new_session
from batches.models import AlertWishes, Message, Shape

TIMEOUT = (4.0, 10.0)  # seconds to connect, and for each piece
WHOLE_TIMEOUT = 20.0
MOST_BYTES = 2**16  # of an answer, of which we read the head alone
MAY_GO_BETTER = {408, 429}  # the receiver's fault or haste, and not the message's


def send(message: Message) -> None:
    """To the address that the person has now. Raises NotSent."""
    wishes = wishes_of(message.person)
    if not message.person.is_active or not may_go_to(wishes.webhook_url):
        raise NotSent(_("Messages may not go to this address."), is_final=True)
    body = json.dumps(SHAPES[Shape(wishes.webhook_shape)](message)).encode()
    status = _post(wishes.webhook_url, body, _signed(body, wishes))
    if not 200 <= status < 300:
        is_final = status < 500 and status not in MAY_GO_BETTER
        raise NotSent(_("The receiver answered with %(status)s.") % {"status": status}, is_final=is_final)


def may_go_to(url: str) -> bool:
    """Whether the operator allows this address, read as it will be read when we go there."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return False
    is_here = parts.host in LOOPBACK
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
    is_usual = is_here or parts.port in {None, 443}
    return is_safe and is_usual and not parts.auth and parts.host in settings.ALERT_WEBHOOK_HOSTS


def _signed(body: bytes, wishes: AlertWishes) -> dict[str, str]:
    timestamp = f"{int(time.time())}"
    signature = hmac.digest(wishes.webhook_secret.encode(), timestamp.encode() + b"." + body, "sha256").hex()
    return {
        "Content-Type": "application/json",
        "X-Dashboard-Timestamp": timestamp,
        "X-Dashboard-Signature": f"sha256={signature}",
    }


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer. No redirect is followed, and nothing of the body is read."""
    bounds = Bounds(time.monotonic() + WHOLE_TIMEOUT, MOST_BYTES)
    session = new_session(f"amili-batch-dashboard/{settings.VERSION}", {})
    # What goes unencrypted stays on this machine, whatever proxy the environment names.
    proxies = {"no_proxy": ",".join(LOOPBACK)} if url.lower().startswith("http:") else None
    options: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False, "stream": True, "proxies": proxies}
    try:
        with bounded(bounds), session, session.post(url, data=body, headers=dict(headers), **options) as response:
            return response.status_code
    except requests.Timeout:
        raise NotSent(_("The receiver did not answer in time.")) from None
    # A malformed header passes through requests as a bare ValueError.
    except (requests.RequestException, HTTPError, AmiliError, ValueError, OSError):
        raise NotSent(_("The receiver could not be reached.")) from None


# ------------------------------------------------------------------------------------------ shapes


def _links(message: Message) -> list[str]:
    return [line for line in message.body.splitlines() if line.startswith(f"{settings.SITE_URL}/")]


def _plain(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "kind": message.kind,
        "subject": message.subject,
        "text": message.body,
        "links": _links(message),
        "sent_at": message.made_at.isoformat(),
    }


def _slack(message: Message) -> dict[str, Any]:
    """Slack takes these three characters for its own, and finds links by itself."""
    return {"text": escape(f"{message.subject}\n\n{message.body}", quote=False)}


def _teams(message: Message) -> dict[str, Any]:
    """An adaptive card, which is what Teams' workflows take. Only what is marked as one becomes a link there."""
    links = set(_links(message))
    lines = [f"[{line}]({line})" if line in links else line for line in message.body.splitlines() if line.strip("- ")]
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": message.subject, "weight": "Bolder", "wrap": True}, *blocks],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


SHAPES: Mapping[Shape, Callable[[Message], dict[str, Any]]] = {
    Shape.PLAIN: _plain,
    Shape.SLACK: _slack,
    Shape.TEAMS: _teams,
}
