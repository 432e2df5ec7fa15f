"""From the moment that a batch is finished at Amili to the changed page in a browser that has it open.

All of it is real: `manage.py up`, the stand-in for Amili in a process of its own, once with webhooks and once without,
and Chromium with several pages open at once, each of a batch of its own. Their ends are spread, so that they meet the
polls at any moment. The page's own clock says when it changed; it is that of the stand-in too.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from playwright.sync_api import BrowserContext, Page, sync_playwright

from batches.pace import WATCHED
from benchmarks.measure import at_most
from sandbox.processes import Processes
from sandbox.rows import CREDITORS
from sandbox.servers import free_port
from tests.stack import ROOT, Run, until

AT_ONCE, ROUNDS = 10, 5
ALLOWED = 2.5  # seconds from the end of a batch with a webhook, or from our next question without
PACE = WATCHED.total_seconds() + 0.5  # the tick after it
FIRST_END, APART = 4.0, 0.13  # seconds from the start of a batch to its end: all pages are open by then

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PERSON = {"USERNAME": "bench", "EMAIL": "bench@dashboard.example", "PASSWORD": secrets.token_urlsafe(12)}

AWAIT_CHANGE = """() => {
    window.changed = new Promise((resolve, reject) => {
        const note = () => {
            if (document.querySelector("#batch-news")?.textContent.includes("Partly succeeded")) resolve(Date.now());
        };
        new MutationObserver(note).observe(document, {subtree: true, childList: true, characterData: true});
        setTimeout(() => reject(new Error("The page has not changed.")), 60_000);
        note();
    });
    return null;
}"""


def main() -> bool:
    """Print how long it takes with a webhook and without one; whether both keep to their limits."""
    secret = secrets.token_urlsafe(32)
    return all([_is_quick("with a webhook", ALLOWED, secret), _is_quick("without a webhook", PACE + ALLOWED, "")])


def _is_quick(name: str, limit: float, secret: str) -> bool:
    port = free_port()
    with _amili(port, secret) as url, _stack(port, url, secret) as run, _browser(run) as browser:
        pages = [browser.new_page() for _ in range(AT_ONCE)]
        taken = sorted(seconds for _ in range(ROUNDS) for seconds in _tries(pages, url))
    print(f"  {name}: {len(taken)} tries, median {taken[len(taken) // 2]:.2f} s, slowest {taken[-1]:.2f} s")
    return at_most(limit, f"{name}, p95", taken[round(len(taken) * 0.95) - 1], " s")


def _tries(pages: list[Page], url: str) -> list[float]:
    """Start a batch for each page, open them, and wait until all have changed; the seconds from end to change."""
    ends = [_open(page, url, FIRST_END + number * APART) for number, page in enumerate(pages)]
    return [page.evaluate("window.changed") / 1000 - end for page, end in zip(pages, ends, strict=True)]


def _open(page: Page, url: str, queued: float) -> float:
    """Follow a new batch on this page, as a person does; when the batch ends."""
    start = time.time()
    order = {"objects": 200, "fate": "partial", "queued_seconds": queued}
    batch_id = requests.post(f"{url}/sandbox/batches", json=order, timeout=5).json()["batchId"]
    page.goto(f"/batches/{batch_id}/")
    page.get_by_role("button", name="Ask Amili").click()
    page.wait_for_selector("#batch-news", state="attached")
    page.evaluate(AWAIT_CHANGE)
    return start + queued


# ------------------------------------------------------------------------------------------ the stack


@contextmanager
def _amili(port: int, secret: str) -> Iterator[str]:
    """The address of the stand-in for Amili; it tells this port of batches that end, if there is a secret to sign with."""
    url, webhook_url = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{port}/hooks/amili/" if secret else ""
    with TemporaryDirectory() as directory:
        env = os.environ | {"SANDBOX_WEBHOOK_SECRET": secret}
        with Processes(Path(directory), env, ROOT) as processes:
            arguments = ("-m", "sandbox.server", "--port", url.rpartition(":")[2], "--webhook-url", webhook_url)
            processes.start("amili", *arguments, log=Path(directory) / "log")
            until(lambda: _is_up(url), 30)
            yield url


def _is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def _stack(port: int, amili_url: str, secret: str) -> Iterator[Run]:
    """`manage.py up` on this port, and somebody who may sign in."""
    # Not in VAR_DIR: embedded servers of ours run there already.
    with TemporaryDirectory() as directory:
        settings = {
            "PORT": str(port),
            "AMILI_API_URL": f"{amili_url}/collection/v1",
            "AMILI_AUTH_URL": amili_url,
            "AMILI_CLIENT_ID": "sandbox",
            "AMILI_CLIENT_SECRET": "any",
            "AMILI_ORGANIZATION_IDS": str(CREDITORS[1].id),
            "AMILI_WEBHOOK_SECRETS": secret,
        }
        run = Run(Path(directory) / "var", **settings)
        try:
            _add_person(run.started(), settings)
            yield run
        finally:
            run.process.send_signal(signal.SIGTERM)
            run.process.wait(60)


def _add_person(run: Run, settings: dict[str, str]) -> None:
    env = os.environ | settings | {"VAR_DIR": str(run.var_dir), "DJANGO_SETTINGS_MODULE": "amili_dashboard.settings"}
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "AMILI_TOKEN"):
        env.pop(name, None)  # as the run has left them in its VAR_DIR
    env |= {f"DJANGO_SUPERUSER_{name}": value for name, value in PERSON.items()}
    arguments = [sys.executable, "manage.py", "createsuperuser", "--noinput"]
    subprocess.run(arguments, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def _browser(run: Run) -> Iterator[BrowserContext]:
    """Chromium, signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(base_url=run.url)
        with closing(browser), closing(context), closing(context.new_page()) as page:
            page.goto("/accounts/login/")
            page.locator("[name=login]").fill(PERSON["USERNAME"])
            page.get_by_label("Password").fill(PERSON["PASSWORD"])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{run.url}/")
            yield context
