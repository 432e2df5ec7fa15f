"""What holds for every request: a sign-in, and nothing left behind in a cache."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRefresh


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every view needs a sign-in unless it says otherwise."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        # A fragment must never show the sign-in form: the browser loads the whole page again and meets it there.
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if request.method not in {"GET", "HEAD"}:
            return redirect_to_login(_page_of(request), self.get_login_url(view_func))
        return super().handle_no_permission(request, view_func)


def _page_of(request: HttpRequest) -> str:
    """Where the person was who sent a form: the form's own address may be no page to come back to."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, request.get_host(), request.is_secure()):
        return reverse("home")
    return urlsplit(page)._replace(scheme="", netloc="").geturl()


def keep_private(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Other people's debts are on these pages: no cache keeps them, not even the browser's after a sign-out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response

    return middleware
