"""What may stand in a pattern in the place of a value: `{"prefix": "stock."}` and the other operators of EventBridge."""

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any

type Test = Callable[[Any], bool]  # of one value of an event: text, a number, true, false or null

# Those of EventBridge, which refuses as too complex what has more wildcards in one text.
MOST_WILDCARDS = 5
LARGEST_NUMBER = 5_000_000_000

LOWER = {">": gt, ">=": ge}
UPPER = {"<": lt, "<=": le}


class BadPattern(ValueError):
    """`where` is a JSON pointer into the pattern; `problem` says what to write instead."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where or 'The pattern'}: {problem}")
        self.where, self.problem = where, problem


def below(where: str, key: str | int) -> str:
    return f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}"


def operator_test(rule: dict[str, Any], where: str) -> Test:
    if len(rule) != 1:
        raise BadPattern(where, f"Name one operator in each object: {', '.join(OPERATORS)}.")
    (name, operand), = rule.items()
    if name not in OPERATORS:
        raise BadPattern(where, f"{name[:40]!r} is no operator; those are {', '.join(OPERATORS)}, in small letters.")
    return OPERATORS[name](operand, below(where, name))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(operand: Any, where: str, *, filled: bool = False) -> str:
    if not isinstance(operand, str):
        raise BadPattern(where, 'Write a text, like "stock".')
    if filled and not operand:
        raise BadPattern(where, "Write a text that is not empty: each text begins and ends with the empty one.")
    return operand


def _of_text(test: Test) -> Test:
    return lambda value: isinstance(value, str) and test(value)


def _edge(operand: Any, where: str, edge: str) -> Test:
    """Prefix or suffix, by letters or, inside equals-ignore-case, by their small forms."""
    if isinstance(operand, dict):
        if operand.keys() != {"equals-ignore-case"}:
            raise BadPattern(where, 'Write a text, or {"equals-ignore-case": "a text"}.')
        wanted = _text(operand["equals-ignore-case"], below(where, "equals-ignore-case")).lower()
        return _of_text(lambda value: getattr(value.lower(), edge)(wanted))
    wanted = _text(operand, where)
    return _of_text(lambda value: getattr(value, edge)(wanted))


def _equals_ignore_case(operand: Any, where: str) -> Test:
    wanted = _text(operand, where).lower()
    return _of_text(lambda value: value.lower() == wanted)


def _exists(operand: Any, where: str) -> Test:
    """That something is there. The absence is no matter of a value: `patterns` looks for it."""
    if not isinstance(operand, bool):
        raise BadPattern(where, "Write true or false.")
    return lambda value: operand


def _wildcard(operand: Any, where: str) -> Test:
    pieces = _pieces(_text(operand, where), where)
    if len(pieces) == 1:
        return _of_text(lambda value: value == pieces[0])
    return _of_text(partial(_fits, pieces))


def _pieces(text: str, where: str) -> list[str]:
    """What stands between the wildcards, without its escapes."""
    pieces, letters = [""], iter(text)
    before = ""
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            if escaped not in ("*", "\\"):
                raise BadPattern(where, r"Write \* for an asterisk and \\ for a backslash; a backslash escapes nothing else.")
            pieces[-1] += escaped
            before = ""
            continue
        if letter == "*":
            if before == "*":
                raise BadPattern(where, "Write one * where there are two: it stands for any number of letters.")
            pieces.append("")
        else:
            pieces[-1] += letter
        before = letter
    if len(pieces) - 1 > MOST_WILDCARDS:
        raise BadPattern(where, f"Write at most {MOST_WILDCARDS} wildcards in one text.")
    return pieces


def _fits(pieces: list[str], value: str) -> bool:
    """The leftmost place for each piece leaves the most for the next, so nothing is ever tried twice."""
    first, *middle, last = pieces
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    at, end = len(first), len(value) - len(last)
    for piece in middle:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _anything_but(operand: Any, where: str) -> Test:
    """Holds for a value that is there, of any kind, and is none of these."""
    if isinstance(operand, dict):
        if len(operand) != 1 or operand.keys() - NEGATED.keys():
            raise BadPattern(where, f"Write a value, a list of values, or an object with one of {', '.join(NEGATED)}.")
        (name, texts), = operand.items()
        where = below(where, name)
        tests = [NEGATED[name](text, at) for text, at in _listed(texts, where)]
        return lambda value: not any(test(value) for test in tests)
    values = _listed(operand, where)
    for value, at in values:
        if not isinstance(value, str) and not is_number(value):
            raise BadPattern(at, "Write a text or a number.")
    unwanted = [value for value, _ in values]
    if len({isinstance(value, str) for value in unwanted}) > 1:
        raise BadPattern(where, "Write texts or numbers, not both in one list.")
    return lambda value: isinstance(value, bool) or value not in unwanted


def _listed(operand: Any, where: str) -> list[tuple[Any, str]]:
    if not isinstance(operand, list):
        return [(operand, where)]
    if not operand:
        raise BadPattern(where, "Write at least one value into the list.")
    return [(one, below(where, number)) for number, one in enumerate(operand)]


def _filled_edge(operand: Any, where: str, edge: str) -> Test:
    return _edge(_text(operand, where, filled=True), where, edge)


def _numeric(operand: Any, where: str) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise BadPattern(where, 'Write a comparison and a number, like [">", 0], or two of them, like [">", 0, "<=", 5].')
    signs, limits = operand[::2], operand[1::2]
    for number, limit in enumerate(limits):
        if not is_number(limit) or abs(limit) > LARGEST_NUMBER:
            raise BadPattern(below(where, 2 * number + 1), f"Write a number between -{LARGEST_NUMBER} and {LARGEST_NUMBER}.")
    if len(signs) == 2:
        return _between(signs, limits, where)
    compare = _comparison(signs[0], {**LOWER, **UPPER, "=": eq}, below(where, 0))
    return lambda value: is_number(value) and compare(value, limits[0])


def _between(signs: list[Any], limits: list[Any], where: str) -> Test:
    above, under = _comparison(signs[0], LOWER, below(where, 0)), _comparison(signs[1], UPPER, below(where, 2))
    least, most = limits
    if least >= most:
        raise BadPattern(where, "No number is in this range: write the lower limit first, and = for a single number.")
    return lambda value: is_number(value) and above(value, least) and under(value, most)


def _comparison(sign: Any, known: dict[str, Callable[[Any, Any], bool]], where: str) -> Callable[[Any, Any], bool]:
    if not isinstance(sign, str) or sign not in known:
        raise BadPattern(where, f"Write {' or '.join(known)} here.")
    return known[sign]


def _cidr(operand: Any, where: str) -> Test:
    problem = 'Write a network with its length, like "10.0.0.0/24" or "2001:db8::/64".'
    address, slash, length = operand.partition("/") if isinstance(operand, str) else ("", "", "")
    if not slash or not (length.isascii() and length.isdigit()):
        raise BadPattern(where, problem)
    try:
        network = ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        raise BadPattern(where, problem) from None
    return _of_text(partial(_stands_in, network))


def _stands_in(network: IPv4Network | IPv6Network, value: str) -> bool:
    try:
        return ip_address(value) in network
    except ValueError:
        return False


OPERATORS: dict[str, Callable[[Any, str], Test]] = {
    "prefix": partial(_edge, edge="startswith"),
    "suffix": partial(_edge, edge="endswith"),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
NEGATED: dict[str, Callable[[Any, str], Test]] = {
    "prefix": partial(_filled_edge, edge="startswith"),
    "suffix": partial(_filled_edge, edge="endswith"),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
}
