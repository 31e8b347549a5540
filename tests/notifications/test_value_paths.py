"""Which value of an answer is meant, and what adapters make of a body."""

from typing import Any

import pytest

from notifications.adapters import Kind, Unreadable, adapters, kinds_problem
from notifications.value_paths import MISSING, BadPath, parse, value_at

ANSWER = {"data": {"price": 12.5, "old": None}, "rows": [{"vin": "A-1", "n": 7}, {"vin": "B.2", "n": 8, "open": True}]}


@pytest.mark.parametrize(("path", "value"), [
    ("data.price", 12.5), ("data.old", None), ("rows.1.n", 8), ("rows[vin=A-1].n", 7), ("rows[vin={id}].n", 8),
    ("rows[n=7].vin", "A-1"), ("rows[open=true].vin", "B.2"), ("", ANSWER), ("data.none", MISSING), ("rows.2.n", MISSING),
    ("rows[vin=C].n", MISSING), ("rows.n", MISSING), ("data[vin=A-1]", MISSING), ("data.price.amount", MISSING),
])  # fmt: skip
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    assert value_at(ANSWER, path, "B.2") == value


@pytest.mark.parametrize("path", [".a", "a..b", "a.", "a[b]", "a b", "a[=1]", "a]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath, match="write it like"):
        parse(path)


@pytest.mark.parametrize(("kinds", "says"), [
    ({}, "Give 1 to 20 kinds"), ([], "Give 1 to 20 kinds"), ({"Price": {"path": "/p"}}, "small letters"),
    ({"p": {"value": "x"}}, "give its path"), ({"p": {"path": "/p", "color": 1}}, "nothing else"),
    ({"p": {"path": "prices"}}, "write the path"), ({"p": {"path": "/a b"}}, "write the path"),
    ({"p": {"path": "/a#b"}}, "write the path"), ({"p": {"path": "/{sku}"}}, "no placeholder but {id}"),
    ({"p": {"path": "/p", "value": "a..b"}}, "is no path"), ({"p": {"path": "/p", "ttl": True}}, "number of seconds"),
])  # fmt: skip
def test_kinds_say_what_is_wrong_with_them(kinds: Any, says: str) -> None:
    assert says in kinds_problem(kinds)


def test_an_id_stays_within_its_place_of_the_path() -> None:
    kind = Kind("/search?q={id}&n=1")
    assert kind.address("https://a.test/v1/", "a/b?c&d é#") == "https://a.test/v1/search?q=a%2Fb%3Fc%26d%20%C3%A9%23&n=1"


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    read = adapters()["http_csv"].read
    assert read("sku;Preis\nA;12,5\n".encode("utf-8-sig"), "") == [{"sku": "A", "Preis": "12,5"}]
    assert read('sku,note\nA,"two\nlines, in one"\nB\n'.encode("latin-1"), "latin-1") == [
        {"sku": "A", "note": "two\nlines, in one"}, {"sku": "B", "note": None},
    ]  # fmt: skip


@pytest.mark.parametrize(("adapter", "body", "charset"), [
    ("http_json", b"<html>", ""), ("http_json", b"", ""), ("http_json", b'{"a": "\\u0000"}', ""), ("http_json", b"[NaN]", ""),
    ("http_csv", b"", ""), ("http_csv", b"\xff\xfe", ""), ("http_csv", b"a,b\n1,\0", ""), ("http_csv", b"a", "klingon"),
])  # fmt: skip
def test_what_cannot_be_read_is_said(adapter: str, body: bytes, charset: str) -> None:
    with pytest.raises(Unreadable):
        adapters()[adapter].read(body, charset)
