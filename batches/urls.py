"""Addresses of the product's pages."""

import re

from django.urls import path, register_converter

from batches.views import (
    answer,
    banner,
    batch,
    batches,
    case,
    causes,
    connection,
    home,
    hook,
    versions,
)


class AnyText:
    """Ids that others choose: slashes and line breaks included, so that no id can break a page that links to it.

    Browsers resolve `.` and `..` between slashes before they ask, so that these get a `~` in front.
    """

    regex = r"[^\0]+"  # the database holds no text with U+0000

    def to_python(self, value: str) -> str:
        return re.sub(r"(^|/)~", r"\1", value)

    def to_url(self, value: str) -> str:
        return re.sub(r"(^|/)(?=~|\.\.?(?:/|$))", r"\1~", value)


register_converter(AnyText, "any")

urlpatterns = [
    path("", home.home, name="home"),
    path("batches/", batches.batches, name="batches"),
    path("batches/<uuid:batch_id>/", batch.batch, name="batch"),
    path("batches/<uuid:batch_id>/ask/", batch.ask, name="batch-ask"),
    path("batches/<uuid:batch_id>/answer.json", answer.download, name="answer-download"),
    path("batches/<uuid:batch_id>/versions/", versions.versions, name="versions"),
    path("batches/<uuid:batch_id>/versions/<int:number>.json", answer.download_version, name="version-download"),
    path("batches/<uuid:batch_id>/<slug:tab>/", batch.batch, name="batch-tab"),
    path("causes/", causes.causes, name="causes"),
    path("causes/<int:cause_id>/", causes.cause, name="cause"),
    path("cases/<any:case_id>/", case.case, name="case"),
    path("amili/", connection.connection, name="connection"),
    path("amili/banner/", banner.banner, name="banner"),
    path("hooks/amili/", hook.hook, name="hook"),
]
