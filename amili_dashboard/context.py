"""What every template may name."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001
    """Whether invented data is shown, and where its stand-in for Amili answers."""
    return {"sandbox": settings.SANDBOX, "sandbox_url": settings.SANDBOX_URL}
