"""The wall view: today in big numbers, for who is signed in and for screens that have a link; and these links."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, trigger_client_event

from batches import wall as links
from batches.forms.wall import WallLinkForm
from batches.models import WallLink
from batches.outcomes import DayNumbers, Part, by_organization, numbers_of, pulse
from batches.views.live import nothing_new, stamp_of_text
from batches.views.standing import standing
from staff.http import StaffRequest
from staff.models import Person

PAGE_LASTS = 6 * 3600  # seconds; no browser's page is fit to run for weeks
MOST_NAMES = 4
SECRET_ADDRESS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


# ------------------------------------------------------------------------------------------ today


@require_safe
def wall(request: StaffRequest) -> HttpResponse:
    """Today, as somebody sees it who is signed in."""
    return _today(request, request.user, leads=True)


def _with_secret_address(view: Callable[[StaffRequest, str], HttpResponse]) -> Callable[..., HttpResponse]:
    """Its address is the key: nobody learns it from an answer's headers, nor from the log when something fails."""

    @wraps(view)
    def kept_secret(request: StaffRequest, token: str) -> HttpResponse:
        request.path = reverse("wall")  # with which Django logs what becomes of the request
        response = view(request, token)
        for name, value in SECRET_ADDRESS.items():
            response.headers[name] = value
        return response

    return kept_secret


@csrf_exempt  # it takes no forms; and the refusal of one would be logged before it comes here
@login_not_required
@_with_secret_address
@require_safe
def shown(request: StaffRequest, token: str) -> HttpResponse:
    """Today, on a screen that has a link. Revoked or never made, a link that is not good is all the same."""
    link = links.find(token)
    if not (link and link.made_by):
        response = render(request, "batches/wall_gone.html", status=404)
        response.headers["HX-Refresh"] = "true"  # a screen that is asking shows it, too
        return response
    links.note_use(link, timezone.now())
    return _today(request, link.made_by)


def _today(request: StaffRequest, person: Person, *, leads: bool = False) -> HttpResponse:
    now = timezone.now()
    page = f"{int(now.timestamp()) // PAGE_LASTS}-{getattr(staticfiles_storage, 'manifest_hash', '')}"
    if request.htmx and request.GET.get("page") != page:
        return HttpResponseClientRefresh()
    day, stands = timezone.localdate(now), standing()
    stamp = stamp_of_text(f"{pulse(day, now, person)} {stands.stamp}")
    if nothing_new(request, stamp):
        response = HttpResponse(status=204)
    else:
        context = {"standing": stands, "now": now, "page": page, "stamp": stamp, "leads": leads}
        template = "batches/wall.html#today" if request.htmx else "batches/wall.html"
        response = render(request, template, {**context, **_numbers(numbers_of(day, now, person))})
    return trigger_client_event(response, "upToDate", {"value": f"{timezone.localtime(now):%H.%M}"})


def _numbers(today: DayNumbers) -> dict[str, object]:
    """And as many of the organisations as can be read from afar."""
    missing = [sender.organization_id for sender in today.missing_senders]
    return {
        "today": today,
        "missing": missing[:MOST_NAMES],
        "more_missing": len(missing[MOST_NAMES:]),
        "worst": sorted(filter(_share, by_organization(today.day)), key=_share, reverse=True)[:MOST_NAMES],
    }


def _share(part: Part) -> float:
    return part.numbers.share or 0


# ------------------------------------------------------------------------------------------ links


@require_http_methods(["GET", "HEAD", "POST"])
def wall_links(request: StaffRequest) -> HttpResponse:
    """All links; POST makes one more, and shows it this once."""
    if request.method != "POST":
        return _links_page(request, WallLinkForm())
    form = WallLinkForm(request.POST)
    if not form.is_valid():
        return _links_page(request, form, status=422)
    name = form.cleaned_data["name"]
    token = links.make(name, request.user)
    made = {"name": name, "address": request.build_absolute_uri(reverse("wall-shown", args=[token]))}
    return _links_page(request, WallLinkForm(), made, status=201)


@require_POST
def revoke(request: StaffRequest, link_id: int) -> HttpResponse:
    """The screens that use it find out with their next question."""
    link = get_object_or_404(WallLink, pk=link_id)
    links.revoke(link.pk, request.user)
    messages.info(request, gettext("The link for %(name)s is revoked.") % {"name": link.name})
    return redirect("wall-links")


def _links_page(
    request: HttpRequest, form: WallLinkForm, made: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "made": made, "links": links.told_links()}
    return render(request, "batches/wall_links.html", context, status=status)
