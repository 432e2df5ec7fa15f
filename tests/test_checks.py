"""Django's own checks have nothing to say, and the migrations say what the models say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
REAL_INSTALLATION = {
    "HTTPS": "on",
    "ALLOWED_HOSTS": "dashboard.example",
    "SECRET_KEY": "nobody knows it, and it is as long and as varied as Django wants it to be",
}


def test_a_real_installation_passes_the_checks_for_deployment() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**os.environ, **REAL_INSTALLATION},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.django_db
def test_no_change_of_the_models_lacks_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
