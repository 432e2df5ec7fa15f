"""`python -m benchmarks.bare <url> <token> <threads> <seconds>`: batches fetched a second by a loop that does nothing else.

Each thread has a session whose connection stays open, and asks about another batch each time, as a worker does.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import requests


def main() -> None:
    """Print the figure."""
    url, token, threads, seconds = sys.argv[1:]
    with ThreadPoolExecutor(int(threads)) as pool:
        fetch = partial(_fetch, url, {"Authorization": f"Bearer {token}"})
        fetched = sum(pool.map(fetch, [float(seconds)] * int(threads)))
    print(fetched / float(seconds))


def _fetch(url: str, headers: dict[str, str], seconds: float) -> int:
    fetched = 0
    with requests.Session() as session:
        session.headers.update(headers)
        session.get(f"{url}/batches/{uuid4()}", timeout=5)  # the connection, and what is loaded with it
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            session.get(f"{url}/batches/{uuid4()}", timeout=5).raise_for_status()
            fetched += 1
    return fetched


if __name__ == "__main__":
    main()
