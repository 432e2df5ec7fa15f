"""What a statement of this room's finds."""

from typing import Any

from django.db import connection


def rows_of(statement: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())
