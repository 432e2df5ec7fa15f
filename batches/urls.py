"""Addresses of the product's pages."""

import re

from django.urls import path, register_converter

from batches.views import (
    alerts,
    answer,
    banner,
    batch,
    batches,
    case,
    causes,
    connection,
    evidence,
    exports,
    home,
    hook,
    outcomes,
    rhythm,
    saved_views,
    submission,
    trend,
    triage,
    versions,
    wall,
    watch,
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
register_converter(exports.FormatConverter, "format")

urlpatterns = [
    path("", home.home, name="home"),
    path("batches/", batches.batches, name="batches"),
    path("batches/export.<format:file_format>", exports.batches, name="batches-export"),
    path("batches/views/", saved_views.saved_views, name="saved-views"),
    path("batches/views/default/", saved_views.default, name="default-view"),
    path("batches/views/<int:view_id>/", saved_views.change, name="saved-view"),
    path("batches/views/<int:view_id>/delete/", saved_views.delete, name="delete-view"),
    path("batches/<uuid:batch_id>/", batch.batch, name="batch"),
    path("batches/<uuid:batch_id>/ask/", batch.ask, name="batch-ask"),
    path("batches/<uuid:batch_id>/watch/", watch.watch, name="batch-watch"),
    path("batches/<uuid:batch_id>/triage/", triage.move, name="batch-triage"),
    path("batches/<uuid:batch_id>/corrected/", triage.correct, name="batch-corrected"),
    path("batches/<uuid:batch_id>/notes/", triage.note, name="batch-note"),
    path("batches/<uuid:batch_id>/answer.json", answer.download, name="answer-download"),
    path("batches/<uuid:batch_id>/versions/", versions.versions, name="versions"),
    path("batches/<uuid:batch_id>/versions/<int:number>.json", answer.download_version, name="version-download"),
    path("batches/<uuid:batch_id>/evidence/", evidence.evidence, name="evidence"),
    path("batches/<uuid:batch_id>/evidence.txt", evidence.text, name="evidence-text"),
    path("batches/<uuid:batch_id>/evidence.zip", evidence.zipped, name="evidence-zip"),
    path("batches/<uuid:batch_id>/submission/", submission.submission, name="submission"),
    path("batches/<uuid:batch_id>/submission/base/", submission.decide, name="submission-base"),
    path("batches/<uuid:batch_id>/submission/forget/", submission.forget, name="submission-forget"),
    path("batches/<uuid:batch_id>/submission/correction/", submission.correction, name="submission-correction"),
    path("batches/<uuid:batch_id>/submission/never-mentioned/", submission.rest, name="submission-rest"),
    path("batches/<uuid:batch_id>/submission/export.<format:file_format>", submission.export, name="submission-export"),
    path("batches/<uuid:batch_id>/<slug:tab>/", batch.batch, name="batch-tab"),
    path("batches/<uuid:batch_id>/export.<format:file_format>", exports.batch, name="batch-export"),
    path("batches/<uuid:batch_id>/<slug:tab>/export.<format:file_format>", exports.tab, name="tab-export"),
    path("causes/", causes.causes, name="causes"),
    path("causes/export.<format:file_format>", exports.causes, name="causes-export"),
    path("causes/<int:cause_id>/", causes.cause, name="cause"),
    path("causes/<int:cause_id>/triage/", triage.move, name="cause-triage"),
    path("causes/<int:cause_id>/notes/", triage.note, name="cause-note"),
    path("causes/<int:cause_id>/advice/", triage.advise, name="cause-advice"),
    path("causes/<int:cause_id>/export.<format:file_format>", exports.cause, name="cause-export"),
    path("causes/<int:cause_id>/<slug:part>/export.<format:file_format>", exports.part, name="cause-part-export"),
    path("cases/<any:case_id>/export.<format:file_format>", exports.case, name="case-export"),
    path("cases/<any:case_id>/", case.case, name="case"),
    path("outcomes/", outcomes.outcomes, name="outcomes"),
    path("outcomes/trend.svg", trend.picture, name="trend"),
    path("outcomes/export.<format:file_format>", outcomes.export, name="outcomes-export"),
    path("outcomes/<slug:part>/export.<format:file_format>", outcomes.export, name="outcomes-part-export"),
    path("outcomes/rhythm/", rhythm.rhythm, name="rhythm"),
    path("outcomes/rhythm/<uuid:organization_id>/", rhythm.expect, name="expectation"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/test/", alerts.send_test, name="alerts-test"),
    path("alerts/secret/", alerts.renew_secret, name="alerts-secret"),
    path("outcomes/wall/", wall.wall, name="wall"),
    path("outcomes/wall/links/", wall.wall_links, name="wall-links"),
    path("outcomes/wall/links/<int:link_id>/revoke/", wall.revoke, name="revoke-wall-link"),
    path("outcomes/wall/<str:token>/", wall.shown, name="wall-shown"),
    path("amili/", connection.connection, name="connection"),
    path("amili/banner/", banner.banner, name="banner"),
    path("hooks/amili/", hook.hook, name="hook"),
]
