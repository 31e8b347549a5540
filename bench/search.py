"""Search by words: the list of products and of variants beside the least that SQL can do with the same table of words."""

from collections.abc import Iterator

import orjson

from bench.database import TENANT, Member, member_of
from bench.floors import PRODUCT_FIELDS, PRODUCTS, Floor
from bench.measuring import Result, statements, times
from bench.requests import Client

ROUNDS = 200
QUERY = f"limit=100&fields={PRODUCT_FIELDS}"
WORD = "SELECT k.product_id FROM inventory_searchtoken AS k WHERE k.organization_id = %s AND k.token ^@ %s"
# One product of ten, one of fifty, and a handful.
SEARCHES = {"a common word": "washer", "two words": "washer brass", "a rare word": "10000", "a word and a code": "sku 10000"}


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    for title, text in SEARCHES.items():
        yield from _products(size, member, title, text)
    yield from _alone(size, member)


def _products(size: int, member: Member, title: str, text: str) -> Iterator[Result]:
    words = text.split()
    within = "".join(f" AND p.id IN ({WORD})" for _ in words)
    sql = f"{PRODUCTS} AND p.archived_at IS NULL{within} ORDER BY p.id LIMIT 101"
    values = [member.organization_id, *[value for word in words for value in (member.organization_id, word)]]
    floor = Floor(member.organization_id).rows(sql, values)
    request = Client(member).get(f"products/?{QUERY}&search={text.replace(' ', '+')}")
    found, least = ({row["id"] for row in orjson.loads(side())["results"]} for side in (request, floor))
    if len(found) != len(least) or (len(found) < 100 and found != least):
        raise AssertionError("The search and its floor find different rows.")
    lowest, ours = times(ROUNDS, floor, request)
    yield Result(f"products by {title}", size, ours, lowest, statements(request), target=("ratio", 5))


def _alone(size: int, member: Member) -> Iterator[Result]:
    """What has no such floor: variants, which are found by their product's words too; a wrong letter; nothing at all."""
    client = Client(member)
    for title, address in (
        ("variants by a common word", "product-variants/?limit=100&search=washer"),
        ("variants by a whole SKU", "product-variants/?limit=100&search=SKU-10000"),
        ("products by a word with a wrong letter", "products/?limit=100&search=washwr"),
        ("products by two words that none has", "products/?limit=100&search=washer+zzzzzzz"),
    ):
        request = client.get(address)
        yield Result(title, size, *times(ROUNDS, request), statements=statements(request))
