"""The pattern language: EventBridge's own cases, what the guide says, and that nothing makes it stumble or run away."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from notifications.models import EventSubscription
from notifications.patterns import DEEPEST, MOST_LETTERS, BadPattern, compile_pattern

pytestmark = pytest.mark.once

CASES = json.loads((Path(__file__).parent / "data" / "event-patterns.json").read_text())
INVALID = [case for case in CASES if case["expect"] == "error"]
VALID = [case for case in CASES if case["expect"] != "error"]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return compile_pattern(pattern)(event)


def refusal(pattern: Any) -> BadPattern:
    with pytest.raises(BadPattern) as refused:
        compile_pattern(pattern)
    return refused.value


def test_all_of_the_cases_are_here() -> None:
    assert (len(VALID), len(INVALID)) == (117, 38)


@pytest.mark.parametrize("case", VALID, ids=named)
def test_says_what_eventbridge_says(case: dict[str, Any]) -> None:
    assert matches(case["pattern"], case["event"]) is (case["expect"] == "match")


@pytest.mark.parametrize("case", INVALID, ids=named)
def test_refuses_what_eventbridge_refuses(case: dict[str, Any]) -> None:
    refused = refusal(case["pattern"])
    found: Any = case["pattern"]
    for token in refused.where.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    assert refused.where and str(refused) == f"{refused.where}: {refused.problem}" and found != case["pattern"]


@pytest.mark.parametrize(("pattern", "where", "says"), [
    ([], "", "Write an object"),
    ({}, "", "at least one condition"),
    ({"a": {}}, "/a", "at least one condition"),
    ({"a": [["b"]]}, "/a/0", "not a list in a list"),
    ({"a": [{"prefix": "b", "suffix": "c"}]}, "/a/0", "one operator"),
    ({"a/b": [{"wildcard": "x**"}]}, "/a~1b/0/wildcard", "one * where there are two"),
    ({"a": [{"wildcard": r"x\y"}]}, "/a/0/wildcard", r"Write \*"),
    ({"a": [{"exists": 1}]}, "/a/0/exists", "true or false"),
    ({"a": [{"numeric": [">", 5, "<", 5]}]}, "/a/0/numeric", "No number is in this range"),
    ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "/a/0/numeric/0", "Write > or >= here"),
    ({"a": [{"numeric": [">", 6_000_000_000]}]}, "/a/0/numeric/1", "5000000000"),
    ({"a": [{"cidr": "10.0.0.1"}]}, "/a/0/cidr", "with its length"),
    ({"a": [{"anything-but": []}]}, "/a/0/anything-but", "at least one value"),
    ({"a": [{"anything-but": ["x", 1]}]}, "/a/0/anything-but", "not both"),
    ({"a": [{"anything-but": [True]}]}, "/a/0/anything-but/0", "a text or a number"),
    ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "/a/0/anything-but", "prefix, suffix"),
    ({"$or": [{"a": [1]}]}, "/$or", "two or more"),
    ({"$or": [{"a": [1]}, {"b": 2}]}, "/$or/1/b", "[2]"),
    ({"a": [float("nan")]}, "/a/0", "a number"),
    ({"a": [10**500]}, "/a/0", "64 bits"),
    ({"a": [10**5000]}, "", "what JSON knows"),
    ({"a": [object()]}, "", "what JSON knows"),
    ({"a": ["x" * MOST_LETTERS]}, "", f"{MOST_LETTERS} are the most"),
    ({".".join("a" * (DEEPEST + 1)): ["x"]}, f"/{'.'.join('a' * (DEEPEST + 1))}", "names"),
])  # fmt: skip
def test_says_where_and_what_to_write(pattern: Any, where: str, says: str) -> None:
    refused = refusal(pattern)
    assert (refused.where, says in refused.problem) == (where, True), refused


def test_depth_is_bounded() -> None:
    pattern: dict[str, Any] = {"a": ["x"]}
    for depth in (DEEPEST, 500):
        for _ in range(depth):
            pattern = {"a": pattern}
        assert "levels deep" in refusal(pattern).problem
    for _ in range(100_000):
        pattern = {"a": pattern}
    assert "levels deep" in refusal(pattern).problem
    circle: dict[str, Any] = {}
    circle["a"] = circle
    assert "what JSON knows" in refusal(circle).problem


@pytest.mark.parametrize(("rule", "value", "expected"), [
    ([{"wildcard": r"a\*b*\\"}], "a*b and \\", True),
    ([{"wildcard": r"a\*b*\\"}], "axb and \\", False),
    ([{"wildcard": "ab*ba"}], "aba", False),
    ([{"wildcard": "*a*b*"}], "xbxa", False),
    ([{"wildcard": "*"}], "", True),
    ([{"anything-but": 1}], True, True),
    ([1], True, False),
    ([True], 1, False),
    (["1"], 1, False),
    ([{"numeric": [">", 0]}], True, False),
    ([{"numeric": [">=", 1, "<", 2]}], 2, False),
    ([{"cidr": "10.0.0.0/8"}], "::1", False),
    ([{"cidr": "10.1.2.3/8"}], "10.9.9.9", True),
    ([{"anything-but": ["a", "b"]}], ["a", "c"], True),
    ([{"anything-but": ["a", "b"]}], ["a", "b"], False),
    ([{"exists": False}], {"x": 1}, True),  # an object is no value
    ([{"exists": False}], None, False),
    (["x"], [[["x"]]], True),
])  # fmt: skip
def test_operators(rule: list[Any], value: Any, expected: bool) -> None:
    assert matches({"a": rule}, {"a": value}) is expected


def test_conditions_on_an_object_in_a_list_hold_for_the_same_element() -> None:
    both = {"lines": {"sku": ["A"], "quantity": [2]}}
    assert matches(both, {"lines": [{"sku": "B", "quantity": 1}, {"sku": "A", "quantity": 2}]})
    apart = {"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]}
    assert not matches(both, apart)
    assert not matches({"lines.sku": ["A"], "lines.quantity": [2]}, apart)


def test_or_stands_beside_other_conditions() -> None:
    pattern = {"type": ["t"], "payload": {"$or": [{"a": [1]}, {"b": [{"exists": True}], "c": [3]}]}}
    assert matches(pattern, {"type": "t", "payload": {"a": 1}})
    assert matches(pattern, {"type": "t", "payload": {"b": 0, "c": 3}})
    assert not matches(pattern, {"type": "t", "payload": {"b": 0}})
    assert not matches(pattern, {"type": "u", "payload": {"a": 1}})


def test_absence_is_of_the_whole_event() -> None:
    pattern = {"lines": {"sku": ["A"], "lot": [{"exists": False}]}}
    assert matches(pattern, {"lines": [{"sku": "A"}]})
    assert not matches(pattern, {"lines": [{"sku": "A"}, {"sku": "B", "lot": "L"}]})


def test_names_with_dots_are_paths_in_events_too() -> None:
    assert matches({"a": {"b": [1], "c": [2]}}, {"a": {"b": 1}, "a.c": 2})
    assert matches({"a": {"b": {"c": [1]}}}, {"a": "x", "a.b.c": 1})


def test_the_same_pattern_is_compiled_once() -> None:
    assert compile_pattern({"type": ["a", {"prefix": "b"}]}) is compile_pattern({"type": ["a", {"prefix": "b"}]})


def test_many_wildcards_do_not_run_away() -> None:
    assert not matches({"a": [{"wildcard": "*a*a*a*a*b"}]}, {"a": "a" * 1_000_000})


def test_a_deep_and_wide_event_is_no_harm() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = [deep]
    assert matches({"a": ["x"]}, {"a": deep})
    wide = {"a": [{"b": [{"c": 1}] * 100}] * 100}
    nested = {"a": {"b": {"c": [2, {"exists": False}]}, "$or": [{"b": {"c": [3]}}, {"b": {"d": [4]}}]}}
    assert not matches(nested, wide)


def test_a_bad_pattern_is_an_error_of_its_field() -> None:
    subscription = EventSubscription(organization_id=uuid4(), name="x", pattern={"type": "stock.posted"}, target_kind="webhook")
    with pytest.raises(ValidationError) as refused:
        subscription.clean_fields(exclude=["organization", "endpoint"])
    (message,) = refused.value.message_dict["pattern"]
    assert message.startswith("/type: Write a list")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["a", "b", "a.b", "", ".", "$or", "type"]) | st.text(max_size=4)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))
EVENTS = st.dictionaries(NAMES, ANYTHING, max_size=4)
WORDS = st.text("ab*\\é", max_size=6)
OPERANDS = (
    WORDS | ANYTHING | st.sampled_from(["10.0.0.0/8", "::/0", "1/2/3"]) | st.lists(WORDS, max_size=3)
    | st.lists(st.sampled_from(["<", "<=", ">", ">=", "=", 0, 1.5, -3]), max_size=4)
)
OPERATORS = st.dictionaries(
    st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr", "exists", "no"]),
    OPERANDS | st.dictionaries(st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard"]), OPERANDS, max_size=1),
    max_size=2,
)  # fmt: skip
CONDITIONS = st.recursive(
    st.lists(SCALARS | OPERATORS, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3)
    | st.fixed_dictionaries({"$or": st.lists(st.dictionaries(NAMES, inner, max_size=2), max_size=3)}),
)
PATTERNS = st.dictionaries(NAMES, CONDITIONS, max_size=3)


@given(pattern=PATTERNS | EVENTS, event=EVENTS)
def test_any_pattern_is_refused_or_answers_any_event(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    try:
        predicate = compile_pattern(pattern)
    except BadPattern as refused:
        assert refused.problem
    else:
        assert predicate(event) in (True, False)


@given(pieces=st.lists(st.text("ab", max_size=3), min_size=2, max_size=6), value=st.text("ab", max_size=12))
def test_wildcards_mean_what_a_slow_and_plain_matcher_means(pieces: list[str], value: str) -> None:
    def plainly(rest: list[str], text: str) -> bool:
        if not rest:
            return False
        if len(rest) == 1:
            return text.endswith(rest[0])
        return any(text.startswith(rest[0], at) and plainly(rest[1:], text[at + len(rest[0]):]) for at in range(len(text) + 1))

    if any(not piece for piece in pieces[1:-1]):
        assert "two" in refusal({"a": [{"wildcard": "*".join(pieces)}]}).problem
    else:
        expected = value.startswith(pieces[0]) and plainly(pieces[1:], value[len(pieces[0]):])
        assert matches({"a": [{"wildcard": "*".join(pieces)}]}, {"a": value}) is expected


@given(text=st.text(max_size=20), event=EVENTS)
def test_an_exact_value_matches_itself(text: str, event: dict[str, Any]) -> None:
    assert matches({"mark": [text]}, {"a": event, "mark": text})
    assert not matches({"mark": [{"anything-but": [text]}]}, {"a": event, "mark": text})
