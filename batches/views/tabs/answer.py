"""Amili's answer as received."""

from collections.abc import Mapping
from typing import Any

from batches.models import Batch
from batches.pretty import pretty_start
from batches.views.tabs.tab import Tab
from batches.views.versions import last_received, version_numbered, versions_of


class AnswerTab(Tab):
    """A version of Amili's answer, of itself the last one: readable and whole, or its beginning where it is long."""

    MOST = 30_000  # bytes shown
    MOST_TEXT = 10 * MOST  # characters: what is deeply nested grows a lot when it is indented

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        versions, wanted = versions_of(batch), asked.get("version")
        if not versions and not wanted:
            return {"version": None}
        version = version_numbered(versions, wanted) if wanted else last_received(versions)
        text = pretty_start(batch.answers.beginning(self.MOST).get(pk=version.pk).start(self.MOST))
        return {
            "version": version,
            "version_count": len(versions),
            "is_current": version.digest == bytes(batch.digest),
            "text": text[: self.MOST_TEXT],
            "is_cut": version.size > self.MOST or len(text) > self.MOST_TEXT,
        }
