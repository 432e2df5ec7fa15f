"""All addresses of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from amili_dashboard.health import health

# The administration's own form knows no rate limits: people sign in at one door.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "amili_dashboard.failures.failure"

urlpatterns = [
    path("", include("batches.urls")),
    path("accounts/", include("staff.urls")),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
]
