import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from accounts.models import AuditEntry, CustomFieldDefinition, Party
from accounts.services.customizing import MOST_DEFINITIONS, definition_save
from core.custom_values import LONGEST_MATCHED, Definition, refuse_slow_pattern, stored
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem, ids, pointers
from tests.factories.accounts import PartyFactory

DEFINITIONS, PARTIES = "/api/v1/custom-field-definitions/", "/api/v1/parties/"


def define(api: Api, **values: Any) -> str:
    response = api.send("post", DEFINITIONS, {"model": "accounts.party", **values})
    assert response.status_code == 201, response.content
    return f"{DEFINITIONS}{response.json()['id']}/"


def party(api: Api, **values: Any) -> str:
    response = api.send("post", PARTIES, {"name": "Zinc", "custom_fields": values})
    assert response.status_code == 201, response.content
    return f"{PARTIES}{response.json()['id']}/"


@pytest.mark.parametrize(("kind", "value", "kept"), [
    ("text", "a b", "a b"), ("integer", -7, -7), ("decimal", "12.50", "12.50"), ("decimal", 3, "3"), ("decimal", 0.1, "0.1"),
    ("decimal", "1E+3", "1000"), ("decimal", "0E-999999", "0"), ("boolean", False, False),
    ("date", "2026-02-28", "2026-02-28"), ("choice", "b", "b"),
    ("multi-choice", ["b", "a", "b"], ["a", "b"]), ("multi-choice", [], []),
    ("url", "https://a.example/x?y=1", "https://a.example/x?y=1"),
])  # fmt: skip
def test_keeps_values_of_each_type(kind: str, value: Any, kept: Any) -> None:
    assert stored(Definition("key", "Key", kind, choices=("a", "b")), value) == kept


@pytest.mark.parametrize(("kind", "value"), [
    ("text", 1), ("text", "a\0b"), ("text", "x" * 501), ("integer", "7"), ("integer", True), ("integer", 2**53), ("integer", 1.0),
    ("decimal", "x"), ("decimal", "NaN"), ("decimal", "1e99999999"), ("decimal", "0.0000001"), ("decimal", "9" * 14),
    ("decimal", True),
    ("boolean", "true"), ("boolean", 1), ("date", "2026-02-30"), ("date", "20260228"), ("date", 20260228), ("choice", "c"),
    ("choice", ["a"]), ("multi-choice", "a"), ("multi-choice", ["c"]), ("multi-choice", [{}]), ("url", "javascript:alert(1)"),
    ("url", "ftp://a.example"), ("url", 1), ("url", None),
])  # fmt: skip
def test_refuses_other_values(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*\.$"):
        stored(Definition("key", "Key", kind, choices=("a", "b")), value)


@pytest.mark.parametrize("pattern", [r"[A-Z]{2}-\d{4}", r"\w+@\w+\.\w+", r"(?:ab|cd)?x*", r"(\d{2}-){3}\d\d", "^a$", ""])
def test_takes_patterns_that_are_soon_tried(pattern: str) -> None:
    refuse_slow_pattern(pattern)
    for text in ("a" * LONGEST_MATCHED, "1-" * (LONGEST_MATCHED // 2), "a@a." * (LONGEST_MATCHED // 4)):
        started = time.thread_time()
        with pytest.raises(ValueError, match="look like") if pattern else pytest.raises(AssertionError):
            stored(Definition("key", "Key", "text", pattern=pattern), text)
            raise AssertionError
        assert time.thread_time() - started < 1


@pytest.mark.parametrize("pattern", [
    "(a+)+", "(a|a)*b", "(a*)*", "a*a*a*a*b", r"(a)\1", "(?=a)a", "(?<!a)b", "a?" * 30 + "a" * 30, "(", "*", "(?P<x>a)(?(x)b|c)",
    "(ab|cd|ef){20}", "(" * 90 + "a" + ")+" * 90,
])  # fmt: skip
def test_refuses_patterns_that_could_take_for_ever(pattern: str, acme: Company) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*\.$"):
        refuse_slow_pattern(pattern)
    if len(pattern) <= 200:
        response = acme.api.send("post", DEFINITIONS, {"model": "accounts.party", "key": "a", "pattern": pattern})
        assert pointers(assert_problem(response, 400)) == {"/pattern"}


def test_a_text_matches_its_pattern(acme: Company) -> None:
    define(acme.api, key="code", pattern=r"[A-Z]{2}-\d{4}")
    url = party(acme.api, code="AB-1234")
    for wrong in ("ab-1234", "AB-12345", "AB-1234\n"):
        problem = assert_problem(acme.api.send("patch", url, {"custom_fields": {"code": wrong}}), 400)
        assert pointers(problem) == {"/custom_fields/code"}


@pytest.mark.parametrize(("values", "field"), [
    ({"key": "Colour"}, "key"), ({"key": "a__gte"}, "key"), ({"key": "a_"}, "key"), ({"model": "accounts.contact"}, "model"),
    ({"type": "money"}, "type"), ({"type": "choice"}, "choices"), ({"choices": ["a"]}, "choices"),
    ({"type": "integer", "pattern": "1"}, "pattern"),
])  # fmt: skip
def test_refuses_a_definition_that_makes_no_sense(values: dict[str, Any], field: str, acme: Company) -> None:
    body = {"model": "accounts.party", "key": "colour", **values}
    assert f"/{field}" in pointers(assert_problem(acme.api.send("post", DEFINITIONS, body), 400))


def test_a_model_has_a_bounded_number_of_fields(acme: Company) -> None:
    with acme.scope():
        for number in range(MOST_DEFINITIONS):
            definition_save(definition=CustomFieldDefinition(model="accounts.party", key=f"key{number}"))
    response = acme.api.send("post", DEFINITIONS, {"model": "accounts.party", "key": "another"})
    assert str(MOST_DEFINITIONS) in assert_problem(response, 400)["detail"]


def test_a_row_has_a_bounded_size(acme: Company) -> None:
    for number in range(40):
        define(acme.api, key=f"key{number}")
    values = {f"key{number}": "x" * 500 for number in range(40)}
    response = acme.api.send("post", PARTIES, {"name": "Zinc", "custom_fields": values})
    assert "16384" in assert_problem(response, 400)["detail"]


def test_a_used_field_keeps_its_shape(acme: Company) -> None:
    definition = define(acme.api, key="size", type="choice", choices=["s", "m", "l"])
    url = party(acme.api, size="m")
    for change in ({"type": "text", "choices": []}, {"key": "width"}, {"model": "inventory.product"}, {"choices": ["s", "l"]}):
        assert "1 rows" in assert_problem(acme.api.send("patch", definition, change), 409, "in_use")["detail"]
    assert acme.api.send("patch", definition, {"choices": ["m", "l", "xl"], "label": "Size"}).status_code == 200
    assert acme.api.get(url).json()["custom_fields"] == {"size": "m"}


def test_a_used_field_is_cleared_before_it_is_deleted(acme: Company) -> None:
    definition = define(acme.api, key="size")
    define(acme.api, key="colour")
    url = party(acme.api, size="m", colour="red")
    assert_problem(acme.api.delete(definition), 409, "in_use")
    assert acme.api.send("post", f"{definition}clear/").status_code == 200
    assert acme.api.get(url).json()["custom_fields"] == {"colour": "red"}
    assert acme.api.delete(definition).status_code == 204
    with acme.scope():
        [entry] = AuditEntry.objects.filter(table_name="accounts_party", action="update")
        assert entry.changes == {"custom_fields": [{"size": "m", "colour": "red"}, {"colour": "red"}]}


def test_put_replaces_all_values(acme: Company) -> None:
    for key in ("one", "two"):
        define(acme.api, key=key)
    url = party(acme.api, one="1")
    body = {"name": "Zinc", "custom_fields": {"two": "2"}}
    assert acme.api.send("put", url, body).json()["custom_fields"] == {"two": "2"}
    assert acme.api.send("put", url, {"name": "Zinc 2"}).json()["custom_fields"] == {"two": "2"}


@pytest.mark.parametrize(("kind", "low", "high"), [
    ("decimal", "9.5", "10"), ("integer", 9, 10), ("date", "2026-01-31", "2026-02-01"),
])  # fmt: skip
def test_compares_by_the_type_and_not_by_the_letters(kind: str, low: Any, high: Any, acme: Company) -> None:
    define(acme.api, key="size", type=kind)
    small, large = (party(acme.api, size=value) for value in (low, high))
    for query, url in ((f"cf.size__lt={high}", small), (f"cf.size__gte={high}", large), (f"cf.size__gt={low}", large)):
        [found] = acme.api.get(f"{PARTIES}?{query}").json()["results"]
        assert found["id"] in url


def test_equal_numbers_are_found_however_they_are_written(acme: Company) -> None:
    define(acme.api, key="size", type="decimal")
    party(acme.api, size="12.50")
    assert len(acme.api.get(f"{PARTIES}?cf.size=12.5").json()["results"]) == 1


def test_finds_by_any_of_several_choices(acme: Company) -> None:
    define(acme.api, key="uses", type="multi-choice", choices=["wet", "cold", "hot"])
    define(acme.api, key="fit", type="boolean")
    url = party(acme.api, uses=["wet", "hot"], fit=True)
    party(acme.api, uses=["cold"], fit=False)
    for query in ("cf.uses=hot", "cf.uses__in=wet,hot", "cf.fit=true", "cf.fit__in=true"):
        [found] = acme.api.get(f"{PARTIES}?{query}").json()["results"]
        assert found["id"] in url
    assert_problem(acme.api.get(f"{PARTIES}?cf.uses=dry"), 400, "invalid_parameter")


def test_a_value_of_another_shape_is_no_error(acme: Company) -> None:
    define(acme.api, key="size", type="decimal")
    with acme.scope():
        PartyFactory(custom_fields={"size": "wide"})
        PartyFactory(custom_fields={"size": [1]})
    assert acme.api.get(f"{PARTIES}?cf.size__gte=1").json()["results"] == []


@pytest.mark.parametrize("text", ["'; DROP TABLE accounts_party; --", "%s", "%(x)s", "{}", '"', "\\"])
def test_what_is_asked_for_is_never_sql(text: str, acme: Company) -> None:
    define(acme.api, key="colour")
    url = party(acme.api, colour=text)
    found = acme.api.get(PARTIES, {"cf.colour": text}).json()["results"]
    assert [row["id"] in url for row in found] == [True]
    assert_problem(acme.api.get(PARTIES, {f"cf.{text}": "x"}), 400, "invalid_parameter")


def test_two_people_change_different_keys_at_once(new_company: Callable[[], Company]) -> None:
    """Each reads the row before the other has written."""
    company = new_company()
    with company.scope():
        for key in ("one", "two"):
            definition_save(definition=CustomFieldDefinition(model="accounts.party", key=key))
        row = PartyFactory()
    at_once, answers = threading.Barrier(2), []

    def change(key: str) -> None:
        api = company.api
        for round_number in range(5):
            at_once.wait(10)
            answers.append(api.send("patch", f"{PARTIES}{row.pk}/", {"custom_fields": {key: str(round_number)}}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=change, args=[key]) for key in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 10
    with company.scope():
        assert Party.objects.get(pk=row.pk).custom_fields == {"one": "4", "two": "4"}


def test_lists_by_definition_of_a_model(acme: Company) -> None:
    define(acme.api, key="one")
    define(acme.api, key="two", model="inventory.product")
    [found] = acme.api.get(f"{DEFINITIONS}?model=inventory.product").json()["results"]
    assert ids([found]) and found["key"] == "two"
