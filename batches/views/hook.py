"""The webhook's door: what HTTP asks of a caller before anybody listens to what it says."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from batches import doorbell
from batches.doorbell import Refused

MOST_BYTES = 64 * 1024


@csrf_exempt
@login_not_required
def hook(request: HttpRequest) -> HttpResponse:
    """Hear a call of Amili's and answer with a bare status. Without secrets there is no such address."""
    if not settings.AMILI_WEBHOOK_SECRETS:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        doorbell.receive(_body(request), request.headers)
    except Refused as refused:
        doorbell.note_refusal(refused, request.headers)
        return _bare(refused.status)
    return _bare(HTTPStatus.OK)


def _body(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("It does not call itself JSON."))
    too_large = Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("It is too large."))
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > MOST_BYTES:
        raise too_large
    # A body in chunks has no length: Django takes it for empty, but the server beneath knows where it ends.
    stream = request if length else request.META["wsgi.input"]
    body: bytes = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise too_large
    return body


def _bare(status: HTTPStatus) -> HttpResponse:
    return HttpResponse(f"{status.phrase}\n", status=status, content_type="text/plain")
