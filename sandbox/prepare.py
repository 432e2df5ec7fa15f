"""What a local run does once before it serves, in one process: Django takes longer to load than the steps to run."""

import os

import django
from django.core.management import call_command


def main() -> None:
    """Bring database and static files up to date; with the sandbox, follow its batches and tell how to sign in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amili_dashboard.settings")
    django.setup()
    from django.conf import settings

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if settings.SANDBOX:
        call_command("demo")


if __name__ == "__main__":
    main()
