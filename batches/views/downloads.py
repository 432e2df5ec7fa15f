"""Files that are sent while they are made: pages keep threads for themselves, and an unreadable filter has no file."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import wraps
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from batches.forms.base import FilterForm
from staff.http import StaffRequest

MOST_AT_ONCE: int = settings.DATABASE_POOL["max_size"] // 2
"""Each holds a thread of the web process and a connection until its last byte is taken, and who takes it may stand still."""

RETRY_AFTER = "30"

_PLACES = BoundedSemaphore(MOST_AT_ONCE)

type View = Callable[..., HttpResponseBase]


class UnreadableError(Exception):
    """Nobody can tell which rows are asked for, and all of them would be too many."""

    def __init__(self, form: FilterForm, page: str) -> None:
        super().__init__()
        self.form, self.page = form, page


def checked[Form: FilterForm](form: Form, page: str) -> Form:
    """The form; raises UnreadableError if a filter in it cannot be read. It can be mended on that page."""
    if form.errors:
        raise UnreadableError(form, page)
    return form


def readable(view: View) -> View:
    """Answers with what is wrong with a filter in place of what would be there without it."""

    @wraps(view)
    def told(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except UnreadableError as problem:
            context = {"form": problem.form, "page": problem.page}
            return render(request, "batches/unreadable.html", context, status=422)

    return told


def download(view: View) -> View:
    """A view whose answer is a file. While as many as may be are on their way, it asks to come again."""
    view = readable(view)

    @require_safe
    @wraps(view)
    def limited(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _PLACES.acquire(blocking=False):
            return _busy(request)
        with ExitStack() as place:
            place.callback(_PLACES.release)
            response = view(request, *args, **kwargs)
            if isinstance(response, StreamingHttpResponse):
                sent = _until_sent(iter(response), place.pop_all())
                next(sent)  # only what has begun has an end, also if its first byte is never asked for
                response.streaming_content = sent
            return response

    return limited


def _until_sent(content: Iterable[bytes], place: ExitStack) -> Iterator[bytes]:
    """Gives the place back once all is sent, or nobody takes it any more."""
    with place:
        yield b""
        yield from content


def _busy(request: StaffRequest) -> HttpResponse:
    response = render(request, "batches/busy.html", status=503)
    response.headers["Retry-After"] = RETRY_AFTER
    return response
