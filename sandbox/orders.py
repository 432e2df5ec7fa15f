"""What a person or a program orders from the sandbox, checked: each complaint says what would have been right."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sandbox.wire import FORM, RefusedError, Request

type Order = Mapping[str, Any]


class OrderError(RefusedError):
    """The order cannot be met; says why."""

    def __init__(self, why: str) -> None:
        super().__init__(400, why)


def order_of(request: Request) -> dict[str, Any]:
    """A program sends JSON; a form of our page knows texts only, and may give a misbehaviour for each of some answers."""
    if request.media_type != FORM:
        return _json_order(request.body)
    fields = request.fields()
    faults = [int(fault) if fault.isdecimal() else fault for name, fault in fields if name == "fault" and fault]
    return {**dict(fields), "faults": faults}


def one_of(order: Order, name: str, choices: Collection[str], default: str) -> str:
    """One of a few words."""
    chosen = order.get(name, default)
    if not isinstance(chosen, str) or chosen not in choices:
        raise OrderError(f"{name} must be one of {', '.join(choices)}")
    return chosen


def number(order: Order, name: str, default: float, *, least: float, most: float) -> float:
    """A number within limits."""
    try:
        given = float(order.get(name, default))
    except (TypeError, ValueError):
        given = float("nan")
    if not least <= given <= most:
        raise OrderError(f"{name} must be a number from {least:g} to {most:g}")
    return given


def _json_order(body: bytes) -> dict[str, Any]:
    try:
        order = json.loads(body)
    except ValueError as problem:
        raise OrderError("the body is not JSON") from problem
    if not isinstance(order, dict):
        raise OrderError("the body must be a JSON object")
    return order
