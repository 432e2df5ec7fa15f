"""`python -m benchmarks.worker <batch id>`: load what a Celery worker loads, refresh one batch, print the MiB that it took."""

import resource
import sys
from pathlib import Path

import django

from amili_dashboard.celery import app

STATUS = Path("/proc/self/status")


def peak_memory() -> float:
    """The most memory that this process held, in MiB.

    Linux is asked by way of /proc: its getrusage also counts what the parent held when it started this process.
    """
    if STATUS.exists():
        lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def main() -> None:
    """Do what the task does; what went wrong is a failed benchmark, not a small one."""
    django.setup()
    app.loader.import_default_modules()
    from batches.models import Batch
    from batches.tasks import refresh_batch

    refresh_batch(sys.argv[1])
    batch = Batch.objects.get(pk=sys.argv[1])
    if not batch.digest:
        sys.exit(f"The batch was not recorded: {batch.trouble_detail}")
    print(peak_memory())


if __name__ == "__main__":
    main()
