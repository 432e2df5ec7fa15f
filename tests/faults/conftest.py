"""Two stacks at once: on one of them the claims of those who died run out, while the other one bears all else."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.crashes import Crashes
from tests.faults.stack import Stack


@pytest.fixture(scope="package")
def crashes() -> Iterator["Future[Crashes]"]:
    """Begun before all others and looked at last: a claim of the dead stands for 50 seconds, and nobody waits for them."""
    with TemporaryDirectory() as directory, ExitStack() as end, ThreadPoolExecutor(1) as aside:
        yield aside.submit(lambda: Crashes(end.enter_context(Stack(Path(directory) / "var"))).happen())


@pytest.fixture(scope="package")
def stack(crashes: "Future[Crashes]") -> Iterator[Stack]:
    # Not below pytest's own directory: another pytest would close that one to PostgreSQL's user.
    with TemporaryDirectory() as directory, Stack(Path(directory) / "var") as stack:
        yield stack
