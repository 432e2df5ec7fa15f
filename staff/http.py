"""The request as a signed-in page sees it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from staff.models import Person


class StaffRequest(HttpRequest):
    """For annotations: behind the sign-in every request has a person, and htmx's details."""

    user: Person
    htmx: HtmxDetails
