"""Where an administrator makes accounts and gives roles."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from staff.models import Person


@admin.register(Person)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own page for accounts, with the role."""

    list_display = ("username", "email", "first_name", "last_name", "role", "is_active")
    list_filter = ("role", "is_active", "is_superuser")
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Work"), {"fields": ("role",)}))
    add_fieldsets = (*UserAdmin.add_fieldsets, (_("Work"), {"fields": ("email", "role")}))
