"""Whether this process can serve: for a load balancer, without a sign-in."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse

from amili_dashboard.failures import RETRY_AFTER


@login_not_required
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return HttpResponse(
            "the database does not answer\n",
            status=503,
            content_type="text/plain",
            headers={"Retry-After": RETRY_AFTER},
        )
    return HttpResponse("ok\n", content_type="text/plain")
