"""The sandbox's own page: for a person who tries the dashboard, needs a batch ID to paste, or a fault to watch."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from pathlib import Path

from sandbox.batch import Batch
from sandbox.demo import DEMO, DEMO_BATCHES
from sandbox.faults import NAMED, STATUSES, WELL
from sandbox.moods import LONGEST, MOODS, Mood
from sandbox.webhooks import AGAIN, WRONGLY_SIGNED, Sending, Webhooks

type Row = dict[str, str]

STYLESHEET = Path(__file__).with_name("page.css").read_bytes()
FIRST_ANSWERS = ("First", "Second", "Third")
SENDINGS_SHOWN = 3

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sandbox: a stand-in for Amili</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Sandbox</h1>
<p>This stands in for Amili. Its organisations, batches and messages are invented.
Click an ID to select it, copy it, and paste it into the dashboard.</p>
{started}
<section id="mood" aria-labelledby="mood-heading">
<h2 id="mood-heading">Mood</h2>
{mood}
<form method="post" action="/sandbox/mood">
<label>From now on <select name="mood">{moods}</select></label>
<label>Seconds <input type="number" name="seconds" value="60" min="1" max="{longest}" required></label>
<button>Set the mood</button>
</form>
</section>
<section id="start" aria-labelledby="start-heading">
<h2 id="start-heading">Start a batch</h2>
<form method="post" action="/sandbox/batches">
<label>Generation of answers <select name="generation"><option>C<option>A</select></label>
<label>Becomes <select name="fate">
<option value="partial">partly succeeded<option value="success">succeeded<option value="failed">failed
</select></label>
<label>Objects <input type="number" name="objects" value="200" min="2" max="100000" required></label>
<label>Seconds in the queue
<input type="number" name="queued_seconds" value="20" min="0" max="86400" required></label>
<fieldset><legend>Its first answers</legend>
{first_answers}</fieldset>
<button>Start</button>
</form>
</section>
<section id="newest" aria-labelledby="newest-heading">
<h2 id="newest-heading">Newest batches</h2>
<p>One is born every minute. Reload to see the next. {webhooks}</p>
{newest}
</section>
<section id="demo" aria-labelledby="demo-heading">
<h2 id="demo-heading">Demo batches</h2>
<p>Always here, under the same IDs.</p>
{demo}
</section>
</main>
</body>
</html>
"""

IN_A_MOOD = """<div class="mood" role="status">
<p><strong>{mood}</strong>, until {until:%H:%M:%S} UTC, {seconds} seconds from now.</p>
<form method="post" action="/sandbox/mood"><button name="mood" value="well">Answer well again</button></form>
</div>"""


def page(newest: Iterable[Batch], now: datetime, mood: Mood, webhooks: Webhooks | None, started: str) -> str:
    """The whole document; `started` is the ID of a batch that the form just started."""
    return DOCUMENT.format(
        started=_started(started) if started else "",
        mood=_mood(mood, now),
        moods=_options(MOODS, chosen=mood.name),
        longest=LONGEST,
        first_answers="".join(_first_answer(place) for place in FIRST_ANSWERS),
        webhooks=_destination(webhooks),
        newest=_table(_newest_row(batch, now, webhooks) for batch in newest),
        demo=_table(_demo_row(batch) for batch in DEMO_BATCHES.values()),
    )


def _started(batch_id: str) -> str:
    return f'<p class="started" role="status">Started: {_code(batch_id)}</p>'


def _mood(mood: Mood, now: datetime) -> str:
    if not mood.until:
        return "<p>Every request is answered as it should be. This page is, in every mood.</p>"
    seconds = round((mood.until - now).total_seconds())
    return IN_A_MOOD.format(mood=escape(MOODS[mood.name]), until=mood.until, seconds=seconds)


def _first_answer(place: str) -> str:
    words = {WELL: "as it should be", **{str(status): f"{status}: {why}" for status, why in STATUSES.items()}, **NAMED}
    return f'<label>{place} answer <select name="fault">{_options(words)}</select></label>\n'


def _options(words: Mapping[str, str], chosen: str = "") -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}'
        for value, text in words.items()
    )


def _destination(webhooks: Webhooks | None) -> str:
    if not webhooks:
        return "No webhooks are sent."
    return f"When one finishes, a webhook goes to {_code(webhooks.url)}."


def _newest_row(batch: Batch, now: datetime, webhooks: Webhooks | None) -> Row:
    state = batch.state(now)
    row = {
        "Batch ID": _code(str(batch.id)),
        "Organisation": escape(batch.creditor.name),
        "Answers": batch.creditor.generation,
        "Objects": str(batch.objects),
        "Created (UTC)": f"{batch.born:%Y-%m-%d %H:%M:%S}",
        "Status": f'<span class="state {state.lower()}">{state}</span>',
        "Submitted": _submission(batch),
    }
    return row | {"Webhook": _webhook(batch, webhooks.of(batch.id), now)} if webhooks else row


def _webhook(batch: Batch, sendings: list[Sending], now: datetime) -> str:
    if not sendings:
        return "none sent" if batch.is_finished(now) else "when it finishes"
    told = "".join(f"<li>{_sending(sending)}" for sending in sendings[-SENDINGS_SHOWN:])
    buttons = "".join(
        f'<button name="manner" value="{manner}" aria-label="Send {manner}, batch {batch.id}">Send {manner}</button>'
        for manner in (AGAIN, WRONGLY_SIGNED)
    )
    return f'<ul>{told}</ul><form method="post" action="/sandbox/batches/{batch.id}/webhook">{buttons}</form>'


def _sending(sending: Sending) -> str:
    kind = "success" if sending.is_delivered else "failed" if sending.ended.is_set() else "waiting"
    return f'{escape(f"{sending.manner}: " if sending.manner else "")}<span class="{kind}">{escape(sending.outcome)}</span>'


def _demo_row(batch: Batch) -> Row:
    return {
        "Batch ID": _code(str(batch.id)),
        "What it shows": escape(DEMO[batch.id]),
        "Organisation": escape(batch.creditor.name),
        "Answers": batch.creditor.generation,
        "Submitted": _submission(batch),
    }


def _submission(batch: Batch) -> str:
    """Links to the file that was sent."""
    if not batch.has_submission:
        return "no file"
    address = f"/sandbox/batches/{batch.id}/submission"
    links = (
        f'<a href="{address}.{ending}" aria-label="{ending.upper()} submitted for batch {batch.id}">{ending.upper()}</a>'
        for ending in ("json", "csv", "xlsx")
    )
    return f'<span class="files">{" ".join(links)}</span>'


def _table(rows: Iterable[Row]) -> str:
    """Each cell names its column, for a narrow window shows the rows one below the other."""
    rows = list(rows)
    head = "".join(f'<th scope="col">{name}' for name in rows[0])
    body = "".join("<tr>" + "".join(f'<td data-column="{name}">{cell}' for name, cell in row.items()) for row in rows)
    return f"<table>\n<thead><tr>{head}</thead>\n<tbody>{body}</tbody>\n</table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
