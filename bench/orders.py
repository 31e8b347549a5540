"""Sales orders: one placed, one on its whole way, and the list of as many as there are products, beside the least SQL.

The orders of the lists belong to the organizations as the products do, and have two lines each.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import connections, transaction

from bench.database import LARGE, TENANT, Member, member_of
from bench.filling import bare_tables
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from bench.reserving import EVENT, LOCK, PLENTY, PROMISE, RESERVATION
from core.paging import Window
from core.supervisor import progress
from core.tenancy import Origin, organization_scope
from inventory.models import Location, ProductVariant, TaxCategory, TaxRate
from inventory.services.posting import Line
from inventory.services.stock import stock_receive
from orders.models import Channel, SalesOrder
from orders.services.order_lines import NewLine
from orders.services.sales_days import sales_days_follow_everywhere
from orders.services.sales_orders import sales_order_create, sales_order_place

LINES, ROUNDS = 5, 60
TABLES = ["orders_salesorder", "orders_salesorderitem"]
FIELDS = "id,number,channel,customer,status,fulfilment_status,payment_status,currency,net_total,total,placed_at,version"
TO = {"country": "PT"}
LIST = f"sales-orders/?limit=100&fields={FIELDS}"

GROUND = (
    """
    INSERT INTO orders_channel (id, organization_id, code, name, currency, warehouse_id, backorders, is_active)
    SELECT uuid7(), w.organization_id, 'BENCH', 'Bench', 'EUR', w.id, false, true
    FROM inventory_warehouse AS w WHERE w.code = 'BENCH'
    """,
    """
    INSERT INTO accounts_party (id, organization_id, kind, name, tax_number, gln, language, website)
    SELECT uuid7(), o.id, 'company', 'Bench buyer ' || n, '', '', '', ''
    FROM accounts_organization AS o, generate_series(1, 100) AS n
    """,
    """
    INSERT INTO orders_customer (id, organization_id, party_id, code, tax_exempt, status)
    SELECT p.id, p.organization_id, p.id, 'B-' || p.id, false, 'active' FROM accounts_party AS p WHERE p.name ^@ 'Bench buyer '
    """,
)
# One a minute, the newest a minute ago; one of fifty is open.
ORDERS = """
    CREATE TEMP TABLE made ON COMMIT DROP AS
    WITH buyers AS (SELECT organization_id, array_agg(id ORDER BY id) AS ids FROM orders_customer GROUP BY 1)
    SELECT p.id, p.organization_id, c.id AS channel_id, c.warehouse_id, b.ids[1 + p.n % 100] AS customer_id, p.n,
           now() - make_interval(mins => p.back::int) AS at
    FROM (
        SELECT id, organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS n,
               row_number() OVER (PARTITION BY organization_id ORDER BY id DESC) AS back
        FROM inventory_product WHERE external_ref ^@ 'P-'
    ) AS p
    JOIN buyers AS b USING (organization_id)
    JOIN orders_channel AS c ON c.organization_id = p.organization_id AND c.code = 'BENCH'
"""
FILL = (
    """
    INSERT INTO orders_salesorder (
        id, organization_id, number, channel_id, customer_id, warehouse_id, email, status, held_from, payment_status,
        fulfilment_status, currency, shipping_address, billing_address, note, net_total, tax_total, total, revision, error_code,
        placed_at, shipped_at, closed_at, moved_at
    )
    SELECT id, organization_id, 'SO-' || lpad(n::text, 7, '0'), channel_id, customer_id, warehouse_id, '',
           CASE WHEN n % 50 = 0 THEN 'confirmed' ELSE 'completed' END, '', 'paid',
           CASE WHEN n % 50 = 0 THEN 'not_started' ELSE 'shipped' END, 'EUR', '{}', '{}', '', 75, 0, 75, 1, '',
           at, CASE WHEN n % 50 > 0 THEN at END, CASE WHEN n % 50 > 0 THEN at END, at
    FROM made ORDER BY n
    """,
    """
    INSERT INTO orders_salesorderitem (
        id, organization_id, order_id, line, variant_id, sku, name, quantity, unit_price, discount, includes_tax, tax_rate,
        net_amount, tax_amount, price_agreed, price_reason, backorder_policy, allocated_quantity, picked_quantity,
        shipped_quantity, returned_quantity, cancelled_quantity, invoiced_quantity
    )
    SELECT uuid7(), m.organization_id, m.id, line, v.id, v.sku, v.name, line, 25, 0, false, 0, 25 * line, 0, true, '', 'channel',
           done, done, done, 0, 0, 0
    FROM made AS m JOIN inventory_productvariant AS v USING (id, organization_id), generate_series(1, 2) AS line,
         LATERAL (SELECT CASE WHEN n % 50 > 0 THEN line ELSE 0 END AS done) AS gone ORDER BY n, line
    """,
)

FOUND = """
    SELECT o.id, o.number, o.channel_id AS channel, o.customer_id AS customer, o.status, o.fulfilment_status, o.payment_status,
           o.currency, o.net_total, o.total, o.placed_at, o.version
    FROM orders_salesorder AS o WHERE o.organization_id = %s
"""
REVENUE = """
    SELECT date_trunc('month', o.placed_at AT TIME ZONE 'UTC') AS month, sum(i.net_amount) AS net
    FROM orders_salesorder AS o
    JOIN orders_salesorderitem AS i ON i.organization_id = o.organization_id AND i.order_id = o.id
    WHERE o.organization_id = %s AND o.placed_at >= %s GROUP BY 1 LIMIT 101
"""
# An order of each of ten days, three days apart; the database notes that it may have changed.
CHANGE = """
    UPDATE orders_salesorder SET total = total WHERE id IN (
        SELECT (
            SELECT o.id FROM orders_salesorder AS o
            WHERE o.organization_id = %s AND o.placed_at < now() - n * interval '3 days' ORDER BY o.placed_at DESC LIMIT 1
        ) FROM generate_series(1, 10) AS n WHERE now() - n * interval '3 days' > %s
    )
"""
PLACE = """
    UPDATE orders_salesorder SET status = 'placed', number = %s, placed_at = now(), moved_at = now()
    WHERE organization_id = %s AND id = %s
"""
ALLOCATED = "UPDATE orders_salesorderitem SET allocated_quantity = quantity WHERE organization_id = %s AND order_id = %s"
ENTRY = """
    INSERT INTO accounts_journalentry (id, organization_id, object_type, object_id, kind, from_state, to_state, body, pinned)
    VALUES (%s, %s, 'orders.salesorder', %s, 'status', 'draft', 'placed', '', false)
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    _filled(size)
    yield from _lists(size, member_of(LARGE if size > 10_000 else TENANT))
    with _scope(member):
        channel = Channel.objects.get(code="BENCH")
        standard = TaxCategory.objects.get(code="standard")  # where there are no taxes at all, that is asked once more
        TaxRate.objects.get_or_create(tax_category=standard, country="PT", defaults={"rate": 23, "valid_from": date(2020, 1, 1)})
        shelf = Location.objects.get(warehouse=channel.warehouse_id, code="BENCH")
        variants = list(ProductVariant.objects.order_by("-id").values_list("pk", flat=True)[:LINES])
        stock_receive(lines=[Line(key, PLENTY, to_location_id=shelf.pk) for key in variants])
    yield _placed(size, member, channel, shelf, variants)
    yield from _whole_way(size, member, channel, variants)


def _scope(member: Member) -> Any:
    return organization_scope(member.organization_id, origin=Origin(actor_id=member.user_id))


def _filled(size: int) -> None:
    """Once."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM orders_channel WHERE code = 'BENCH')")
        if cursor.fetchone()[0]:
            return
        with progress(f"  {size:,} sales orders"), transaction.atomic("owner"):
            cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
            for statement in GROUND:
                cursor.execute(statement)
            cursor.execute(ORDERS)
            with bare_tables(cursor, TABLES):
                for statement in FILL:
                    cursor.execute(statement)
        for table in (*TABLES, "orders_customer", "accounts_party"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def _lists(size: int, member: Member) -> Iterator[Result]:
    floor, client, values = Floor(member.organization_id), Client(member), [member.organization_id]
    first = client.get(LIST)
    rounds = 100
    lowest, ours = times(rounds, floor.rows(f"{FOUND} ORDER BY o.id LIMIT 101", values), first)
    yield Result("list of 100 orders, whole request", size, ours, lowest, statements(first), target=("ratio", 2.5))
    number = "SO-00005"
    found = client.get(f"{LIST}&search={number}")
    least = floor.rows(f"{FOUND} AND o.number_key ^@ %s ORDER BY o.id LIMIT 101", [*values, number.lower()])
    if not orjson.loads(found())["results"]:
        raise AssertionError("There should be orders of these numbers.")
    lowest, ours = times(rounds, least, found)
    yield Result("orders whose number begins so", size, ours, lowest, statements(found), target=("ratio", 5))
    still = client.get(f"{LIST}&status=confirmed&sort=-id")
    lowest, ours = times(
        rounds, floor.rows(f"{FOUND} AND o.status = 'confirmed' ORDER BY o.id DESC LIMIT 101", values), still,
    )
    yield Result("the newest 100 that are confirmed", size, ours, lowest, statements(still), target=("ratio", 2.5))
    deep = client.get(f"{LIST}&cursor={_near_the_end(member)}")
    lowest, ours = times(rounds, first, deep)
    yield Result("the last 100 orders, beside the first", size, ours, lowest, statements(deep), target=("ratio", 1.3))
    yield from _reports(size, member, floor, client)


def _reports(size: int, member: Member, floor: Floor, client: Client) -> Iterator[Result]:
    """Of a year. The floor reads the orders."""
    year = datetime.now(UTC).date() - timedelta(364)
    rounds, values = 20 if size <= 10_000 else 3, [member.organization_id, year]
    least, target = floor.rows(REVENUE, values), ("ratio", 6 if size <= 10_000 else 1)

    def asked(name: str, query: str = "") -> Any:
        return client.get(f"analytics/orders/{name}/?from_day={year}{query}")

    by_month = asked("revenue", "&period=month")
    _days_summed()
    lowest, ours = times(rounds, least, by_month)
    yield Result("revenue and margin by month, a year of orders", size, ours, lowest, statements(by_month), target=target)
    yield Result("in which state they are", size, *times(rounds, asked("states")), statements=statements(asked("states")))
    with connections["owner"].cursor() as cursor:
        cursor.execute(CHANGE, values)
    lowest, ours = times(rounds, least, by_month)
    yield Result("revenue by month, when orders of ten days have changed", size, ours, lowest, statements(by_month))
    _days_summed()
    for name, query in (("revenue", "&group_by=customer"), ("revenue", "&group_by=product"), ("service", "&period=month")):
        report = asked(name, query)
        lowest, ours = times(rounds, least, report)
        yield Result(f"{name} of a year {query[1:]}, which read the orders", size, ours, lowest, statements(report))


def _days_summed() -> None:
    """Before they were changed they are few: the first time it takes as long as there are days."""
    with progress("  sales of days"):
        while sales_days_follow_everywhere():
            pass
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE orders_salesday")


def _near_the_end(member: Member) -> str | None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orders_salesorder WHERE organization_id = %s ORDER BY id DESC OFFSET 100 LIMIT 1",
            [member.organization_id],
        )
        last = cursor.fetchone()
    return Window(SalesOrder, ["id"], 1).page([last, last], lambda row: row).next


def _placed(size: int, member: Member, channel: Channel, shelf: Location, variants: list[UUID]) -> Result:
    """The carts are made before it is measured."""
    floor, organization = Floor(member.organization_id), member.organization_id
    carts = iter([_cart(member, channel, variants) for _ in range(3 * ROUNDS)])

    def by_sql() -> None:
        cart = next(carts)
        with floor.scope() as cursor:
            items = [row["id"] for row in cursor.execute(LOCK, [organization, variants, shelf.pk]).fetchall()]
            rows = cursor.execute(PROMISE, [organization, items]).fetchall()
            columns = [[row[name] for row in rows] for name in ("variant_id", "warehouse_id", "id")]
            cursor.execute(RESERVATION, [organization, cart.pk, [uuid4() for _ in rows], *columns])
            cursor.execute(PLACE, [f"B-{cart.pk}", organization, cart.pk])
            cursor.execute(ALLOCATED, [organization, cart.pk])
            cursor.execute(ENTRY, [uuid4(), organization, cart.pk])
            cursor.execute(EVENT, [uuid4(), organization, cart.pk])

    def by_verb() -> None:
        with _scope(member):
            sales_order_place(order=next(carts))

    lowest, ours = times(ROUNDS, by_sql, by_verb)
    with _scope(member):  # what opens it is not counted
        sent = statements(lambda: sales_order_place(order=next(carts)))
    return Result(f"place an order of {LINES} lines", size, ours, lowest, sent, target=("statements", 12))


def _cart(member: Member, channel: Channel, variants: list[UUID]) -> SalesOrder:
    with _scope(member):
        lines = [NewLine(key, Decimal(1), unit_price=Decimal(10)) for key in variants]
        return sales_order_create(channel=channel, lines=lines, shipping_address=TO)


def _whole_way(size: int, member: Member, channel: Channel, variants: list[UUID]) -> Iterator[Result]:
    """InvenTree takes 12 requests, 519 statements and 943 ms for it on such a machine: wanted is a twentieth."""
    client, verbs = Client(member), ("place", "pack", "ship", "deliver")
    lines = [{"variant": str(variants[0]), "quantity": "1", "unit_price": "10"}]
    body = {"channel": str(channel.pk), "lines": lines, "shipping_address": TO}
    carts = iter([_cart(member, channel, variants[:1]).pk for _ in range(2 * ROUNDS)])

    def steps(key: object) -> None:
        for verb in verbs:
            client.post(f"sales-orders/{key}/{verb}/", {})()

    def way() -> None:
        steps(orjson.loads(client.post("sales-orders/", body)())["id"])

    def from_the_cart() -> None:
        steps(next(carts))

    ours, whole = times(ROUNDS, from_the_cart, way)
    name = "place, pack, ship and deliver an order, four requests"
    yield Result(name, size, ours, statements=statements(from_the_cart), target=("statements", 60))
    yield Result("the same with its cart, five requests", size, whole, statements=statements(way), target=("ours", 47))
