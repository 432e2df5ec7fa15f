"""What a local run does once before it serves, in one process: Django takes longer to load than the steps to run."""

import os
import sys

import django
from django.core.management import CommandError, call_command


def main() -> None:
    """Bring database and static files up to date; with the sandbox, follow its batches and tell how to sign in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amili_dashboard.settings")
    django.setup()
    from django.conf import settings

    from sandbox.management.commands.demo import demo_sign_ins_are_open

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if settings.SANDBOX:
        _demo()
    elif demo_sign_ins_are_open():
        sys.exit(
            "This database holds the demo's sign-ins, whose password everybody knows: "
            "start with another VAR_DIR or DATABASE_URL for Amili's real batches."
        )


def _demo() -> None:
    try:
        call_command("demo")
    except CommandError as refusal:
        sys.exit(f"{refusal} Set AMILI_CLIENT_ID and AMILI_CLIENT_SECRET, or another VAR_DIR or DATABASE_URL.")


if __name__ == "__main__":
    main()
