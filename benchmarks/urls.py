"""The project's addresses, and one of a view that does nothing: what each request costs before any view's work."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def empty(_: HttpRequest) -> HttpResponse:
    """As little as an answer can be; the middleware wants a sign-in for it as for any other page."""
    return HttpResponse(status=204)


urlpatterns = [path("", include("amili_dashboard.urls")), path("empty/", empty, name="empty")]
