"""Writes the ABC class of variants, by which counts choose."""

import time
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.queries.flags import feature_enabled
from core.errors import Invalid
from inventory.queries.abc import CLASSED, USUAL, Limits
from inventory.queries.analytics_sources import Goods, flows
from inventory.queries.spans import YEAR, Days, Span
from notifications.services.sittings import JobContext

BY_HAND = "abc-by-hand"  # a feature flag: no schedule writes classes
CHANGES = 20_000  # in a transaction

# What was neither there nor moved has no class. Variants are locked by id, like everywhere.
WRITE = f"""
    {CLASSED}, wanted AS (
        SELECT v.id, COALESCE(c.abc_class, '') AS abc_class
        FROM inventory_productvariant AS v LEFT JOIN classed AS c ON c.variant_id = v.id
        WHERE v.organization_id = %(organization)s AND v.archived_at IS NULL AND v.abc_class <> COALESCE(c.abc_class, '')
            AND (NOT %(if_used)s OR EXISTS (SELECT FROM classed WHERE total > 0))
    ), locked AS (
        SELECT v.id, w.abc_class FROM inventory_productvariant AS v JOIN wanted AS w USING (id)
        WHERE v.organization_id = %(organization)s ORDER BY v.id LIMIT %(most)s FOR NO KEY UPDATE OF v
    )
    UPDATE inventory_productvariant AS v SET abc_class = l.abc_class
    FROM locked AS l WHERE v.organization_id = %(organization)s AND v.id = l.id
"""


@transaction.atomic
def abc_classes_write(*, span: Span, limits: Limits = USUAL, most: int | None = None, if_used: bool = False) -> int:
    """Of all variants, or of the first `most` that have another one, by what was issued from every warehouse; returns how many
    changed. With `if_used`, none where nothing was issued. Raises Invalid."""
    if not 0 < limits.a < limits.b <= 100:
        raise Invalid("The limit of A is above 0 and below that of B, which is 100 at most.", fields={"a": "not below b"})
    source, values = flows(Goods(), span)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {source}{WRITE}", values | limits.values() | {"most": most, "if_used": if_used})
        changed: int = cursor.rowcount
    return changed


def abc_classes_follow(*, context: JobContext, day: date) -> dict[str, int]:
    """As a job: by the year before the day, so many changes in a transaction. Raises Continue."""
    if feature_enabled(BY_HAND):
        return {"changed": 0}
    zone = ZoneInfo(Organization.objects.get().timezone)
    span = Days(last=day - timedelta(days=1)).span(zone, timezone.now(), usual=YEAR)
    changed, longest = context.state or 0, 0.0
    while True:
        began = time.monotonic()
        found = abc_classes_write(span=span, most=CHANGES, if_used=True)
        longest, changed = max(longest, time.monotonic() - began), changed + found
        if found < CHANGES:
            return {"changed": changed}
        context.checkpoint_or_rest(changed, took=longest)
