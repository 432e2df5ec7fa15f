"""What the database is asked meanwhile, how long that takes, and how it goes about it."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from django.db import connection

type Plan = dict[str, Any]
type Deed = Callable[[], object]


@contextmanager
def watched(seen: Callable[[str, Any, float], None]) -> Iterator[None]:
    """Tell of each statement, its parameters and its seconds."""

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = perf_counter()
        result = execute(sql, params, many, context)
        seen(sql, params, perf_counter() - start)
        return result

    with connection.execute_wrapper(wrap):
        yield


def plans(deed: Deed, options: str = "") -> Iterator[Plan]:
    """Of each query that reads."""
    asked: list[tuple[str, Any]] = []
    with watched(lambda sql, params, _: asked.append((sql, params))):
        deed()
    for sql, params in asked:
        if re.match(r"\s*(SELECT|WITH)", sql):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON{options}) {sql}", params)
                yield cursor.fetchone()[0][0]["Plan"]


def nodes(found: Iterable[Plan]) -> Iterator[Plan]:
    """Of plans, with all that stands below."""
    for plan in found:
        yield plan
        yield from nodes(plan.get("Plans", []))


def whole_reads(found: Iterable[Plan], tables: Collection[str]) -> Iterator[str]:
    """Those of the tables that are read from end to end, as often as they are."""
    for node in nodes(found):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables:
            yield node["Relation Name"]
