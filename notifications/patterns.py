"""Patterns over events in EventBridge's language: compiled once, then asked of each event.

An event is a set of leaves: the path to a value, with dots between the names, and the value. A list stands for each of
its elements; conditions on the parts of one object in a list hold for the same element. Each value is visited once for
each condition that could concern it, so the work is bounded by the size of the pattern times that of the event.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from math import isfinite
from typing import Any

from notifications.pattern_operators import BadPattern as BadPattern
from notifications.pattern_operators import Test, below, is_number, operator_test

type Predicate = Callable[[Mapping[str, Any]], bool]

OR = "$or"
MOST_LETTERS = 4096
DEEPEST = 20
TOO_DEEP = f"It is more than {DEEPEST} levels deep."
COMPILED = 1024  # patterns that a process keeps


def compile_pattern(pattern: Mapping[str, Any]) -> Predicate:
    """Raises BadPattern, which says where in the pattern and what to write instead."""
    if not isinstance(pattern, Mapping):
        raise BadPattern("", 'Write an object, like {"type": ["stock.posted"]}.')
    try:
        text = json.dumps(pattern, default=dict)
    except RecursionError:
        raise BadPattern("", TOO_DEEP) from None
    except (TypeError, ValueError):
        raise BadPattern("", "Write what JSON knows: texts, numbers, true, false, null, lists and objects.") from None
    if len(text) > MOST_LETTERS:
        raise BadPattern("", f"It has {len(text)} letters as JSON; {MOST_LETTERS} are the most.")
    return _compiled(text)


@lru_cache(maxsize=COMPILED)
def _compiled(text: str) -> Predicate:
    try:
        pattern = json.loads(text)
    except RecursionError:
        raise BadPattern("", TOO_DEEP) from None
    _check_size(pattern)
    node = _fill(_Node(), pattern, "", ())
    return lambda event: _holds(node, event, _Absences(event))


def _check_size(pattern: dict[str, Any]) -> None:
    level: list[tuple[str, Any]] = [("", pattern)]
    depth = 0
    while level:
        if (depth := depth + 1) > DEEPEST:
            raise BadPattern("", TOO_DEEP)
        level = list(chain.from_iterable(_parts(where, value) for where, value in level))


def _parts(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield below(where, key), one
    elif is_number(value) and not (isfinite(value) if isinstance(value, float) else value.bit_length() <= 64):
        raise BadPattern(where, "Write a number of at most 64 bits.")


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: tuple[str, ...]
    exact: frozenset[tuple[bool, Any]]
    tests: tuple[Test, ...]
    absent: bool  # whether it holds too where there is no such value


@dataclass(frozen=True, slots=True)
class _Node:
    """All of it must hold for one object: its leaves, what is said of the objects in it, and of each `either` one."""

    leaves: list[tuple[str, _Leaf]] = field(default_factory=list)
    inner: dict[str, "_Node"] = field(default_factory=dict)
    either: list[list["_Node"]] = field(default_factory=list)


def _fill(node: _Node, pattern: dict[str, Any], where: str, path: tuple[str, ...]) -> _Node:
    if not pattern:
        raise BadPattern(where, "Write at least one condition into the object.")
    for key, rule in pattern.items():
        at = below(where, key)
        if key == OR:
            node.either.append(_alternatives(rule, at, path))
            continue
        *way, last = names = key.split(".")
        if len(path) + len(names) > DEEPEST:
            raise BadPattern(at, f"Its path has more than {DEEPEST} names.")
        into = node
        for name in way:
            into = into.inner.setdefault(name, _Node())
        if isinstance(rule, dict):
            _fill(into.inner.setdefault(last, _Node()), rule, at, (*path, *names))
        else:
            into.leaves.append((last, _leaf(rule, at, (*path, *names))))
    return node


def _alternatives(rule: Any, where: str, path: tuple[str, ...]) -> list[_Node]:
    if not isinstance(rule, list) or len(rule) < 2 or not all(isinstance(one, dict) for one in rule):
        raise BadPattern(where, 'Write a list of two or more objects, like [{"type": ["a"]}, {"bus": ["b"]}].')
    return [_fill(_Node(), one, below(where, number), path) for number, one in enumerate(rule)]


def _leaf(rule: Any, where: str, path: tuple[str, ...]) -> _Leaf:
    if not isinstance(rule, list):
        raise BadPattern(where, f"Write a list of the values that fit, like [{json.dumps(rule)[:40]}], or an object.")
    if not rule:
        raise BadPattern(where, "Write at least one value into the list.")
    exact, tests = set(), []
    for number, one in enumerate(rule):
        if isinstance(one, list):
            raise BadPattern(below(where, number), "Write a value or an operator, not a list in a list.")
        if isinstance(one, dict):
            tests.append(operator_test(one, below(where, number)))
        else:
            exact.add(_key(one))
    return _Leaf(path, frozenset(exact), tuple(tests), {"exists": False} in rule)


def _key(value: Any) -> tuple[bool, Any]:
    """Apart are 1 and true, which Python takes for equal; together are 300 and 300.0."""
    return isinstance(value, bool), value


class _Absences:
    """Which paths an event has no value at, looked up when first asked: `{"exists": false}` is about the whole event."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = event
        self.known: dict[tuple[str, ...], bool] = {}

    def has_none(self, path: tuple[str, ...]) -> bool:
        if path not in self.known:
            values: Iterable[Any] = [self.event]
            for name in path:
                values = [found for value in _objects(values) for found in _named(value, name)]
            self.known[path] = not any(True for _ in _scalars(values))
        return self.known[path]


def _holds(node: _Node, value: Mapping[str, Any], absences: _Absences) -> bool:
    return (
        all(_fits(leaf, _named(value, name), absences) for name, leaf in node.leaves)
        and all(_inside(inner, _named(value, name), absences) for name, inner in node.inner.items())
        and all(any(_holds(one, value, absences) for one in either) for either in node.either)
    )


def _inside(node: _Node, values: list[Any], absences: _Absences) -> bool:
    return any(_holds(node, one, absences) for one in chain(_objects(values), ({},)))


def _fits(leaf: _Leaf, values: list[Any], absences: _Absences) -> bool:
    for value in _scalars(values):
        if _key(value) in leaf.exact or any(test(value) for test in leaf.tests):
            return True
    return leaf.absent and absences.has_none(leaf.path)


def _named(value: Mapping[str, Any], name: str) -> list[Any]:
    """What an object has under a name. A name with a dot is a path: {"a.b": 1} is {"a": {"b": 1}}."""
    found = [value[name]] if name in value else []
    dotted = f"{name}."
    inner = {key[len(dotted):]: value[key] for key in value if key.startswith(dotted)}
    if not inner:
        return found
    if found and isinstance(found[0], Mapping):
        return [{**found[0], **inner}]
    return [*found, inner]


def _elements(values: Iterable[Any]) -> Iterator[Any]:
    """Each value, and in the place of a list its elements, however deep."""
    open_lists = [iter(values)]
    while open_lists:
        for value in open_lists[-1]:
            if isinstance(value, list | tuple):
                open_lists.append(iter(value))
                break
            yield value
        else:
            open_lists.pop()


def _objects(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    return (value for value in _elements(values) if isinstance(value, Mapping))


def _scalars(values: Iterable[Any]) -> Iterator[Any]:
    return (value for value in _elements(values) if value is None or isinstance(value, str | int | float))
