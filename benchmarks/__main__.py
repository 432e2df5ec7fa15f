"""`python -m benchmarks [name ...]`: run all benchmarks or those named; exit status 1 if a limit is missed."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django
import environ

from sandbox.processes import end_leftovers, sole_use
from sandbox.servers import ServerProblem, embedded_servers

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))
VAR_DIR = ROOT / "var" / "bench"
SERVERS = ("DATABASE_URL", "REDIS_URL")
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    "VAR_DIR": str(VAR_DIR),
    "SECRET_KEY": "for the benchmarks only, and long enough to be taken for a real one",
    "ALLOWED_HOSTS": "testserver,127.0.0.1",
    "DEBUG": "off",
    "HTTPS": "off",
    "SANDBOX": "off",
    "LOG_LEVEL": "WARNING",
    "AMILI_TOKEN": "a token of the benchmarks",
    "AMILI_ORGANIZATION_IDS": "",
}


def main() -> int:
    """Run them on the servers that the environment names, or on our own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(NAMES)}")
    parser.add_argument(
        "--error-rows",
        default="1000000",
        metavar="N",
        help="how many error rows `investigate` makes (default: 1000000)",
    )
    parser.add_argument(
        "--batches", default="1000000", metavar="N", help="how many batches `outcomes` makes (default: 1000000)"
    )
    given = parser.parse_args()
    asked = given.names
    os.environ |= {"BENCH_ERROR_ROWS": given.error_rows, "BENCH_BATCHES": given.batches}
    if unknown := set(asked) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    try:
        with _prepared():
            kept = [_run(name) for name in asked or NAMES]
    except ServerProblem as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    return 0 if all(kept) else 1


def _run(name: str) -> bool:
    print(f"\n{name}", flush=True)
    return bool(import_module(f"benchmarks.bench_{name}").main())


@contextmanager
def _prepared() -> Iterator[None]:
    """Servers, settings, and a database that holds nobody's data."""
    environ.Env.read_env(ROOT / ".env")
    wanted = [name for name in SERVERS if not (os.environ.get(name) or os.environ.get(f"{name}_FILE"))]
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    with sole_use(VAR_DIR):
        end_leftovers(VAR_DIR)
        with embedded_servers(VAR_DIR, wanted) as servers:
            os.environ.update(SETTINGS | servers)
            django.setup()
            with _own_database():
                yield


@contextmanager
def _own_database() -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connection

    call_command("collectstatic", interactive=False, verbosity=0)
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
