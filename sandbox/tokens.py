"""Access tokens of the sandbox: short-lived, and worthless after a restart, as its key is made at the start."""

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

RESOURCE = "04468334-ec11-4ef8-9e7c-e124bacbd5c1"


class Tokens:
    """Issues tokens that look like a JWT, and knows its own again."""

    def __init__(self, lifetime: int) -> None:
        self._lifetime = lifetime
        self._key = secrets.token_bytes(32)

    def issue(self, now: datetime) -> dict[str, Any]:
        """The body of a token answer."""
        start = int(now.timestamp())
        claims = {"aud": RESOURCE, "nbf": start, "exp": start + self._lifetime, "jti": secrets.token_hex(8)}
        unsigned = f"{_encode({'typ': 'JWT', 'alg': 'HS256'})}.{_encode(claims)}"
        return {
            "access_token": f"{unsigned}.{self._sign(unsigned)}",
            "token_type": "Bearer",
            "not_before": start,
            "expires_in": self._lifetime,
            "expires_on": start + self._lifetime,
            "resource": RESOURCE,
        }

    def accepts(self, authorization: str, now: datetime) -> bool:
        """Whether an Authorization header carries a token of ours that has not ended."""
        scheme, _, token = authorization.partition(" ")
        unsigned, _, signature = token.strip().rpartition(".")
        if scheme.lower() != "bearer" or not hmac.compare_digest(signature.encode(), self._sign(unsigned).encode()):
            return False
        claims = json.loads(_decode(unsigned.partition(".")[2]))
        return bool(now.timestamp() < claims["exp"])

    def _sign(self, unsigned: str) -> str:
        return _text(hmac.digest(self._key, unsigned.encode(), "sha256"))


def _encode(value: object) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
