"""Foreign JSON, made readable."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.pretty import fields_of, pretty_start
from tests.answers import documented

quick = settings(deadline=None, max_examples=100)


def test_an_answer_is_indented_and_changed_in_nothing_else() -> None:
    shown = pretty_start(json.dumps(documented()))
    assert shown == json.dumps(documented(), indent=2)


@pytest.mark.parametrize("text", ["", "<html>", "not JSON", '{"a": NaN}', "}", ",", '"', "[" * 200_000])
def test_what_is_no_json_is_shown_as_it_is(text: str) -> None:
    assert pretty_start(text) == text


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        ('{"a":1,"b":[1,2', {"a": 1, "b": [1]}),
        ('{"a":1,"b":{"c":[true,{"d":null,"e', {"a": 1, "b": {"c": [True, {"d": None}]}}),
        ('{"a":1,"message":"first, second', {"a": 1}),
        ('{"a":1,"message":"a [brace}, and a quote \\", and', {"a": 1}),
        ('{"a":1,"message":"ends in a backslash, \\', {"a": 1}),
        ('{"a":"x, [y","b":2', {"a": "x, [y"}),
        ('[{"a":1},{"b":2}', [{"a": 1}]),
    ],
)
def test_the_beginning_of_an_answer_is_shown_as_far_as_it_is_whole(start: str, shown: Any) -> None:
    assert pretty_start(start) == json.dumps(shown, indent=2)


@quick
@given(st.data())
def test_an_answer_may_be_cut_anywhere_after_its_first_field(choice: st.DataObject) -> None:
    text = json.dumps(documented(), separators=(",", ":"))
    length = choice.draw(st.integers(text.index(",") + 1, len(text)))
    assert json.loads(pretty_start(text[:length]))["summary"] == documented()["summary"]


@pytest.mark.timeout(30)
def test_a_long_text_may_break_off() -> None:
    assert pretty_start('{"message":"' + '\\"' * 100_000)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ('{"amount":12.5,"note":{"a":[1,null]}}', [("amount", "12.5"), ("note", '{"a": [1, null]}')]),
        ('{"text":"bløt","empty":""}', [("text", "bløt"), ("empty", "")]),
        ('{"flag":true,"none":null}', [("flag", "true"), ("none", "null")]),
        ("{}", []),
        ("null", [("", "null")]),
        ('"only a text"', [("", "only a text")]),
        ("[1, 2]", [("", "[1, 2]")]),
        ("cut {", [("", "cut {")]),
        (r'{"a":"\u0000\ud800"}', [("a", "\ufffd\ufffd")]),
        ("9" * 5000, [("", "9" * 5000)]),
        ("[" * 200_000, [("", "[" * 200_000)]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_fields_of_a_row_are_shown_by_name(source: str, fields: list[tuple[str, str]]) -> None:
    assert fields_of(source) == fields


@quick
@given(st.text() | st.text('{}[],:"\\ 1aeu', max_size=40))
def test_nothing_that_amili_sends_makes_it_fail(text: str) -> None:
    assert isinstance(pretty_start(text), str)
    assert all(isinstance(value, str) for _, value in fields_of(text))
