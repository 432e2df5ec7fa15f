"""Alerts: what a person wants to hear of, how, and when not; and the log of what was sent to them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from batches.alerts.messages import channels_of, mail_is_on, put_test, wishes_of
from batches.forms.alerts import AlertWishesForm, webhook_hosts
from batches.forms.base import point_at_what_is_wrong
from batches.models import AlertWishes, Message
from batches.models.alert import KEPT_FOR, new_secret
from batches.views.live import nothing_new, stamp_of_text
from staff.http import StaffRequest

LOG_LENGTH = 50
TEST_PAUSE = 60
"""Seconds between two test messages of a person."""
LONG = timedelta(minutes=1)
"""From then on it matters when a message went out, and not only when it was made."""


@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: StaffRequest) -> HttpResponse:
    """A person's own page, or for htmx its log; POST saves the wishes."""
    log = list(_log(request)[:LOG_LENGTH])
    context: dict[str, Any] = {
        "log": log,
        "most": LOG_LENGTH,
        "days": KEPT_FOR.days,
        "is_everybodys": _is_everybodys(request),
        "stamp": _stamp_of(log),
    }
    if nothing_new(request, context["stamp"]):
        return HttpResponse(status=204)
    if request.htmx:
        return render(request, "batches/alerts.html#log", context)
    wishes = wishes_of(request.user)
    context["secret"] = wishes.webhook_secret if wishes.webhook_url else ""  # as saved, whatever is sent now
    form = AlertWishesForm(request.POST if request.method == "POST" else None, instance=wishes)
    if form.is_valid():
        AlertWishes.objects.update_or_create(person=request.user, defaults=form.cleaned_data)
        messages.info(request, gettext("Your wishes are saved."))
        return redirect("alerts")
    point_at_what_is_wrong(form)
    context |= {"form": form, "mail_is_on": mail_is_on(), "hosts": webhook_hosts()}
    return render(request, "batches/alerts.html", context, status=422 if form.is_bound else 200)


@require_POST
def send_test(request: StaffRequest) -> HttpResponse:
    """A message on each of the person's channels, that shows whether it arrives."""
    if not channels_of(request.user):
        messages.info(request, gettext("There is nowhere to send a test: set up e-mail or a webhook, and save, first."))
    elif not cache.add(f"test-message-{request.user.pk}", True, TEST_PAUSE):
        messages.info(request, gettext("You have just sent a test. The next one can go out in a minute."))
    else:
        put_test(request.user, timezone.now())
        messages.info(request, gettext("A test is on its way; the log below shows how it fares."))
    return redirect(f"{reverse('alerts')}#log")


@require_POST
def renew_secret(request: StaffRequest) -> HttpResponse:
    """Another secret signs the webhook from now on, what waits already included."""
    AlertWishes.objects.filter(person=request.user).update(webhook_secret=new_secret())
    messages.info(request, gettext("There is a new secret. Give it to whoever checks the signature."))
    return redirect(f"{reverse('alerts')}#secret")  # inside of what is folded up, which unfolds for it


# ------------------------------------------------------------------------------------------ the log


def _is_everybodys(request: StaffRequest) -> bool:
    if "everybody" in request.GET and not request.user.is_superuser:
        raise PermissionDenied
    return "everybody" in request.GET


def _log(request: StaffRequest) -> QuerySet[Message]:
    """The latest first, and which `took_long`; without what was said, which may be long."""
    took_long = Q(sent_at__gte=F("made_at") + LONG)
    log = Message.objects.annotate(took_long=took_long).defer("body")
    if _is_everybodys(request):
        return log.select_related("person").order_by("-id")
    return log.filter(person=request.user).order_by("-made_at", "-id")


def _stamp_of(log: Iterable[Message]) -> str:
    shown = " ".join(f"{message.pk}:{message.state}:{message.tries}:{message.next_try_at}" for message in log)
    return stamp_of_text(shown)
