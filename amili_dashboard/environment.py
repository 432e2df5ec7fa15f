"""How settings are read from the environment: each a text, cast and checked, or a start refused with one line.

Each setting may also come from a file: NAME_FILE=/path takes the place of NAME.
"""

import re
import sys
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import UUID

import environ

env = environ.FileAwareEnv()

MAIL_TIMEOUT = 10  # seconds for each word of a mail server
SMTP_BACKEND = "batches.alerts.smtp.EmailBackend"


def read_file(file: Path) -> None:
    """Take settings from a file where there is one; those of the environment win."""
    env.read_env(file)


def refuse(name: str, why: object) -> NoReturn:
    """End the start with one line that names the setting."""
    sys.exit(f"{name}: {why}")


def setting(name: str, cast: Callable[[str], Any] = str, **default: Any) -> Any:
    """One setting, cast. Files often end in a line break that nobody meant, so texts are stripped.

    Not by the library's own casts: they take a secret that begins with `$` for the name of another setting.
    """
    try:
        text = env.ENVIRON.get(name, "").strip()
        if text:
            return cast(text)
    except (OSError, UnicodeError):
        refuse(name, "could not be read from its file")
    except ValueError as problem:
        refuse(name, problem)
    if not default:
        refuse(name, "is required and not set (see the README's table of settings)")
    return default["default"]


def listed(text: str) -> list[str]:
    """Texts separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def count(text: str) -> int:
    """A whole number from zero."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number")
    return int(text)


def positive(text: str) -> int:
    """A whole number from one."""
    if not count(text):
        raise ValueError("must be at least 1")
    return int(text)


def switch(text: str) -> bool:
    """A word for yes or no. A misspelt one must not quietly turn safety off."""
    words = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise ValueError("must be on or off") from None


def one_of(*words: str) -> Callable[[str], str]:
    """A cast that takes one of these words, in any case."""

    def cast(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text.lower()

    return cast


def header_name(text: str) -> str:
    """The name of an HTTP header. Servers drop those with an underscore."""
    if not re.fullmatch("[A-Za-z0-9-]+", text):
        raise ValueError("must be the name of an HTTP header, such as X-Webhook-Signature")
    return text


def address(name: str, *schemes: str, **default: str) -> str:
    """A whole address of one of these schemes."""
    text: str = setting(name, str, **default)
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in schemes and (parts.port or 1) > 0
    except ValueError:  # a port that is none
        is_whole = False
    if not is_whole:
        refuse(name, f"must be a {schemes[0]}:// address")
    return text


def web_address(name: str, default: str) -> str:
    """One to which paths can be added, without a slash at its end: of a host, and with nothing but a path after it."""
    url = address(name, "https", "http", default=default)
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or "?" in url or "#" in url:
        refuse(name, "must be an https:// address with a host, and without a name, a question mark or a #")
    return url.rstrip("/")


def amili_url(name: str, default: str) -> str:
    """An address that secrets may be sent to: https, or http on this machine alone."""
    url = web_address(name, default)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        refuse(name, "must be an https:// address")
    return url


def host_names(text: str) -> list[str]:
    """Names of hosts, with nothing around them, separated by commas."""
    hosts = [host.lower() for host in listed(text)]
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host) for host in hosts):
        raise ValueError("must be names of hosts such as hooks.example.no, separated by commas")
    return hosts


def sender(text: str) -> str:
    """Whom mail comes from: an address, with a name if you like."""
    if "\n" in text or "\r" in text or not re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(text)[1]):
        raise ValueError("must be an address such as Dashboard <dashboard@example.no>")
    return text


def mailers(name: str, url: str) -> dict[str, dict[str, Any]]:
    """The way out for mail, as Django wants it; none where none is set."""
    if not url:
        return {}
    try:
        config = env.email_url_config(url)
    except (environ.ImproperlyConfigured, ValueError):  # a scheme or a port that is none
        config = {}
    scheme = urlsplit(url).scheme
    options = _smtp(config) if scheme.startswith("smtp") else {"file_path": config.get("EMAIL_FILE_PATH")}
    options = {option: value for option, value in options.items() if value}
    is_whole = scheme in {"consolemail", "dummymail"} or options.get("host") or options.get("file_path")
    if not (config and is_whole):
        refuse(name, "must be an address such as smtp+tls://user:password@mail.example:587")
    backend = SMTP_BACKEND if scheme.startswith("smtp") else config["EMAIL_BACKEND"]
    return {"default": {"BACKEND": backend, "OPTIONS": options}}


def _smtp(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": config.get("EMAIL_HOST"),
        "port": config.get("EMAIL_PORT"),
        "username": config.get("EMAIL_HOST_USER"),
        "password": config.get("EMAIL_HOST_PASSWORD"),
        "use_tls": config.get("EMAIL_USE_TLS"),
        "use_ssl": config.get("EMAIL_USE_SSL"),
        "timeout": MAIL_TIMEOUT,
    }


def organizations(entries: list[str]) -> dict[UUID, str]:
    """`uuid` or `uuid=Name`, separated by commas -> the name of each organisation, empty where none is given."""
    pairs = [entry.partition("=") for entry in entries]
    try:
        return {UUID(uuid.strip()): name.strip() for uuid, _, name in pairs}
    except ValueError:
        refuse("AMILI_ORGANIZATION_IDS", "must be UUIDs separated by commas, each with =Name if you like")
