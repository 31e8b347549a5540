"""Lists of 100 products in twelve fields: first and deep pages, sorted, searched, beside their floors."""

from collections.abc import Callable, Iterator

import orjson
from django.db import connections

from bench.database import LARGE, TENANT, Member, member_of
from bench.floors import PRODUCT_FIELDS, PRODUCTS, Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from bench.views import view_of
from core.paging import Window
from inventory.models import Product

ROUNDS = 300
QUERY = f"limit=100&fields={PRODUCT_FIELDS}"
FIRST = f"products/?{QUERY}"


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    yield from _against_the_floor(size, member)
    yield from _search(size, member)
    yield from _deep(size, member_of(LARGE if size > 10_000 else TENANT))


def _against_the_floor(size: int, member: Member) -> Iterator[Result]:
    values = [member.organization_id]
    sql = f"{PRODUCTS} AND p.archived_at IS NULL ORDER BY p.id LIMIT 101"
    floor = Floor(member.organization_id).rows(sql, values)
    prepared = Floor(member.organization_id, prepare=True).rows(sql, values)
    request = Client(member).get(FIRST)
    _same(request, floor)
    lowest, least, view, whole = times(ROUNDS, floor, prepared, view_of(member, "list", FIRST), request)
    yield Result("list of 100, the view alone", size, view, lowest, target=("ratio", 1.6))
    yield Result("list of 100, whole request", size, whole, lowest, statements(request), target=("ratio", 2.5))
    yield Result("list of 100, whole request; floor with prepared statements", size, whole, least)


def _search(size: int, member: Member) -> Iterator[Result]:
    """Rows whose name begins with the word: one of fifty, and a handful."""
    floor, client = Floor(member.organization_id), Client(member)
    for title, text in (("common", "washer brass"), ("rare", "washer brass 10")):
        lowest = floor.rows(
            f"{PRODUCTS} AND p.archived_at IS NULL AND p.name_key ^@ %s ORDER BY p.id LIMIT 101", [member.organization_id, text],
        )
        request = client.get(f"{FIRST}&search={text.replace(' ', '+')}")
        _same(request, lowest)
        least, ours = times(ROUNDS, lowest, request)
        yield Result(f"search by a {title} prefix", size, ours, least, statements(request), target=("ratio", 5))


def _deep(size: int, member: Member) -> Iterator[Result]:
    """The last full page, number 9,000 of a million rows, beside the first page of the same list."""
    page = 9_000 if size > 10_000 else 100
    client = Client(member)
    for sort in ("id", "name"):
        first = client.get(f"{FIRST}&sort={sort}")
        deep = client.get(f"{FIRST}&sort={sort}&cursor={_cursor(member, sort, 100 * (page - 1))}")
        count = len(orjson.loads(deep())["results"])
        if count != 100:
            raise AssertionError(f"Page {page:,} has {count} rows.")
        lowest, ours = times(ROUNDS, first, deep)
        yield Result(f"page {page:,} by {sort}, beside page 1", size, ours, lowest, statements(deep), target=("ratio", 1.3))


def _cursor(member: Member, sort: str, rows: int) -> str | None:
    """What follows the first `rows` rows."""
    window = Window(Product, [sort], 1)
    order = ", ".join(window.columns)
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            f"SELECT {order} FROM inventory_product WHERE organization_id = %s AND archived_at IS NULL"
            f" ORDER BY {order} OFFSET %s LIMIT 1", [member.organization_id, rows - 1],
        )
        last = cursor.fetchone()
    return window.page([last, last], lambda row: row).next


def _same(request: Callable[[], bytes], floor: Callable[[], bytes]) -> None:
    if orjson.loads(request())["results"] != orjson.loads(floor())["results"]:
        raise AssertionError("The request and its floor give different rows.")
