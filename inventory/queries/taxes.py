"""For whom and when a quote is, what kind of goods its lines are, and what that place takes of them on that day: one statement
for all lines."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import TaxCategory

# The party's own place is its default delivery address, else the one that bills go to. The rate of the region comes before the
# one of all other regions.
GOODS = """
    WITH asked AS MATERIALIZED (
        SELECT o.base_currency, COALESCE(%(day)s::date, (now() AT TIME ZONE o.timezone)::date) AS day, p.id AS party_id,
               CASE WHEN %(country)s = '' THEN COALESCE(a.country, '') ELSE %(country)s END AS country,
               CASE WHEN %(country)s = '' THEN COALESCE(a.region, '') ELSE %(region)s END AS region
        FROM accounts_organization AS o
        LEFT JOIN accounts_party AS p ON p.organization_id = o.id AND p.id = %(party)s
        LEFT JOIN LATERAL (
            SELECT a.country, a.region FROM accounts_address AS a
            WHERE a.organization_id = o.id AND a.party_id = p.id AND a.is_default AND a.kind IN ('shipping', 'billing')
            ORDER BY a.kind DESC LIMIT 1
        ) AS a ON true
        WHERE o.id = %(organization)s
    ), rate AS (
        SELECT DISTINCT ON (r.tax_category_id) r.tax_category_id, r.rate, r.region
        FROM asked JOIN inventory_taxrate AS r
            ON r.country = asked.country AND r.region_key IN ('', lower(asked.region))
            AND r.valid_from <= asked.day AND (r.valid_to IS NULL OR r.valid_to >= asked.day)
        WHERE r.organization_id = %(organization)s
        ORDER BY r.tax_category_id, r.region_key DESC
    ), category AS (
        SELECT c.id, c.code, c.is_taxed, rate.rate, rate.region
        FROM inventory_taxcategory AS c LEFT JOIN rate ON rate.tax_category_id = c.id
        WHERE c.organization_id = %(organization)s
    )
    SELECT asked.*, EXISTS (SELECT FROM inventory_taxrate WHERE organization_id = %(organization)s) AS has_rates,
           v.id, v.sku, v.name, c.code, c.is_taxed, c.rate, c.region
    FROM asked LEFT JOIN (
        inventory_productvariant AS v
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        LEFT JOIN category AS c
            ON c.id = COALESCE(p.tax_category_id, (SELECT usual.id FROM category AS usual WHERE usual.code = %(standard)s))
    ) ON v.organization_id = %(organization)s AND v.id = ANY (%(variants)s)
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


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`party_id` is None where there is none of that id; `has_rates`: the organization has a tax rate at all."""

    currency: str
    day: date
    party_id: UUID | None
    country: str
    region: str
    has_rates: bool


def goods_of(
    variants: Collection[UUID], *, party_id: UUID | None, country: str, region: str, day: date | None,
) -> tuple[Circumstances, dict[UUID, Goods]]:
    """Those variants that there are. What is empty is the organization's currency, its today, and the place of the party.

    Without a country no rate is known.
    """
    with connection.cursor() as cursor:
        cursor.execute(GOODS, {
            "organization": active_organization_id(), "variants": list(variants), "party": party_id, "country": country,
            "region": region, "day": day, "standard": TaxCategory.STANDARD,
        })
        rows = cursor.fetchall()
    return Circumstances(*rows[0][:6]), {
        variant: Goods(sku, name, category, rate if is_taxed else Decimal(0) if category else None, decided_by or "")
        for *_, variant, sku, name, category, is_taxed, rate, decided_by in rows if variant
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
