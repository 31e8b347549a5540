"""What kind of goods the lines of a quote are, and what a place takes of them on a day: one statement for all lines."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import TaxCategory

# The rate of the region comes before the one of all other regions.
GOODS = """
    WITH rate AS (
        SELECT DISTINCT ON (r.tax_category_id) r.tax_category_id, r.rate, r.region
        FROM inventory_taxrate AS r
        WHERE r.organization_id = %(organization)s AND r.country = %(country)s AND r.region_key IN ('', lower(%(region)s::text))
            AND r.valid_from <= %(day)s AND (r.valid_to IS NULL OR r.valid_to >= %(day)s)
        ORDER BY r.tax_category_id, r.region_key DESC
    ), category AS (
        SELECT c.id, c.code, c.is_taxed, rate.rate, rate.region
        FROM inventory_taxcategory AS c LEFT JOIN rate ON rate.tax_category_id = c.id
        WHERE c.organization_id = %(organization)s
    )
    SELECT v.id, v.sku, v.name, c.code, c.is_taxed, c.rate, c.region
    FROM inventory_productvariant AS v
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    LEFT JOIN category AS c
        ON c.id = COALESCE(p.tax_category_id, (SELECT standard.id FROM category AS standard WHERE standard.code = %(standard)s))
    WHERE v.organization_id = %(organization)s AND v.id = ANY (%(variants)s)
"""

RATES = """
    SELECT c.id, c.code = %(standard)s, c.is_taxed, (
        SELECT r.rate FROM inventory_taxrate AS r
        WHERE r.organization_id = c.organization_id AND r.tax_category_id = c.id AND r.country = %(country)s
            AND r.region_key IN ('', lower(%(region)s::text)) AND r.valid_from <= %(day)s
            AND (r.valid_to IS NULL OR r.valid_to >= %(day)s)
        ORDER BY r.region_key DESC LIMIT 1)
    FROM inventory_taxcategory AS c WHERE c.organization_id = %(organization)s
"""


@dataclass(frozen=True, slots=True)
class Goods:
    """`rate` is in percent: zero of what is not taxed, None where it is not known; `region` is the one that decided."""

    sku: str
    name: str
    category: str | None
    rate: Decimal | None
    region: str


def goods_of(variants: Collection[UUID], *, country: str, region: str, day: date) -> dict[UUID, Goods]:
    """Those variants that there are. Without a country no rate is known."""
    with connection.cursor() as cursor:
        cursor.execute(GOODS, {
            "organization": active_organization_id(), "variants": list(variants), "country": country, "region": region,
            "day": day, "standard": TaxCategory.STANDARD,
        })
        return {
            variant: Goods(sku, name, category, rate if is_taxed else Decimal(0) if category else None, decided_by or "")
            for variant, sku, name, category, is_taxed, rate, decided_by in cursor.fetchall()
        }


def rates_of(*, country: str, region: str, day: date) -> dict[UUID | None, Decimal | None]:
    """By tax category, in percent, None where it is not known; without a category, what the standard one has."""
    with connection.cursor() as cursor:
        cursor.execute(RATES, {
            "organization": active_organization_id(), "country": country, "region": region, "day": day,
            "standard": TaxCategory.STANDARD,
        })
        found: dict[UUID | None, Decimal | None] = {None: None}
        for category, is_standard, is_taxed, rate in cursor.fetchall():
            found[category] = rate if is_taxed else Decimal(0)
            if is_standard:
                found[None] = found[category]
        return found
