"""What a person sees when we fail."""

import sys

from django.db import Error, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error
from psycopg import Error as PsycopgError

RETRY_AFTER = "10"
AWAY = ("08", "57P", "53300")
"""Beginnings of the states in which PostgreSQL takes nobody in: broken off, shut down or starting, too many there."""


def failure(request: HttpRequest) -> HttpResponse:
    """While the database is away, say so and when to come again: 503, and a page that needs no database itself."""
    problem = sys.exception()
    if isinstance(problem, OperationalError | InterfaceError) and _is_away(problem):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": RETRY_AFTER})
    return server_error(request)


def _is_away(problem: Error) -> bool:
    """Not one that answers and cannot do what it was asked, as after a deadlock. Who finds no connection hears no state."""
    cause = problem.__cause__
    state = cause.sqlstate if isinstance(cause, PsycopgError) else None
    return state is None or state.startswith(AWAY)
