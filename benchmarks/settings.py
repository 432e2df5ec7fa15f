"""The project's settings, with a database, cache keys and a queue of the benchmarks' own and one address more."""

from amili_dashboard.settings import *  # noqa: F403
from amili_dashboard.settings import CACHES, DATABASES

ROOT_URLCONF = "benchmarks.urls"
DATABASES["default"]["NAME"] += "_bench"
# Django's maker of test databases makes this one and takes it away; the processes that we start find it by its name.
DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
CACHES["sessions"]["KEY_PREFIX"] = "amili_bench"
CELERY_TASK_DEFAULT_QUEUE = "amili_bench"
