"""Where an administrator reads what came in at the webhook."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from batches.models import Delivery


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A log: it is read, and written by nobody."""

    list_display = ("at", "verdict", "event", "reason", "batch", "request_id")
    list_filter = ("verdict", "at")
    search_fields = ("event", "key", "request_id", "batch_id", "organization_id")
    ordering = ("-at", "-id")
    show_full_result_count = False

    @admin.display(description=_("batch"))
    def batch(self, delivery: Delivery) -> str:
        """Its ID, which leads to its page."""
        if delivery.batch_id is None:
            return ""
        return format_html('<a href="{}">{}</a>', reverse("batch", args=[delivery.batch_id]), delivery.batch_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False
