"""Settings come from the environment, and a start that cannot go well is refused with one line that names the setting."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOOD = {
    "SECRET_KEY": "a key that nobody knows and that is long",
    "ALLOWED_HOSTS": "dashboard.example",
    "DATABASE_URL": "postgresql://somebody:secret@db.example/amili",
    "REDIS_URL": "redis://:secret@redis.example/0",
    "AMILI_CLIENT_ID": "client",
    "AMILI_CLIENT_SECRET": "secret",
}
ORGANISATION = "7bc05553-4b68-44e8-b7bc-37be63c6d9e9"
OTHER = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PRINT = """
import json, runpy
settings = runpy.run_path("amili_dashboard/settings.py")
print(json.dumps({name: str(value) for name, value in settings.items() if name.isupper()}))
"""


def start(**changed: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process whose environment holds the good ones, changed; None takes one away."""
    outside = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    given = {name: value for name, value in {**GOOD, "VAR_DIR": "var/none", **changed}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", PRINT], cwd=ROOT, env=outside | given, capture_output=True, text=True, timeout=30
    )


def settings_of(**changed: str | None) -> dict[str, str]:
    result = start(**changed)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/nowhere/at/all"),
        ("ALLOWED_HOSTS", None),
        ("DATABASE_URL", None),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://db.example"),
        ("DATABASE_URL", "postgresql://db.example:port/amili"),
        ("REDIS_URL", None),
        ("REDIS_URL", ""),
        ("REDIS_URL", "nonsense"),
        ("DEBUG", "perhaps"),
        ("HTTPS", "perhaps"),
        ("SANDBOX", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("TIME_ZONE", "Europe/Nowhere"),
        ("TIME_ZONE", "../etc/passwd"),
        ("CSRF_TRUSTED_ORIGINS", "dashboard.example"),
        ("AMILI_API_URL", "http://api.amili.no/collection/v1"),
        ("AMILI_API_URL", "https://"),
        ("AMILI_API_URL", "https://user:password@api.amili.no/collection/v1"),
        ("AMILI_AUTH_URL", "auth.amili.no"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "https://user:password@batches.example.no"),
        ("SITE_URL", "https://batches.example.no/?next=1"),
        ("SITE_URL", "https://batches.example.no/#alerts"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("AMILI_CLIENT_ID", None),
        ("AMILI_CLIENT_SECRET", ""),
        ("AMILI_ORGANIZATION_IDS", "Nordlys"),
        ("AMILI_CASE_URL", "https://portal.example/cases/"),
        ("AMILI_CASE_URL", "javascript:alert({case_id})"),
    ],
)
def test_a_missing_or_malformed_setting_is_refused_in_one_line_that_names_it(name: str, value: str | None) -> None:
    replaced = {name.removesuffix("_FILE"): None} if name.endswith("_FILE") else {}
    result = start(**replaced, **{name: value})
    assert result.returncode == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    setting = "AMILI_CLIENT_ID" if name == "AMILI_CLIENT_SECRET" else name.removesuffix("_FILE")
    assert lines[0].startswith(setting)
    assert "secret" not in lines[0].lower().replace(setting.lower(), "").replace("amili_client_secret", "")


def test_what_is_left_out_has_its_documented_default() -> None:
    settings = settings_of()
    assert settings["DEBUG"] == "False"
    assert settings["TIME_ZONE"] == "Europe/Oslo"
    assert settings["AMILI_API_URL"] == "https://api.amili.no/collection/v1"
    assert settings["AMILI_AUTH_URL"] == "https://auth.amili.no"
    assert settings["SANDBOX"] == "False"
    assert settings["SESSION_COOKIE_SECURE"] == settings["CSRF_COOKIE_SECURE"] == "True"


def test_a_setting_may_come_from_a_file_that_ends_in_a_line_break(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    assert settings_of(AMILI_CLIENT_SECRET=None, AMILI_CLIENT_SECRET_FILE=str(secret))["AMILI_CLIENT_SECRET"] == (
        "from a file"
    )


def test_a_ready_token_takes_the_place_of_the_credentials() -> None:
    settings = settings_of(AMILI_CLIENT_ID=None, AMILI_CLIENT_SECRET=None, AMILI_TOKEN="a.b.c")
    assert settings["AMILI_TOKEN"] == "a.b.c"


def test_organisations_may_have_names() -> None:
    settings = settings_of(AMILI_ORGANIZATION_IDS=f" {ORGANISATION}=Nordlys Kraft AS , {OTHER}")
    assert settings["AMILI_ORGANIZATIONS"] == str({UUID(ORGANISATION): "Nordlys Kraft AS", UUID(OTHER): ""})


def test_plain_http_is_for_this_machine_alone() -> None:
    assert settings_of(AMILI_API_URL="http://127.0.0.1:8080/collection/v1/")["AMILI_API_URL"] == (
        "http://127.0.0.1:8080/collection/v1"
    )


def test_what_the_local_run_left_behind_comes_after_the_environment(tmp_path: Path) -> None:
    (tmp_path / "local.env").write_text("SECRET_KEY=made here, and long enough to be a key\nTIME_ZONE=UTC\n")
    settings = settings_of(VAR_DIR=str(tmp_path), SECRET_KEY=None, TIME_ZONE="Europe/Oslo")
    assert (settings["SECRET_KEY"], settings["TIME_ZONE"]) == ("made here, and long enough to be a key", "Europe/Oslo")


def test_a_secret_may_begin_with_a_dollar_sign() -> None:
    """It is no name of another setting, whose value would be sent to Amili in its place."""
    assert settings_of(AMILI_CLIENT_SECRET="$HOME")["AMILI_CLIENT_SECRET"] == "$HOME"
