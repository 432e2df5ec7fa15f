"""The sandbox's own page: for a person who tries the dashboard and needs a batch ID to paste."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path

from sandbox.batch import NAMED_FAULTS, Batch
from sandbox.demo import DEMO, DEMO_BATCHES

STYLESHEET = Path(__file__).with_name("page.css").read_bytes()

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
<section aria-labelledby="start">
<h2 id="start">Start a batch</h2>
<form method="post" action="/sandbox/batches">
<label>Generation of answers <select name="generation"><option>C<option>A</select></label>
<label>Becomes <select name="fate">
<option value="partial">partly succeeded<option value="success">succeeded<option value="failed">failed
</select></label>
<label>Objects <input type="number" name="objects" value="200" min="2" max="100000" required></label>
<label>Seconds in the queue
<input type="number" name="queued_seconds" value="20" min="0" max="86400" required></label>
<label>First answer <select name="fault"><option value="">as it should be{faults}</select></label>
<button>Start</button>
</form>
</section>
<section aria-labelledby="newest">
<h2 id="newest">Newest batches</h2>
<p>One is born every minute. Reload to see the next.</p>
<table>
<thead><tr><th>Batch ID<th>Organisation<th>Answers<th>Objects<th>Created (UTC)<th>Status</tr></thead>
<tbody>{newest}</tbody>
</table>
</section>
<section aria-labelledby="demo">
<h2 id="demo">Demo batches</h2>
<p>Always here, under the same IDs.</p>
<table>
<thead><tr><th>Batch ID<th>What it shows<th>Organisation<th>Answers</tr></thead>
<tbody>{demo}</tbody>
</table>
</section>
</main>
</body>
</html>
"""


def page(newest: Iterable[Batch], now: datetime, started: str) -> str:
    """The whole document; `started` is the ID of a batch that the form just started."""
    return DOCUMENT.format(
        started=_started(started) if started else "",
        faults="".join(f"<option>{fault}" for fault in (429, 500, 503, *NAMED_FAULTS)),
        newest="".join(_newest_row(batch, now) for batch in newest),
        demo="".join(_demo_row(batch) for batch in DEMO_BATCHES.values()),
    )


def _started(batch_id: str) -> str:
    return f'<p class="started" role="status">Started: {_code(batch_id)}</p>'


def _newest_row(batch: Batch, now: datetime) -> str:
    state = batch.state(now)
    return _row(
        _code(str(batch.id)),
        escape(batch.creditor.name),
        batch.creditor.generation,
        f'<span class="number">{batch.objects}</span>',
        f"{batch.born:%Y-%m-%d %H:%M:%S}",
        f'<span class="state {state.lower()}">{state}</span>',
    )


def _demo_row(batch: Batch) -> str:
    creditor = batch.creditor
    return _row(_code(str(batch.id)), escape(DEMO[batch.id]), escape(creditor.name), creditor.generation)


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "</tr>\n"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
