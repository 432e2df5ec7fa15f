#!/usr/bin/env python
"""The project's commands: Django's, and `up`, which runs everything on this machine."""

import os
import signal
import sys


def main() -> None:
    """Hand over to `up`, which decides the settings, or to Django, which needs them."""
    if sys.argv[1:2] == ["up"]:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is to be stopped before `up` is loaded
        from sandbox.up import main as up

        sys.exit(up(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amili_dashboard.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
