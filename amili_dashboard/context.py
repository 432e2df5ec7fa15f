"""What every template may name."""

from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from batches.views.connection import may_see_connection
from batches.views.standing import standing


def site(request: HttpRequest) -> dict[str, object]:
    """Whether invented data is shown and where it comes from; how things stand, and whether this person may see more of it.

    What costs a query costs it where a template asks.
    """
    return {
        "sandbox": settings.SANDBOX,
        "sandbox_url": settings.SANDBOX_URL,
        "standing": SimpleLazyObject(standing),
        "may_see_connection": SimpleLazyObject(partial(may_see_connection, request)),
    }
