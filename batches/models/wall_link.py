"""Links to the wall view, for a screen on which nobody signs in."""

from django.conf import settings
from django.db import models


class WallLink(models.Model):
    """A link that shows the wall view and nothing else, until it is revoked. The link itself is kept by nobody but its user."""

    name = models.CharField(max_length=60)
    digest = models.BinaryField(unique=True, editable=False)  # SHA-256 of the secret part of the link
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)  # when it was last used, to the minute
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return self.name
