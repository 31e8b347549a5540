"""Each list as CSV: the same rows, columns and values as JSON, all of them, streamed."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import csv_lists
from tests.companies import Api, Company
from tests.contracts.resources import Resource, all_pages, assert_problem, each_resource
from tests.contracts.test_every_resource import assert_missing
from tests.factories.accounts import AddressFactory, PartyFactory

CSV = {"Accept": "text/csv"}
PARTIES = "/api/v1/parties/"


def table(api: Api, url: str, query: Any = None) -> list[list[str]]:
    response = api.get(url, query, headers=CSV)
    assert response.status_code == 200 and response.streaming
    return list(csv.reader(io.StringIO(response.getvalue().decode(), newline=""), strict=True))


def cell(value: Any) -> str:
    """A JSON value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


@each_resource()
def test_has_the_same_rows_and_columns(resource: Resource, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lists, "WINDOW", 2)
    resource.make(acme, 3)
    expected = [row for page in all_pages(acme.api, resource.url, {"limit": 500}) for row in page["results"]]
    names, *rows = table(acme.api, resource.url)
    assert names == resource.readable
    assert len(rows) == len(expected)
    for row, shown in zip(rows, expected, strict=True):
        for name, text in zip(names, row, strict=True):
            if isinstance(shown[name], list | dict):
                assert json.loads(text) == shown[name]
            else:
                assert text.removeprefix("'") == cell(shown[name]).removeprefix("'")


@each_resource()
def test_chooses_as_the_list_does(resource: Resource, acme: Company) -> None:
    rows = resource.make(acme, 2)
    wanted = resource.readable[:3:2]
    assert table(acme.api, resource.url, {"fields": ",".join(wanted), "limit": 1})[0] == wanted
    assert len(table(acme.api, resource.url, {"limit": len(rows)})) <= 1 + len(rows)
    for query in ("cursor=x", "count=exact", "expand=x", "limit=0", "limit=x", "sort=x", "no_such=1", "fields=x"):
        problem = assert_problem(acme.api.get(f"{resource.url}?{query}", headers=CSV), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == query.partition("=")[0]


@each_resource()
def test_is_a_file_for_those_who_may_look(resource: Resource, acme: Company, bolt: Company) -> None:
    [foreign] = resource.make(bolt)
    response = acme.api.get(resource.url, headers=CSV)
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{resource.prefix}.csv"'
    head, *rows = table(acme.api, resource.url)
    assert str(foreign.pk) not in [row[head.index("id")] for row in rows]
    assert_missing(acme.api_by_key().get(resource.url, headers=CSV), resource.permission("get"))


@each_resource()
def test_answers_in_no_other_form(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    for accept in ("image/png", "application/xml", "text/html"):
        assert_problem(acme.api.get(resource.url, headers={"Accept": accept}), 406, "not_acceptable")
    assert_problem(acme.api.get(resource.row_url(row), headers=CSV), 406, "not_acceptable")
    for accept in ("application/json", "text/html, */*", "application/*", ""):
        assert acme.api.get(resource.url, headers={"Accept": accept}).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("name", "shown"), [
    ("=1+1", "'=1+1"), ("+351 912", "'+351 912"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("-5", "-5"), ("+4.50", "+4.50"),
    ('say "no", twice', 'say "no", twice'), ("two\nlines", "two\nlines"), ("Ærø, λ", "Ærø, λ"), ("'quoted", "'quoted"),
    ("-5\n=x", "'-5\n=x"),
])  # fmt: skip
def test_no_cell_is_a_formula(name: str, shown: str, acme: Company) -> None:
    with acme.scope():
        PartyFactory(name=name, external_ref="the-one")
    assert table(acme.api, PARTIES, {"external_ref": "the-one", "fields": "name"}) == [["name"], [shown]]


def test_lines_end_as_rfc_4180_says(acme: Company) -> None:
    with acme.scope():
        PartyFactory(name='a "b"', external_ref="the-one")
    content = acme.api.get(PARTIES, {"external_ref": "the-one", "fields": "name,gln"}, headers=CSV).getvalue()
    assert content == b'name,gln\r\n"a ""b""",\r\n'


def test_an_empty_list_has_its_header(acme: Company) -> None:
    assert table(acme.api, PARTIES, {"external_ref": "nobody", "fields": "id,name"}) == [["id", "name"]]


@pytest.mark.parametrize(("limit", "windows"), [(1, 1), (2, 1), (3, 2), (7, 4), (50, 4)])
def test_reads_in_windows(limit: int, windows: int, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lists, "WINDOW", 2)
    with acme.scope():
        party = PartyFactory()
        made = AddressFactory.create_batch(7, party=party)
    query = {"party": str(party.pk), "fields": "id", "sort": "-id", "limit": limit}
    response = acme.api.get("/api/v1/addresses/", query, headers=CSV)
    with CaptureQueriesContext(connection) as queries:
        lines = response.getvalue().decode().splitlines()
    assert lines == ["id", *(str(row.pk) for row in reversed(made))][: limit + 1]
    assert len([query for query in queries if "accounts_address" in query["sql"]]) == windows
