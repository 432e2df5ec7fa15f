"""Gives the tests their own PostgreSQL and Valkey, before Django reads its settings.

Loaded by name (`-p tests.plugin`). Servers named by DATABASE_URL and REDIS_URL are used in place of our own.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from sandbox.processes import sole_use
from sandbox.servers import ServerProblem, embedded_servers

VAR = Path(__file__).resolve().parent.parent / "var"

# Nobody answers on port 9: a test that forgets its own stand-in for Amili is refused at once.
SETTINGS = {
    "SECRET_KEY": "for the tests only, and long enough to be taken for a real one",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "DEBUG": "off",
    "HTTPS": "off",
    "SANDBOX": "off",
    "AMILI_API_URL": "http://127.0.0.1:9/collection/v1",
    "AMILI_AUTH_URL": "http://127.0.0.1:9",
    "AMILI_CLIENT_ID": "tests",
    "AMILI_CLIENT_SECRET": "secret of the tests",
    "AMILI_TOKEN": "",
    "AMILI_ORGANIZATION_IDS": "",
    "AMILI_CASE_URL": "",
    "AMILI_WEBHOOK_SECRETS": "",
    "AMILI_REQUESTS_PER_SECOND": "1000",
    "EMAIL_URL": "",
    "ALERT_WEBHOOK_HOSTS": "",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Come before pytest-django, which loads the settings in this very hook."""
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    os.environ.update(SETTINGS)
    var_dir = _free_directory(stack)
    os.environ["VAR_DIR"] = str(var_dir)
    wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    try:
        os.environ.update(stack.enter_context(embedded_servers(var_dir, wanted, durable=False)))
    except ServerProblem as problem:
        raise pytest.UsageError(str(problem)) from None
    return (yield)


def _free_directory(stack: ExitStack) -> Path:
    """The first one that no other run of the tests holds at the moment."""
    for number in count(1):
        var_dir = VAR / f"test-{number}"
        var_dir.mkdir(parents=True, exist_ok=True)
        try:
            stack.enter_context(sole_use(var_dir))
        except ServerProblem:
            continue
        return var_dir
    raise AssertionError("unreachable: there is always another number")
