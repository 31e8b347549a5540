"""`/items` of a category of 10,000 or 100,000 items, by kept places and without, and what changes cost."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.db import connections, transaction

from accounts.models import Organization, User
from accounts.services.tenancy import organization_found
from bench.database import EMAIL, Member, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from core.tenancy import organization_scope
from inventory.models import CategoryItemsKept
from inventory.services.category_items import category_items_follow, category_items_want

SLUG, ROUNDS, SLOW_ROUNDS = "items", 100, 10
TABLES = ("accounts_party", "inventory_product", "inventory_productvariant", "inventory_productattributevalue")

# Ten types and fifty brands.
FILL = [
    """
    INSERT INTO inventory_category (id, organization_id, name, slug, description)
    VALUES (uuid7(), %(organization)s, 'phone', 'phone', '')
    """,
    """
    INSERT INTO inventory_attributedefinition (id, organization_id, code, name, data_type, options, is_variant_axis,
                                               is_filterable, position)
    SELECT uuid7(), %(organization)s, code, code, 'text', '{}'::varchar[], false, true, 0
    FROM unnest(ARRAY['type', 'storage']) AS code
    """,
    """
    INSERT INTO accounts_party (id, organization_id, name, kind, tax_number, gln, language, website)
    SELECT uuid7(), %(organization)s, 'Brand ' || n, 'organization', '', '', '', '' FROM generate_series(1, 50) AS n
    """,
    """
    INSERT INTO inventory_product (id, organization_id, name, category_id, manufacturer_id, description, status, tracking,
                                   base_unit_id, hs_code, country_of_origin)
    SELECT uuid7(), %(organization)s, 'Phone ' || n, c.id, m.ids[1 + abs(hashint4(n)) %% 50], '', 'active', 'none', u.id, '', ''
    FROM generate_series(1, %(items)s) AS n
    CROSS JOIN (SELECT array_agg(id) AS ids FROM accounts_party WHERE organization_id = %(organization)s) AS m
    JOIN inventory_category AS c ON c.organization_id = %(organization)s
    JOIN inventory_unitofmeasure AS u ON u.organization_id = %(organization)s AND u.code = 'C62'
    """,
    """
    INSERT INTO inventory_productvariant (id, organization_id, sku, product_id, name, standard_cost, abc_class)
    SELECT uuid7(), organization_id, replace(name, 'Phone ', 'PH-'), id, name, 1.25, ''
    FROM inventory_product WHERE organization_id = %(organization)s
    """,
    """
    INSERT INTO inventory_productattributevalue (id, organization_id, definition_id, product_id, value_text, key)
    SELECT uuid7(), p.organization_id, d.id, p.id, one.text, one.text
    FROM inventory_product AS p
    JOIN inventory_attributedefinition AS d ON d.organization_id = p.organization_id
    CROSS JOIN LATERAL (SELECT d.code || ' ' || abs(hashtext(p.name || d.code)) %% 10 AS text) AS one
    WHERE p.organization_id = %(organization)s
    """,
]
# The same pages by an index of places alone.
PLACES = """
    SELECT i.variant_id AS id, v.sku, v.name AS title, c.name AS category, i.type, i.company, p.description, (
        SELECT jsonb_object_agg(d.code, a.value_text) FROM inventory_productattributevalue AS a
        JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.id = a.definition_id
        WHERE a.organization_id = i.organization_id AND a.product_id = i.product_id) AS attributes
    FROM inventory_categoryitem AS i
    JOIN inventory_productvariant AS v ON v.organization_id = i.organization_id AND v.id = i.variant_id
    JOIN inventory_product AS p ON p.organization_id = i.organization_id AND p.id = i.product_id
    JOIN inventory_category AS c ON c.organization_id = i.organization_id AND c.id = i.category_id
    WHERE i.organization_id = %s AND i.category_id = (
        SELECT id FROM inventory_category WHERE organization_id = %s AND name_key = 'phone') {}
    ORDER BY i.type, i.company, i.variant_id LIMIT 101
"""
LAST = """
    SELECT type, company, variant_id::text FROM inventory_categoryitem WHERE organization_id = %s
    ORDER BY type, company, variant_id OFFSET %s LIMIT 1
"""


def run(size: int) -> Iterator[Result]:
    items = 100_000 if size > 10_000 else 10_000
    _prepare(items)
    member = member_of(SLUG)
    organization, client, floor = member.organization_id, Client(member), Floor(member.organization_id)
    cursor = _token(member, items - 150)
    requests = {
        "the first page": ("", floor.rows(PLACES.format(""), [organization, organization])),
        "the last full page": (f"&nextToken={cursor}", None),
        "of a type": ("&type=type+7", floor.rows(PLACES.format("AND i.type = 'type 7'"), [organization, organization])),
        "of a brand": ("&brand=Brand+7", floor.rows(PLACES.format("AND i.company = 'Brand 7'"), [organization, organization])),
    }
    first = _items(client, "")
    for title, (asked, least) in requests.items():
        ours = _items(client, asked)
        taken, lowest = times(ROUNDS, ours, least or first)
        target = ("ratio", 4) if least else ("ratio", 1.3)
        yield Result(f"items of a category of {items:,}: {title}", size, taken, lowest, statements(ours), target=target)
        before = _without_places(member, ours)
        yield Result("the same where no places are kept, beside it", size, *times(SLOW_ROUNDS, before, ours))
    yield from _changes(size, member, first)


def _items(client: Client, asked: str) -> Callable[[], bytes]:
    return client.request("GET", f"?category=phone&limit=100{asked}", None, PATH_INFO="/items")


def _without_places(member: Member, request: Callable[[], bytes]) -> Callable[[], bytes]:
    """As it was before, and as it is until places are made."""
    def call() -> bytes:
        with organization_scope(member.organization_id):
            CategoryItemsKept.objects.update(is_kept=False)
        try:
            return request()
        finally:
            with organization_scope(member.organization_id):
                CategoryItemsKept.objects.update(is_kept=True)

    if orjson.loads(call()) != orjson.loads(request()):
        raise AssertionError("Pages by kept places are others.")
    return call


def _changes(size: int, member: Member, first: Callable[[], bytes]) -> Iterator[Result]:
    """A page while 1,000 products have changed, and following them."""
    (plain,) = times(ROUNDS, first)
    with organization_scope(member.organization_id):
        _move(member, 1_000)
    yield Result("the first page, 1,000 products changed since, beside it", size, *times(ROUNDS, first), plain)

    def follow() -> None:
        with organization_scope(member.organization_id):
            _move(member, 1_000)
            category_items_follow()

    def change() -> None:
        with organization_scope(member.organization_id):
            _move(member, 1_000)

    taken, alone = times(SLOW_ROUNDS, follow, change)
    yield Result("change 1,000 products and follow them, beside the change", size, taken, alone)
    follow()


def _move(member: Member, products: int) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("""
            UPDATE inventory_product SET manufacturer_id = (
                SELECT id FROM accounts_party WHERE organization_id = %(organization)s ORDER BY random() LIMIT 1)
            WHERE organization_id = %(organization)s AND id IN (
                SELECT id FROM inventory_product WHERE organization_id = %(organization)s ORDER BY id LIMIT %(products)s)
        """, {"organization": member.organization_id, "products": products})


def _token(member: Member, rows: int) -> str:
    from config.compat_items import _token as token  # noqa: PLC0415  # needs the addresses set up

    with organization_scope(member.organization_id), connections["default"].cursor() as cursor:
        cursor.execute(LAST, [member.organization_id, rows])
        kind, company, key = cursor.fetchone()
    return token({"type": kind, "company": company, "id": key})


def _prepare(items: int) -> None:
    """Once for each database."""
    made = Organization.objects.using("worker").filter(slug=SLUG).first()
    if made is None:
        with transaction.atomic():
            made = organization_found(name="Items", slug=SLUG, founder=User.objects.get_by_natural_key(EMAIL))
        _fill(made, items)
    with organization_scope(made.pk):
        category_items_want()
        category_items_follow()
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(TABLES)}, inventory_categoryitem")


def _fill(made: Organization, items: int) -> None:
    values: dict[str, Any] = {"organization": made.pk, "items": items}
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in FILL:
            cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
