"""Lists by attributes for an organization of 20,000 variants among others, and a bill of materials of 1,000 parts."""

from collections.abc import Callable, Iterator
from uuid import UUID

import orjson
from django.db import connections, transaction

from accounts.models import Organization, User
from accounts.services.tenancy import organization_found
from bench.database import EMAIL, LARGE, Member, member_of
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from inventory.database_catalog import NUMBER_KEY
from inventory.models import AttributeDefinition
from inventory.queries.attribute_owners import forget_counts

ROUNDS, SLOW_ROUNDS = 200, 30
SLUG, VARIANTS, NEIGHBORS = "catalog", 20_000, 200_000
FIELDS = "id,sku,product,name,standard_cost,updated_at,version"
TABLES = ("inventory_product", "inventory_productvariant", "inventory_productattributevalue", "inventory_bomline")

# From 1 to 2,000 GB, and one color of five.
FILL = [
    """
    INSERT INTO inventory_product (id, organization_id, name, description, status, tracking, base_unit_id, hs_code,
                                   country_of_origin)
    SELECT uuid7(), %(organization)s, 'Phone ' || n, '', 'active', 'none', u.id, '', ''
    FROM generate_series(1, %(variants)s) AS n JOIN inventory_unitofmeasure AS u ON u.organization_id = %(organization)s
    WHERE u.code = 'C62'
    """,
    """
    INSERT INTO inventory_productvariant (id, organization_id, sku, product_id, name, standard_cost, abc_class)
    SELECT uuid7(), organization_id, replace(name, 'Phone ', 'PH-'), id, name, 1.25, ''
    FROM inventory_product WHERE organization_id = %(organization)s
    """,
    """
    INSERT INTO inventory_attributedefinition (id, organization_id, code, name, data_type, unit_id, options, is_variant_axis,
                                               is_filterable, position)
    SELECT uuid7(), u.organization_id, 'storage', 'Storage', 'measure', u.id, '{}'::varchar[], false, true, 0
    FROM inventory_unitofmeasure AS u WHERE u.code = 'E34' AND u.organization_id IN (%(organization)s, %(large)s)
    UNION ALL
    SELECT uuid7(), id, 'color', 'Color', 'text', NULL, '{}'::varchar[], false, true, 1
    FROM accounts_organization WHERE id IN (%(organization)s, %(large)s)
    """,
    f"""
    INSERT INTO inventory_productattributevalue (id, organization_id, definition_id, product_id, variant_id, value_number,
                                                 unit_id, key)
    SELECT uuid7(), v.organization_id, d.id, v.product_id, v.id, v.number, d.unit_id,
           {NUMBER_KEY.format("v.number * 1000000000::numeric")}
    FROM (
        SELECT *, (1 + abs(hashtext(sku)) %% 2000)::numeric AS number
        FROM inventory_productvariant WHERE organization_id = %(organization)s
        UNION ALL
        (SELECT *, (1 + abs(hashtext(sku)) %% 2000)::numeric
         FROM inventory_productvariant WHERE organization_id = %(large)s LIMIT %(neighbors)s)
    ) AS v JOIN inventory_attributedefinition AS d ON d.organization_id = v.organization_id AND d.code = 'storage'
    """,
    """
    INSERT INTO inventory_productattributevalue (id, organization_id, definition_id, product_id, variant_id, value_text, key)
    SELECT uuid7(), a.organization_id, d.id, a.product_id, a.variant_id, one.color, one.color
    FROM inventory_productattributevalue AS a
    JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.code = 'color'
    CROSS JOIN LATERAL (
        SELECT (ARRAY['red', 'blue', 'black', 'white', 'green'])[1 + abs(hashtext(a.id::text)) %% 5] AS color) AS one
    """,
    # Three levels of ten: 1,110 lines, 1,000 parts.
    """
    WITH node AS (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM inventory_productvariant WHERE organization_id = %(organization)s
        ORDER BY id LIMIT 1111
    )
    INSERT INTO inventory_bomline (id, organization_id, assembly_id, component_id, quantity, scrap_percent, is_optional,
                                   position, note)
    SELECT uuid7(), %(organization)s, above.id, below.id, 2, 5, false, 0, ''
    FROM node AS below JOIN node AS above ON above.n = (below.n - 1) / 10 WHERE below.n > 0
    """,
]
# The best that SQL can do, which depends on the value: of a rare one its variants are looked up; of a common one the variants
# are gone through and asked. Left to itself, the planner takes the same way for both.
ROWS = """
    SELECT t.id, t.sku, t.product_id AS product, t.name, t.standard_cost, t.updated_at, t.version
    FROM inventory_productvariant AS t WHERE t.organization_id = %s AND t.archived_at IS NULL AND {}
    ORDER BY t.id LIMIT 101
"""
VALUES = """
    inventory_productattributevalue AS a WHERE a.organization_id = %s AND a.definition_id = %s AND {} AND a.variant_id
"""
BY_KEY = f"a.key >= {NUMBER_KEY.format('%s::numeric * 1000000000')}"
LOOKED_UP = "t.id = ANY (ARRAY(SELECT a.variant_id FROM " + VALUES + " IS NOT NULL))"
ASKED = "EXISTS (SELECT FROM " + VALUES + " = t.id OFFSET 0)"
# As it would be without the key: under row security no index serves it, and each value of the attribute is looked at.
BY_NUMBER = ROWS.format(LOOKED_UP.format("a.value_number >= %s"))
EXPLODE = """
    WITH RECURSIVE down AS (
        SELECT %s::uuid AS id, 1::numeric AS quantity
        UNION ALL
        SELECT b.component_id, down.quantity * b.quantity * (1 + b.scrap_percent / 100)
        FROM down JOIN inventory_bomline AS b ON b.organization_id = %s AND b.assembly_id = down.id
    ) SELECT v.id, v.sku, v.name, sum(down.quantity) AS quantity, v.standard_cost
    FROM down JOIN inventory_productvariant AS v ON v.organization_id = %s AND v.id = down.id
    WHERE NOT EXISTS (SELECT FROM inventory_bomline AS b WHERE b.organization_id = %s AND b.assembly_id = down.id)
    GROUP BY v.id, v.sku, v.name, v.standard_cost ORDER BY v.sku
"""


def run(size: int) -> Iterator[Result]:
    _prepare()
    member = member_of(SLUG)
    client, floor = Client(member), Floor(member.organization_id)
    storage = UUID(orjson.loads(client.get("attribute-definitions/?code=storage")())["results"][0]["id"])
    unfiltered = client.get(f"product-variants/?limit=100&fields={FIELDS}")
    for title, least, best in (("one of a hundred", 1981, LOOKED_UP), ("half", 1001, ASKED)):
        values = [member.organization_id, member.organization_id, storage, least]
        lowest = floor.rows(ROWS.format(best.format(BY_KEY)), values)
        request = client.get(f"product-variants/?limit=100&fields={FIELDS}&attr.storage__gte={least}+GB")
        _same(request, lowest)
        anew = _counted_anew(request)
        bare, ours, first, plain = times(ROUNDS, lowest, request, anew, unfiltered)
        yield Result(f"variants by a range of an attribute, {title}", size, ours, bare, statements(request), target=("ratio", 4))
        yield Result("the same for the first time in a minute", size, first, bare, statements(anew), target=("ratio", 4))
        yield Result("the same, beside the request for the list without it", size, ours, plain)
        # Apart: what reads so much leaves the next one without its caches.
        yield Result("the same in SQL, by key beside by number", size, *times(ROUNDS, lowest, floor.rows(BY_NUMBER, values)))
    both = client.get(f"product-variants/?limit=100&fields={FIELDS}&attr.storage__gte=1.5+TB&attr.color=red")
    (ours,) = times(ROUNDS, both)
    yield Result("variants by two attributes", size, ours, statements=statements(both))
    yield _explosion(size, member, client, floor)


def _counted_anew(request: Callable[[], bytes]) -> Callable[[], bytes]:
    def call() -> bytes:
        forget_counts()
        return request()

    return call


def _explosion(size: int, member: Member, client: Client, floor: Floor) -> Result:
    first = orjson.loads(client.get("product-variants/?limit=1&fields=id")())["results"][0]["id"]
    organization = member.organization_id
    request = client.get(f"product-variants/{first}/explosion/")
    if len(orjson.loads(request())["parts"]) != 1_000:
        raise AssertionError("There should be 1,000 parts.")
    bare, ours = times(SLOW_ROUNDS, floor.rows(EXPLODE, [first, organization, organization, organization]), request)
    return Result("explosion of 1,110 lines to 1,000 parts", size, ours, bare, statements(request), target=("ratio", 4))


def _prepare() -> None:
    """Once for each database."""
    if AttributeDefinition.every_organization.using("owner").filter(code="storage").exists():
        return
    made = Organization.objects.using("worker").filter(slug=SLUG).first()
    if made is None:
        with transaction.atomic():
            made = organization_found(name="Catalog", slug=SLUG, founder=User.objects.get_by_natural_key(EMAIL))
    large = Organization.objects.using("worker").get(slug=LARGE).pk
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in FILL:
            cursor.execute(statement, {"organization": made.pk, "large": large, "variants": VARIANTS, "neighbors": NEIGHBORS})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")


def _same(request: Callable[[], bytes], floor: Callable[[], bytes]) -> None:
    ours, lowest = ([row["id"] for row in orjson.loads(side())["results"][:100]] for side in (request, floor))
    if ours != lowest:
        raise AssertionError("The request and its floor give different rows.")


